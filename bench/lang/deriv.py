def deriv(a):
    if type(a) is not tuple:
        return 1 if a == "x" else 0
    operator = a[0]
    if operator == "+" or operator == "-":
        return (operator, *[deriv(b) for b in a[1:]])
    if operator == "*":
        return ("*", a, ("+", *[("/", deriv(b), b) for b in a[1:]]))
    if operator == "/":
        return (
            "-",
            ("/", deriv(a[1]), a[2]),
            ("/", a[1], ("*", a[2], a[2], deriv(a[2]))),
        )
    raise ValueError(f"no derivation method for {operator}")


def size(tree):
    if type(tree) is tuple:
        count = 1
        for item in tree:
            count += size(item)
        return count
    return 1


def run():
    expression = ("+", ("*", 3, "x", "x"), ("*", "a", "x", "x"), ("*", "b", "x"), 5)
    total = 0
    for _ in range(1000):
        total += size(deriv(expression))
    return total
