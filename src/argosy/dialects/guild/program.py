"""What a step made from a Guild operation runs: the text of this file, which the project's interpreter is given whole.

It knows flags, environments and how a Python module takes its flags. It needs nothing but Python 3.8 and does not know
Argosy: `run` is called at its end with what the operation is and the values of its flags as text.
"""

from __future__ import annotations

import ast
import json
import os
import re
import runpy
import shlex
import subprocess
import sys
import uuid
from typing import Any, cast

MISSING = object()
REFERENCE = re.compile(r"\\?\$\{([^}]*)\}")
WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False, "null": None, "~": None}
UNEXPECTED = 3


class Refused(Exception):
    """Why the operation cannot be run, in one sentence."""


# -- values


def decode(text: str, type: str = "") -> Any:
    """The value that a text stands for: a number, a word of YAML, a list or mapping, else the text."""
    if text == "" or (type in ("string", "path", "existing-path") and text[:1] not in ("[", "'", '"', "{")):
        return text
    for number in (int, float):
        try:
            value = number(text)
        except ValueError:
            continue
        return bool(value) if type == "boolean" else float(value) if type == "float" else value
    word = text.lower()
    if word in WORDS and text in (word, word.capitalize(), word.upper()):
        return WORDS[word]
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1].replace("''", "'") if text[0] == "'" else _quoted(text)
    return _collection(text) if text[0] in "[{" else text


def _quoted(text: str) -> str:
    try:
        return json.loads(text)
    except ValueError:
        return text[1:-1]


def _collection(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        import yaml  # of the project, if it has it
    except ImportError:
        inside = text[1:-1].strip()
        if text[0] == "[" and not set(inside) & set("[]{}'\""):
            return [decode(one.strip()) for one in inside.split(",")] if inside else []
        return text
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def plain(value: Any) -> str:
    """A value as a word of a command or an environment: True is 1, False and nothing are empty."""
    if value is True:
        return "1"
    if value is None or value is False:
        return ""
    if isinstance(value, str):
        return value
    return repr(value)


def resolved(value: Any, values: dict[str, Any], as_text: bool = False) -> Any:
    """The value with its ${flag}s put in. A text that is nothing but one keeps the flag's type, unless as_text."""
    if not isinstance(value, str) or "${" not in value:
        return value
    whole = re.fullmatch(r"\$\{([^}]*)\}", value)
    if whole and not as_text:
        return _of(whole.group(1), values)

    def put(found: Any) -> str:
        if found.group(0)[0] == "\\":
            return found.group(0)[1:]
        return plain(_of(found.group(1), values))

    return REFERENCE.sub(put, value)


def _of(name: str, values: dict[str, Any]) -> Any:
    if name not in values:
        known = ", ".join(sorted(values)) or "none"
        # Two braces side by side would be a tag of the manifest that this text is in.
        raise Refused("${" + name + "} names no flag of this operation; it has " + known)
    return values[name]


def values_of(flags: dict[str, Any], given: dict[str, str]) -> dict[str, Any]:
    """The value of each flag: as given, what the chosen words of others say, ${references} put in."""
    values: dict[str, Any] = {}
    for parameter, flag in flags.items():
        text = str(given.get(parameter, flag.get("default", "null")))
        values[flag["name"]] = decode(text, flag.get("type", ""))
    for parameter, flag in flags.items():
        for choice in flag.get("choices", ()):
            if choice.get("flags") and choice["value"] == given.get(parameter):
                _apply_choice(choice["flags"], flags, given, values)
    for _ in range(len(values)):
        before = dict(values)
        values = {name: resolved(value, before) for name, value in values.items()}
        if values == before:
            break
    return values


def _apply_choice(more: dict[str, str], flags: dict[str, Any], given: dict[str, str], values: dict[str, Any]) -> None:
    """What comes with a choice, for flags that were left as they are."""
    by_name = {flag["name"]: (parameter, flag) for parameter, flag in flags.items()}
    for name, text in more.items():
        parameter, flag = by_name.get(name, ("", {}))
        if parameter and given.get(parameter) != flag.get("default", "null"):
            continue
        values[name] = decode(text, flag.get("type", ""))


# -- arguments


def arguments_of(flags: dict[str, Any], values: dict[str, Any], before: list[str]) -> list[str]:
    """The flags as --NAME VALUE, sorted by name; those that stand in the command already are left out."""
    words: list[str] = []
    by_name = {flag["name"]: flag for flag in flags.values()}
    for name, value in sorted(values.items()):
        flag = by_name.get(name, {})
        option = f"--{flag.get('arg_name') or name}"
        if flag.get("arg_skip"):
            continue
        if option in before:
            print(f"flag {name}={plain(value)} is not passed: the command has {option} already", file=sys.stderr)
        elif flag.get("arg_switch", MISSING) is not MISSING:
            words += [option] if flag["arg_switch"] == value else []
        elif value is not None:
            words += _argument(option, value, flag)
    return words


def _argument(option: str, value: Any, flag: dict[str, Any]) -> list[str]:
    split = flag.get("arg_split")
    encoded = _encoded(value, flag.get("arg_encoding"))
    if split is not None and not isinstance(value, list):
        parts = _parted(encoded, split)
        return [option, *parts] if parts else []
    if isinstance(value, list):
        by = split if isinstance(split, str) and split != "shlex" else " "
        listed: list[Any] = list(cast("Any", value))
        return [option, by.join(shlex.quote(plain(one)) if by == " " else plain(one) for one in listed)]
    return [option, encoded]


def _parted(text: str, split: Any) -> list[str]:
    return shlex.split(text) if split in (True, "shlex", "shell") else text.split(str(split))


def _encoded(value: Any, encoding: Any) -> str:
    known: dict[str, str] = encoding or {}
    for given, text in known.items():
        if decode(given) == value and decode(given).__class__ is value.__class__:
            return text
    return plain(value)


# -- the environment


def environment_of(spec: dict[str, Any], values: dict[str, Any], run: str) -> dict[str, str]:
    """What Guild's operations are told, besides what a step has anyway."""
    folder = os.getcwd()
    given = {
        "RUN_DIR": folder,
        "RUN_ID": run,
        "GUILD_HOME": os.environ.get("GUILD_HOME") or os.path.join(folder, ".guild"),
        "GUILD_OP": spec["operation"],
        "GUILD_SOURCECODE": spec.get("code_dest") or ".",
        "GUILD_PLUGINS": "",
        "PROJECT_DIR": spec.get("project", folder),
        "CMD_DIR": spec.get("project", folder),
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "20"),
        "FLAGS_DEST": spec.get("dest", "args"),
    }
    for name, text in spec.get("env", {}).items():
        given[name] = resolved(text, values, True)
    by_name = {flag["name"]: flag for flag in spec["flags"].values()}
    for name, value in values.items():
        flag = by_name.get(name, {})
        variable = flag.get("env_name") or "FLAG_" + re.sub(r"[^A-Z0-9_]", "_", name.upper())
        given[variable] = _encoded(value, flag.get("env_encoding"))
    return given


def python_path(spec: dict[str, Any]) -> list[str]:
    """Where modules are looked for: the code, and what the operation adds."""
    code = os.path.abspath(spec.get("code_dest") or ".")
    return [*(os.path.join(code, one) for one in spec.get("python_path", ())), code]


def run_id(spec: dict[str, Any]) -> str:
    """The run's id in Guild's form; a step of a pipeline has one of its own."""
    whole, node = uuid.UUID(spec["run"]), os.environ.get("ARGO_NODE_ID", "")
    return whole.hex if node == os.environ.get("ARGO_WORKFLOW_NAME", "") else uuid.uuid5(whole, node).hex


# -- Python modules


def module_file_name(name: str, folders: list[str]) -> list[str]:
    """The files that a module may be in, best first. name: PACKAGE.MODULE, perhaps FOLDER/MODULE."""
    below, _, module = name.rpartition("/")
    module = module[:-3] if module.endswith(".py") else module
    found: list[str] = []
    for folder in folders:
        for spelled in (module, module.replace("-", "_")):
            path = os.path.join(folder, below, *spelled.split("."))
            found += [f"{path}.py", os.path.join(path, "__main__.py")]
    return found


def module_file(name: str, folders: list[str]) -> tuple[str, str]:
    """The file of a module, and the folder from which it is imported; "" for none."""
    below = name.rpartition("/")[0]
    for folder in folders:
        for path in module_file_name(name, [folder]):
            if os.path.isfile(path):
                return path, os.path.join(folder, below) if below else folder
    return "", ""


def run_module(words: list[str], spec: dict[str, Any], values: dict[str, Any]) -> None:
    """Run a module as the main program, with its flags where it wants them."""
    name, given = words[0], words[1:]
    folders = python_path(spec)
    sys.path[0:1] = folders
    file, folder = module_file(name, folders)
    if folder and folder not in sys.path:
        sys.path.insert(1, folder)
    dest = spec.get("dest", "args")
    kind, _, target = dest.partition(":")
    if kind == "args":
        given = given + arguments_of(spec["flags"], values, given)
    if kind in ("globals", "global", "dict", "namespace"):
        if not file:
            raise Refused(f"there is no module {name} whose globals could be set")
        _run_with_globals(file, name, given, _globals(kind, target, spec["flags"], values))
        return
    sys.argv = [file or name, *given]
    if file:
        _run_file(file, name)
    else:
        runpy.run_module(name.rpartition("/")[2], run_name="__main__", alter_sys=True)


def _run_file(file: str, name: str) -> None:
    """A module of the code: as a module of its package, else as a file."""
    if "." in name.rpartition("/")[2] and not name.endswith(".py"):
        runpy.run_module(name.rpartition("/")[2], run_name="__main__", alter_sys=True)
    else:
        with open(file, "rb") as source:
            code = compile(source.read(), file, "exec")
        _execute(code, file, {})


def _execute(code: Any, file: str, more: dict[str, Any]) -> None:
    """Run code as the module __main__, so that what it defines can be pickled."""
    module = type(sys)("__main__")
    module.__dict__.update({"__file__": file, "__builtins__": __builtins__, **more})
    sys.modules["__main__"] = module
    exec(code, module.__dict__)


def _globals(kind: str, target: str, flags: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    skipped = {flag["name"] for flag in flags.values() if flag.get("arg_skip")}
    wanted: dict[str, Any] = {}
    for flag in flags.values():
        if flag["name"] not in skipped:
            wanted[flag.get("arg_name") or flag["name"]] = values[flag["name"]]
    if kind == "globals":
        return wanted
    nested: dict[str, Any] = {}
    for name, value in wanted.items():
        put(nested, name, value)
    return {target: _Changed(nested, namespace=kind == "namespace")}


def put(into: dict[str, Any], name: str, value: Any) -> None:
    *parents, last = name.split(".")
    for parent in parents:
        into = into.setdefault(parent, {})
    into[last] = value


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


def _run_with_globals(file: str, name: str, given: list[str], wanted: dict[str, Any]) -> None:
    """Run a file in which the assignments to these names give their values instead of what is written."""
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
    _execute(compile(tree, file, "exec"), file, more)


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


# -- the whole


def run(spec: dict[str, Any], given: dict[str, str], inputs: Any = None, checks: Any = None) -> int:
    """Carry the operation out and return its exit code. inputs, checks: parts that only some operations have."""
    placed: Any = None
    try:
        values = values_of(spec["flags"], given)
        os.environ.update(environment_of(spec, values, run_id(spec)))
        os.environ["PYTHONPATH"] = os.pathsep.join(
            [*python_path(spec), *([os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else [])]
        )
        if inputs is not None:
            placed = inputs(spec, values)
            placed.place()
        words = [resolved(word, values, True) for word in spec["words"]]
        if checks is not None:
            return checks(spec, lambda: _begun(words, spec, values))
        return _begun(words, spec, values)
    except Refused as problem:
        print(f"{spec['operation']}: {problem}", file=sys.stderr)
        return 1
    finally:
        if placed is not None:
            placed.take_back()


def _begun(words: list[str], spec: dict[str, Any], values: dict[str, Any]) -> int:
    if spec["kind"] == "exec":
        at = [place for place, word in enumerate(words) if word == "__flag_args__"]
        for place in reversed(at):
            words[place : place + 1] = arguments_of(spec["flags"], values, words)
        try:
            return subprocess.call(words)
        except OSError as problem:
            raise Refused(f"{words[0]} cannot be run: {problem.strerror}") from None
    run_module(words, spec, values)
    return 0
