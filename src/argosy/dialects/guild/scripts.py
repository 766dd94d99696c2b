"""The program of a step: the text of `program` with what it is to do at its end.

It knows how the parts go together, not what they do.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, cast

_LEFT_OUT = ("from __future__ ", "from argosy.")
_HEAD = "from __future__ import annotations\n"
_PACKAGE = "argosy.dialects.guild"
_GLOBALS = ("globals", "global", "dict", "namespace")


def source_of(spec: Mapping[str, Any]) -> str:
    """The whole source. The flags' values come in as the template's parameters: JSON of texts is Python, too."""
    dest = str(spec.get("dest", "")).partition(":")[0]
    sets_globals = spec["kind"] == "main" and bool(spec["flags"]) and dest in _GLOBALS
    parts = [
        ("program_inputs.py", "Inputs", bool(spec.get("sources"))),
        ("program_checks.py", "checked", bool(spec.get("expect"))),
        ("program_globals.py", "run_with_globals", sets_globals),
    ]
    texts = [_HEAD, _text("program.py"), *(_text(name) for name, _, wanted in parts if wanted)]
    # What stands between braces in it would be taken for a tag; as a text of Python it can be written so.
    told = _literal(spec).replace("@@run@@", "{{workflow.uid}}")
    given = "{{=toJson(inputs.parameters)}}" if spec["flags"] else "{}"
    more = "".join(f", {function if wanted else None}" for _, function, wanted in parts)
    texts.append(f"sys.exit(run({told}, {given}{more}))\n")
    return "\n".join(texts)


def _literal(value: Any) -> str:
    """A value as Python, without two braces side by side."""
    if isinstance(value, Mapping):
        pairs = cast("Mapping[Any, Any]", value).items()
        return "{" + ", ".join(f"{_literal(key)}: {_literal(one)}" for key, one in pairs) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_literal(one) for one in cast("list[Any]", value)) + "]"
    return repr(value).replace("{{", "{\\x7b").replace("}}", "}\\x7d")


@cache
def _text(name: str) -> str:
    text = resources.files(_PACKAGE).joinpath(name).read_text(encoding="utf-8")
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(_LEFT_OUT))
