def iterations(r, i, step, x, y):
    cr = r + x * step
    ci = i + y * step
    zr, zi = cr, ci
    count = 0
    while count != 64:
        zr2 = zr * zr
        zi2 = zi * zi
        if zr2 + zi2 > 16.0:
            break
        zr, zi = zr2 - zi2 + cr, 2.0 * (zr * zi) + ci
        count += 1
    return count


def run():
    total = 0
    for y in range(40):
        for x in range(40):
            total += iterations(-1.0, -0.5, 0.025, x, y)
    return total
