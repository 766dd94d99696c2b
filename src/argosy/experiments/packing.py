"""A run as a folder that can be carried away: its rows, facts, metrics, logs and artifacts, each in a file of its own.

    run.json            the run, its notes, its generations with manifest, source, options and status
    facts-N.jsonl       the facts of generation N, one a line
    metrics.jsonl       each metric with its history
    logs/ATTEMPT/FILE   what the steps wrote, without secrets
    objects/DIGEST      the artifacts, and the code that the run keeps

It knows this form; which run, and from where, is the project's matter. What is read is checked before it is believed:
names against a pattern, every object against its digest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from argosy.artifacts.store import Store
from argosy.artifacts.troubles import ArtifactNotFound, StoreTrouble
from argosy.errors import InvalidFile
from argosy.model.manifest import Workflow
from argosy.record.database import Database
from argosy.record.run_rows import SCHEMA, MetricRow, RunRow, read_facts, read_metrics, read_run

RUN, METRICS, LOGS, OBJECTS = "run.json", "metrics.jsonl", "logs", "objects"
# What a digest of the store looks like, also where a record names one.
_DIGESTS = re.compile(rb'"(sha256:[0-9a-f]{64}(?:\.[a-z]+)?)"')
_UID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_LINE_BYTES = 64 << 20
Kind = TypeVar("Kind")


class Unpacked(msgspec.Struct, frozen=True, kw_only=True):
    """A run that was read from a folder."""

    run: RunRow
    facts: dict[int, list[bytes]]
    metrics: list[MetricRow]
    digests: tuple[str, ...]


def write_run(
    database: Database,
    run_id: int,
    store: Store,
    logs: Iterable[tuple[str, Callable[[], Iterator[bytes]]]],
    target: Path,
) -> list[str]:
    """Write the run into the folder `target`, which is empty; sentences on what is not in it.

    logs: for each the name ATTEMPT/FILE and its pieces. Raises UsageError when the run is not over, DamagedRun,
    EnvironmentTrouble.
    """
    run = read_run(database, run_id)
    encoded = msgspec.json.encode(run)
    digests = dict.fromkeys(_DIGESTS.findall(encoded))
    (target / RUN).write_bytes(encoded)
    for one in run.generations:
        with (target / f"facts-{one.generation}.jsonl").open("wb") as file:
            for fact in read_facts(database, run_id, one.generation, run.name):
                digests |= dict.fromkeys(_DIGESTS.findall(fact))
                file.write(fact + b"\n")
    with (target / METRICS).open("wb") as file:
        for metric in read_metrics(database, run_id):
            file.write(msgspec.json.encode(metric) + b"\n")
    for name, pieces in logs:
        path = target / LOGS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for piece in pieces():
                file.write(piece)
    return _write_objects(store, [digest.decode() for digest in digests], target / OBJECTS)


def _write_objects(store: Store, digests: list[str], target: Path) -> list[str]:
    target.mkdir()
    said: list[str] = []
    for digest in digests:
        try:
            store.materialize(digest, target / _file_name(digest))
        except ArtifactNotFound:
            said.append(f"{digest} is not in the store any more")
    return said


def _file_name(digest: str) -> str:
    return digest.replace(":", "-")


def read_folder(folder: Path) -> Unpacked:
    """The run in a folder. Raises InvalidFile for anything that `write_run` would not write."""
    run = _decoded(folder, RUN, RunRow)
    if run.schema != SCHEMA:
        raise InvalidFile(f"{RUN} has the form {run.schema!r}; this argosy reads {SCHEMA}")
    if not _UID.fullmatch(run.uid):
        raise InvalidFile(f"{run.uid!r} is no uid of a run")
    if [one.generation for one in run.generations] != list(range(1, len(run.generations) + 1)) or (
        len(run.generations) != run.generation
    ):
        raise InvalidFile(f"{RUN} has not the generations 1 to {run.generation}")
    for one in run.generations:
        for part, kind in ((one.manifest, Workflow), (one.options, dict[str, msgspec.Raw])):
            _checked(bytes(part), kind, f"generation {one.generation}")
    facts = {one.generation: list(_lines(folder / f"facts-{one.generation}.jsonl")) for one in run.generations}
    metrics = [_checked(line, MetricRow, METRICS) for line in _lines(folder / METRICS)]
    found = dict.fromkeys(_DIGESTS.findall(msgspec.json.encode(run)))
    for lines in facts.values():
        for line in lines:
            found |= dict.fromkeys(_DIGESTS.findall(line))
    return Unpacked(run=run, facts=facts, metrics=metrics, digests=tuple(one.decode() for one in found))


def store_objects(store: Store, digests: Iterable[str], folder: Path) -> list[str]:
    """Put the objects that the run names into the store, durably; sentences on those that are not there.

    Raises InvalidFile when one is not what its name says.
    """
    said: list[str] = []
    for digest in digests:
        path = folder / OBJECTS / _file_name(digest)
        if not path.exists():
            if not store.has(digest):
                said.append(f"{digest} did not come with it")
            continue
        try:
            found = store.put(path, sync=False)
        except StoreTrouble as error:
            raise InvalidFile(f"The object {digest} cannot be taken: {error.message}") from error
        if _hex(found) != _hex(digest):
            raise InvalidFile(f"The object {digest} was changed: it is {found} now")
    store.sync()
    return said


def _hex(digest: str) -> str:
    return digest.partition(":")[2][:64]


def _decoded(folder: Path, name: str, kind: type[RunRow]) -> RunRow:
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise InvalidFile(f"This is no exported run: it has no {name}", hint="argosy export RUN FILE makes one")
    return _checked(path.read_bytes(), kind, name)


def _checked(data: bytes, kind: type[Kind], name: str) -> Kind:
    try:
        return msgspec.json.decode(data, type=kind, strict=False)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InvalidFile(f"{name} is not what an exported run has: {error}") from None


def _lines(path: Path) -> Iterator[bytes]:
    if path.is_symlink() or not path.is_file():
        raise InvalidFile(f"This is no whole exported run: it has no {path.name}")
    with path.open("rb") as file:
        while line := file.readline(_LINE_BYTES + 1):
            if len(line) > _LINE_BYTES:
                raise InvalidFile(f"{path.name} has a line of more than {_LINE_BYTES} bytes")
            if line.strip():
                yield line.rstrip(b"\n")
