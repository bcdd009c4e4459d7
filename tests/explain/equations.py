"""The `equation` of an op, read literally: all values of all indices are tried.

A second reading, which shares nothing with explain: index expressions are evaluated by Python.
"""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import product

ELEMENT = re.compile(r"(\w+)\[([^\]]*)\]")


def parameters(spec):
    """The names that index expressions use, with their numbers: sh, dh, ph and so on."""
    found = {}
    for letter, s, d, (low, _) in zip(
        "dhw"[-spec.axes :], spec.stride, spec.dilation, spec.padding, strict=True
    ):
        found |= {f"s{letter}": s, f"d{letter}": d, f"p{letter}": low}
    return found


def read(equation, shapes, numbers):
    """Return, for each index of the left side, the products of its sum.

    A product is a tuple of (array, index) pairs in the order of the equation; a term outside of the
    sum, such as the bias, is a product of one.
    """
    left, right = equation.split(" = ", 1)
    (left_name, left_index), *_ = ELEMENT.findall(left)
    head, _, body = right.partition("sum[")
    over, _, factors = body.partition("]")
    indices, _, conditions = over.partition(": ")
    conditions = [c.replace(" = ", " == ") for c in re.split(r", (?=\w = )", conditions) if c]
    added = ELEMENT.findall(head)
    factors = ELEMENT.findall(factors)
    sizes = {}
    for name, inside in [(left_name, left_index), *added, *factors]:
        for letter, size in zip(re.split(r",\s*", inside), shapes[name], strict=True):
            if letter.isalpha():
                assert sizes.setdefault(letter, size) == size, (equation, letter)
    outer, inner = left_index.split(","), indices.split(",")
    found = defaultdict(list)
    for values in product(*(range(sizes[letter]) for letter in outer)):
        found[values] = []
    for values in product(*(range(sizes[letter]) for letter in [*outer, *inner])):
        scope = dict(zip([*outer, *inner], values, strict=True)) | numbers
        if not all(eval(condition, {}, scope) for condition in conditions):
            continue
        term = [(name, eval(f"({inside},)", {}, scope)) for name, inside in factors]
        if all(within(index, shapes[name]) for name, index in term):
            found[values[: len(outer)]].append(tuple(term))
    for values in found:
        scope = dict(zip(outer, values, strict=True))
        found[values] += [((name, eval(f"({inside},)", {}, scope)),) for name, inside in added]
    return dict(found)


def within(index, shape):
    return all(0 <= at < size for at, size in zip(index, shape, strict=True))
