"""What a Python program's text says of its workflows, without running it.

It knows how such programs are written; the workflows themselves are only known once the program was loaded.
"""

from __future__ import annotations

import ast
import re

_SIGN = r"(?m)^\s*(?:from|import)\s+(?:argosy|hera)\b"
_CLASSES = ("Workflow", "CronWorkflow")


def workflows_named(text: str) -> list[str]:
    """The names of the workflows that a program seems to define; [] for any other program."""
    if not re.search(_SIGN, text):
        return []
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return []
    found: list[str] = []
    for one in tree.body:
        if isinstance(one, ast.FunctionDef) and any(_called(each) == "workflow" for each in one.decorator_list):
            found.append(one.name)
        elif isinstance(one, ast.With):
            found += [name for item in one.items if (name := _made(item.context_expr, item.optional_vars))]
        elif isinstance(one, ast.Assign) and (name := _made(one.value, one.targets[0])):
            found.append(name)
    return found


def _made(value: ast.expr, target: ast.expr | None) -> str:
    """The variable that a workflow object is made for."""
    if isinstance(value, ast.Call) and _called(value) in _CLASSES and isinstance(target, ast.Name):
        return target.id
    return ""


def _called(expression: ast.expr) -> str:
    """The last name of a decorator or of what is called."""
    if isinstance(expression, ast.Call):
        expression = expression.func
    if isinstance(expression, ast.Attribute):
        return expression.attr
    return expression.id if isinstance(expression, ast.Name) else ""
