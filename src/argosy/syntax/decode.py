"""Nodes to frozen values, driven by the fields of msgspec structs, with every problem found in one pass.

It follows Go's JSON (null is absent), but takes no field whose case differs. It knows types and nodes; which
documents exist, and what their fields mean, is for the dialects and the checks.
"""

from __future__ import annotations

import contextlib
from typing import Any, Generic, TypeVar

import msgspec

from argosy.syntax.decoders import Context, Manner, Stopped, decoder_of
from argosy.syntax.diagnostics import Diagnostic
from argosy.syntax.nodes import Node
from argosy.syntax.source_map import SourceMap
from argosy.syntax.span import Source

T = TypeVar("T")
_PLAIN = Manner()


class Decoded(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """`value` is None when any diagnostic is an error."""

    value: T | None
    diagnostics: tuple[Diagnostic, ...]
    source_map: SourceMap


def decode(node: Node, type: type[T], source: Source, *, manner: Manner = _PLAIN) -> Decoded[T]:
    """Read a node as a value of a struct type. `source` is the text that the node came from."""
    context = Context(source, manner)
    value: Any = None
    with contextlib.suppress(Stopped):
        value = decoder_of(type)(node, context)
    failed = any(found.severity == "error" for found in context.diagnostics)
    return Decoded(
        value=None if failed else value, diagnostics=tuple(context.diagnostics), source_map=SourceMap(node, source)
    )
