"""The dstack files of a project on the disk: which belong together, and the workflow that a bare name means.

It knows where dstack keeps what; what stands in the files is the front-end's matter.
"""

from __future__ import annotations

import configparser
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from argosy.dialects.dstack.command_line import COMMAND_LINE, of_provider, read_words
from argosy.dialects.dstack.definitions import OfOne
from argosy.dialects.dstack.providers import PROVIDERS
from argosy.dialects.dstack.reading import Beside, broken, names_in, own_names
from argosy.dialects.dstack.reading import load as read
from argosy.errors import NotFound
from argosy.syntax.diagnostics import did_you_mean
from argosy.syntax.limits import LARGEST_FILE_BYTES, Limits

if TYPE_CHECKING:
    from argosy.dialects.argo import Loaded

FOLDER = ".dstack"
_TOP = ("workflows.yaml", "workflows.yml")
_BESIDE = ("variables.yaml", "variables.yml", "configs.yaml", "configs.yml", "providers.yaml", "providers.yml")
_ADDRESS = re.compile(r"[/:]([^/:]+/[^/]+?)(?:\.git)?/?\Z")
_WIDEST = Limits(size_bytes=LARGEST_FILE_BYTES)


def load(data: bytes, path: str, *, strict: bool = True, limits: Limits = _WIDEST) -> Loaded:
    """The workflows of a file, with what stands in the files beside it. A key that there is not is always an error."""
    return read(data, path, beside=_beside(Path(path)), limits=limits)


def load_named(folder: Path, name: str, *, reuse: bool = False) -> Loaded | None:
    """The workflow of that name in the nearest .dstack; None when there is none around. Raises NotFound.

    reuse: what it would run first is taken from its latest run.
    """
    named = load_asked(folder, name, (), reuse=reuse)
    return named.loaded if named is not None else None


class Named(NamedTuple):
    """What a name and the words behind it mean. rest: the words that are left for its variables."""

    loaded: Loaded
    rest: tuple[str, ...]


def load_asked(folder: Path, name: str, words: tuple[str, ...], *, reuse: bool = False) -> Named | None:
    """The workflow of that name as words behind it want it, or a provider with words that are its workflow.

    None where no .dstack is around, and no provider is meant. Raises NotFound, UsageError.
    """
    found = folder_around(folder)
    contents = files_of(found, folder) if found is not None else []
    known: dict[str, str] = {}
    for file, content in contents:
        for one in names_in(content, file):
            known.setdefault(one, file)
    beside = Beside(files=tuple(contents), repository=repository_of(found.parent) if found is not None else "")
    if name in known:
        if not words:
            return Named(_read(contents, known[name], name, beside, reuse, None), ())
        asked = read_words(words, own_names(contents, name)[0])
        over = OfOne(workflow=name, keys=asked.keys) if asked.keys else None
        return Named(_read(contents, known[name], name, beside, reuse, over), asked.rest)
    if "/" in name:
        return None
    wrong = broken(contents, limits=_WIDEST)
    if wrong is not None:
        return Named(wrong, words)
    if name in PROVIDERS or (contents and name in own_names(contents, name)[1]):
        text, rest = of_provider(name, words)
        return Named(read(text, COMMAND_LINE, beside=beside, only=name, reuse=reuse), rest)
    if found is None:
        return None
    near = did_you_mean(name, (*known, *PROVIDERS))
    there = f"there are {', '.join(known)}" if known else f"{contents[0][0]} has no workflows"
    raise NotFound(f"There is neither a file nor a workflow {name!r}", hint=f"did you mean {near}?" if near else there)


def _read(
    contents: list[tuple[str, bytes]], file: str, name: str, beside: Beside, reuse: bool, asked: OfOne | None
) -> Loaded:
    return read(dict(contents)[file], file, beside=beside, only=name, reuse=reuse, asked=asked, limits=_WIDEST)


def folder_around(folder: Path) -> Path | None:
    """The nearest .dstack with workflows, upwards from a folder."""
    for one in (folder, *folder.parents):
        if has_workflows(one):
            return one / FOLDER
    return None


def has_workflows(folder: Path) -> bool:
    """Whether a folder has dstack's workflows: not so the home of a person, where dstack keeps its configuration."""
    inside = folder / FOLDER
    return any((inside / name).is_file() for name in _TOP) or (inside / "workflows").is_dir()


def files_of(inside: Path, relative_to: Path | None = None) -> list[tuple[str, bytes]]:
    """The files of a .dstack, in the order in which names win, by their paths as people would write them."""
    paths = [inside / name for name in _TOP]
    folder = inside / "workflows"
    if folder.is_dir():
        paths += sorted(one for one in folder.iterdir() if one.suffix in (".yaml", ".yml"))
    paths += [inside / name for name in _BESIDE]
    found: list[tuple[str, bytes]] = []
    for path in paths:
        try:
            with path.open("rb") as file:
                content = file.read(LARGEST_FILE_BYTES + 1)
        except OSError:
            continue
        shown = path.relative_to(relative_to) if relative_to and path.is_relative_to(relative_to) else path
        found.append((str(shown), content))
    return found


def _beside(path: Path) -> Beside:
    inside = path.parent
    if inside.name == "workflows" and path.name not in _TOP:
        inside = inside.parent
    others = [(name, content) for name, content in files_of(inside) if not _is_same(Path(name), path)]
    return Beside(files=tuple(others), repository=repository_of(inside.absolute().parent))


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def repository_of(folder: Path) -> str:
    """`user/repo`, as the address of the project's git remote ends; "" when there is none."""
    for one in (folder, *folder.parents):
        configuration = one / ".git" / "config"
        if configuration.is_file():
            parser = configparser.ConfigParser(strict=False, interpolation=None)
            try:
                parser.read(configuration)
            except (configparser.Error, UnicodeDecodeError):
                return ""
            found = _ADDRESS.search(parser.get('remote "origin"', "url", fallback=""))
            return found.group(1) if found is not None else ""
    return ""
