"""The part of a step's program that puts an operation's requirements into its folder, for those that have some.

It knows files in `.guild/inputs`, one folder a source, and where Guild wants them. What it moved and nobody changed it
moves back at the end, so that only what the operation made counts as made by it.
"""

from __future__ import annotations

import os
import sys

from argosy.dialects.guild.program import Refused, plain, put, python_path, resolved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELD = os.path.join(".guild", "inputs")
UNPACKED = ".unpacked"
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".gz")


class Inputs:
    """The requirements of one run of an operation."""

    def __init__(self, spec: dict[str, Any], values: dict[str, Any]) -> None:
        self.spec = spec
        self.values = values
        # Where a file went, where it was, and its state then.
        self.moved: list[tuple[str, str, tuple[int, int]]] = []
        self.made: list[str] = []

    def place(self) -> None:
        """Bring everything to its place. Raises Refused."""
        for source in self.spec.get("sources", ()):
            kind = source["kind"]
            if kind == "module":
                place_module(self, source)
            elif kind == "config":
                place_config(self, source)
            else:
                self._files(source)

    def take_back(self) -> None:
        """What was not changed goes back to where it came from."""
        for path, origin, state in reversed(self.moved):
            if os.path.islink(path):
                os.unlink(path)
            elif os.path.isfile(path) and state == _state(path) and not os.path.exists(origin):
                os.makedirs(os.path.dirname(origin), exist_ok=True)
                os.rename(path, origin)
        for folder in reversed(self.made):
            if os.path.isdir(folder) and not os.listdir(folder):
                os.rmdir(folder)

    def _files(self, source: dict[str, Any]) -> None:
        source = {**source, **{key: resolved(source[key], self.values, True) for key in ("uri", "name")}}
        held = os.path.join(HELD, source["folder"])
        if not os.path.lexists(held):
            if source.get("optional"):
                return
            raise Refused(f"{source['uri']} is not there{_help(source)}")
        if source.get("sha256"):
            check_hash(source, held)
        packed = source["kind"] != "operation" and source.get("unpack", True) and source["name"].endswith(ARCHIVES)
        held = unpacked(source, held) if packed else held
        pairs = self._chosen(source, held)
        if not pairs and source.get("select") and source["kind"] == "operation" and select_of_code(self, source):
            return
        if not pairs and not source.get("optional"):
            message = f"nothing in {source['uri']} fits {', '.join(source.get('select') or ('it',))}"
            if source.get("fail_if_empty") or source.get("select"):
                raise Refused(message + _help(source))
            if source.get("warn_if_empty", True):
                print(f"warning: {message}", file=sys.stderr)
        for origin, name in pairs:
            self._put_at(source, origin, name)
        if source.get("post_process"):
            post_process(self, source)

    def _chosen(self, source: dict[str, Any], held: str) -> list[tuple[str, str]]:
        """Where each file is now, and its path below the target."""
        if os.path.isfile(held):
            name = source["uri"] if source.get("preserve_path") else source["name"]
            return [(held, _renamed(name, source) if source.get("rename") else name)]
        below = sorted(
            os.path.relpath(os.path.join(folder, name), held) for folder, _, names in os.walk(held) for name in names
        )
        # A folder of the project comes as a whole; what was in an archive comes without it.
        is_folder = source["kind"] == "file" and not source.get("select") and not held.endswith(UNPACKED)
        whole = source["name"] if is_folder else ""
        chosen = [(one, one) for one in below]
        if source.get("select"):
            chosen = _selected(below, [resolved(one, self.values, True) for one in source["select"]], source)
        if source.get("select_number"):
            chosen = _extreme(chosen, source)
        prefix = os.path.dirname(source["uri"]) if source.get("preserve_path") and source["kind"] == "file" else ""
        # What is selected, or comes as a whole, is what is renamed; else each file is.
        each = bool(source.get("rename")) and not whole and not source.get("select")
        whole = _renamed(whole, source) if whole and source.get("rename") else whole
        return [
            (os.path.join(held, path), os.path.join(prefix, whole, _renamed(name, source) if each else name))
            for path, name in chosen
        ]

    # -- files

    def _put_at(self, source: dict[str, Any], origin: str, name: str) -> None:
        target = os.path.normpath(os.path.join(source.get("target", ""), name))
        if os.path.isabs(target) or target.split(os.sep)[0] == "..":
            raise Refused(f"{source['uri']} would be put at {target}, outside of the run's folder")
        self.folder(os.path.dirname(target))
        if os.path.lexists(target):
            if not source.get("replace_existing") and os.path.isdir(target):
                return
            os.unlink(target)
        if source.get("link"):
            os.symlink(os.path.relpath(origin, os.path.dirname(target) or "."), target)
            self.moved.append((target, origin, (0, 0)))
            return
        os.rename(origin, target)
        self.moved.append((target, origin, _state(target)))

    def folder(self, path: str) -> None:
        if not path or os.path.isdir(path):
            return
        self.folder(os.path.dirname(path))
        os.mkdir(path)
        self.made.append(path)


def place_module(inputs: Inputs, source: dict[str, Any]) -> None:
    import importlib.util

    name = source["uri"]
    folders = python_path(inputs.spec)
    sys.path[1:1] = folders
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        found = None
    finally:
        del sys.path[1 : 1 + len(folders)]
    if found is None:
        raise Refused(f"it requires the Python module {name}, which is not there{_help(source)}")


def place_config(inputs: Inputs, source: dict[str, Any]) -> None:
    content: Any = source["content"]
    if content is None:
        raise Refused(f"there was no config {source['uri']} that could be read{_help(source)}")
    for name, value in source.get("params", {}).items():
        put(content, name, value)
    for name, value in inputs.values.items():
        put(content, name, value)
    target = os.path.normpath(os.path.join(str(source.get("target", "")), str(source["name"])))
    inputs.folder(os.path.dirname(target))
    if os.path.lexists(target):
        os.unlink(target)
    with open(target, "w", encoding="utf-8") as file:
        file.write(_written(content, target))


def check_hash(source: dict[str, Any], held: str) -> None:
    import hashlib

    digest = hashlib.sha256()
    path = held if os.path.isfile(held) else os.path.join(held, source["name"])
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    if digest.hexdigest() != source["sha256"].lower():
        raise Refused(f"{source['uri']} has the sha256 {digest.hexdigest()}, not {source['sha256']}")


def unpacked(source: dict[str, Any], held: str) -> str:
    """The folder with what an archive holds; the same path for what is none."""
    path = held if os.path.isfile(held) else os.path.join(held, source["name"])
    if not os.path.isfile(path):
        return held
    target = held + UNPACKED
    import tarfile
    import zipfile

    try:
        _unpack(path, target, source.get("type") or "", source["name"])
    except (OSError, ValueError, EOFError, tarfile.TarError, zipfile.BadZipFile) as problem:
        raise Refused(f"{source['uri']} cannot be unpacked: {problem}") from None
    return target


def select_of_code(inputs: Inputs, source: dict[str, Any]) -> bool:
    """Take what is selected of a run from the code, which that run had as well; whether there is any of it.

    What a run made is all that is kept of it; a pattern may mean its code, too.
    """
    import shutil

    below = [
        os.path.relpath(os.path.join(folder, name), ".")
        for folder, _, names in os.walk(".")
        for name in sorted(names)
        if folder.split(os.sep)[1:2] != [".guild"]
    ]
    chosen = _selected(below, [resolved(one, inputs.values, True) for one in source["select"]], source)
    for path, name in chosen:
        target = os.path.normpath(os.path.join(source.get("target", ""), name))
        if target != path and target.split(os.sep)[0] != ".." and not os.path.isabs(target):
            inputs.folder(os.path.dirname(target))
            shutil.copyfile(path, target)
    return bool(chosen)


def post_process(inputs: Inputs, source: dict[str, Any]) -> None:
    import subprocess

    command = resolved(source["post_process"], inputs.values, True)
    code = subprocess.call(command, shell=True, cwd=source.get("target") or None)
    if code:
        raise Refused(f"the post-process of {source['uri']} ended with {code}: {command}")


def _state(path: str) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns


def _help(source: dict[str, Any]) -> str:
    return f": {source['help']}" if source.get("help") else ""


def _selected(below: list[str], texts: list[str], source: dict[str, Any]) -> list[tuple[str, str]]:
    """The files that a pattern fits from their beginning to their end, or whose folder does: that goes as a whole."""
    import re

    chosen: dict[str, str] = {}
    for pattern in map(re.compile, texts):
        for path in below:
            parts = path.split(os.sep)
            for depth in range(1, len(parts) + 1):
                if pattern.fullmatch("/".join(parts[:depth])):
                    item = os.sep.join(parts[:depth]) if source.get("preserve_path") else parts[depth - 1]
                    item = _renamed(item, source) if source.get("rename") else item
                    chosen.setdefault(path, os.path.join(item, *parts[depth:]))
                    break
    return list(chosen.items())


def _extreme(chosen: list[tuple[str, str]], source: dict[str, Any]) -> list[tuple[str, str]]:
    """Of files with a number in their names, as the first group of a pattern tells it, the least or the greatest."""
    import re

    found: list[tuple[float, tuple[str, str]]] = []
    for one in chosen:
        for text in source["select"]:
            match = re.fullmatch(text, one[0]) or re.search(text, one[0])
            if match and match.groups():
                try:
                    found.append((float(match.group(1)), one))
                except ValueError:
                    continue
    if not found:
        return chosen[:1]
    best = min if source["select_number"] == "min" else max
    return [best(found)[1]]


def _renamed(path: str, source: dict[str, Any]) -> str:
    for pattern, new in source.get("rename") or ():
        import re

        folder, name = os.path.split(path)
        if not pattern:
            return os.path.join(folder, new)
        changed = re.sub(pattern, new, name, count=1)
        if changed != name:
            return os.path.join(folder, changed)
    return path


def _unpack(path: str, target: str, kind: str, name: str) -> None:
    import shutil

    os.makedirs(target, exist_ok=True)
    if (kind == "gzip" or name.endswith(".gz")) and not name.endswith(".tar.gz"):
        import gzip

        with gzip.open(path) as packed, open(os.path.join(target, name[: -len(".gz")]), "wb") as file:
            shutil.copyfileobj(packed, file)
        return
    if kind == "zip" or name.endswith(".zip"):
        import zipfile

        with zipfile.ZipFile(path) as packed:
            packed.extractall(target)
        return
    import tarfile

    with tarfile.open(path) as packed:
        for one in packed.getmembers():
            place = os.path.normpath(one.name)
            if os.path.isabs(place) or place.split(os.sep)[0] == ".." or not (one.isfile() or one.isdir()):
                raise ValueError(f"it holds {one.name}, which leads out of it or is no plain file")
        safe: Any = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        packed.extractall(target, **safe)


def _written(content: Any, path: str) -> str:
    import json

    if path.endswith((".cfg", ".ini")):
        import configparser
        import io

        parser = configparser.ConfigParser()
        for section, values in content.items():
            if hasattr(values, "items"):
                parser[section] = {key: plain(value) for key, value in values.items()}
            else:
                parser["DEFAULT"][section] = plain(values)
        text = io.StringIO()
        parser.write(text)
        return text.getvalue()
    if path.endswith((".yml", ".yaml")):
        try:
            import yaml  # of the project, if it has it; what follows is YAML too
        except ImportError:
            pass
        else:
            return yaml.safe_dump(content, sort_keys=False)
    return json.dumps(content, indent=2) + "\n"
