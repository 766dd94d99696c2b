"""`argosy.run`: a workflow of this program run on this machine, against stubs, or on Argo.

It knows where a run can go and what it is given; submitting and driving are the project's matter.
"""

from __future__ import annotations

import inspect
import json
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from argosy.api.run import Run
from argosy.dsl import codec
from argosy.dsl.cells import file_of
from argosy.dsl.loading import LoadingOver, is_loading
from argosy.dsl.places import code_root
from argosy.dsl.shapes import File, leaves
from argosy.dsl.trouble import WrongValue
from argosy.dsl.workflows import Workflow
from argosy.errors import UsageError

if TYPE_CHECKING:
    from argosy.project.project import Project
    from argosy.project.submission import Wanted

P = ParamSpec("P")
R = TypeVar("R")
RUNTIMES = ("auto", "function", "process", "sandbox", "podman", "docker")


@dataclass(frozen=True, kw_only=True)
class Local:
    """This machine.

    runtime: how steps run. jobs: how many at once. home: where runs are kept. quiet: say nothing. stubs: as of `run`.
    """

    runtime: str = ""
    jobs: int | None = None
    home: Path | str | None = None
    name: str = ""
    cache: bool | None = None
    labels: Mapping[str, str] | None = None
    ignore_resources: bool = False
    quiet: bool = False
    stubs: Mapping[Any, Callable[..., Any]] | None = None


def run(
    pipeline: Workflow[P, R],
    /,
    *,
    on: Local | Any | str | None = None,
    stubs: Mapping[Any, Callable[..., Any]] | None = None,
    **inputs: Any,
) -> Run[R]:
    """Run a workflow and wait for its end; the inputs are the parameters of its function.

    on: `Local(...)`, the name of a runtime, or "argo" (`Argo(...)`), which submits the manifest to a cluster. stubs:
    functions that stand for steps; with them everything runs in this process, and nothing is kept. Raises TraceError
    for a program that cannot be written down, UsageError for inputs that do not fit; a step that fails makes the run's
    phase Failed.
    """
    if is_loading():
        raise LoadingOver(pipeline)
    if stubs is None and isinstance(on, Local):
        stubs = on.stubs
    if stubs is not None:
        from argosy.api.stubs import run_with_stubs

        return cast("Run[R]", run_with_stubs(pipeline, stubs, texts_of(pipeline, inputs)))
    if on == "argo" or type(on).__name__ == "Argo":
        from argosy.api.cluster import Argo, submit

        known = {leaf.name for leaf in pipeline.input_leaves()}
        words = {name: inputs.pop(name) for name in ("namespace",) if name in inputs and name not in known}
        where = on if isinstance(on, Argo) else Argo(**words)
        return cast("Run[R]", submit(pipeline, where, texts_of(pipeline, inputs)))
    return _run_here(pipeline, _local(on), texts_of(pipeline, inputs))


def _local(on: Any) -> Local:
    if on is None or on == "local":
        return Local()
    if isinstance(on, Local):
        return on
    if isinstance(on, str) and on in RUNTIMES:
        return Local(runtime=on)
    raise UsageError(f"on={on!r} is nowhere to run", hint=f'on="argo", Local(...), or one of {", ".join(RUNTIMES)}')


def texts_of(pipeline: Workflow[..., Any], inputs: Mapping[str, Any]) -> dict[str, str]:
    """The parameters that inputs are, as text. Raises UsageError."""
    try:
        inspect.signature(pipeline.function).bind_partial(**inputs)
    except TypeError as error:
        from argosy.syntax.diagnostics import did_you_mean

        known = [name for name, _ in pipeline.signature.parameters]
        unknown = next((name for name in inputs if name not in known), "")
        near = did_you_mean(unknown, known)
        hint = f"did you mean {near}?" if near else f"it takes {', '.join(known) or 'nothing'}"
        raise UsageError(f"{pipeline.name}: {error}", hint=hint) from None
    found: dict[str, str] = {}
    for name, shape in pipeline.signature.parameters:
        if name not in inputs:
            continue
        try:
            parts = codec.parts(inputs[name], shape, name)
            for leaf in leaves(shape, name):
                value = parts[leaf.name]
                if isinstance(leaf.shape, File):
                    found[leaf.name] = str(Path(value).expanduser().absolute()) if value is not None else ""
                else:
                    found[leaf.name] = codec.to_text(value, leaf.shape)
        except WrongValue as wrong:
            raise UsageError(f"{pipeline.name}: {name}: {wrong.message}", hint=wrong.hint) from None
    return found


def _run_here(pipeline: Workflow[..., R], where: Local, parameters: Mapping[str, str]) -> Run[R]:
    from argosy.project.project import Project
    from argosy.project.submission import Wanted

    folder = code_root(Path(pipeline.line.file).resolve())
    home = Path(where.home) if where.home is not None else None
    wanted = Wanted(
        parameters=dict(parameters),
        runtime=where.runtime,
        jobs=where.jobs,
        name=where.name,
        cache=where.cache,
        labels=dict(where.labels or {}),
        ignore_resources=where.ignore_resources,
    )
    project = Project.open(home, folder=folder)
    try:
        name = _submitted(project, pipeline, wanted, quiet=where.quiet)
    finally:
        project.close()
    return Run(name, lambda: Project.open(home, folder=folder), pipeline.result_shape)


def _submitted(project: Project, pipeline: Workflow[..., Any], wanted: Wanted, *, quiet: bool) -> str:
    """Puts the run into the record and drives it to its end; its name."""
    from argosy.project.programs import loaded
    from argosy.project.sources import source_of_program, submit
    from argosy.syntax.span import Source

    manifest = pipeline.manifest()
    file = str(file_of(Path(pipeline.line.file), project.folder))
    told = {
        "name": pipeline.function.__name__,
        "kind": "argosy",
        "manifest": manifest,
        "origins": [list(one) for one in pipeline.__argosy_origins__],
        "inputs": pipeline.__argosy_inputs__(),
    }
    text = Path(file).read_text(encoding="utf-8", errors="replace") if Path(file).is_file() else ""
    described = [json.loads(json.dumps(told))]
    found = loaded(described, Source(text, file), [], _own_modules(Path(file)), folder=project.folder)
    source = source_of_program(project, found)
    submitted = submit(project, source, source.workflows[0], wanted)
    _drive(project, submitted.run_id, submitted.name, quiet=quiet)
    return submitted.name


def _own_modules(program: Path) -> list[str]:
    """The files of the program's own modules that are loaded now."""
    from argosy.dsl.failing import is_a_persons

    files = [getattr(one, "__file__", None) for one in list(sys.modules.values())]
    return [one for one in files if isinstance(one, str) and is_a_persons(one, program.resolve())]


def _drive(project: Project, run_id: int, name: str, *, quiet: bool) -> None:
    from argosy.api.tree import NotebookTree, in_notebook
    from argosy.cli.console import Console
    from argosy.cli.running import drive_shown
    from argosy.project import driving

    if threading.current_thread() is not threading.main_thread():
        # Signals reach the main thread only, and so does what stops a run.
        driving.drive(project, run_id)
        return
    follower = NotebookTree(name) if in_notebook() and not quiet else None
    console = Console.of_process()
    drive_shown(project, run_id, name, console, quiet=quiet, output=None, follower=follower)
