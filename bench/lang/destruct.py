class Cell:
    __slots__ = ("head", "tail")

    def __init__(self, head, tail):
        self.head = head
        self.tail = tail


def append_to_tail(x, y):
    if x is None:
        return y
    a, b = x, x.tail
    while b is not None:
        a, b = b, b.tail
    a.tail = y
    return x


def numbers(n):
    result = None
    for i in range(n, 0, -1):
        result = Cell(i, result)
    return result


def reverse_in_place(items):
    result = None
    while items is not None:
        following = items.tail
        items.tail = result
        result, items = items, following
    return result


def list_head(items, n):
    return None if n == 0 else Cell(items.head, list_head(items.tail, n - 1))


def run():
    items = numbers(10)
    total = 0
    for i in range(2000):
        longer = append_to_tail(items, numbers(5))
        longer.head = i
        items = list_head(reverse_in_place(longer), 10)
        total += longer.head
    return total
