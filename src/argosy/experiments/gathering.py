"""The metrics of a step that ended, gathered from its log and its folder; and those of a run, a batch at a time.

It knows what a step leaves where, not when a run is over. Gathering again gives the same rows, so that it may be cut
short anywhere and done anew.
"""

from __future__ import annotations

import os
import posixpath
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from argosy.errors import ArgosyError
from argosy.experiments.file_metrics import (
    MISSING,
    UnreadableMetrics,
    can_read_events,
    event_files,
    read_events,
    read_json,
)
from argosy.experiments.output_metrics import MOST_BYTES, MOST_NAMES, OutputMetrics
from argosy.model.events import AttemptExited, Event
from argosy.model.manifest import Template
from argosy.model.metric_rules import FILES, METRICS, MetricRules, rules_of
from argosy.model.status import Node, NodeType
from argosy.plan.names import node_id
from argosy.record.database import Database
from argosy.record.experiments import Experiments, Gathered, Series, TakenOver, number_of
from argosy.runners.local.runtimes.places import PLAIN, ROOT, is_within, mount_at
from argosy.runners.local.runtimes.runtime import Mount
from argosy.runners.local.staging import ATTEMPT_FILE

# Steps of a long run are looked at this often while it goes on.
LOOK_SECONDS = 5.0
# A look at the nodes may take this share of the driver's time.
_SHARE = 100
_BATCH = 500
# The driver may be wanted again any moment.
_AT_A_GLANCE = 4
# Where the usual files are below an attempt's folder when they are on no mount.
_FILES_WITHIN = tuple(path if is_within(path, "/tmp") else f"/{ROOT}{path}" for path in FILES)

# The lines of a log from an offset on, without secrets.
ReadLog = Callable[[Path, int], Iterator[bytes]]


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """Where the attempts of a run are. folder: the run's own. generation: of the run, as attempts' folders have it."""

    folder: Path
    generation: int
    runtime: str
    rules: MetricRules
    # Those that have rules of their own.
    templates: Mapping[str, Template] = {}

    @property
    def steps(self) -> str:
        """The folder of all attempts."""
        return f"{self.folder}/steps"

    def attempt_name(self, node: Node) -> str:
        """The name of this generation's attempt at a node."""
        return node.id if self.generation == 1 else f"{node.id}.{self.generation}"

    def attempt(self, node: Node) -> Path:
        """The folder of this generation's attempt at a node."""
        return Path(self.steps, self.attempt_name(node))


class _Container(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    name: str
    working_dir: str = ""
    mounts: tuple[Mount, ...] = ()


class _Attempt(msgspec.Struct, frozen=True, kw_only=True):
    containers: tuple[_Container, ...] = ()


def gather(node: Node, places: Places, read_log: ReadLog) -> tuple[list[Series], list[str]]:
    """The metrics of a node that ended, by name, and sentences on what could not be read.

    Of a name that several sources give, event files come first, then output, files and output parameters.
    """
    if node.memoization_status is not None and node.memoization_status.hit:
        # Nothing ran: it has the outputs of an earlier step, and no files.
        return _of_parameters(node), []
    if _left_nothing(places, node):
        return [], []
    folder = places.attempt(node)
    notes: list[str] = []
    try:
        rules = _rules(node, places)
        reader = None if rules.patterns == () else OutputMetrics(rules.patterns)
    except (msgspec.MsgspecError, ArgosyError) as error:
        return [], [f"{node.display_name}: the annotation {METRICS} is not understood: {error}"]
    found = [
        *(_of_events(folder / "work", notes) if rules.event_files else ()),
        *_of_output(folder, reader, read_log, notes),
        *_of_files(folder, rules, places.runtime, notes),
        *_of_parameters(node),
    ]
    if not found and not notes:
        return [], []
    first: dict[str, Series] = {}
    for series in found:
        first.setdefault(series.name, series)
    return list(first.values()), [f"{node.display_name}: {note}" if note != MISSING else note for note in notes]


def _left_nothing(places: Places, node: Node) -> bool:
    """Whether a step wrote nothing anywhere: most do, so that this costs a few calls of the system and no more."""
    if places.rules.files != FILES or node.template_name in places.templates:
        return False
    if node.outputs is not None and node.outputs.parameters:
        return False
    folder = f"{places.steps}/{places.attempt_name(node)}"
    try:
        if os.stat(f"{folder}/main.log").st_size or os.listdir(f"{folder}/work"):
            return False
        if os.access(f"{folder}/main.stdout", os.F_OK) or os.access(f"{folder}/volumes", os.F_OK):
            return False
        if places.runtime in PLAIN:
            return not any(os.access(path, os.F_OK) and _may_be_of(folder, path) for path in FILES)
    except OSError:
        return False
    return not any(os.access(f"{folder}{path}", os.F_OK) for path in _FILES_WITHIN)


def _may_be_of(folder: str, path: str) -> bool:
    """Whether a file that is there is one that the attempt wrote: one of this machine's own /tmp may be older."""
    return is_within(path, folder) or os.stat(path).st_mtime >= os.stat(f"{folder}/{ATTEMPT_FILE}").st_mtime


def _rules(node: Node, places: Places) -> MetricRules:
    template = places.templates.get(node.template_name)
    if template is None or template.metadata is None:
        return places.rules
    return rules_of(template, places.rules)


def _of_events(work: Path, notes: list[str]) -> list[Series]:
    files = event_files(work)
    if not files:
        return []
    if not can_read_events():
        notes.append(MISSING)
        return []
    found, said = read_events(work, files)
    notes += said
    return found


def _of_output(folder: Path, reader: OutputMetrics | None, read_log: ReadLog, notes: list[str]) -> list[Series]:
    if reader is None:
        return []
    logs = [(path, about) for path in _logs(folder) if (about := path.stat()).st_size]
    if not logs:
        return []
    for path, about in logs:
        start = max(0, about.st_size - MOST_BYTES)
        if start:
            size = about.st_size >> 20
            notes.append(f"of its {size} MiB of output only the last {MOST_BYTES >> 20} were searched for metrics")
        try:
            reader.read(read_log(path, start))
        except ArgosyError as error:
            notes.append(f"its output was not searched for metrics: {error.message}")
    if reader.too_many:
        notes.append(f"its output has more than {MOST_NAMES} names with numbers; the first {MOST_NAMES} were kept")
    return reader.series(max(about.st_mtime for _, about in logs))


def _logs(folder: Path) -> list[Path]:
    """The files with the output of the main containers."""
    main = [path for path in (folder / "main.stdout", folder / "main.log") if path.exists()]
    return main or sorted(folder.glob("*.log"))


def _of_files(folder: Path, rules: MetricRules, runtime: str, notes: list[str]) -> list[Series]:
    found: list[Series] = []
    mounts: tuple[Mount, ...] | None = None
    if rules.files and (rules.files != FILES or os.path.exists(folder / "volumes")):
        mounts = _mounts(folder)
    for name in rules.files:
        path = _place(folder, name, mounts or (), runtime)
        if not os.path.exists(path):
            continue
        try:
            if _may_be_of(str(folder), path):
                found.extend(read_json(Path(path)))
        except UnreadableMetrics as error:
            notes.append(f"the metrics in {name} were left unread: {error}")
        except FileNotFoundError:
            # The step has no folder, as one whose work is done by other runs: the file is not its own.
            continue
        except OSError as error:
            notes.append(f"the metrics in {name} were left unread: {error.strerror}")
    return found


def _place(folder: Path, name: str, mounts: tuple[Mount, ...], runtime: str) -> str:
    """Where a file is that the step names so."""
    if not name.startswith("/"):
        return posixpath.normpath(f"{folder}/work/{name}")
    path = posixpath.normpath("/" + name.lstrip("/"))
    mount = mount_at(path, mounts)
    if mount is not None:
        return posixpath.join(mount.source, posixpath.relpath(path, posixpath.normpath(mount.target)))
    if runtime in PLAIN:
        return path
    return f"{folder}{path}" if is_within(path, "/tmp") else f"{folder}/{ROOT}{path}"


def _mounts(folder: Path) -> tuple[Mount, ...]:
    try:
        attempt = msgspec.json.decode((folder / ATTEMPT_FILE).read_bytes(), type=_Attempt)
    except (OSError, msgspec.MsgspecError):
        return ()
    return tuple(mount for one in attempt.containers for mount in one.mounts)


def _of_parameters(node: Node) -> list[Series]:
    outputs = node.outputs
    if outputs is None or not outputs.parameters:
        return []
    return [
        Series(name=one.name, source="parameter", steps=(0,), values=(number,), at=node.finished_at)
        for one in outputs.parameters
        if isinstance(one.value, str) and (number := number_of(one.value)) is not None
    ]


def _taken_over(node: Node) -> TakenOver | None:
    """Whose metrics a node has that was not run."""
    status = node.memoization_status
    if status is None or not status.hit or not status.from_run:
        return None
    other = node_id(status.from_run, status.from_node)
    return TakenOver(node=node.id, step=node.display_name, from_run=status.from_run, from_node=other)


class Gatherer:
    """Gathers a run's metrics while it goes on, seldom and in a thread, and the rest at its end."""

    def __init__(
        self,
        *,
        run_id: int,
        places: Places,
        read_log: ReadLog,
        open_database: Callable[[], Database],
        known: Iterable[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """open_database: a connection for the thread that asks. known: nodes that need no second look."""
        self._run_id = run_id
        self._places = places
        self._read_log = read_log
        self._open = open_database
        self._seen = set(known)
        self._ended: deque[str] = deque()
        # What an earlier generation of the run gave is replaced also by nothing.
        self._replaces = places.generation > 1
        self._clock = clock
        self._next = clock() + LOOK_SECONDS
        self._thread: threading.Thread | None = None

    def forget(self) -> None:
        """Look at every node again; one that gives nothing loses what it had."""
        self._seen.clear()
        self._ended.clear()
        self._replaces = True

    def note(self, facts: Iterable[Event]) -> None:
        """Called with what is durable, so that `glance` knows which steps have ended."""
        if not self._replaces:
            self._ended.extend(fact.node for fact in facts if isinstance(fact, AttemptExited))

    def glance(self, nodes: Mapping[str, Node]) -> None:
        """Called while there is nothing else to do: the next steps that left nothing need no other look."""
        for _ in range(min(_AT_A_GLANCE, len(self._ended))):
            node = nodes.get(self._ended.popleft())
            if node is not None and _left_nothing(self._places, node):
                self._seen.add(node.id)

    def look(self, nodes: Mapping[str, Node]) -> None:
        """Called whenever the run changed: once in a while the steps that ended are handed to the thread."""
        began = self._clock()
        if began < self._next or (self._thread is not None and self._thread.is_alive()):
            return
        batch = self._fresh(nodes)
        self._next = began + max(LOOK_SECONDS, (self._clock() - began) * _SHARE)
        if batch:
            self._thread = threading.Thread(target=self._in_thread, args=(batch,), name="argosy-metrics")
            self._thread.start()

    def _fresh(self, nodes: Mapping[str, Node]) -> list[Node]:
        seen = self._seen
        return [
            node for id, node in nodes.items() if id not in seen and node.type is NodeType.POD and node.phase.completed
        ]

    def _in_thread(self, batch: list[Node]) -> None:
        try:
            with self._open() as database:
                self._gather(Experiments(database), batch)
        except (ArgosyError, OSError):
            # What is not there at the end is gathered then, and the trouble told.
            return

    def _gather(self, experiments: Experiments, batch: list[Node]) -> None:
        for start in range(0, len(batch), _BATCH):
            found: list[Gathered] = []
            notes: list[str] = []
            piece = batch[start : start + _BATCH]
            for node in piece:
                series, said = gather(node, self._places, self._read_log)
                notes += said
                if series or self._replaces:
                    found.append(Gathered(node=node.id, step=node.display_name, series=tuple(series)))
            if found or notes:
                experiments.put(self._run_id, found, notes=notes)
            self._seen.update(node.id for node in piece)
        if reused := [one for node in batch if (one := _taken_over(node)) is not None]:
            experiments.take_over(self._run_id, reused)

    def finish(self, nodes: Mapping[str, Node], *, over: bool = True) -> list[str]:
        """Gather what is left of a run that is over, or so far; what there is to say about it. Raises RecordTrouble."""
        self.close()
        with self._open() as database:
            experiments = Experiments(database)
            self._gather(experiments, self._fresh(nodes))
            if over:
                experiments.put(self._run_id, (), done=True)
            return experiments.notes_of_gathering(self._run_id)

    def close(self) -> None:
        """Wait for the thread."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
