"""Runs of Guild AI taken in: what a Guild home keeps of them, read and never changed, as runs of this project.

It knows Guild's folders. What of its record is not taken: the environment of the process that ran it, which Guild
keeps in clear text.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec

from argosy.dialects.guild.flags import parameter_name, text_of
from argosy.dialects.guild.lower import template_name
from argosy.errors import InvalidFile, NotFound
from argosy.experiments.output_metrics import OutputMetrics
from argosy.model.events import AttemptExited, AttemptStarted, RunStarted, encode
from argosy.model.host_templates import HOST, NO_CODE
from argosy.model.manifest import (
    Arguments,
    Artifact,
    Container,
    Metadata,
    ObjectMeta,
    Outputs,
    Parameter,
    Template,
    Workflow,
    WorkflowSpec,
)
from argosy.project.carrying import Carried
from argosy.project.operations import OPERATIONS
from argosy.record.experiments import Notes
from argosy.record.run_rows import GenerationRow, MetricRow, RunRow, add_run
from argosy.syntax.nodes import plain
from argosy.syntax.parse import parse

if TYPE_CHECKING:
    from argosy.project.project import Project

_ID = re.compile(r"[0-9a-f]{32}")
_MICRO = 1_000_000
# Of a run's log, as much as metrics are looked for in.
_MOST_LOG_BYTES = 32 << 20


class Old(msgspec.Struct, frozen=True, kw_only=True):
    """A run as Guild kept it. times: seconds since the epoch."""

    id: str
    folder: Path
    operation: str
    started_at: float
    stopped_at: float
    exit_status: int | None
    flags: dict[str, str]
    command: tuple[str, ...]
    notes: Notes


def import_home(project: Project, home: Path) -> list[Carried]:
    """Take in every run of a Guild home that is over and not here yet. Raises NotFound, InvalidFile."""
    folder = home / "runs" if (home / "runs").is_dir() else home
    found = sorted(one for one in folder.iterdir() if _is_run(one)) if folder.is_dir() else []
    if not found:
        raise NotFound(f"There are no runs of Guild in {home}", hint="name its home: guild check shows where it is")
    carried: list[Carried] = []
    for one in found:
        old = _read(one)
        if old is None:
            carried.append(Carried(name=one.name[:8], notes=("it is not over, so it is not taken",)))
        elif not _known(project, old):
            carried.append(_taken(project, old))
        else:
            carried.append(Carried(name=_name(old), notes=("it is here already",)))
    return carried


def _is_run(path: Path) -> bool:
    return _ID.fullmatch(path.name) is not None and (path / ".guild" / "opref").is_file() and not path.is_symlink()


def _known(project: Project, old: Old) -> bool:
    uid = str(uuid.UUID(old.id))
    return project.journal.database.row("SELECT 1 FROM runs WHERE uid = ?", (uid,)) is not None


def _read(folder: Path) -> Old | None:
    """The run in a folder; None when it is not over."""
    inside = folder / ".guild"
    started, stopped = _attribute(inside, "started"), _attribute(inside, "stopped")
    status = _attribute(inside, "exit_status")
    if any((inside / sign).exists() for sign in ("PENDING", "STAGED")) or not isinstance(started, int):
        return None
    if stopped is None and (inside / "LOCK").exists():
        return None
    flags, command = _attribute(inside, "flags"), _attribute(inside, "cmd")
    tags, comments = _attribute(inside, "tags"), _attribute(inside, "comments")
    return Old(
        id=folder.name,
        folder=folder,
        operation=_operation((inside / "opref").read_text("utf-8", "replace").strip()),
        started_at=started / _MICRO,
        stopped_at=(stopped if isinstance(stopped, int) else started) / _MICRO,
        exit_status=status if isinstance(status, int) else None,
        flags={str(name): text_of(value) for name, value in _mapping(flags).items()},
        command=tuple(str(one) for one in _list(command)),
        notes=Notes(
            label=str(_attribute(inside, "label") or ""),
            comment="\n".join(str(_mapping(one).get("body", one)) for one in _list(comments)),
            marked=bool(_attribute(inside, "marked")),
            tags=tuple(str(one) for one in _list(tags)),
        ),
    )


def _attribute(inside: Path, name: str) -> Any:
    """One of a run's attributes; None for one that is not there or cannot be read."""
    path = inside / "attrs" / name
    if not path.is_file() or path.is_symlink():
        return None
    parsed = parse(path.read_bytes(), str(path))
    return plain(parsed.documents[0]) if parsed.documents else None


def _mapping(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _operation(opref: str) -> str:
    """MODEL:OPERATION of `guildfile:PATH ID MODEL OPERATION`, where no model is written ''."""
    words = opref.split()
    if len(words) < 2:
        return words[0] if words else "operation"
    model, operation = words[-2].strip("'\""), words[-1].strip("'\"")
    return f"{model}:{operation}" if model else operation


def _name(old: Old) -> str:
    return f"{template_name(old.operation).lower()}-{old.id[:8]}"


def _phase(old: Old) -> tuple[str, str]:
    if old.exit_status == 0:
        return "Succeeded", ""
    if old.exit_status is None:
        return "Failed", "it has no exit status"
    return "Failed", f"terminated by signal {-old.exit_status}" if old.exit_status < 0 else f"exit {old.exit_status}"


def _taken(project: Project, old: Old) -> Carried:
    from argosy.plan.document import status_of
    from argosy.plan.plan import Plan, RunIdentity

    name, uid = _name(old), str(uuid.UUID(old.id))
    phase, message = _phase(old)
    digest = _files_taken(project, old, name, uid)
    artifact = Artifact(name=parameter_name(old.operation), path=".", digest=digest)
    outputs = Outputs(artifacts=(artifact,), exit_code=str(old.exit_status) if old.exit_status is not None else None)
    workflow = _workflow(old, name, uid)
    facts = [
        RunStarted(at=old.started_at),
        AttemptStarted(at=old.started_at, node=name),
        AttemptExited(at=old.stopped_at, node=name, phase=phase, message=message, outputs=outputs),
    ]
    identity = RunIdentity(name=name, uid=uid, namespace="default", created_at=old.started_at)
    plan = Plan(workflow, identity, read_template=_no_template, read_config_map=_no_value, carried={})
    for fact in facts:
        plan.apply(fact)
    run = RunRow(
        name=name,
        uid=uid,
        namespace="default",
        created_at=old.started_at,
        generation=1,
        phase=phase,
        message=message,
        progress=plan.progress,
        started_at=old.started_at,
        finished_at=old.stopped_at,
        template="",
        workflow=template_name(old.operation).lower(),
        labels={},
        parameters=dict(old.flags),
        notes=old.notes,
        generations=[
            GenerationRow(
                generation=1,
                created_at=old.started_at,
                manifest=msgspec.Raw(msgspec.json.encode(workflow)),
                source="",
                options=msgspec.Raw(b'{"reason":"as Guild ran it"}'),
                status=msgspec.Raw(msgspec.json.encode(status_of(plan))),
            )
        ],
    )
    with project.journal.database.write():
        run_id = add_run(project.journal.database, run, {1: [encode(fact) for fact in facts]}, _metrics(old, name), [])
        project.uses.name_workflow(run_id, [old.operation, f"operation:{old.operation}"])
    return Carried(name=name, notes=())


def _files_taken(project: Project, old: Old, name: str, uid: str) -> str:
    """Bring the run's log to its place and its files into the store; their digest."""
    project.home.make()
    with tempfile.TemporaryDirectory(dir=project.home.folder, prefix=".import.") as scratch:
        digest = _stored(project, old, Path(scratch))
        place = project.home.run(uid)
        attempt = place / "steps" / name
        if place.exists():
            shutil.rmtree(place)
        attempt.mkdir(parents=True)
        output = old.folder / ".guild" / "output"
        if output.is_file() and not output.is_symlink():
            shutil.copyfile(output, attempt / "main.log")
    return digest


def _no_template(name: str, cluster_scope: bool) -> Any:
    return None


def _no_value(selector: Any) -> str | None:
    return None


def _workflow(old: Old, name: str, uid: str) -> Workflow:
    """A manifest of what was run. Its command is Guild's: running it again needs the guild.yml."""
    template = Template(
        name=template_name(old.operation),
        metadata=Metadata(annotations={HOST: "true", "argosy.dev/code-dest": NO_CODE}),
        outputs=Outputs(artifacts=(Artifact(name=parameter_name(old.operation), path="."),)),
        container=Container(command=old.command or ("true",)),
    )
    annotations = {"argosy.dev/workflow": old.operation, OPERATIONS: old.operation, "argosy.dev/guild-run": old.id}
    return Workflow(
        api_version="argoproj.io/v1alpha1",
        kind="Workflow",
        metadata=ObjectMeta(name=name, uid=uid, annotations=annotations),
        spec=WorkflowSpec(
            entrypoint=template.name,
            arguments=Arguments(parameters=tuple(Parameter(name=k, value=v) for k, v in old.flags.items())),
            templates=(template,),
        ),
    )


def _stored(project: Project, old: Old, scratch: Path) -> str:
    """The digest of what the run made: its files without its code, its dependencies and Guild's own."""
    target = scratch / "files"
    target.mkdir()
    given = _given(old.folder / ".guild" / "manifest")
    for path in _files(old.folder):
        below = path.relative_to(old.folder)
        if below.as_posix() in given:
            continue
        place = target / below
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(path.absolute())
    digest = project.store.put(target, follow=True, sync=False)
    project.store.sync()
    return digest


def _files(folder: Path) -> Iterator[Path]:
    """Plain files, without following links: those of other runs stay theirs."""
    for path in sorted(folder.iterdir()):
        if (path.name == ".guild" and path.parent == folder) or path.is_symlink() or path.name == "__pycache__":
            continue
        if path.is_dir():
            yield from _files(path)
        elif path.is_file():
            yield path


def _given(manifest: Path) -> set[str]:
    """The paths of source code and dependencies, as Guild's manifest lists them."""
    if not manifest.is_file():
        return set()
    found: set[str] = set()
    for line in manifest.read_text("utf-8", "replace").splitlines():
        words = line.split(" ")
        if len(words) >= 2 and words[0] in ("s", "d"):
            found.add(words[1].strip("'\""))
    return found


def _metrics(old: Old, name: str) -> list[MetricRow]:
    output = old.folder / ".guild" / "output"
    if not output.is_file() or output.is_symlink():
        return []
    with output.open("rb") as file:
        reader = OutputMetrics(None)
        reader.read(file.read(_MOST_LOG_BYTES).splitlines(keepends=True))
    found: list[MetricRow] = []
    for one in reader.series(old.stopped_at):
        values: list[Any] = [value if abs(value) < float("inf") else None for value in one.values]
        found.append(
            MetricRow(
                name=one.name,
                node=name,
                step=name,
                source="output",
                steps=list(one.steps),
                values=values,
                times=[],
                at=one.at,
            )
        )
    return found


def check_home(home: Path) -> None:
    """Raises InvalidFile when the path is no folder."""
    if not home.is_dir():
        raise InvalidFile(f"{home} is no folder", hint="name a Guild home, such as ~/.guild or .guild")
