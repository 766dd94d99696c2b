"""The dstack front-end: the text of files to documents that the rest of Argosy knows.

It knows the order of reading and lowering. Which files belong together is told by whoever reads the disk.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from argosy.dialects.argo import Loaded, LoadedDocument
from argosy.dialects.dstack.definitions import Definition, Definitions, DstackFile, OfOne, read_definitions
from argosy.dialects.dstack.lowering import involved, lower
from argosy.dialects.dstack.places import LoweredMap
from argosy.dialects.dstack.variables import GLOBAL
from argosy.syntax.diagnostics import Diagnostic
from argosy.syntax.limits import Limits
from argosy.syntax.parse import DEFAULT_LIMITS


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """What is known besides a file. files: the others of its project, names and contents, in the order of precedence.

    repository: `user/repo` as other projects name this one, "" for none.
    """

    files: tuple[tuple[str, str | bytes], ...] = ()
    repository: str = ""


def load(
    text: str | bytes,
    file: str,
    *,
    beside: Beside | None = None,
    only: str = "",
    reuse: bool = False,
    asked: OfOne | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Loaded:
    """The workflows of a file. Nothing is raised: `Loaded.checked` does that.

    only: the one workflow that is wanted, whose problems alone are told. reuse: what would be run first is taken from
    its latest run. asked: what a person wants of one workflow.
    """
    beside = beside or Beside()
    files = [(name, content) for name, content in beside.files if name != file]
    definitions = read_definitions([(file, text), *files], repository=beside.repository, limits=limits, asked=asked)
    return _loaded(definitions, definitions.files[0], only, reuse)


def names_in(text: str | bytes, file: str) -> list[str]:
    """The names of a file's workflows; none where it cannot be read."""
    return [one.name for one in read_definitions([(file, text)]).files[0].definitions]


def own_names(files: Iterable[tuple[str, bytes]], workflow: str) -> tuple[set[str], set[str]]:
    """The names of a workflow's variables, and those of the project's providers."""
    found = read_definitions([*files])
    variables = {**found.variables.get(GLOBAL, {}), **found.variables.get(workflow, {})}
    return set(variables), set(found.providers)


def broken(files: Iterable[tuple[str, bytes]], limits: Limits = DEFAULT_LIMITS) -> Loaded | None:
    """Files of which one cannot be read as it stands: what is wrong with all of them; None where nothing is."""
    definitions = read_definitions([*files], limits=limits)
    found = [one for file in definitions.files for one in file.diagnostics]
    first = next((file for file in definitions.files if any(one.severity == "error" for one in file.diagnostics)), None)
    return None if first is None else Loaded(documents=(), diagnostics=tuple(found), source=first.source)


def _loaded(definitions: Definitions, file: DstackFile, only: str, reuse: bool) -> Loaded:
    documents: list[LoadedDocument] = []
    wanted = [one for one in file.definitions if definitions.workflows[one.name] is one]
    if only:
        wanted = [one for one in wanted if one.name == only]
    told: dict[int, Definition] = {}
    for index, one in enumerate(wanted):
        document = _document(definitions, file, one, index, reuse)
        if document is not None:
            documents.append(document)
        told.update((id(each), each) for each in involved(definitions, one))
    if not only:
        told.update((id(each), each) for each in file.definitions)
    diagnostics = list(file.diagnostics)
    for other in definitions.files:
        if other is not file and not other.definitions:
            diagnostics += other.diagnostics
    for one in told.values():
        diagnostics += one.problems.found
    diagnostics.sort(key=_position)
    return Loaded(documents=tuple(documents), diagnostics=tuple(diagnostics), source=file.source)


def _document(
    definitions: Definitions, file: DstackFile, one: Definition, index: int, reuse: bool
) -> LoadedDocument | None:
    lowered = lower(definitions, one, reuse=reuse)
    if lowered is None or file.root is None:
        return None
    # Template 0 is the DAG.
    places = {number: each.index for number, each in enumerate(lowered.templates, 1) if each.file is file}
    return LoadedDocument(
        value=lowered.workflow,
        source_map=LoweredMap(file.root, file.source, places, one.index),
        file=file.source.file,
        index=index,
        signature=lowered.signature,
    )


def _position(found: Diagnostic) -> tuple[str, int, int]:
    return (found.span.file, found.span.line, found.span.column) if found.span else ("", 0, 0)
