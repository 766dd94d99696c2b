"""The flags of an operation: what the file and the module say of them, as inputs and as what the program is told.

It knows Guild's flags and how each is one of our parameters; where their values go at run time is the program's matter.
"""

from __future__ import annotations

import json
import re
from typing import Any, cast

import msgspec

from argosy.dialects.guild.operations import Found
from argosy.dialects.guild.program import decode, module_file_name
from argosy.dialects.guild.python_flags import Module, is_notebook, module_of, notebook_of
from argosy.dialects.guild.schema import TYPES, Choice, Flag
from argosy.dialects.guild.surroundings import Imported, Surroundings
from argosy.dialects.guild.trees import Findings
from argosy.model import inputs
from argosy.model.input_values import number_of
from argosy.syntax.diagnostics import did_you_mean

_PARAMETER = re.compile(r"[^-a-zA-Z0-9_]")
_SEQUENCE = re.compile(r"(?:range|linspace|geomspace|logspace|uniform|loguniform)\[.*:.*\]|\[.*\](?:\s*\*\s*[0-9]+)?")
_DESTS = ("args", "globals", "global", "dict", "namespace", "config", "none")


class OperationFlags(msgspec.Struct, frozen=True, kw_only=True):
    """The flags of one operation. dest: where they go. names: the parameter of each flag.

    known: all are known; otherwise it takes running a module to know them. others: what the module has besides.
    """

    inputs: tuple[inputs.Input, ...]
    spec: dict[str, dict[str, Any]]
    dest: str
    names: dict[str, str]
    known: bool = True
    others: frozenset[str] = frozenset()

    def default(self, name: str) -> str:
        """The default of a flag as text."""
        return self.spec[self.names[name]]["default"]


def parameter_name(name: str) -> str:
    """A name that Argo takes for a parameter or an artifact."""
    return _PARAMETER.sub("-", name)


def text_of(value: Any) -> str:
    """A value as a person writes it for a flag: what the program reads as the same value again."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_item(one) for one in cast("list[Any]", value)) + "]"
    if isinstance(value, dict):
        return json.dumps(value, separators=(",", ":"))
    if not isinstance(value, str):
        return repr(value)
    if value and decode(value) != value and not isinstance(decode(value), int | float):
        return _quoted(value)
    return value


def quoted_text(value: Any, type: str) -> str:
    """As `text_of`, but a text that looks like a number stays one, unless its type says so anyway."""
    if isinstance(value, str) and type in ("", "auto") and isinstance(decode(value), int | float):
        return _quoted(value) if not re.fullmatch(r"[-+0-9.]*[eE][-+0-9]+", value) else value
    return text_of(value)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _item(value: Any) -> str:
    text = text_of(value)
    return json.dumps(text) if isinstance(value, str) and set(text) & set(",[]{}'\"") else text


def flags_of(found: Found, main: list[str], surroundings: Surroundings, findings: Findings) -> OperationFlags:
    """The flags of an operation. main: the words of its module and arguments, [] if it has none."""
    operation = found.operation
    assert operation is not None
    module = _module(main, operation.python_path, surroundings)
    dest = (
        "globals"
        if is_notebook(main)
        else operation.flags_dest or (module.dest if module is not None else "args" if main else "none")
    )
    _check_dest(found, dest, findings)
    flags = dict(operation.flags)
    for one in _imported(found, main, module, dest, surroundings):
        flags = _with(flags, one, operation.flags_import is not None)
    names: dict[str, str] = {}
    for name in flags:
        parameter = parameter_name(name)
        while parameter in names.values():
            parameter += "-"
        names[name] = parameter
    made: list[inputs.Input] = []
    spec: dict[str, dict[str, Any]] = {}
    for name, flag in flags.items():
        _check(found, name, flag, findings)
        spec[names[name]] = _told(name, flag, operation.default_flag_arg_skip)
        made.append(_input(name, names[name], flag))
    imports = operation.flags_import not in (None, False, [])
    others = frozenset(one.name for one in module.options) if module is not None else frozenset[str]()
    return OperationFlags(
        inputs=tuple(made),
        spec=spec,
        dest=dest,
        names=names,
        known=not imports or surroundings.asks or (module is not None and module.sure),
        others=others - names.keys(),
    )


def _module(main: list[str], python_path: tuple[str, ...], surroundings: Surroundings) -> Module | None:
    if not main:
        return None
    if is_notebook(main):
        return notebook_of(surroundings.read(main[0]) or "")
    for path in module_file_name(main[0], ["", *python_path]):
        text = surroundings.read(path)
        if text is not None:
            return module_of(text)
    return None


def _imported(
    found: Found, main: list[str], module: Module | None, dest: str, surroundings: Surroundings
) -> list[Imported]:
    """The module's flags that the operation takes: those that it names itself unless it says more."""
    operation = found.operation
    assert operation is not None
    wanted = operation.flags_import
    if module is None or wanted is False or wanted == []:
        return []
    kind, _, target = dest.partition(":")
    everything = wanted is True or wanted in ("all", "yes")
    if kind == "args":
        known = list(module.options)
        if (everything or isinstance(wanted, list | str)) and not module.sure:
            asked = surroundings.ask(main[0], main[1:])
            known = known if asked is None else asked
    elif kind == "globals":
        known = [_of_value(name, value) for name, value in module.globals.items()]
    elif kind in ("global", "dict", "namespace"):
        known = [_of_value(name, value) for name, value in module.spaces.get(target, {}).items()]
    elif kind == "config":
        known = [_of_value(name, value) for name, value in config_values(target, surroundings).items()]
        everything = everything or wanted is None
    else:
        known = []
    names: set[str] = set(operation.flags) | {flag.arg_name for flag in operation.flags.values() if flag.arg_name}
    if isinstance(wanted, list):
        names = {str(one) for one in cast("list[Any]", wanted)}
    elif isinstance(wanted, str) and not everything:
        names = {wanted}
    skipped = set(operation.flags_import_skip)
    return [one for one in known if (everything or one.name in names) and one.name not in skipped]


def config_values(path: str, surroundings: Surroundings) -> dict[str, Any]:
    """The values of a configuration file of the project, those inside by their path with dots."""
    from argosy.dialects.guild.configs import read_config
    from argosy.dialects.guild.python_flags import nested

    text = surroundings.read(path)
    content = read_config(text, path) if text is not None else None
    return nested(content) if content else {}


def _of_value(name: str, value: Any) -> Imported:
    kind = "boolean" if isinstance(value, bool) else "number" if isinstance(value, int | float) else ""
    if isinstance(value, list):
        text = " ".join(text_of(one) for one in cast("list[Any]", value))
        return Imported(name=name, default=text, split=True)
    return Imported(name=name, default=value, type="string" if isinstance(value, str) else kind)


def _with(flags: dict[str, Flag], one: Imported, new: bool) -> dict[str, Flag]:
    """The flags with an imported one; what the file says of it wins."""
    name = one.name if one.name in flags else next((k for k, f in flags.items() if f.arg_name == one.name), one.name)
    own = flags.get(name)
    if own is None:
        if not new and one.name not in flags:
            own = Flag()
        own = own or Flag()
    merged = msgspec.structs.replace(
        own,
        default=one.default if own.default is msgspec.UNSET else own.default,
        type=own.type or one.type,
        choices=own.choices or tuple(Choice(value=value) for value in one.choices),
        description=own.description or one.description,
        required=own.required or (one.required and own.default is msgspec.UNSET),
        arg_name=own.arg_name or one.arg_name,
        arg_switch=one.switch if own.arg_switch is msgspec.UNSET else own.arg_switch,
        arg_split=own.arg_split if own.arg_split is not None else (True if one.split else None),
    )
    return {**flags, name: merged}


def _check_dest(found: Found, dest: str, findings: Findings) -> None:
    kind, _, target = dest.partition(":")
    place = found.places.span(("flags-dest",))
    if kind not in _DESTS or (kind in ("global", "dict", "namespace", "config") and not target):
        near = did_you_mean(kind, _DESTS)
        hint = f"did you mean `{near}`?" if near and near != kind else "write args, globals, global:NAME or config:PATH"
        findings.at("guild-flags-dest", f"there is no flags-dest `{dest}`", place, severity="warning", hint=hint)


def _check(found: Found, name: str, flag: Flag, findings: Findings) -> None:
    """Types that there are not, limits that are no numbers."""
    if flag.type and flag.type not in TYPES:
        near = did_you_mean(flag.type, TYPES)
        hint = f"did you mean `{near}`?" if near else f"the types are {', '.join(TYPES)}"
        span = found.places.span(("flags", name, "type"))
        message = f"there is no type `{flag.type}` of flags; any value is taken"
        findings.at("guild-flag-type", message, span, severity="warning", hint=hint)
    for word, value in (("min", flag.min), ("max", flag.max)):
        if value is not None and number_of(str(value)) is None:
            span = found.places.span(("flags", name, word))
            findings.at("guild-flag-limit", f"`{word}` of the flag {name} is no number", span)


def _default(flag: Flag) -> str:
    return "null" if flag.default is msgspec.UNSET else quoted_text(flag.default, flag.type)


def _told(name: str, flag: Flag, skipped: bool) -> dict[str, Any]:
    """What the program is told of a flag: only what is not as usual."""
    skip = skipped if flag.arg_skip is None else flag.arg_skip
    told: dict[str, Any] = {"name": name, "default": _default(flag)}
    if flag.type not in ("", "auto"):
        told["type"] = flag.type
    for key in ("arg_name", "arg_encoding", "env_name", "env_encoding", "nb_replace"):
        if value := getattr(flag, key):
            told[key] = value
    if skip:
        told["arg_skip"] = True
    if flag.arg_switch is not msgspec.UNSET and flag.arg_switch is not None:
        told["arg_switch"] = flag.arg_switch
    if flag.arg_split not in (None, False):
        told["arg_split"] = flag.arg_split
    choices = [
        {
            "value": quoted_text(one.value, flag.type),
            "flags": {key: quoted_text(value, "") for key, value in one.flags.items()},
        }
        for one in flag.choices
        if one.flags
    ]
    if choices:
        told["choices"] = choices
    return told


_INPUT_TYPES: dict[str, inputs.InputType] = {
    "path": "path",
    "existing-path": "existing-path",
    "int": "int",
    "float": "float",
    "number": "number",
    "boolean": "boolean",
}


def _sweeps(flag: Flag) -> bool:
    """Whether a default stands for many trials."""
    if isinstance(flag.default, str):
        return flag.type in ("", "auto") and _SEQUENCE.fullmatch(flag.default) is not None
    return isinstance(flag.default, list)


def _input(name: str, parameter: str, flag: Flag) -> inputs.Input:
    default = _default(flag)
    none_given = flag.default is msgspec.UNSET
    null = str(flag.null_label) if flag.null_label is not None else ""
    choices = tuple(
        inputs.Choice(
            value=quoted_text(one.value, flag.type),
            label=null if one.value is None else "",
            hint=one.description,
            aliases=(one.alias,) if one.alias else (),
        )
        for one in flag.choices
    )
    hint = flag.description
    if null and default == "null":
        hint = f"{hint} (null: {null})".strip()
    return inputs.Input(
        name=parameter,
        type=_INPUT_TYPES.get(flag.type, "string"),
        default=None if none_given and flag.required else default,
        choices=choices,
        open_choices=flag.allow_other,
        hint=hint,
        required=flag.required and (none_given or default in ("null", "")),
        minimum=number_of(str(flag.min)) if flag.min is not None else None,
        maximum=number_of(str(flag.max)) if flag.max is not None else None,
        display_name=name if name != parameter else "",
        aliases=tuple(one for one in (name if name != parameter else "", flag.alias) if one),
        default_sweeps=_sweeps(flag),
        path=("flags", name),
    )
