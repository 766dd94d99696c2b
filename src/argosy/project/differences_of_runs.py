"""Runs compared with one another and with the working folder, and the code of a run taken out.

It knows where a run keeps what is compared; finding differences is the experiments' matter.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from argosy.errors import NotFound, UsageError
from argosy.experiments.differences import (
    FileDifference,
    Side,
    ValueDifference,
    code_differences,
    stored_side,
    value_differences,
    values_of,
    working_side,
)
from argosy.experiments.python_environment import Environment

if TYPE_CHECKING:
    from argosy.experiments.provenance import Snapshot
    from argosy.project.project import Project
    from argosy.project.views import RunView

PARTS = ("params", "env", "code")
WORKING = "the working folder"
_LARGEST_ENVIRONMENT_BYTES = 16 << 20


class Differences(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What differs. before, after: names of runs, or of the working folder. A part that was not compared is None.

    notes: why something could not be compared.
    """

    before: str
    after: str
    params: list[ValueDifference] | None = None
    env: list[ValueDifference] | None = None
    code: list[FileDifference] | None = None
    notes: list[str] = []


def differences(project: Project, before: RunView, after: RunView | None, parts: Iterable[str]) -> Differences:
    """What differs between two runs, or with None between a run and the working folder.

    parts: some of PARTS, none for all that can be compared. Raises UsageError, NotFound.
    """
    wanted = list(parts) or [one for one in PARTS if after is not None or one != "params"]
    if after is None and "params" in wanted:
        raise UsageError("The working folder has no parameters", hint="name a second run")
    notes: list[str] = []
    return Differences(
        before=before.summary.name,
        after=after.summary.name if after is not None else WORKING,
        params=_params(before, after) if after is not None and "params" in wanted else None,
        env=_env(project, before, after, notes) if "env" in wanted else None,
        code=_code(project, before, after, notes) if "code" in wanted else None,
        notes=notes,
    )


def _params(before: RunView, after: RunView) -> list[ValueDifference]:
    return value_differences(parameters_of(before), parameters_of(after))


def parameters_of(run: RunView) -> dict[str, str]:
    """The values of a run's arguments."""
    arguments = run.workflow.spec.arguments
    return {one.name: one.value for one in (arguments.parameters if arguments else ()) if one.value is not None}


def environment_of(project: Project, run: RunView) -> Environment | None:
    """The environment that a run has kept, None if none. Raises NotFound, StoreTrouble."""
    kept = run.options.environment
    if kept is None:
        return None
    return msgspec.json.decode(project.store.read_bytes(kept.digest, _LARGEST_ENVIRONMENT_BYTES), type=Environment)


def _env(project: Project, before: RunView, after: RunView | None, notes: list[str]) -> list[ValueDifference] | None:
    old = environment_of(project, before)
    if after is not None:
        new = environment_of(project, after)
    else:
        from argosy.experiments.python_environment import describe, interpreter_of

        new = describe(interpreter_of(project.configuration.interpreter, os.environ), project.home.folder)
    without = [name for name, found in ((before.summary.name, old), (_name(after), new)) if found is None]
    if without:
        notes.append(f"environments are not compared: {' and '.join(without)} kept none")
        return None
    return value_differences(values_of(old), values_of(new))


def _name(run: RunView | None) -> str:
    return run.summary.name if run is not None else WORKING


def _code(project: Project, before: RunView, after: RunView | None, notes: list[str]) -> list[FileDifference] | None:
    snapshots = [(one.summary.name, one.options.code) for one in (before, after) if one is not None]
    without = [name for name, snapshot in snapshots if snapshot is None]
    if without:
        notes.append(
            f"code is not compared: {' and '.join(without)} kept none; argosy run --code keeps it with any run"
        )
        return None
    sides = [stored_side(project.store, snapshot.digest) for _, snapshot in snapshots if snapshot is not None]
    if after is None:
        sides.append(_working(project, before))
    return code_differences(sides[0], sides[1])


def _working(project: Project, run: RunView) -> dict[str, Side]:
    """The working folder by the rules that hold now: those that the run's workflow carries, or argosy.toml's."""
    from argosy.experiments.code_files import list_code
    from argosy.project.hosting import rules_of

    rules = rules_of(run.workflow) or project.configuration.code
    return working_side(list_code(project.folder, rules, project.home.folder))


def code_of(project: Project, run: RunView) -> Snapshot:
    """The snapshot of a run. Raises NotFound."""
    if run.options.code is None:
        raise NotFound(
            f"Run {run.summary.name} kept no code",
            hint='argosy run --code keeps it, and keep = "always" in [code] of argosy.toml does for each run',
        )
    return run.options.code


def take_out(project: Project, run: RunView, target: Path) -> None:
    """Put the code of a run into a folder that is not there or is empty. Raises NotFound, StoreTrouble."""
    project.store.materialize(code_of(project, run).digest, target)
