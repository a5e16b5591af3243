rules = {}


def unify(term, pattern, bindings):
    if type(pattern) is str:
        if pattern in bindings:
            return bindings if bindings[pattern] == term else None
        return {**bindings, pattern: term}
    if type(pattern) is tuple:
        if type(term) is not tuple or term[0] != pattern[0] or len(term) != len(pattern):
            return None
        for i in range(1, len(term)):
            bindings = unify(term[i], pattern[i], bindings)
            if bindings is None:
                return None
        return bindings
    return bindings if term == pattern else None


def substitute(bindings, term):
    if type(term) is str:
        return bindings.get(term, term)
    if type(term) is tuple:
        return (term[0], *[substitute(bindings, part) for part in term[1:]])
    return term


def rewrite(term):
    if type(term) is not tuple:
        return term
    term = (term[0], *[rewrite(part) for part in term[1:]])
    for left, right in rules.get(term[0], ()):
        bindings = unify(term, left, {})
        if bindings is not None:
            return rewrite(substitute(bindings, right))
    return term


def term_size(term):
    return 1 + sum([term_size(part) for part in term[1:]]) if type(term) is tuple else 1


def nest(n):
    if n == 0:
        return ("s", ("s", "zero"))
    return ("plus", nest(n - 1), ("times", ("s", ("s", ("zero",))), nest(n - 1)))


def run():
    rules.clear()
    rules["plus"] = [(("plus", ("s", "x"), "y"), ("s", ("plus", "x", "y")))]
    rules["plus"].append((("plus", ("zero",), "x"), "x"))
    rules["times"] = [(("times", ("s", "x"), "y"), ("plus", "y", ("times", "x", "y")))]
    rules["times"].append((("times", ("zero",), "x"), ("zero",)))
    return term_size(rewrite(nest(5)))
