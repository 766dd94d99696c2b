"""Tags in texts: `{{name}}` and `{{=expression}}`, found and replaced.

It knows texts, JSON's escapes and a mapping of dotted names, not what the names stand for. Everything happens in one
pass: what a tag is replaced by is never looked at again, so a value that holds tags of its own arrives as it is.
Source: Argo docs: variables.md; the details, and where we differ on purpose, are in docs/decisions/expressions.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from argosy.errors import ExpressionError
from argosy.expressions.formatting import json_text, kind_of, quote_json
from argosy.expressions.tag_scanner import Piece, RawTag, scan

if TYPE_CHECKING:
    from argosy.expressions.expr import Program

__all__ = ["Tag", "references", "substitute_json", "substitute_text"]

Scope = Mapping[str, object]

# Names that get their value later than the rest: an expression that waits for one stays as it is until then.
LATE = frozenset(
    {
        "item",
        "retries",
        "lastRetry.exitCode",
        "lastRetry.status",
        "lastRetry.duration",
        "lastRetry.message",
        "workflow.status",
        "workflow.failures",
    }
)

_MAX_CACHED_TEXT = 1 << 16


class Tag(msgspec.Struct, frozen=True, kw_only=True):
    """One tag in a text.

    text: what is between the braces, trimmed, without `=`. start, end: the tag's place, braces included. names: the
    dotted names it refers to; none for a tag whose name is made by tags within it (those are listed themselves).
    problem: why its expression cannot be parsed, or "".
    """

    text: str
    expression: bool
    start: int
    end: int
    names: tuple[str, ...]
    problem: str = ""


def references(text: str) -> list[Tag]:
    """The tags of a plain text, in order; a tag within a tag's name comes after the tag it is in."""
    if "{{" not in text:
        return []
    return list(_listed(scan(text, False)))


def _listed(pieces: tuple[Piece, ...]) -> Iterator[Tag]:
    for piece in pieces:
        if isinstance(piece, str):
            continue
        names: tuple[str, ...] = () if piece.inner else (piece.text,)
        problem = ""
        if piece.expression:
            try:
                names = _parse(piece.text).names()
            except ExpressionError as error:
                names, problem = (), error.message
        yield Tag(
            text=piece.text,
            expression=piece.expression,
            start=piece.start,
            end=piece.start + len(piece.raw),
            names=names,
            problem=problem,
        )
        yield from _listed(piece.inner)


def _parse(text: str) -> Program:
    from argosy.expressions.expr import parse  # here, because most manifests have simple tags only

    return parse(text)


def substitute_json(
    json_text: str, scope: Scope, *, allow_unresolved: bool, strict_prefixes: tuple[str, ...] = ()
) -> str:
    """The JSON text with the tags in its strings replaced; the values are escaped, so it stays JSON.

    allow_unresolved: an unknown name leaves its tag as it is; otherwise it is an error. strict_prefixes: names that
    begin so must be known all the same. Raises ExpressionError.
    """
    if "{{" not in json_text:
        return json_text
    return _substitute(json_text, scope, True, allow_unresolved, strict_prefixes)


def substitute_text(text: str, scope: Scope, *, allow_unresolved: bool, strict_prefixes: tuple[str, ...] = ()) -> str:
    """The plain text with its tags replaced; otherwise as `substitute_json`. Raises ExpressionError."""
    if "{{" not in text:
        return text
    return _substitute(text, scope, False, allow_unresolved, strict_prefixes)


_scan_cached = lru_cache(maxsize=1024)(scan)


def _substitute(text: str, scope: Scope, in_json: bool, allow_unresolved: bool, strict: tuple[str, ...]) -> str:
    pieces = _scan_cached(text, in_json) if len(text) <= _MAX_CACHED_TEXT else scan(text, in_json)
    escape = _escaped if in_json else _as_it_is
    parts: list[str] = []
    for piece in pieces:
        if isinstance(piece, str):
            parts.append(piece)
        elif piece.expression:
            parts.append(_expression(piece, scope, escape, allow_unresolved, strict))
        elif piece.inner:
            parts.append(_nested(piece, scope, escape, allow_unresolved, strict))
        else:
            value = _simple(piece.text, scope, allow_unresolved, strict)
            parts.append(piece.raw if value is None else escape(value))
    return "".join(parts)


def _escaped(value: str) -> str:
    return quote_json(value)[1:-1]


def _as_it_is(value: str) -> str:
    return value


def _is_strict(name: str, strict: tuple[str, ...]) -> bool:
    if not strict or ".outputs.artifacts." in name:  # artifacts are resolved elsewhere and may be optional
        return False
    return any((name + ".").startswith(prefix.removesuffix(".") + ".") for prefix in strict)


def _simple(name: str, scope: Scope, allow_unresolved: bool, strict: tuple[str, ...]) -> str | None:
    """The value of a name, or None to leave its tag as it is. Raises ExpressionError."""
    try:
        value = scope[name]
    except KeyError:
        if allow_unresolved and not _is_strict(name, strict):
            return None
        raise ExpressionError(f"failed to resolve {{{{{name}}}}}") from None
    if isinstance(value, str):
        return value
    if value is None:
        raise ExpressionError(
            f"tag {{{{{name}}}}}: it is an absent optional output",
            hint=f"give the output a default, or write {{{{= {name} ?? 'something' }}}}",
        )
    raise ExpressionError(f"failed to resolve {{{{{name}}}}} to a string: it is of kind {kind_of(value)}")


def _nested(
    tag: RawTag, scope: Scope, escape: Callable[[str], str], allow_unresolved: bool, strict: tuple[str, ...]
) -> str:
    """A tag whose name has tags in it: those first, and their values are nothing but parts of the name."""
    parts: list[str] = []
    shown: list[str] = []
    complete = True
    for piece in tag.inner:
        if isinstance(piece, str):
            parts.append(piece)
            shown.append(piece)
            continue
        name = _name_of(piece, scope, allow_unresolved, strict)
        complete = complete and name is not None
        parts.append(name or "")
        shown.append(piece.raw if name is None else escape(name))
    if not complete:
        return tag.raw
    value = _simple("".join(parts).strip(), scope, allow_unresolved, strict)
    return "{{" + "".join(shown) + "}}" if value is None else escape(value)


def _name_of(tag: RawTag, scope: Scope, allow_unresolved: bool, strict: tuple[str, ...]) -> str | None:
    """The value of a tag within a name; None if it is not known yet."""
    if not tag.inner:
        return _simple(tag.text, scope, allow_unresolved, strict)
    parts: list[str] = []
    for piece in tag.inner:
        part = piece if isinstance(piece, str) else _name_of(piece, scope, allow_unresolved, strict)
        if part is None:
            return None
        parts.append(part)
    return _simple("".join(parts).strip(), scope, allow_unresolved, strict)


def _expression(
    tag: RawTag, scope: Scope, escape: Callable[[str], str], allow_unresolved: bool, strict: tuple[str, ...]
) -> str:
    """What replaces an expression tag. Raises ExpressionError that shows the expression."""
    from argosy.expressions.paths import has

    try:
        program = _parse(tag.text)
        if allow_unresolved and any(name in LATE and not has(scope, name) for name in program.names()):
            return tag.raw
        result = _evaluated(program, scope, allow_unresolved, strict)
    except ExpressionError as problem:
        shown = tag.text if len(tag.text) <= 200 else tag.text[:197] + "..."
        raise ExpressionError(
            f"failed to evaluate expression {{{{={shown}}}}}: {problem.message}",
            position=problem.position,
            hint=problem.hint,
        ) from None
    if result is None:
        return tag.raw
    return escape(result)


def _evaluated(program: Program, scope: Scope, allow_unresolved: bool, strict: tuple[str, ...]) -> str | None:
    """The text of the program's value; None to leave the tag. Raises ExpressionError."""
    from argosy.expressions.expr import BRACKETS
    from argosy.expressions.paths import has

    try:
        value = program.evaluate(scope)
    except ExpressionError as problem:
        if problem.hint.startswith(BRACKETS):
            raise
        missing = [name for name in program.required() if not has(scope, name)]
        for name in missing:
            if not allow_unresolved or _is_strict(name, strict):
                raise ExpressionError(f"{name} is missing") from None
        if not missing:
            raise
        return None
    if value is None:
        for name in program.required():
            if _is_strict(name, strict) and not has(scope, name):
                raise ExpressionError(f"{name} is missing")
        if allow_unresolved:
            return None
        raise ExpressionError("it is nil", hint="give it another value with: ... ?? 'something'")
    return value if isinstance(value, str) else json_text(value)
