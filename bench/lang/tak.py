def tak(x, y, z):
    while y < x:
        x, y, z = tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y)
    return z


def run():
    return tak(18, 12, 6)
