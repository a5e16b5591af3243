def even(n):
    while True:
        if n == 0:
            return True
        n -= 1
        if n == 0:
            return False
        n -= 1


def run():
    total = 0
    i = 0
    while i != 300000:
        total += i
        i += 1
    return total if even(100000) else 0
