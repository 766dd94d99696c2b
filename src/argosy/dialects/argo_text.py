"""A value of the model as YAML that reads back the same.

It knows which words need quotes under Argo's reading of YAML; the fields are the model's own.
"""

from __future__ import annotations

from typing import Any

import msgspec
import yaml

from argosy.model.manifest import Part
from argosy.syntax.scalars import resolve, whole

# Lines are broken where the value itself breaks them, nowhere else.
_NO_FOLDING = 1 << 30
_FIRST = ("apiVersion", "kind")
_Dumper: Any = yaml.CSafeDumper if yaml.__with_libyaml__ else yaml.SafeDumper


class _ManifestDumper(_Dumper):
    """PyYAML's writer with Argo's idea of which words are text."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _represent_text(dumper: Any, text: str) -> Any:
    style = None
    if "\n" in text:
        style = "|"
    elif text == "<<" or not isinstance(resolve(text), str):
        style = "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _represent_integer(dumper: Any, number: int) -> Any:
    text = str(number)
    # Beyond 64 bits a decimal is read as a float; in base 16 it keeps every digit.
    written = text if resolve(text) == number and isinstance(resolve(text), int) else hex(number)
    return dumper.represent_scalar("tag:yaml.org,2002:int", written)


def _represent_float(dumper: Any, number: float) -> Any:
    value = whole(number)
    return _represent_integer(dumper, value) if isinstance(value, int) else dumper.represent_float(value)


_ManifestDumper.add_representer(float, _represent_float)
_ManifestDumper.add_representer(str, _represent_text)
_ManifestDumper.add_representer(int, _represent_integer)


def as_yaml(value: Part) -> str:
    """One YAML document, without `---`. Absent fields are left out."""
    built: dict[str, Any] = msgspec.to_builtins(value)
    given = {key: built[key] for key in _FIRST if key in built} | built
    return yaml.dump(given, Dumper=_ManifestDumper, sort_keys=False, allow_unicode=True, width=_NO_FOLDING)
