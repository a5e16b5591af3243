class Cell:
    __slots__ = ("head", "tail")

    def __init__(self, head, tail):
        self.head = head
        self.tail = tail


def numbers(n):
    result = None
    seed = 42
    for _ in range(n):
        seed = (seed * 1103515245 + 12345) % 2147483648
        result = Cell(seed, result)
    return result


def append_reversed(items, rest):
    while items is not None:
        rest = Cell(items.head, rest)
        items = items.tail
    return rest


def merge(a, b, less):
    result = None
    while True:
        if a is None:
            return append_reversed(result, b)
        if b is None:
            return append_reversed(result, a)
        if less(b.head, a.head):
            result = Cell(b.head, result)
            b = b.tail
        else:
            result = Cell(a.head, result)
            a = a.tail


def length(items):
    count = 0
    while items is not None:
        count += 1
        items = items.tail
    return count


def list_tail(items, n):
    for _ in range(n):
        items = items.tail
    return items


def merge_sort(items, less):
    def sort_first(n, items):
        if n == 1:
            return Cell(items.head, None)
        half = n // 2
        return merge(sort_first(half, items), sort_first(n - half, list_tail(items, half)), less)

    return None if items is None else sort_first(length(items), items)


def run():
    ordered = merge_sort(numbers(3000), lambda a, b: a < b)
    return list_tail(ordered, 1500).head
