"""What goes into the report of a run: its nodes, logs without secrets, metrics, and pictures among its artifacts.

It knows where each is to be had and how much of it fits; the page is made in `argosy.experiments.report`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from argosy.errors import ArgosyError
from argosy.experiments.drawing import Shape
from argosy.experiments.report import Curve, Log, Picture, PictureType, Report, page
from argosy.model.status import Node, NodeType
from argosy.project.metrics_of_runs import gather_so_far
from argosy.project.step_files import StepLogs, folder_of, logs
from argosy.project.views import RunView, leaf_types, view
from argosy.record.experiments import Experiments

if TYPE_CHECKING:
    from argosy.project.project import Project

LOG_LINES = 60
LOG_LETTERS = 8000
MOST_LOGS = 60
MOST_CURVES = 200
PICTURE_BYTES = 4 << 20
ALL_PICTURE_BYTES = 24 << 20
MOST_PICTURES = 60
_TYPES: dict[str, PictureType] = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
}


def report_of(project: Project, name: str) -> str:
    """The page about a run. Raises NotFound, UsageError, DamagedRun."""
    summary = project.find(name)
    left_out = gather_so_far(project, summary)
    run = view(project, summary, exact=True)
    experiments = Experiments(project.queries.database)
    notes = experiments.notes([summary.id])[summary.id]
    parameters = experiments.parameters([summary.id])[summary.id]
    found = Report(
        name=summary.name,
        phase=run.phase if not summary.finished else summary.phase,
        message=summary.message,
        now=time.time(),
        facts=_facts(run, notes.label, notes.tags),
        comment=notes.comment,
        shapes=[_shape(node) for node in run.nodes.values()],
        parameters=[(key, value or "") for key, value in parameters.items()],
        outputs=list(_outputs(run)),
        curves=_curves(experiments, summary.id, left_out),
        pictures=_pictures(project, run, left_out),
        logs=_logs(project, run, left_out),
        left_out=left_out,
    )
    return page(found)


def _facts(run: RunView, label: str, tags: tuple[str, ...]) -> list[tuple[str, str]]:
    summary = run.summary
    end = summary.finished_at or time.time()
    facts = [
        ("Label", label),
        ("Tags", ", ".join(tags)),
        ("Created", _when(summary.created_at)),
        ("Started", _when(summary.started_at)),
        ("Took", f"{end - summary.started_at:.1f} s" if summary.started_at else ""),
        ("Runtime", run.options.reason or run.options.runtime),
        ("Template", summary.template),
        ("Uid", summary.uid),
    ]
    return [(word, text) for word, text in facts if text]


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(seconds)) if seconds else ""


def _shape(node: Node) -> Shape:
    return Shape(
        id=node.id,
        name=node.display_name,
        phase=str(node.phase),
        message=node.message,
        followers=node.children,
        junction=node.type is NodeType.STEP_GROUP,
        leaf=node.type in leaf_types() or node.type is NodeType.SKIPPED,
        started_at=node.started_at,
        finished_at=node.finished_at,
    )


def _outputs(run: RunView) -> Iterator[tuple[str, str]]:
    for node in run.nodes.values():
        if node.type in leaf_types():
            for parameter in node.outputs.parameters if node.outputs is not None else ():
                yield f"{node.display_name}.{parameter.name}", str(parameter.value or "")[:LOG_LETTERS]


def _curves(experiments: Experiments, run_id: int, left_out: list[str]) -> list[Curve]:
    metrics = experiments.metrics([run_id])[run_id]
    if len(metrics) > MOST_CURVES:
        left_out.append(f"{len(metrics) - MOST_CURVES} metrics of {len(metrics)}; argosy metrics has them all")
    found: list[Curve] = []
    for metric in metrics[:MOST_CURVES]:
        series = experiments.history(run_id, metric.name, metric.node)
        if series is not None:
            found.append(Curve(metric=metric, series=series))
    return found


def _logs(project: Project, run: RunView, left_out: list[str]) -> list[Log]:
    """The ends of logs, those of what failed first."""
    reader = StepLogs(project.home)
    home = project.home.run(run.summary.uid)
    ended = [node for node in run.nodes.values() if node.type in leaf_types() and node.started_at]
    ended.sort(key=lambda node: not node.phase.unsuccessful)
    found: list[Log] = []
    for number, node in enumerate(ended):
        if len(found) == MOST_LOGS:
            left_out.append(f"the logs of up to {len(ended) - number} steps; argosy logs has them all")
            break
        folder = folder_of(home, run.summary, node.id)
        text = _end_of_log(reader, folder) if folder is not None else ""
        if text or node.phase.unsuccessful:
            found.append(Log(step=node.display_name, phase=str(node.phase), message=node.message, text=text))
    return found


def _end_of_log(reader: StepLogs, folder: Path) -> str:
    lines = [line for path in logs(folder) if path.stat().st_size for line in reader.tail(path, LOG_LINES)]
    return "\n".join(lines[-LOG_LINES:])[-LOG_LETTERS:]


def _pictures(project: Project, run: RunView, left_out: list[str]) -> list[Picture]:
    found: list[Picture] = []
    seen: set[str] = set()
    total = 0
    for title, digest, size in _files(project, run):
        kind = _TYPES.get(Path(title).suffix.lower())
        if kind is None or digest in seen:
            continue
        seen.add(digest)
        if size > PICTURE_BYTES or total + size > ALL_PICTURE_BYTES or len(found) == MOST_PICTURES:
            left_out.append(f"the picture {title}, for its size" if size > PICTURE_BYTES else f"the picture {title}")
            continue
        try:
            data = project.store.read_bytes(digest, PICTURE_BYTES)
        except ArgosyError as error:
            left_out.append(f"the picture {title}: {error.message}")
            continue
        total += len(data)
        found.append(Picture(title=title, type=kind, data=data))
    return found


def _files(project: Project, run: RunView) -> Iterator[tuple[str, str, int]]:
    """The output artifacts in the store that are files, and the files of those that are folders: name, digest, size."""
    for node in run.nodes.values():
        for artifact in node.outputs.artifacts if node.outputs is not None else ():
            if not artifact.digest:
                continue
            name = Path(artifact.path).name or artifact.name
            title = f"{node.display_name}/{artifact.name}"
            try:
                if artifact.digest.endswith(".tree"):
                    yield from _below(project, title, artifact.digest)
                else:
                    yield f"{title}/{name}", artifact.digest, project.store.size(artifact.digest)
            except ArgosyError:
                # It was pruned, or is damaged: argosy artifacts and argosy check tell that.
                continue


def _below(project: Project, title: str, digest: str, depth: int = 0) -> Iterator[tuple[str, str, int]]:
    from argosy.artifacts.trees import parse_digest

    for entry in project.store.entries(parse_digest(digest)):
        if entry.kind == "file":
            yield f"{title}/{entry.name}", entry.digest, entry.size
        elif entry.kind == "tree" and depth < 8:
            yield from _below(project, f"{title}/{entry.name}", entry.digest, depth + 1)
