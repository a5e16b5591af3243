def make_alist(n):
    result = None
    for i in range(n):
        result = ((i, i * i), result)
    return result


def assv(key, items):
    while items is not None:
        if items[0][0] == key:
            return items[0]
        items = items[1]
    return None


def look_up_all(alist, n):
    total = 0
    for i in range(n):
        total += assv(i, alist)[1]
    return total


def count_words(n):
    table = {}
    for i in range(n):
        key = str(i * 7919 % 101)
        table[key] = 1 + table.get(key, 0)
    return table.get("7", 0)


def run():
    return look_up_all(make_alist(200), 200) + count_words(20000)
