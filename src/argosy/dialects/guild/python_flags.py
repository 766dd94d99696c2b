"""The flags of a Python module, read from its text: assignments of its globals, options of argparse and click.

It knows Python's syntax; nothing is imported or run.
"""

from __future__ import annotations

import ast
import json
from typing import Any, cast

import msgspec

from argosy.dialects.guild.surroundings import Imported

_TYPES = {"int": "int", "float": "float", "str": "string", "bool": "boolean"}
_SWITCHES = {"store_true": True, "store_false": False}
_UNKNOWN = object()


class Module(msgspec.Struct, frozen=True, kw_only=True):
    """What a module's text tells. sure: all options could be read; otherwise it takes running it to know them."""

    imports: frozenset[str] = frozenset()
    globals: dict[str, Any] = {}
    spaces: dict[str, dict[str, Any]] = {}
    options: tuple[Imported, ...] = ()
    sure: bool = True

    @property
    def dest(self) -> str:
        """Where flags go when nobody says."""
        return "args" if "argparse" in self.imports else "args:click" if "click" in self.imports else "globals"


def module_of(text: str) -> Module | None:
    """What the text tells; None when it is not Python."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    imports = frozenset(name for node in ast.walk(tree) for name in _imported(node))
    values, spaces = _globals_of(tree)
    options: list[Imported] = []
    sure = True
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            made = _option(node)
            sure = sure and made is not None
            if isinstance(made, Imported):
                options.append(made)
    if "argparse" in imports or "click" in imports:
        # Options that are made elsewhere, or in loops, are not seen here.
        sure = sure and bool(options)
    return Module(imports=imports, globals=values, spaces=spaces, options=tuple(options), sure=sure)


def is_notebook(words: list[str]) -> bool:
    """Whether what is run, as words, is a notebook."""
    return bool(words) and words[0].endswith(".ipynb")


def notebook_of(text: str) -> Module | None:
    """What the code of a notebook tells; None when it is none. Lines for its shell are left out."""
    try:
        cells: Any = json.loads(text)["cells"]
        code = ["".join(one["source"]) for one in cells if one["cell_type"] == "code"]
    except (ValueError, LookupError, TypeError):
        return None
    lines = [line for line in "\n".join(code).splitlines() if not line.lstrip().startswith(("%", "!"))]
    return module_of("\n".join(lines))


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [one.name.partition(".")[0] for one in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module.partition(".")[0]]
    return []


def _literal(node: ast.expr | None) -> Any:
    if node is None:
        return _UNKNOWN
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return _UNKNOWN


def _globals_of(tree: ast.Module) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Globals that are numbers, texts, booleans, nothing or lists of them; and those that are dicts or namespaces."""
    values: dict[str, Any] = {}
    spaces: dict[str, dict[str, Any]] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            targets: list[ast.expr] = statement.targets
        elif isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        else:
            continue
        value = _literal(statement.value)
        if value is _UNKNOWN and isinstance(statement.value, ast.Call):
            value = _namespace(statement.value)
        for target in targets:
            if not isinstance(target, ast.Name) or target.id.startswith("_") or value is _UNKNOWN:
                continue
            if isinstance(value, dict):
                spaces[target.id] = nested(cast("dict[Any, Any]", value))
            elif isinstance(value, str | int | float | bool | list) or value is None:
                values[target.id] = value
    return values, spaces


def nested(value: dict[Any, Any], before: str = "") -> dict[str, Any]:
    """The values of a mapping, those inside by their path with dots."""
    found: dict[str, Any] = {}
    for key, one in value.items():
        if isinstance(one, dict):
            found |= nested(cast("dict[Any, Any]", one), f"{before}{key}.")
        else:
            found[f"{before}{key}"] = one
    return found


def _namespace(call: ast.Call) -> Any:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name not in ("SimpleNamespace", "Namespace", "dict") or call.args:
        return _UNKNOWN
    found: dict[str, Any] = {}
    for one in call.keywords:
        value = _literal(one.value)
        if value is _UNKNOWN and isinstance(one.value, ast.Call):
            value = _namespace(one.value)
        if one.arg is None or value is _UNKNOWN:
            continue
        found[one.arg] = value
    return found


def _option(call: ast.Call) -> Imported | bool | None:
    """The option that a call makes; False if it makes none, None if that cannot be told from the text."""
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if called == "add_argument":
        return _made(call, click=False)
    if called == "option" and isinstance(call.func, ast.Attribute):
        return _made(call, click=True)
    return True


def _made(call: ast.Call, *, click: bool) -> Imported | bool | None:
    words = [_literal(one) for one in call.args]
    if any(not isinstance(one, str) for one in words):
        return None
    options = [one for one in words if one.startswith("--")]
    if not options:
        # A positional argument, or a short option: no flag.
        return True
    given = {one.arg: one.value for one in call.keywords if one.arg}
    if len(given) < len(call.keywords):
        return None
    name = options[0].partition("/")[0].strip().lstrip("-")
    action = _literal(given.get("action"))
    if "action" in given and action not in ("store", *_SWITCHES):
        return None if not isinstance(action, str) else True
    default = _literal(given["default"]) if "default" in given else msgspec.UNSET
    if default is _UNKNOWN:
        return None
    choices = _literal(given["choices"]) if "choices" in given else ()
    if choices is _UNKNOWN:
        return None
    help = _literal(given.get("help"))
    switch: Any = _SWITCHES[action] if isinstance(action, str) and action in _SWITCHES else msgspec.UNSET
    if click and _literal(given.get("is_flag")) is True and "/" not in options[0]:
        switch = True
    if switch is not msgspec.UNSET and default is msgspec.UNSET:
        default = not switch
    split = "nargs" in given and _literal(given["nargs"]) not in ("?", _UNKNOWN)
    if split and isinstance(default, list | tuple):
        default = " ".join(str(one) for one in cast("list[Any]", default))
    return Imported(
        name=name,
        default=default,
        # Of several words none has to be a number of its own.
        type="boolean" if switch is not msgspec.UNSET else "" if split else _type_of(given.get("type")),
        choices=tuple(choices),
        description=help if isinstance(help, str) else "",
        required=_literal(given.get("required")) is True,
        switch=switch,
        split=split,
    )


def _type_of(node: ast.expr | None) -> str:
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return _TYPES.get(name, "")
