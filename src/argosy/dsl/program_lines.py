"""Where in a Python program the parts of a manifest were written, as well as its text tells.

It knows how calls with `name=`, `with ... as NAME`, assignments and functions look; nothing is run.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, cast

Origin = list[Any]


class ProgramLines:
    """The lines of a program at which things are named."""

    def __init__(self, file: Path) -> None:
        self._file = str(file)
        self._variables: dict[str, int] = {}
        self._named: dict[str, int] = {}
        self._functions: dict[str, int] = {}
        try:
            tree = ast.parse(file.read_bytes())
        except (OSError, SyntaxError, ValueError):
            return
        for node in ast.walk(tree):
            self._note(node)

    def of(self, variable: str, manifest: dict[str, Any]) -> list[Origin]:
        """The origins of a manifest's parts: [path, file, line], the whole first."""
        metadata = _mapping(manifest.get("metadata"))
        name = str(metadata.get("name") or metadata.get("generateName") or "")
        found: list[Origin] = [[[], self._file, self._variables.get(variable) or self._named.get(name) or 1]]
        spec = _mapping(manifest.get("spec"))
        base: list[str | int] = ["spec"]
        if "workflowSpec" in spec:
            base, spec = [*base, "workflowSpec"], _mapping(spec["workflowSpec"])
        for place, template in enumerate(_items(spec.get("templates"))):
            path = [*base, "templates", place]
            self._add(found, path, template)
            for number, task in enumerate(_items(_mapping(template.get("dag")).get("tasks"))):
                self._add(found, [*path, "dag", "tasks", number], task)
            for row, group in enumerate(cast("list[Any]", template.get("steps") or [])):
                for column, step in enumerate(_items(group)):
                    self._add(found, [*path, "steps", row, column], step)
        return found

    def _add(self, found: list[Origin], path: list[str | int], part: dict[str, Any]) -> None:
        name = str(part.get("name") or "")
        line = self._named.get(name) or self._functions.get(_folded(name)) or self._variables.get(name)
        if line:
            found.append([path, self._file, line])

    def _note(self, node: ast.AST) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self._functions.setdefault(_folded(node.name), node.lineno)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                self._note_variable(item.optional_vars, item.context_expr.lineno)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._note_variable(target, node.lineno)
        elif isinstance(node, ast.AnnAssign):
            self._note_variable(node.target, node.lineno)
        elif isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg in ("name", "generate_name") and isinstance(keyword.value, ast.Constant):
                    self._named.setdefault(str(keyword.value.value), node.lineno)

    def _note_variable(self, target: ast.expr | None, line: int) -> None:
        if isinstance(target, ast.Name):
            self._variables[target.id] = line


def _mapping(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _items(value: object) -> list[dict[str, Any]]:
    return [_mapping(one) for one in cast("list[Any]", value)] if isinstance(value, list) else []


def _folded(name: str) -> str:
    """A function's name as templates are named after it."""
    return name.replace("_", "-").lower()
