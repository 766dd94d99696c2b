"""What a step made from a Guild operation runs: the text of this file, which the project's interpreter is given whole.

It knows flags, environments and how a Python module takes its flags. It needs nothing but Python 3.8 and does not know
Argosy: `run` is called at its end with what the operation is and the values of its flags as text.
"""

from __future__ import annotations

# Modules that only some operations need are imported where they do: most of a small step's time is imports.
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MISSING = object()
WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False, "null": None, "~": None}


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
    import json

    try:
        return json.loads(text)
    except ValueError:
        return text[1:-1]


def _collection(text: str) -> Any:
    import json

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
    return put_in(value, values, as_text) if isinstance(value, str) and "${" in value else value


def put_in(value: str, values: dict[str, Any], as_text: bool) -> Any:
    """The text with its ${flag}s put in."""
    import re

    whole = re.fullmatch(r"\$\{([^}]*)\}", value)
    if whole and not as_text:
        return _of(whole.group(1), values)

    def put(found: Any) -> str:
        if found.group(0)[0] == "\\":
            return found.group(0)[1:]
        return plain(_of(found.group(1), values))

    return re.sub(r"\\?\$\{([^}]*)\}", put, value)


def _of(name: str, values: dict[str, Any]) -> Any:
    if name not in values:
        known = ", ".join(sorted(values)) or "none"
        # Two braces side by side would be a tag of the manifest that this text is in.
        raise Refused("${" + name + "} names no flag of this operation; it has " + known)
    return values[name]


def values_of(flags: dict[str, Any], given: dict[str, str]) -> dict[str, Any]:
    """The value of each flag: as given, or what the chosen words of others say."""
    values: dict[str, Any] = {}
    for parameter, flag in flags.items():
        text = str(given.get(parameter, flag.get("default", "null")))
        values[flag["name"]] = decode(text, flag.get("type", ""))
    for parameter, flag in flags.items():
        for choice in flag.get("choices", ()):
            if choice.get("flags") and choice["value"] == given.get(parameter):
                _apply_choice(choice["flags"], flags, given, values)
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


def _argument(option: str, value: Any, flag: Any) -> list[str]:
    split = flag.get("arg_split")
    encoded = _encoded(value, flag.get("arg_encoding"))
    if isinstance(value, list):
        return [option, _joined(value, split)]
    if split is not None:
        parts = parted(encoded, split)
        return [option, *parts] if parts else []
    return [option, encoded]


def _joined(values: Any, split: Any) -> str:
    if isinstance(split, str) and split not in ("shlex", "shell"):
        return split.join(plain(one) for one in values)
    import shlex

    return " ".join(shlex.quote(plain(one)) for one in values)


def parted(text: str, split: Any) -> list[str]:
    """The parts of a flag that takes several words."""
    if split not in (True, "shlex", "shell"):
        return text.split(str(split))
    import shlex

    return shlex.split(text)


def _encoded(value: Any, encoding: Any) -> str:
    known: Any = encoding or {}
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
    return {**given, **variables_of(spec, values)} if values else given


def variables_of(spec: dict[str, Any], values: dict[str, Any]) -> dict[str, str]:
    """The flags as variables."""
    given: dict[str, str] = {}
    by_name = {flag["name"]: flag for flag in spec["flags"].values()}
    for name, value in values.items():
        flag = by_name.get(name, {})
        plainly = "".join(one if one.isascii() and one.isalnum() else "_" for one in name.upper())
        given[flag.get("env_name") or f"FLAG_{plainly}"] = _encoded(
            value, flag.get("env_encoding") or flag.get("arg_encoding")
        )
    return given


def python_path(spec: dict[str, Any]) -> list[str]:
    """Where modules are looked for: the code, and what the operation adds."""
    code = os.path.abspath(spec.get("code_dest") or ".")
    return [*(os.path.join(code, one) for one in spec.get("python_path", ())), code]


def run_id(spec: dict[str, Any]) -> str:
    """The run's id in Guild's form; a step of a pipeline has one of its own, which ends in the number of its node."""
    whole, node = spec["run"].replace("-", ""), os.environ.get("ARGO_NODE_ID", "")
    number = node.rpartition("-")[2].partition("(")[0]
    if node == os.environ.get("ARGO_WORKFLOW_NAME", "") or not number.isdecimal():
        return whole
    return f"{whole[:24]}{int(number) & 0xFFFFFFFF:08x}"


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


def run_module(words: list[str], spec: dict[str, Any], values: dict[str, Any], with_globals: Any) -> None:
    """Run a module as the main program, with its flags where it wants them. with_globals: for those in its globals."""
    name, given = words[0], words[1:]
    folders = python_path(spec)
    sys.path[0:1] = folders
    file, folder = module_file(name, folders)
    if folder and folder not in sys.path:
        sys.path.insert(1, folder)
    if values and spec.get("dest", "args").partition(":")[0] == "args":
        given = given + arguments_of(spec["flags"], values, given)
    if with_globals is not None:
        if not file:
            raise Refused(f"there is no module {name} whose globals could be set")
        with_globals(file, name, given, spec, values)
        return
    sys.argv = [file or name, *given]
    if file and ("." not in name.rpartition("/")[2] or name.endswith(".py")):
        with open(file, "rb") as source:
            code = compile(source.read(), file, "exec")
        execute(code, file, {})
        return
    import runpy

    runpy.run_module(name.rpartition("/")[2], run_name="__main__", alter_sys=True)


def execute(code: Any, file: str, more: dict[str, Any]) -> None:
    """Run code as the module __main__, so that what it defines can be pickled."""
    module = type(sys)("__main__")
    module.__dict__.update({"__file__": file, "__builtins__": __builtins__, **more})
    sys.modules["__main__"] = module
    exec(code, module.__dict__)


# -- the whole


def put(into: dict[str, Any], name: str, value: Any) -> None:
    """Put a value into nested mappings, by its path with dots."""
    *parents, last = name.split(".")
    for parent in parents:
        into = into.setdefault(parent, {})
    into[last] = value


def run(
    spec: dict[str, Any],
    given: dict[str, str],
    inputs: Any = None,
    checks: Any = None,
    with_globals: Any = None,
    notebook: Any = None,
) -> int:
    """Carry the operation out and return its exit code. The last four: parts that only some operations have."""
    placed: Any = None
    try:
        values = values_of(spec["flags"], given) if spec["flags"] else {}
        os.environ.update(environment_of(spec, values, run_id(spec)))
        before = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = os.pathsep.join([*python_path(spec), *([before] if before else [])])
        if inputs is not None:
            placed = inputs(spec, values)
            placed.place()
        words = [resolved(word, values, True) for word in spec["words"]]

        def begin() -> int:
            if spec["kind"] == "exec":
                return _run_command(words, spec, values, alone=inputs is None and checks is None)
            if notebook is not None:
                return notebook(words, spec, values)
            run_module(words, spec, values, with_globals)
            return 0

        return begin() if checks is None else checks(spec, begin)
    except Refused as problem:
        print(f"{spec['operation']}: {problem}", file=sys.stderr)
        return 1
    finally:
        if placed is not None:
            placed.take_back()


def _run_command(words: list[str], spec: dict[str, Any], values: dict[str, Any], alone: bool) -> int:
    """Run a command. alone: nothing is left to do after it, so it may take this process's place."""
    for place in reversed([at for at, word in enumerate(words) if word == "__flag_args__"]):
        words[place : place + 1] = arguments_of(spec["flags"], values, words) if values else []
    try:
        if alone:
            os.execvp(words[0], words)
        import subprocess

        return subprocess.call(words)
    except OSError as problem:
        raise Refused(f"{words[0]} cannot be run: {problem.strerror}") from None
