"""The words behind a workflow's name, as dstack 0.0.7 and later took them: -e NAME=VALUE, --gpu 1, --dep :TAG, ...

They are laid over what the workflow says; behind a provider's name they are a workflow of their own. It knows words and
keys, not what the keys mean.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import msgspec

from argosy.dialects.dstack.canonical import Rewriting
from argosy.dialects.dstack.quantities import memory, whole
from argosy.errors import UsageError
from argosy.syntax.nodes import Mapping, Node, Scalar, Sequence

COMMAND_LINE = "command line"
_NUMBER, _AMOUNT, _TEXT, _FLAG, _LIST = "number", "amount", "text", "flag", "list"
# Each option with the key that it is, and what it takes. Those of `resources` have a dot.
_OPTIONS: dict[str, tuple[str, str]] = {
    "--requirements": ("requirements", _TEXT),
    "--env": ("env", _LIST),
    "--artifact": ("artifacts", _LIST),
    "--dep": ("deps", _LIST),
    "--working-dir": ("working_dir", _TEXT),
    "--ports": ("ports", _NUMBER),
    "--interruptible": ("resources.interruptible", _FLAG),
    "--local": ("resources.local", _FLAG),
    "--remote": ("resources.remote", _FLAG),
    "--nnodes": ("nodes", _NUMBER),
    "--cpu": ("resources.cpu", _NUMBER),
    "--memory": ("resources.memory", _AMOUNT),
    "--shm-size": ("resources.shm_size", _AMOUNT),
    "--gpu": ("resources.gpu.count", _NUMBER),
    "--gpu-name": ("resources.gpu.name", _TEXT),
    "--gpu-memory": ("resources.gpu.memory", _AMOUNT),
}
_SHORT = {"-r": "--requirements", "-e": "--env", "-a": "--artifact", "-w": "--working-dir", "-i": "--interruptible"}
_COMMAND = ("-c", "--command")
# What stands behind a provider's name without a workflow: the keys of the first words.
_FIRST_WORDS = {
    "docker": "image",
    "python": "file",
    "torchrun": "file",
    "gradio": "file",
    "streamlit": "target",
    "fastapi": "app",
}
_WITH_ARGUMENTS = ("python", "torchrun", "gradio", "streamlit")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """keys: what the words say, as a workflow would. rest: the words that say something else."""

    keys: dict[str, Any]
    rest: tuple[str, ...]


def read_words(words: Collection[str], own: Collection[str] = ()) -> Asked:
    """What words behind a workflow's name say of it. own: its variables, whose names come first. Raises UsageError."""
    keys: dict[str, Any] = {}
    rest: list[str] = []
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        name, equals, value = word.partition("=")
        option = _SHORT.get(name, name)
        if option not in _OPTIONS or option.removeprefix("--") in own:
            rest.append(word)
            continue
        key, kind = _OPTIONS[option]
        if kind == _FLAG:
            _put(keys, key, True)
            continue
        if not equals:
            if not waiting:
                raise UsageError(f"{name} needs a value", hint=f"write {name} VALUE")
            value = waiting.pop(0)
        _put(keys, key, _value(name, kind, value))
    return Asked(keys=keys, rest=tuple(rest))


def _value(name: str, kind: str, value: str) -> Any:
    if kind == _NUMBER and (number := whole(value)) is not None:
        return number
    if kind == _NUMBER:
        raise UsageError(f"{name} is a whole number, not {value!r}")
    if kind == _AMOUNT and memory(value) is None:
        raise UsageError(f"{name}: {value!r} is no amount of memory", hint="write 16GB or 512MiB")
    return [value] if kind == _LIST else value


def _put(keys: dict[str, Any], key: str, value: Any) -> None:
    *above, last = key.split(".")
    for part in above:
        keys = keys.setdefault(part, {})
    if isinstance(value, list) and last in keys:
        keys[last].extend(value)
    else:
        keys[last] = value


def of_provider(provider: str, words: Collection[str]) -> tuple[str, tuple[str, ...]]:
    """The text of a file with the workflow that words behind a provider's name are, and the words that say no more.

    Raises UsageError.
    """
    asked = read_words(words)
    keys: dict[str, Any] = {"name": provider, "provider": provider}
    rest = list(asked.rest)
    if provider in ("bash", "docker"):
        command = _taken(rest)
        if command is None and provider == "bash":
            raise UsageError("bash needs a command", hint="write argosy run bash -c COMMAND")
        keys |= {} if command is None else {"commands": [command]}
    if provider in _FIRST_WORDS:
        if not rest or rest[0].startswith("-"):
            wanted = _FIRST_WORDS[provider].upper()
            raise UsageError(f"{provider} needs its {wanted.lower()}", hint=f"write argosy run {provider} {wanted}")
        keys[_FIRST_WORDS[provider]] = rest.pop(0)
    if provider in _WITH_ARGUMENTS and rest:
        keys["args"], rest = rest, []
    if provider == "curl":
        if len(rest) != 2:
            raise UsageError("curl needs an address and a file", hint="write argosy run curl URL OUTPUT")
        keys["url"], keys["output"], rest = *rest, []
    if provider == "tensorboard" and rest:
        keys["runs"], rest = rest, []
    return json.dumps({"workflows": [keys | asked.keys]}, indent=2, ensure_ascii=False), tuple(rest)


def _taken(words: list[str]) -> str | None:
    """The value of -c, taken out of the words."""
    for position, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name == "--command" and equals:
            del words[position]
            return value
        if word in _COMMAND:
            if position + 1 == len(words):
                raise UsageError(f"{word} needs a value", hint=f"write {word} COMMAND")
            found = words[position + 1]
            del words[position : position + 2]
            return found
    return None


def laid_over(node: Mapping, keys: dict[str, Any], rewriting: Rewriting) -> Mapping:
    """A workflow in its one spelling with what was asked for, which replaces artifacts and dependencies."""
    given = rewriting.provider(_as_mapping({key: one for key, one in keys.items() if key != "deps"}, node.place))
    values, places = dict(node.values), dict(zip(node.values, node.key_places, strict=True))
    over = dict(given.values)
    if "deps" in keys:
        over["deps"] = Sequence(rewriting.latest_of(_as_node(keys["deps"], node.place)), node.place)
    for key, one in over.items():
        values[key] = _merged(values.get(key), one)
        places.setdefault(key, node.place)
    if "ports" in over:
        values.pop("port_numbers", None)
    return Mapping(values, [places[key] for key in values], node.place)


def _merged(there: Node | None, over: Node) -> Node:
    if not isinstance(there, Mapping) or not isinstance(over, Mapping):
        return over
    values = dict(there.values)
    for key, one in over.values.items():
        values[key] = _merged(values.get(key), one)
    places = dict(zip(there.values, there.key_places, strict=True))
    return Mapping(values, [places.get(key, over.place) for key in values], there.place)


def _as_mapping(value: dict[str, Any], place: int) -> Mapping:
    return Mapping({key: _as_node(one, place) for key, one in value.items()}, [place] * len(value), place)


def _as_node(value: Any, place: int) -> Node:
    if isinstance(value, dict):
        return _as_mapping(value, place)  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(value, list):
        return Sequence([_as_node(one, place) for one in value], place)  # pyright: ignore[reportUnknownVariableType]
    return Scalar(value, place)
