"""The part of a step's program that runs a notebook, for operations that are one.

It knows notebooks as files and whom to ask to run one: nbconvert or papermill of the project's Python. Flags take the
place of what the notebook assigns to their names. What cells print is printed by the step too.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from argosy.dialects.guild.program import Refused, python_path


def run_notebook(words: list[str], spec: dict[str, Any], values: dict[str, Any]) -> int:
    """Run a copy of the notebook in the working folder, where it stays with its outputs. Raises Refused."""
    import importlib.util
    import json
    import subprocess

    file = next((one for one in (os.path.join(at, words[0]) for at in python_path(spec)) if os.path.isfile(one)), "")
    if not file:
        raise Refused(f"there is no notebook {words[0]}")
    with open(file, encoding="utf-8") as source:
        content = json.load(source)
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell["source"] = _with_flags("".join(cell["source"]), spec, values)
    name = os.path.basename(file)
    _write(name, json.dumps(content, indent=1))
    sys.path[0:1] = python_path(spec)
    ways = {
        "nbconvert": ["nbconvert", "--to", "notebook", "--execute", "--inplace", name],
        "papermill": ["papermill", name, name],
    }
    command = next((ways[one] for one in ways if importlib.util.find_spec(one) is not None), None)
    if command is None:
        raise Refused("notebooks need nbconvert or papermill: pip install nbconvert ipykernel")
    code = subprocess.call([sys.executable, "-m", *command])
    with open(name, encoding="utf-8") as ended:
        _print_outputs(json.load(ended))
    return code


def _with_flags(text: str, spec: dict[str, Any], values: dict[str, Any]) -> str:
    """The text of a cell with the flags' values in its assignments."""
    import re

    for flag in spec["flags"].values():
        if flag.get("nb_replace"):
            for pattern in flag["nb_replace"]:
                text = _replaced(text, pattern, repr(values[flag["name"]]))
        elif not flag.get("arg_skip"):
            name, value = flag.get("arg_name") or flag["name"], repr(values[flag["name"]])
            assigned = re.compile(
                rf"^({re.escape(name)}[ \t]*(?::[^=\n]+)?=[ \t]*)(?![=\s])[^\n#]*?([ \t]*(?:#.*)?)$", re.M
            )
            text = assigned.sub(lambda found, value=value: found[1] + value + found[2], text)
    return text


def _replaced(text: str, pattern: str, value: str) -> str:
    """The text with the first group of a pattern replaced wherever it fits; all that fits where it has none."""
    import re

    def put(found: Any) -> str:
        group = 1 if found.re.groups else 0
        start, end = found.start(group) - found.start(), found.end(group) - found.start()
        return found[0][:start] + value + found[0][end:]

    return re.sub(pattern, put, text, flags=re.M)


def _write(name: str, text: str) -> None:
    # The copy of the code is the step's own, but what is shared with the store must not be written through.
    if os.path.lexists(name):
        os.unlink(name)
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)


def _print_outputs(content: Any) -> None:
    for cell in content["cells"]:
        for output in cell.get("outputs", ()):
            text = output.get("text") or output.get("data", {}).get("text/plain") or ""
            text = "".join(text)
            if text:
                print(text, end="" if text.endswith("\n") else "\n")
    sys.stdout.flush()
