"""The program of a step: the text of `program` with what it is to do at its end.

It knows how the parts go together, not what they do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

_LEFT_OUT = ("from __future__ ", "from argosy.")
_HEAD = "from __future__ import annotations\n"
_PACKAGE = "argosy.dialects.guild"


def source_of(spec: Mapping[str, Any]) -> str:
    """The whole source. The flags' values come in as the template's parameters, all as one text of JSON."""
    inputs, checks = bool(spec.get("sources")), bool(spec.get("expect"))
    parts = [_HEAD, _text("program.py")]
    parts += [_text("program_inputs.py")] if inputs else []
    parts += [_text("program_checks.py")] if checks else []
    # What stands between braces in it would be taken for a tag; as a text of Python it can be written so.
    told = repr(json.dumps(spec, ensure_ascii=True)).replace("{{", "{\\x7b").replace("}}", "}\\x7d")
    told = told.replace("@@run@@", "{{workflow.uid}}")
    more = f", {'Inputs' if inputs else None}, {'checked' if checks else None}" if inputs or checks else ""
    given = "{{=toJson(toJson(inputs.parameters))}}" if spec["flags"] else "'{}'"
    parts.append(f"sys.exit(run(json.loads({told}), json.loads({given}){more}))\n")
    return "\n".join(parts)


@cache
def _text(name: str) -> str:
    text = resources.files(_PACKAGE).joinpath(name).read_text(encoding="utf-8")
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(_LEFT_OUT))
