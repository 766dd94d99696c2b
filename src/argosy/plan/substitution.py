"""Tags in a piece of the manifest, replaced by their values: once, in one pass.

It knows how a piece becomes text and back, not what its fields mean. Source: Argo's order of substitution, with one
difference on purpose: a value that was put in is never looked at again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from argosy.errors import ExpressionError
from argosy.expressions import tags

P = TypeVar("P")

_encoder = msgspec.json.Encoder()

# References into the same template that must be known when they are used (Argo: strict prefixes).
NODE_REFERENCES = ("steps.", "tasks.")


def text_of(piece: object) -> str:
    """The piece as JSON, to be kept where it is substituted often."""
    return _encoder.encode(piece).decode()


def substitute(piece: P, scope: Mapping[str, object], *, text: str | None = None, strict: bool = False) -> P:
    """The piece with its tags replaced; the very same object when it has none.

    text: `text_of(piece)` if the caller has it. strict: a reference to a step or task that has no value is an
    error; any other unknown tag stays as it is. Raises ExpressionError.
    """
    source = text_of(piece) if text is None else text
    if "{{" not in source:
        return piece
    replaced = tags.substitute_json(
        source, scope, allow_unresolved=True, strict_prefixes=NODE_REFERENCES if strict else ()
    )
    try:
        return msgspec.json.decode(replaced, type=type(piece))
    except msgspec.DecodeError as problem:
        raise ExpressionError(f"after its tags were replaced it is not valid any more: {problem}") from None


def substitute_text(text: str, scope: Mapping[str, object], *, strict: bool = False) -> str:
    """The text with its tags replaced. Raises ExpressionError."""
    if "{{" not in text:
        return text
    quoted = tags.substitute_json(
        text_of(text), scope, allow_unresolved=True, strict_prefixes=NODE_REFERENCES if strict else ()
    )
    return msgspec.json.decode(quoted, type=str)
