import sys

sys.setrecursionlimit(1_000_000)


def sieve(n):
    composite = [False] * (n + 1)
    count = 0
    for i in range(2, n + 1):
        if not composite[i]:
            count += 1
            j = i * i
            while j <= n:
                composite[j] = True
                j += i
    return count


def interval(low, high):
    return None if low > high else (low, interval(low + 1, high))


def remove_multiples(n, items):
    if items is None:
        return None
    head, tail = items
    if head % n == 0:
        return remove_multiples(n, tail)
    return (head, remove_multiples(n, tail))


def list_sieve(items):
    if items is None:
        return None
    head, tail = items
    return (head, list_sieve(remove_multiples(head, tail)))


def length(items):
    count = 0
    while items is not None:
        count += 1
        items = items[1]
    return count


def run():
    return sieve(50000) + length(list_sieve(interval(2, 800)))
