"""docs/errors.md names every error that a command can end with, with its exit code."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import argosy
from argosy.errors import ArgosyError

PAGE = Path(__file__).resolve().parents[3] / "docs" / "errors.md"


def _kinds(kind: type[ArgosyError]) -> Iterator[type[ArgosyError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


def test_every_error_is_documented_with_its_exit_code() -> None:
    for module in pkgutil.walk_packages(argosy.__path__, "argosy."):
        import_module(module.name)
    documented = dict(re.findall(r"^\| `([-a-z]+)` \| (\d+) \|", PAGE.read_text(), re.MULTILINE))
    ours = {kind.id: str(kind.exit_code) for kind in _kinds(ArgosyError) if kind.__module__.startswith("argosy.")}
    assert {id: documented.get(id) for id in ours} == ours
