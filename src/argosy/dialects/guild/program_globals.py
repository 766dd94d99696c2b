"""The part of a step's program that sets globals of a module, for operations whose flags go there.

It knows Python's syntax: the module's text is read, and what it assigns to a flag's name becomes the flag's value.
"""

from __future__ import annotations

import ast
import sys
from typing import Any, cast

from argosy.dialects.guild.program import MISSING, decode, execute, parted, plain, put


def _globals(kind: str, target: str, flags: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    skipped = {flag["name"] for flag in flags.values() if flag.get("arg_skip")}
    wanted: dict[str, Any] = {}
    for flag in flags.values():
        if flag["name"] not in skipped:
            value = values[flag["name"]]
            if flag.get("arg_split") is not None and value is not None and not isinstance(value, list):
                value = [decode(one) for one in parted(plain(value), flag["arg_split"])]
            wanted[flag.get("arg_name") or flag["name"]] = value
    if kind == "globals":
        return wanted
    nested: dict[str, Any] = {}
    for name, value in wanted.items():
        put(nested, name, value)
    return {target: _Changed(nested, namespace=kind == "namespace")}


class _Changed:
    """What a mapping or a namespace becomes: its own values with those of the flags over them."""

    def __init__(self, more: dict[str, Any], namespace: bool) -> None:
        self.more = more
        self.namespace = namespace

    def over(self, value: Any) -> Any:
        if self.namespace:
            return self._space(value)
        return _merged(value, self.more)

    def _space(self, value: Any) -> Any:
        if value is None or value is MISSING:
            from types import SimpleNamespace

            value = SimpleNamespace()
        _set_all(value, self.more)
        return value


def _merged(value: Any, more: Any) -> dict[str, Any]:
    found: dict[str, Any] = dict(cast("Any", value)) if isinstance(value, dict) else {}
    for name, one in more.items():
        found[name] = _merged(found.get(name), one) if isinstance(one, dict) else one
    return found


def _set_all(space: Any, more: Any) -> None:
    from types import SimpleNamespace

    for name, one in more.items():
        if isinstance(one, dict):
            below = getattr(space, name, None)
            if below is None:
                below = SimpleNamespace()
                setattr(space, name, below)
            _set_all(below, one)
        else:
            setattr(space, name, one)


def run_with_globals(file: str, name: str, given: list[str], spec: dict[str, Any], values: dict[str, Any]) -> None:
    """Run a file in which the assignments to these names give their values instead of what is written."""
    kind, _, target = spec["dest"].partition(":")
    wanted = _globals(kind, target, spec["flags"], values)
    with open(file, "rb") as source:
        tree = ast.parse(source.read(), file)
    seen: set[str] = set()
    tree.body = [_assigned(one, wanted, seen) for one in tree.body]
    ast.fix_missing_locations(tree)
    sys.argv = [file, *given]

    def flag(key: str, value: Any) -> Any:
        return _value_for(wanted[key], value)

    more: dict[str, Any] = {"__argosy_flag__": flag}
    more.update({key: _value_for(value, MISSING) for key, value in wanted.items() if key not in seen})
    package = name.rpartition("/")[2].rpartition(".")[0]
    if package and not name.endswith(".py"):
        more["__package__"] = package
    execute(compile(tree, file, "exec"), file, more)


def _value_for(wanted: Any, value: Any) -> Any:
    return wanted.over(value) if isinstance(wanted, _Changed) else wanted


def _assigned(statement: ast.stmt, wanted: dict[str, Any], seen: set[str]) -> ast.stmt:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target: ast.expr = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        target = statement.target
    else:
        return statement
    if isinstance(target, ast.Name) and target.id in wanted and statement.value is not None:
        seen.add(target.id)
        function = ast.Name(id="__argosy_flag__", ctx=ast.Load())
        statement.value = ast.Call(func=function, args=[ast.Constant(value=target.id), statement.value], keywords=[])
    return statement
