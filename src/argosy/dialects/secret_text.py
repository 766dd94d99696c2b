"""Manifests as they were written, without the values of the Secrets in them: for excerpts, and for the record.

It works on any text, also one that cannot be parsed, and so hides rather too much than too little. Lines and columns
stay where they are.
"""

from __future__ import annotations

import re

_KIND = r"\bkind[\"']?\s*:\s*[\"']?Secret\b"
_DOCUMENTS = r"(?m)^(?=---(?:\s|$))"
# Of all fields only these are shown: one that is misspelled may hold values too.
_SHOWN = r"(?:apiVersion|kind|metadata|items|type|immutable|name|namespace)"
_SECTION = rf"(?s)(?P<blanks>[\s-]*)[\"']?(?!{_SHOWN}[\"']?\s*:)[\w.-]+[\"']?\s*:(?P<rest>.*)"
_KEY = r"\s*[\"']?[-._a-zA-Z0-9]+[\"']?\s*:(?=\s|$)"


def without_values(text: str) -> str:
    """The text with `*` for each character of the values of Secrets."""
    if "Secret" not in text:
        return text
    documents = re.split(_DOCUMENTS, text)
    return "".join(_without_values(one) if re.search(_KIND, one) else one for one in documents)


def _without_values(document: str) -> str:
    lines = document.splitlines(keepends=True)
    if any("{" in line and re.search(_KIND, line) for line in lines) or document.lstrip("-\r\n ").startswith(
        ("{", "[")
    ):
        # Written in one line, or as JSON: keys are not told from values.
        return "".join(_after_colon(line) for line in lines)
    shown: list[str] = []
    # The indentation of the section that a line stands in, and that of its keys; -1 outside.
    section, keys = -1, -1
    for line in lines:
        indentation = len(line) - len(line.lstrip())
        # The items of a list may stand as far left as its key.
        if line.strip() and (indentation < section or (indentation == section and not line.lstrip().startswith("- "))):
            section, keys = -1, -1
        if section < 0:
            begins = re.match(_SECTION, line)
            if begins is not None:
                section = len(begins["blanks"])
                line = line[: begins.start("rest")] + _hidden(begins["rest"])
            shown.append(line)
            continue
        if keys < 0 and line.strip():
            keys = indentation
        key = re.match(_KEY, line) if indentation == keys else None
        shown.append(line[: key.end()] + _hidden(line[key.end() :]) if key is not None else _hidden(line))
    return "".join(shown)


def _after_colon(line: str) -> str:
    before, colon, rest = line.partition(":")
    return before + colon + _hidden(rest) if colon else _hidden(line)


def _hidden(text: str) -> str:
    return re.sub(r"\S", "*", text)
