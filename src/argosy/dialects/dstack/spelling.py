"""Findings on a workflow's keys in the words of the file: its spellings, and what a misspelt one may have meant.

It knows the spellings of every dialect, not what the keys mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from argosy.dialects.dstack import schema
from argosy.dialects.dstack.canonical import renamed, spellings
from argosy.dialects.dstack.providers import PROVIDERS
from argosy.syntax.diagnostics import Diagnostic, did_you_mean
from argosy.syntax.nodes import Mapping

_UNKNOWN = re.compile(r"has no field `(.+)`")
_MISSING = re.compile(r"lacks `(.+)`")
# Keys as a workflow has them after its spellings were made one, which no file writes.
_INNER = {"args_text": "args", "port_numbers": "ports"}
# What is given elsewhere than at the workflow.
_ELSEWHERE = {
    "variables": "variables stand in .dstack/variables.yaml, under `variables:` and the workflow's name or `global`",
    "secrets": "secrets are in the environment of every workflow: argosy secrets add NAME < FILE",
}


def spelled(keys: type[schema.Keys]) -> list[str]:
    """Every way to write the keys of a provider."""
    known = {_INNER.get(one.name, one.name) for one in msgspec.structs.fields(keys)}
    return [*known, *(one for one in spellings() if renamed(one) in known)]


def in_the_files_words(found: Iterable[Diagnostic], raw: Mapping, known: Iterable[str]) -> list[Diagnostic]:
    """The findings with keys as the file spells them; one that is misspelt is not also missing."""
    told = [_spelled(_suggesting(one, known), raw) for one in found]
    meant = {renamed(near) for one in told if _UNKNOWN.search(one.message) for near in re.findall("`(.+)`", one.hint)}
    return [one for one in told if not ((lacks := _MISSING.search(one.message)) and renamed(lacks.group(1)) in meant)]


def _suggesting(found: Diagnostic, known: Iterable[str]) -> Diagnostic:
    unknown = _UNKNOWN.search(found.message)
    if unknown is None or found.hint or " this provider " not in found.message:
        return found
    if elsewhere := _ELSEWHERE.get(unknown.group(1)):
        return msgspec.structs.replace(found, hint=elsewhere)
    near = did_you_mean(unknown.group(1), known)
    others = [name for name, one in PROVIDERS.items() if unknown.group(1) in spelled(one.keys)]
    hint = f"did you mean `{near}`?" if near else f"it is a key of {', '.join(others)}" if others else ""
    return msgspec.structs.replace(found, hint=hint)


def _spelled(found: Diagnostic, raw: Mapping) -> Diagnostic:
    message = found.message
    for key in raw.values:
        inner = [one for one, outer in _INNER.items() if outer == key]
        for name in (*inner, renamed(key)):
            if name not in raw.values:
                message = message.replace(f"`{name}`", f"`{key}`")
    return msgspec.structs.replace(found, message=message)
