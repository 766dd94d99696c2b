"""The guild.yml of a folder: read with the project's files around it, an operation of it chosen.

It knows where a project's files are and who may be asked about Python modules; the file is the front-end's matter.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from argosy.dialects.argo import Loaded
from argosy.dialects.guild.load import NAMES, GuildFile
from argosy.dialects.guild.load import load as read
from argosy.dialects.guild.surroundings import Asked, Found, Surroundings, Trials
from argosy.errors import ArgosyError, InvalidFile, NotFound, UsageError
from argosy.project.home import project_folder
from argosy.syntax.diagnostics import Diagnostic, did_you_mean
from argosy.syntax.limits import LARGEST_FILE_BYTES, Limits

if TYPE_CHECKING:
    from argosy.project.project import Project

CACHE = "guild-flags.json"
_WIDEST = Limits(size_bytes=LARGEST_FILE_BYTES)


def load(data: bytes, path: str, *, strict: bool = True, limits: Limits = _WIDEST) -> Loaded:
    """All operations of a file. No module is run. strict makes no difference: what is unknown is a warning."""
    return read(data, path, surroundings=surroundings_of(Path(path)), limits=limits)


def is_guild(path: str) -> bool:
    """Whether a path is one of a guild.yml, by its name."""
    return os.path.basename(path) in NAMES


def file_in(folder: Path) -> Path | None:
    """The guild.yml of a folder."""
    return next((folder / name for name in NAMES if (folder / name).is_file()), None)


def meant(name: str) -> tuple[str, str] | None:
    """The file and the operation that a word on a command line means, "" for none; None if it means no guild.yml."""
    file, colon, operation = name.partition(":")
    if is_guild(name) and os.path.isfile(name):
        return name, ""
    if colon and is_guild(file) and os.path.isfile(file):
        return file, operation
    here = file_in(Path())
    if here is None or name == "-":
        return None
    guild = GuildFile(here.read_bytes(), str(here), surroundings_of(here), _WIDEST)
    if os.path.isfile(name):
        # A file that has the name of an operation is what the operation runs, if anything.
        return (str(here), name) if name in guild.operations else None
    return (str(here), name) if guild.find(name) is not None or not _other_reader(name) else None


def _other_reader(name: str) -> bool:
    """Whether somebody else may know the word."""
    from argosy.project.dstack_files import folder_around

    return "/" in name or name.endswith((".yaml", ".yml", ".json")) or folder_around(Path.cwd()) is not None


def surroundings_of(path: Path, project: Project | None = None) -> Surroundings:
    """What a guild.yml is read with. project: whose interpreter may be asked about modules; None for nobody's."""
    folder = path.absolute().parent
    around = project.folder if project is not None else project_folder(folder)
    root = folder.relative_to(around).as_posix() if folder.is_relative_to(around) else "."

    def read_text(name: str) -> str | None:
        try:
            with open(folder / name, "rb") as file:
                return file.read(LARGEST_FILE_BYTES).decode("utf-8")
        except (OSError, UnicodeDecodeError, ValueError):
            return None

    def kind(name: str) -> Found:
        place = folder / name
        return "folder" if place.is_dir() else "file" if place.is_file() else ""

    given = Surroundings(
        read=read_text,
        kind=kind,
        several=_several,
        trials=_trials,
        folder=str(folder),
        root="" if root == "." else root,
    )
    if project is None:
        return given
    return msgspec.structs.replace(given, ask=_asker(project, folder), asks=True)


def _several(text: str) -> bool:
    from argosy.experiments.spaces import read_space

    if "[" not in text:
        return False
    try:
        return read_space(text) is not None
    except UsageError:
        return False


def _trials(asked: Asked) -> Trials:
    """Combinations of lists and rows; where a space is among them, drawn by chance."""
    from argosy.experiments.spaces import Interval, read_space
    from argosy.experiments.trials import chosen_of_grid, drawn, read_trials

    try:
        rows = [row for name, text in asked.files for row in read_trials(text.encode(), name)]
        spaces = {name: found for name, text in asked.spaces.items() if (found := read_space(text)) is not None}
        if any(isinstance(one, Interval) for one in spaces.values()):
            return Trials(rows=tuple(drawn(spaces, rows, asked.most, asked.seed)))
        made, left_out = chosen_of_grid(spaces, rows, asked.most, asked.seed)
    except ArgosyError as wrong:
        return Trials(problem=wrong.message)
    return Trials(rows=tuple(made), left_out=left_out)


def _asker(project: Project, folder: Path) -> object:
    def ask(module: str, words: Sequence[str]) -> object:
        from argosy.experiments.python_environment import interpreter_of
        from argosy.project.guild_flags import asker

        interpreter = interpreter_of(project.configuration.interpreter, os.environ)
        return asker(interpreter, folder, project.home.folder / CACHE)(module, words)

    return ask


def operation(project: Project, file: str, name: str, given: tuple[str, ...] = (), parallel: bool = False) -> Loaded:
    """One operation of a guild.yml, the default one if none is named. given: names of values that a person gives.

    parallel: its steps may run at the same time.

    Raises NotFound with what was meant, UsageError when none is named, InvalidFile.
    """
    path = Path(file)
    guild = GuildFile(path.read_bytes(), file, surroundings_of(path, project), _WIDEST)
    _check(guild, guild.diagnostics)
    found = guild.find(name) if name else guild.default()
    if found is None:
        raise _unknown(guild, file, name)
    document, diagnostics = guild.document(found, given, parallel)
    _check(guild, diagnostics)
    documents = (document,) if document is not None else ()
    return Loaded(documents=documents, diagnostics=(*guild.diagnostics, *diagnostics), source=guild.source)


def _check(guild: GuildFile, diagnostics: list[Diagnostic]) -> None:
    Loaded(documents=(), diagnostics=tuple(diagnostics), source=guild.source).checked()


def _unknown(guild: GuildFile, file: str, name: str) -> Exception:
    names = list(guild.operations)
    if not names:
        return InvalidFile(f"{file} defines no operations", hint="write `OPERATION: MODULE`")
    if not name:
        hint = f"argosy run {names[0]}; it has {', '.join(names)}"
        return UsageError(f"{file} has {len(names)} operations, and none is the default", hint=hint)
    near = did_you_mean(name, [*names, *(one.name for one in guild.operations.values())])
    hint = f"did you mean {near}?" if near else f"it has {', '.join(names)}"
    return NotFound(f"There is neither a file nor an operation {name!r}", hint=hint)


def listed(folder: Path) -> list[tuple[str, str]]:
    """The operations of the guild.yml in a folder, with what they say of themselves."""
    file = file_in(folder)
    if file is None:
        return []
    guild = GuildFile(file.read_bytes(), file.name, surroundings_of(file), _WIDEST)
    return [
        (name, one.operation.description.strip().partition("\n")[0] if one.operation is not None else "")
        for name, one in guild.operations.items()
    ]
