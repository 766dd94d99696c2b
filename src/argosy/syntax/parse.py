"""Text to nodes with places: YAML of one or many documents, and JSON, within budgets.

It knows spellings, not fields: what a document must contain is for `argosy.syntax.decode` and the dialects.
"""

from __future__ import annotations

import re

import msgspec

from argosy.syntax.diagnostics import Diagnostic
from argosy.syntax.limits import Limits
from argosy.syntax.nodes import Node
from argosy.syntax.span import Source, Span, pack
from argosy.syntax.tree import Stop, TreeBuilder
from argosy.syntax.yaml_text import read_yaml

DEFAULT_LIMITS = Limits()
# What YAML does not call printable: control characters, and a few beyond them. (One class of all compiles slowly.)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_NO_CHARACTERS = ("\ufeff", "\ufffe", "\uffff")
_BYTE_ORDER_MARKS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    """What a file holds. With an error among the diagnostics, `documents` are those before it."""

    documents: list[Node]
    diagnostics: tuple[Diagnostic, ...]
    source: Source


def parse(text: str | bytes, file: str, *, limits: Limits = DEFAULT_LIMITS) -> Parsed:
    """Read a file's text, or its bytes in UTF-8. What is wrong with it is in the diagnostics; nothing is raised."""
    given, problem = _as_text(text, file, limits)
    source = Source(given, file)
    if problem is not None:
        return Parsed(documents=[], diagnostics=(problem,), source=source)
    builder = TreeBuilder(source, limits)
    try:
        _check_characters(builder)
        _read(source, limits, builder)
    except Stop:
        pass
    return Parsed(documents=builder.documents, diagnostics=tuple(builder.diagnostics), source=source)


def last_counts(found: Diagnostic) -> Diagnostic:
    """A finding as those readers have it for which a key that stands twice is no error: the last one counts."""
    if found.rule != "yaml-duplicate-key":
        return found
    return msgspec.structs.replace(found, severity="warning", message=f"{found.message}; the last counts")


def _read(source: Source, limits: Limits, builder: TreeBuilder) -> None:
    """JSON where the text is JSON; YAML everywhere else, its flow style being close to JSON."""
    if source.text.lstrip()[:1] not in ("{", "["):
        read_yaml(source, limits, builder)
        return
    # Most files are YAML: they need not wait for the JSON reader's import.
    from argosy.syntax.json_text import read_json

    as_json = TreeBuilder(source, limits)
    try:
        read_json(source, limits, as_json)
    except Stop:
        if source.file.endswith(".json") or as_json.diagnostics[0].rule == "file-limit":
            builder.diagnostics += as_json.diagnostics
            raise
        read_yaml(source, limits, builder)
        return
    builder.documents += as_json.documents
    builder.diagnostics += as_json.diagnostics


def _as_text(text: str | bytes, file: str, limits: Limits) -> tuple[str, Diagnostic | None]:
    size = len(text)
    if size <= limits.size_bytes and isinstance(text, str) and not text.isascii():
        size = len(text.encode("utf-8", "surrogatepass"))
    if size > limits.size_bytes:
        message = f"the file has {size} bytes; the most that is read is {limits.size_bytes}"
        return "", _at_start("file-limit", message, file, "split it into several files")
    if isinstance(text, bytes):
        for mark, name in _BYTE_ORDER_MARKS.items():
            if text.startswith(mark):
                return "", _at_start("file-encoding", f"the file is in {name}", file, "save it as UTF-8")
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as problem:
            return _undecodable(text, problem, file)
    return text.removeprefix("\ufeff"), None


def _undecodable(data: bytes, problem: UnicodeDecodeError, file: str) -> tuple[str, Diagnostic]:
    before = data[: problem.start].decode("utf-8").removeprefix("\ufeff")
    span = Source(before + "?", file).span(pack(len(before), len(before) + 1))
    message = f"the byte 0x{data[problem.start]:02x} is not UTF-8"
    return "", Diagnostic(rule="file-encoding", severity="error", message=message, span=span, hint="save it as UTF-8")


def _at_start(rule: str, message: str, file: str, hint: str) -> Diagnostic:
    span = Span(file=file, line=1, column=1, end_line=1, end_column=2)
    return Diagnostic(rule=rule, severity="error", message=message, span=span, hint=hint)


def _check_characters(builder: TreeBuilder) -> None:
    offset = _unprintable(builder.source.text)
    if offset is None:
        return
    code = ord(builder.source.text[offset])
    name = "a NUL character" if code == 0 else f"the character U+{code:04X}"
    if 0xD800 <= code <= 0xDFFF:
        name = f"half a character, U+{code:04X},"
    builder.stop(
        "file-encoding",
        f"{name} cannot stand in a manifest",
        pack(offset, offset + 1),
        hint='remove it; in a quoted string it can be written as an escape: "\\u0007"',
    )


def _unprintable(text: str) -> int | None:
    """The offset of the first character that a file must not hold."""
    found = _CONTROL.search(text)
    offsets = [found.start()] if found is not None else []
    if not text.isascii():
        offsets += [offset for offset in map(text.find, _NO_CHARACTERS) if offset >= 0]
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as problem:
            offsets.append(problem.start)
    return min(offsets, default=None)
