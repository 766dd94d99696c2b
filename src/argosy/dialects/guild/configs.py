"""Configuration files of a project that flags are written into: their text to plain values.

It knows YAML, JSON and INI, not which values are flags.
"""

from __future__ import annotations

from typing import Any, cast

from argosy.dialects.guild.trees import corrected
from argosy.syntax.nodes import plain
from argosy.syntax.parse import parse


def read_config(text: str, path: str) -> dict[str, Any] | None:
    """The content of a configuration file; None when it cannot be read or is no mapping."""
    if path.endswith((".cfg", ".ini")):
        return _ini(text)
    parsed = parse(text, path)
    if any(one.severity == "error" for one in parsed.diagnostics) or len(parsed.documents) != 1:
        return None
    content: Any = plain(corrected(parsed.documents[0], parsed.source))
    return cast("dict[str, Any]", content) if isinstance(content, dict) else None


def _ini(text: str) -> dict[str, Any] | None:
    import configparser

    from argosy.dialects.guild.program import decode

    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    content: dict[str, Any] = {key: decode(value) for key, value in parser.defaults().items()}
    for section in parser.sections():
        content[section] = {key: decode(value) for key, value in parser.items(section) if key not in parser.defaults()}
    return content
