"""Workflow files: read, checked against each other and the catalog, every finding at its place.

It knows files and findings; the rules are in `argosy.checks`, the formats in `argosy.dialects`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path

import msgspec

from argosy.checks.catalog import Catalog, DocumentCatalog, Options
from argosy.checks.finding import Finding
from argosy.dialects.argo import Loaded, LoadedDocument, load
from argosy.dialects.detect import detect, told
from argosy.dialects.program_text import workflows_named
from argosy.errors import InvalidFile, NotFound
from argosy.syntax.diagnostics import Diagnostic
from argosy.syntax.limits import LARGEST_FILE_BYTES, Limits

ENDINGS = (".yaml", ".yml", ".json")
PROGRAMS = ".py"
STANDARD_INPUT = "-"
# The front-ends besides Argo's, by dialect: modules with a `load` as Argo's has.
READERS = {"onepanel": "argosy.dialects.onepanel.reader", "dstack": "argosy.project.dstack_files"}
READERS["gradient"] = "argosy.project.gradient_files"
READERS["guild"] = "argosy.project.guild_files"
_WIDEST = Limits(size_bytes=LARGEST_FILE_BYTES)


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """A file with everything that was found in it."""

    loaded: Loaded
    findings: tuple[Diagnostic, ...]

    @property
    def ok(self) -> bool:
        return not any(found.severity == "error" for found in self.findings)


def read(path: str, *, strict: bool = True, stdin: Callable[[], bytes] | None = None, tolerant: bool = False) -> Loaded:
    """The documents of a file, "-" for standard input. Raises NotFound, InvalidFile when it is in no known format.

    tolerant: that a file is in no known format is a finding among others, and a misspelt field hides no other mistake.
    FILE.py and FILE.py:NAME mean a Python program, which is read by running it in a process of its own.
    """
    if path.partition(":")[0].endswith(".py") or ".py:" in path:
        from argosy.project.programs import read as read_program

        return read_program(path, strict=strict, tolerant=tolerant)
    return read_bytes(_bytes_of(path, stdin), path, strict=strict, tolerant=tolerant)


def read_bytes(data: bytes, path: str, *, strict: bool = True, tolerant: bool = False) -> Loaded:
    """As `read`, of a file's content. path: what it is called. Raises InvalidFile."""
    loaded = _loaded(data, path, strict)
    if tolerant and strict and not loaded.ok:
        loose = _loaded(data, path, False)
        # What is misspelt keeps a reader from looking further: what it finds then is told too.
        known = {(one.rule, one.message, one.span) for one in loaded.diagnostics} | {
            (one.rule, one.message, one.span) for one in loose.diagnostics if one.severity != "error"
        }
        more = [one for one in loose.diagnostics if (one.rule, one.message, one.span) not in known]
        loaded = msgspec.structs.replace(loaded, documents=loose.documents, diagnostics=(*loaded.diagnostics, *more))
    if not loaded.documents and not _names_a_kind(loaded):
        try:
            detect(data.decode("utf-8", "replace"), path)
        except InvalidFile as error:
            if not tolerant:
                raise
            found = tuple(one for one in error.diagnostics if isinstance(one, Diagnostic))
            return msgspec.structs.replace(loaded, diagnostics=found)
    return loaded


def _loaded(data: bytes, path: str, strict: bool) -> Loaded:
    """The documents of a content, read by the front-end of the dialect that it is in."""
    # Of a file that is too large any reader says so, and no sign in it has to be looked for.
    dialect = told(data.decode("utf-8", "replace"), path) if len(data) <= LARGEST_FILE_BYTES else ""
    reader = READERS.get(dialect)
    if reader is None:
        return load(data, path, strict=strict, limits=_WIDEST)
    return import_module(reader).load(data, path, strict=strict, limits=_WIDEST)


def _names_a_kind(loaded: Loaded) -> bool:
    return any(not found.rule.startswith(("file-empty", "kind-missing")) for found in loaded.diagnostics)


def _bytes_of(path: str, stdin: Callable[[], bytes] | None) -> bytes:
    if path == STANDARD_INPUT and stdin is not None:
        return stdin()
    try:
        with open(path, "rb") as file:
            # One byte more than is allowed, so that the reader can tell.
            return file.read(LARGEST_FILE_BYTES + 1)
    except FileNotFoundError:
        raise NotFound(f"There is no file {path}", hint=_alike(path)) from None
    except IsADirectoryError:
        raise NotFound(f"{path} is a folder", hint="name a file of it; argosy lint takes folders") from None
    except OSError as error:
        raise InvalidFile(f"{path} cannot be read: {error.strerror or error}") from error


def _alike(path: str) -> str:
    import difflib  # only for this error

    folder = Path(path).parent
    try:
        names = [one.name for one in folder.iterdir() if one.suffix in ENDINGS]
    except OSError:
        return "argosy run without a file lists the ones of this folder"
    alike = difflib.get_close_matches(Path(path).name, names, n=3)
    if alike:
        return f"did you mean {' or '.join(str(folder / name) for name in alike)}?"
    return "argosy run without a file lists the ones of this folder"


def expanded(paths: Iterable[str]) -> list[str]:
    """The files that paths mean: of a folder all manifests in it and below. Raises NotFound for an empty folder."""
    found: list[str] = []
    for path in paths:
        if path == STANDARD_INPUT or not os.path.isdir(path):
            found.append(path)
            continue
        inside = sorted(
            str(one)
            for one in Path(path).rglob("*")
            if one.suffix in ENDINGS and one.is_file() and not _hidden(one.relative_to(path))
        )
        inside += [
            str(one)
            for place in _hidden_folders(Path(path))
            for one in sorted(place.iterdir())
            if one.suffix in ENDINGS and one.is_file() and not _is_setting(one)
        ]
        if not inside:
            raise NotFound(f"There is no manifest in the folder {path}", hint=f"they end in {', '.join(ENDINGS)}")
        found.extend(inside)
    return found


def _is_setting(path: Path) -> bool:
    """Whether a file of .dstack is one of dstack's settings, which name no workflow."""
    return path.parent.name == ".dstack" and path.stem not in ("workflows", "variables", "configs", "providers")


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def check_all(files: Sequence[Loaded], catalog: Catalog | None, options: Options) -> list[Checked]:
    """Every file with its findings; the documents of all files know one another."""
    from argosy.checks.check import check

    together = DocumentCatalog([one.value for loaded in files for one in loaded.documents], catalog)
    checked: list[Checked] = []
    for loaded in files:
        found = list(loaded.diagnostics)
        for document in loaded.documents:
            found.extend(diagnostics_of(check(document.value, together, options=options), document))
        checked.append(Checked(loaded=loaded, findings=tuple(sorted(found, key=_place))))
    return checked


def diagnostics_of(findings: Iterable[Finding], document: LoadedDocument) -> list[Diagnostic]:
    """Findings of a document, each at its place in the file."""
    found: list[Diagnostic] = []
    for one in findings:
        places = document.source_map
        span = places.source.first_line(places.span(one.path)) if one.path else places.key_span(())
        found.append(
            Diagnostic(rule=one.rule, severity=one.severity, message=one.message, span=span, why=one.why, hint=one.hint)
        )
    return found


def _place(found: Diagnostic) -> tuple[int, int]:
    return (found.span.line, found.span.column) if found.span else (0, 0)


def manifests_of(folder: Path) -> list[tuple[str, list[str]]]:
    """The files of a folder that hold workflows, each with what they are called; nothing is raised for the others."""
    found: list[tuple[str, list[str]]] = []
    places = [
        folder,
        *_hidden_folders(folder),
        *(one for one in sorted(folder.iterdir()) if one.is_dir() and not one.name.startswith(".")),
    ]
    for place in places:
        for path in sorted(one for one in place.iterdir() if one.suffix in (*ENDINGS, PROGRAMS) and one.is_file()):
            names = _workflows_in(path)
            if names:
                found.append((str(path.relative_to(folder)), names))
    return found


def _hidden_folders(folder: Path) -> list[Path]:
    """Where dstack's and Gradient's workflows are, of all hidden folders."""
    places = (folder / ".dstack", folder / ".dstack" / "workflows", folder / ".gradient" / "workflows")
    return [one for one in places if one.is_dir()]


def _workflows_in(path: Path) -> list[str]:
    try:
        if path.suffix == PROGRAMS:
            # Not loaded: a list of what there is runs nothing.
            return workflows_named(path.read_bytes()[:LARGEST_FILE_BYTES].decode("utf-8", "replace"))
        loaded = _loaded(path.read_bytes(), str(path), False)
    except OSError:
        return []
    metadata = [one.value.metadata for one in loaded.documents if one.value.kind == "Workflow"]
    return [one.name or one.annotations.get("argosy.dev/workflow") or f"{one.generate_name}*" for one in metadata]
