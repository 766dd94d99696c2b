"""The spellings of every dialect made one: `python_script`, `script` and `file` are `file`, and so on.

It turns nodes into nodes and keeps their places; which keys a provider takes is decided afterwards (`schema`).
"""

from __future__ import annotations

import re

from argosy.dialects.dstack.building import Building
from argosy.dialects.dstack.dependencies import LATEST, RUN_FIRST, Dependencies
from argosy.dialects.dstack.problems import Problems
from argosy.syntax.nodes import Mapping, Node, Scalar, Sequence, described

_ALIASES = {
    "python_script": "file",
    "python-script": "file",
    "script": "file",
    "environment": "env",
    "before_run": "setup",
    "before-run": "setup",
    "working-dir": "working_dir",
    "python": "version",
    "shm-size": "shm_size",
    "nproc_per_node": "nproc",
    "id": "name",
}
# The last is of January 2022.
_DEPENDS = ("depends-on", "depends_on", "dependencies")
_LISTS = ("setup", "commands")
_WITH_ARGUMENTS = ("args",)
# Python's version as part of the provider: python3.9, python:3.9, python/3.9, python==3.8.
_PYTHON_OF_VERSION = re.compile(r"python(?:[:/]|==)?(\d\S*)")
_GPU_OF_NAME = re.compile(r"(.+)/gpu")
# Which file or object a Streamlit or FastAPI workflow names by an older word.
_OF_PROVIDER = {"streamlit": {"file": "target"}, "fastapi": {"file": "app"}}


class Rewriting:
    """Makes one workflow canonical. repository: `user/repo` of this project, as other repositories name it."""

    def __init__(self, problems: Problems, *, repository: str = "") -> None:
        self._problems = problems
        self._repository = repository
        self._dependencies = Dependencies(problems, repository)

    def workflow(self, given: Mapping) -> Mapping:
        """The workflow in one spelling; what could not be understood is among the problems."""
        found = Building(given.place)
        self._into(found, self._unwrapped(given))
        deps = [*found.pending_deps]
        if deps:
            found.put("deps", Sequence(deps, deps[0].place), deps[0].place)
        return found.made()

    def provider(self, given: Mapping) -> Mapping:
        """An entry of providers.yaml, whose keys have the spellings that workflows have."""
        found = Building(given.place)
        for key, place in zip(given.values, given.key_places, strict=True):
            found.put(*self._value(key, given.values[key], found), place)
        return found.made()

    def latest_of(self, node: Node) -> list[Node]:
        """Dependencies as `deps` has them."""
        return self._dependencies.of(node, LATEST)

    def _unwrapped(self, given: Mapping) -> Mapping:
        """The oldest files had a workflow's fields below `template` for a while."""
        inner = given.values.get("template")
        if not isinstance(inner, Mapping):
            return given
        found = Building(given.place)
        for key, place in zip(given.values, given.key_places, strict=True):
            if key != "template":
                found.put(key, given.values[key], place)
        for key, place in zip(inner.values, inner.key_places, strict=True):
            found.put(key, inner.values[key], place)
        return found.made()

    def _into(self, found: Building, given: Mapping) -> None:
        provider = self._provider(found, given)
        for key, place in zip(given.values, given.key_places, strict=True):
            node = given.values[key]
            if key == "provider" or (isinstance(node, Scalar) and node.value is None):
                continue
            if key in _DEPENDS or key == "deps":
                found.pending_deps += self._dependencies.of(node, RUN_FIRST if key in _DEPENDS else LATEST)
                continue
            name = _ALIASES.get(key, key)
            name = _OF_PROVIDER.get(provider, {}).get(name, name)
            if name == "gpu":
                self._gpu_above(found, node, place)
                continue
            name, node = self._value(name, node, found)
            if name == "resources" and isinstance(found.values.get(name), Mapping) and isinstance(node, Mapping):
                # `gpu` stood above them.
                node = _merged(found.values[name], node)
            elif name in found.values:
                other = next((old for old in given.values if old != key and _ALIASES.get(old, old) == name), name)
                self._problems.add(
                    "field-twice", f"`{key}` says the same as `{other}`", place, hint="remove one of them"
                )
                continue
            found.put(name, node, place)

    def _provider(self, found: Building, given: Mapping) -> str:
        """Put the provider's name, and say what of it cannot be had here."""
        node = given.values.get("provider")
        place = given.key_place("provider") if "provider" in given.values else given.place
        if isinstance(node, Mapping) and "name" in node.values and self._is_here(node.values.get("repo")):
            node = node.values["name"]
        if isinstance(node, Mapping):
            self._problems.add(
                "dstack-provider",
                "a provider from another repository is not fetched",
                node.place,
                hint="write its image and commands into .dstack/providers.yaml, and its name alone here",
            )
            return ""
        if not isinstance(node, Scalar) or node.value is None:
            name = _told_by(given)
            if name:
                found.put("provider", Scalar(name, given.place), given.place)
            else:
                self._problems.add(
                    "field-missing", "this workflow lacks `provider`", given.place, hint="add `provider: bash`, ..."
                )
            return name
        text = str(node.value)
        name, at, branch = text.partition("@")
        with_version = _PYTHON_OF_VERSION.fullmatch(name)
        if with_version is not None:
            name = "python"
        if at:
            self._problems.add(
                "dstack-provider",
                f"the provider's branch {branch} is not looked at: {name} is the one known here",
                node.place,
                severity="warning",
                hint=f"write `provider: {name}`",
            )
        if with_version is not None and "version" not in given.values and "python" not in given.values:
            found.put("version", Scalar(with_version.group(1), node.place), place)
        # The names that dstack 0.0.7 hid behind an underscore.
        name = name.removeprefix("_")
        found.put("provider", Scalar(name, node.place), place)
        return name

    def _is_here(self, node: Node | None) -> bool:
        """Whether a provider's `repo` is this project's own, or none at all."""
        if node is None:
            return True
        address = str(node.value) if isinstance(node, Scalar) else ""
        return bool(self._repository) and address.removesuffix("/").removesuffix(".git").endswith(
            f"/{self._repository}"
        )

    def _value(self, name: str, node: Node, found: Building) -> tuple[str, Node]:
        if name in _LISTS and isinstance(node, Scalar | Sequence):
            items = node.items if isinstance(node, Sequence) else [node]
            return name, Sequence([self._problems.as_written(one) for one in items], node.place)
        if name == "env" and isinstance(node, Mapping):
            pairs = zip(node.values.items(), node.key_places, strict=True)
            values = {self._problems.key(key, place): self._problems.as_written(one) for (key, one), place in pairs}
            return name, Mapping(values, node.key_places, node.place)
        if name == "version" and isinstance(node, Sequence) and len(node.items) == 1:
            node = node.items[0]
        if name == "version" and isinstance(node, Scalar):
            return name, Scalar(self._version(node), node.place)
        if name in _WITH_ARGUMENTS and isinstance(node, Scalar):
            return f"{name}_text", Scalar(self._problems.written(node), node.place)
        if name == "env" and isinstance(node, Sequence):
            return name, self._environment(node)
        if name == "artifacts":
            return name, self._artifacts(node)
        if name == "resources" and isinstance(node, Mapping):
            return name, self._resources(node, found)
        if name == "ports" and isinstance(node, Sequence):
            return "port_numbers", node
        if name == "cache" and isinstance(node, Sequence):
            return name, self._artifacts(node)
        if name == "runs" and isinstance(node, Scalar):
            words = [one for one in re.split(r"[\s,]+", self._problems.written(node)) if one]
            return name, Sequence([Scalar(one, node.place) for one in words], node.place)
        return name, node

    def _version(self, node: Scalar) -> str:
        """A Python version as it was written: YAML reads 3.10 as 3.1, which never was one anybody asks for."""
        text = self._problems.written(node).strip()
        return "3.10" if text == "3.1" else text

    def _environment(self, node: Sequence) -> Node:
        found = Building(node.place)
        for one in node.items:
            if not isinstance(one, Scalar) or not isinstance(one.value, str):
                self._problems.add(
                    "field-type", f"`env`: expected NAME=VALUE, found {described(one)}", one.place, hint="- NAME=VALUE"
                )
                continue
            name, _, value = one.value.partition("=")
            found.put(name.strip(), Scalar(value, one.place), one.place)
        return found.made()

    def _artifacts(self, node: Node) -> Node:
        items = node.items if isinstance(node, Sequence) else [node]
        given = [one for one in items if not isinstance(one, Scalar) or one.value is not None]
        return Sequence([_as_path(one) for one in given], node.place)

    # -- resources

    def _resources(self, node: Mapping, found: Building) -> Mapping:
        made = Building(node.place)
        for key, place in zip(node.values, node.key_places, strict=True):
            value = node.values[key]
            named = _GPU_OF_NAME.fullmatch(key)
            if named is not None:
                made.put("gpu", _gpu(value, named.group(1), place), place)
            elif key == "gpu":
                made.put("gpu", _gpu(value, "", place), place)
            elif key == "nodes":
                found.put("nodes", value, place)
            else:
                made.put(_ALIASES.get(key, key), value, place)
        return made.made()

    def _gpu_above(self, found: Building, node: Node, place: int) -> None:
        """`gpu` beside the other keys rather than among the resources, as in the spring of 2022."""
        made = Building(place)
        known = found.values.get("resources")
        if isinstance(known, Mapping):
            for key, key_place in zip(known.values, known.key_places, strict=True):
                made.put(key, known.values[key], key_place)
        made.put("gpu", _gpu(node, "", place), place)
        found.put("resources", made.made(), place)


def renamed(key: str) -> str:
    """The one spelling of a key."""
    return "deps" if key in _DEPENDS else _ALIASES.get(key, key)


def spellings() -> tuple[str, ...]:
    """Keys with another spelling than the one."""
    return (*_ALIASES, *_DEPENDS)


def _merged(one: Node, other: Mapping) -> Mapping:
    found = Building(other.place)
    for given in (one, other):
        if isinstance(given, Mapping):
            for key, place in zip(given.values, given.key_places, strict=True):
                found.put(key, given.values[key], place)
    return found.made()


def _told_by(given: Mapping) -> str:
    """The provider of a workflow that names none: the oldest files had images and commands only."""
    keys = given.values.keys()
    if "image" in keys:
        return "docker"
    if "commands" in keys:
        return "bash"
    return "python" if keys & {"file", "script", "python_script"} else ""


def _as_path(node: Node) -> Node:
    if not isinstance(node, Scalar):
        return node
    return Mapping({"path": node}, [node.place], node.place)


def _gpu(node: Node, name: str, place: int) -> Node:
    """Any way to ask for GPUs as {count, name, memory}."""
    found = Building(node.place)
    if name:
        found.put("name", Scalar(name, place), place)
    if isinstance(node, Mapping):
        for key, key_place in zip(node.values, node.key_places, strict=True):
            found.put(key, node.values[key], key_place)
    else:
        found.put("count", node, node.place)
    return found.made()
