def grow(s):
    return "123" + s + "456" + s + "789"


def trial(n):
    s = "abcdef"
    while len(s) <= n:
        s = grow(s)
        s = s[len(s) // 2 :] + s[: len(s) // 2 + 1]
    return len(s)


def spaces(text):
    count = 0
    for i in range(len(text)):
        if text[i] == " ":
            count += 1
    return count


def run():
    total = 0
    for _ in range(50):
        total += trial(5000)
    return total + spaces(" " * 20000)
