"""The program of a step: the text of `program` with what it is to do at its end, without what it does not need.

It knows how the parts go together and when each is called, not what they do. What is left out costs no time: a step
compiles its program each time that it runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any, cast

_LEFT_OUT = ("from __future__ ", "from argosy.")
_HEAD = "from __future__ import annotations\n"
_PACKAGE = "argosy.dialects.guild"
_GLOBALS = ("globals", "global", "dict", "namespace")
_BLOCK = re.compile(r"^(?:def|class) (\w+)[^\n]*\n(?:(?:[ \t)][^\n]*)?\n)*", re.MULTILINE)
_WORD = re.compile(r"\w+")
Spec = Mapping[str, Any]


def source_of(spec: Spec) -> str:
    """The whole source. The flags' values come in as the template's parameters: JSON of texts is Python, too."""
    dest = str(spec.get("dest", "")).partition(":")[0]
    sets_globals = spec["kind"] == "main" and bool(spec["flags"]) and dest in _GLOBALS
    parts = [
        ("program_inputs.py", "Inputs", bool(spec.get("sources"))),
        ("program_checks.py", "checked", bool(spec.get("expect"))),
        ("program_globals.py", "run_with_globals", sets_globals),
        ("program_notebook.py", "run_notebook", spec["kind"] == "notebook"),
    ]
    texts = [_text("program.py"), *(_text(name) for name, _, wanted in parts if wanted)]
    # What stands between braces in it would be taken for a tag; as a text of Python it can be written so.
    told = _literal(spec).replace("@@run@@", "{{workflow.uid}}")
    given = "{{=toJson(inputs.parameters)}}" if spec["flags"] else "{}"
    more = "".join(f", {function if wanted else None}" for _, function, wanted in parts)
    never = {name for name, is_called in _CALLED_WHEN.items() if not is_called(spec)}
    return f"{_HEAD}{_needed(texts, more, never)}\nsys.exit(run({told}, {given}{more}))\n"


# -- what is needed


def _some(key: str, *values: object) -> Callable[[Spec], bool]:
    """Whether a source has something, or one of these values, under a key."""

    def is_so(spec: Spec) -> bool:
        found = [one.get(key) for one in spec.get("sources", ())]
        return any(one in values for one in found) if values else any(found)

    return is_so


def _has_flags(spec: Spec) -> bool:
    return bool(spec["flags"])


def _has_arguments(spec: Spec) -> bool:
    dest = str(spec.get("dest", "args")).partition(":")[0]
    return _has_flags(spec) and (dest == "args" or spec["kind"] == "exec")


def _has_references(spec: Spec) -> bool:
    return "${" in repr(spec)


# When a function is called at all; the others are there when something that is there names them.
_CALLED_WHEN: dict[str, Callable[[Spec], bool]] = {
    "values_of": _has_flags,
    "variables_of": _has_flags,
    "arguments_of": _has_arguments,
    "put_in": _has_references,
    "run_module": lambda spec: spec["kind"] == "main",
    "_run_command": lambda spec: spec["kind"] == "exec",
    "place_module": _some("kind", "module"),
    "place_config": _some("kind", "config"),
    "check_hash": _some("sha256"),
    "unpacked": _some("kind", "file", "url"),
    "post_process": _some("post_process"),
    "_selected": _some("select"),
    "select_of_code": _some("select"),
    "_extreme": _some("select_number"),
    "_renamed": _some("rename"),
}


def _needed(texts: list[str], roots: str, never: set[str]) -> str:
    """The texts without functions and classes that nothing calls."""
    blocks = {found[1]: found[0] for text in texts for found in _BLOCK.finditer(text)}
    wanted: set[str] = set()
    found = ["run", *_WORD.findall(roots)]
    while found:
        name = found.pop()
        if name in blocks and name not in wanted and name not in never:
            wanted.add(name)
            found += set(_WORD.findall(blocks[name]))
    return "\n".join(_BLOCK.sub(lambda one: one[0] if one[1] in wanted else "", text) for text in texts)


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
