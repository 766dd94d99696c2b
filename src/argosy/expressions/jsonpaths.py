"""JSONPath: `$.a[0]..b[?(@.c > 1)]` on plain JSON values.

It knows paths and values, not who asks. A path that can name only one value gives that value, any other a list.
Filters are expr-lang, with `@` for the element and `$` for the root. Source: Argo docs: variables.md; Goessner's
JSONPath. (The library on PyPI matches regular expressions by backtracking and has no budget.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import cast

from argosy.errors import ExpressionError
from argosy.expressions.budget import Budget

MAX_PATH = 2000

_NAME = re.compile(r"[^\s.\[\]()'\"*?@,:]+")
_QUOTED = re.compile(r"""\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*""", re.DOTALL)
_NUMBER = re.compile(r"\s*(-?\d{1,9})\s*")
_SLICE = re.compile(r"\s*(-?\d{1,9})?\s*:\s*(-?\d{1,9})?\s*(?::\s*(-?\d{1,9})?\s*)?")
_STRINGS = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|@|\$""", re.DOTALL)

# A selector gives the values below one value. The root is for filters.
Selector = Callable[[Budget, object, object], Iterator[object]]


def query(budget: Budget, document: object, path: str) -> object:
    """What the path finds. Raises ExpressionError when it is no path, or names one value and that is not there."""
    budget.spend(20)
    selectors, definite = _compiled(path)
    found = [document]
    for selector in selectors:
        below: list[object] = []
        for value in found:
            for inner in selector(budget, value, document):
                budget.spend(1)
                below.append(inner)
        found = below
    if not definite:
        return found
    if not found:
        raise ExpressionError(f"jsonpath(): '{path}' finds nothing")
    return found[0]


@lru_cache(maxsize=256)
def _compiled(path: str) -> tuple[tuple[Selector, ...], bool]:
    if len(path) > MAX_PATH:
        raise ExpressionError(f"a JSONPath has {len(path)} characters; at most {MAX_PATH} are allowed")
    text = path.strip()
    offset = 1 if text.startswith("$") else 0
    if not offset and not text.startswith((".", "[")):
        text = "." + text
    selectors: list[Selector] = []
    definite = True
    while offset < len(text):
        selector, one, offset = _step(text, offset)
        selectors.append(selector)
        definite = definite and one
    return tuple(selectors), definite


def _step(text: str, offset: int) -> tuple[Selector, bool, int]:
    """The selector at `offset`, whether it can find only one value, and where the path goes on."""
    if text.startswith("..", offset):
        if text.startswith("[", offset + 2):
            return _descend, False, offset + 2
        selector, _, after = _step("." + text[offset + 2 :], 0)
        return _below_all(selector), False, offset + 1 + after
    if text.startswith(".", offset):
        if text.startswith("*", offset + 1):
            return _children, False, offset + 2
        if text.startswith("[", offset + 1):
            return _bracket(text, offset + 1)
        name = _NAME.match(text, offset + 1)
        if name is None:
            raise _problem(text, offset + 1)
        return _member(name.group()), True, name.end()
    if text.startswith("[", offset):
        return _bracket(text, offset)
    raise _problem(text, offset)


def _problem(text: str, offset: int) -> ExpressionError:
    return ExpressionError(f"jsonpath(): '{text}' is not a path: unexpected '{text[offset : offset + 1] or 'end'}'")


def _bracket(text: str, start: int) -> tuple[Selector, bool, int]:
    end = _closing(text, start)
    inside = text[start + 1 : end].strip()
    if inside == "*":
        return _children, False, end + 1
    if inside.startswith("?"):
        return _filter(inside[1:].strip()), False, end + 1
    selectors: list[Selector] = []
    one = True
    offset = 0
    while True:
        selector, definite, offset = _entry(inside, offset, text, start)
        selectors.append(selector)
        one = one and definite
        if offset >= len(inside):
            break
        if inside[offset] != ",":
            raise _problem(text, start + 1 + offset)
        one, offset = False, offset + 1
    return selectors[0] if len(selectors) == 1 else _either(selectors), one, end + 1


def _entry(inside: str, offset: int, text: str, start: int) -> tuple[Selector, bool, int]:
    quoted = _QUOTED.match(inside, offset)
    if quoted is not None:
        name = quoted.group(1) if quoted.group(1) is not None else quoted.group(2)
        return _member(re.sub(r"\\(.)", r"\1", name, flags=re.DOTALL)), True, quoted.end()
    cut = _SLICE.match(inside, offset)
    if cut is not None:
        first, last, step = (int(part) if part else None for part in cut.groups())
        if step == 0:
            raise _problem(text, start)
        return _sliced(slice(first, last, step)), False, cut.end()
    number = _NUMBER.match(inside, offset)
    if number is None:
        raise _problem(text, start + 1 + offset)
    return _element(int(number.group(1))), True, number.end()


def _closing(text: str, start: int) -> int:
    """Where the bracket that opens at `start` is closed, quotes and inner brackets passed over."""
    depth, offset = 0, start
    while offset < len(text):
        character = text[offset]
        if character in "'\"":
            quoted = _QUOTED.match(text, offset)
            if quoted is None:
                break
            offset = quoted.end()
            continue
        depth += (character == "[") - (character == "]")
        if depth == 0:
            return offset
        offset += 1
    raise ExpressionError(f"jsonpath(): '{text}' is not a path: a bracket is never closed")


def _member(name: str) -> Selector:
    def select(budget: Budget, value: object, root: object) -> Iterator[object]:
        if isinstance(value, dict) and name in value:
            yield cast("dict[str, object]", value)[name]

    return select


def _element(index: int) -> Selector:
    def select(budget: Budget, value: object, root: object) -> Iterator[object]:
        items = _items(value)
        if -len(items) <= index < len(items):
            yield items[index]

    return select


def _sliced(cut: slice) -> Selector:
    def select(budget: Budget, value: object, root: object) -> Iterator[object]:
        yield from _items(value)[cut]

    return select


def _items(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _either(selectors: list[Selector]) -> Selector:
    def select(budget: Budget, value: object, root: object) -> Iterator[object]:
        for selector in selectors:
            yield from selector(budget, value, root)

    return select


def _children(budget: Budget, value: object, root: object) -> Iterator[object]:
    if isinstance(value, dict):
        pairs = cast("dict[str, object]", value)
        yield from (pairs[key] for key in sorted(pairs))
    else:
        yield from _items(value)


def _descend(budget: Budget, value: object, root: object) -> Iterator[object]:
    pending = [value]
    while pending:
        budget.spend(1)
        inner = pending.pop()
        yield inner
        pending.extend(reversed(list(_children(budget, inner, root))))


def _below_all(selector: Selector) -> Selector:
    def select(budget: Budget, value: object, root: object) -> Iterator[object]:
        for inner in _descend(budget, value, root):
            yield from selector(budget, inner, root)

    return select


def _filter(condition: str) -> Selector:
    """`(@.a > 1)`: elements for which the condition holds, or is anything but nil and false."""
    from argosy.expressions.expr import parse

    marks = {"@": "#", "$": "__root"}
    text = _STRINGS.sub(lambda found: marks.get(found.group(), found.group()), condition)
    program = parse(f"map(__items, {{{text}}})")

    def select(budget: Budget, value: object, root: object) -> Iterator[object]:
        for item in _children(budget, value, root):
            budget.spend(20)
            try:
                result = program.evaluate({"__items": [item], "__root": root}, budget=budget)
            except ExpressionError:
                budget.spend(0)
                continue
            if cast("list[object]", result)[0] not in (None, False):
                yield item

    return select
