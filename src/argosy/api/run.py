"""A run as a Python object: its phase, its outputs, its logs and files.

It knows how a person asks for these; where they are is the project's matter.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from argosy.dsl import codec, inside
from argosy.dsl.shapes import Dir, File, Leaf, Many, Shape, leaves
from argosy.errors import ArgosyError, NotFound

if TYPE_CHECKING:
    from argosy.model.manifest import Outputs
    from argosy.model.status import Node
    from argosy.project.project import Project
    from argosy.project.views import RunView

R = TypeVar("R")


class RunFailed(ArgosyError):
    """A run did not succeed, and something was asked of it that only a run that did has."""

    id = "run-failed"


class Run(Generic[R]):
    """A run on this machine.

    name: by which every command knows it. phase: Succeeded, Failed, Error, Running, Pending or Interrupted.
    """

    def __init__(self, name: str, open_project: Callable[[], Project], shape: Shape | None) -> None:
        """shape: of what the workflow returns; None when it was no Python workflow."""
        self.name = name
        self._open_project = open_project
        self._shape = shape

    def __repr__(self) -> str:
        return f"<run {self.name}: {self.phase}>"

    @property
    def phase(self) -> str:
        with self._view() as (_, view):
            return view.phase

    @property
    def message(self) -> str:
        """Why it failed; "" when it did not."""
        with self._view() as (_, view):
            return str(view.status.get("message") or "") or _first_failure(view)

    @property
    def exit_code(self) -> int:
        """What a program that made this run exits with: 0 when it succeeded."""
        return 0 if self.phase == "Succeeded" else 1

    def check(self) -> Run[R]:
        """This run. Raises RunFailed when it did not succeed."""
        if self.phase != "Succeeded":
            raise RunFailed(f"{self.name} {self.phase.lower()}: {self.message}", hint=f"argosy logs {self.name}")
        return self

    @property
    def result(self) -> R:
        """What the workflow returned, as the value that it declares; files by their paths. Raises RunFailed."""
        self.check()
        if self._shape is None:
            raise NotFound(f"{self.name} came of no Python workflow", hint="its outputs are in .outputs")
        parts = dict(self._parts(self._shape))
        return cast(R, codec.whole(parts, self._shape, ""))

    @property
    def outputs(self) -> dict[str, Any]:
        """The outputs by name: a parameter as its value, an artifact as the path of a copy. Raises RunFailed."""
        self.check()
        if self._shape is not None:
            return dict(self._parts(self._shape))
        with self._view() as (project, view):
            outputs = _outputs_of(view)
            found: dict[str, Any] = {one.name: one.value for one in outputs.parameters}
            for artifact in outputs.artifacts:
                found[artifact.name] = self._file(project, view, artifact.name)
            return found

    def _parts(self, shape: Shape) -> Iterator[tuple[str, Any]]:
        with self._view() as (project, view):
            values = {one.name: one.value or "" for one in _outputs_of(view).parameters}
            for leaf in leaves(shape, ""):
                yield leaf.name, self._part(project, view, leaf, values)

    def _part(self, project: Project, view: RunView, leaf: Leaf, values: Mapping[str, str]) -> Any:
        if isinstance(leaf.shape, File):
            path = self._file(project, view, leaf.name, optional=leaf.shape.optional)
            return Dir(path) if leaf.shape.folder and path is not None else path
        if isinstance(leaf.shape, Many):
            folder = self._file(project, view, leaf.name)
            assert folder is not None
            return inside.elements(leaf.shape, values[leaf.name], folder)
        return codec.from_text(values[leaf.name], leaf.shape)

    def logs(self, step: object = None) -> str:
        """What a step wrote, or all of them: a step by its name, or as the step itself. Raises NotFound."""
        from argosy.project.step_files import StepLogs, attempt_folder, logs

        with self._view() as (project, view):
            readers = StepLogs(project.home)
            folder = project.home.run(view.summary.uid)
            pieces: list[bytes] = []
            for node in self._nodes(view, step):
                attempt = attempt_folder(folder, node.id, view.summary.generation)
                for path in logs(attempt) if attempt is not None else ():
                    pieces += [line.data for line in readers.reader(path).lines(to_end=True)]
            return b"".join(pieces).decode("utf-8", "replace")

    def steps(self) -> dict[str, str]:
        """The phase of each step that is no group of others, by its name."""
        with self._view() as (_, view):
            return {node.name.partition(".")[2] or node.name: str(node.phase) for node in self._nodes(view, None)}

    def artifact(self, step: object, name: str = "") -> Path:
        """The path of a copy of a step's output artifact. name: which, when it has several. Raises NotFound."""
        from argosy.project.artifacts_of_runs import artifacts_of

        with self._view() as (project, view):
            nodes = {node.id for node in self._nodes(view, step)}
            found = [
                one
                for one in artifacts_of(project, view, None, inputs=False)
                if one.node in nodes and name in ("", one.artifact.name)
            ]
            if not found:
                raise NotFound(
                    f"{_step_name(step)} has no artifact {name}".rstrip(), hint=f"argosy artifacts {self.name}"
                )
            return _copied(project, view, found[-1])

    def _file(self, project: Project, view: RunView, name: str, *, optional: bool = False) -> Path | None:
        from argosy.project.artifacts_of_runs import artifacts_of

        root = _root_of(view)
        for one in artifacts_of(project, view, root, inputs=False):
            if one.node == root.id and one.artifact.name == name:
                return _copied(project, view, one)
        if optional:
            return None
        raise NotFound(f"{self.name} has no output {name}")

    def _nodes(self, view: RunView, step: object) -> list[Node]:
        from argosy.project.views import leaf_types

        every = [node for node in view.nodes.values() if node.type in leaf_types()]
        if step is None:
            return every
        wanted = _step_name(step)
        found = [node for node in every if wanted in (node.display_name, node.display_name.partition("(")[0])]
        found = found or [node for node in every if node.template_name == wanted]
        if found:
            return found
        chosen = view.node(wanted)
        return [node for node in every if node.id == chosen.id or node.name.startswith(f"{chosen.name}.")]

    @contextmanager
    def _view(self) -> Generator[tuple[Project, RunView]]:
        project = self._open_project()
        try:
            yield project, project.view(self.name)
        finally:
            project.close()

    def _repr_html_(self) -> str:
        """How a notebook shows it."""
        from html import escape

        from argosy.api.tree import tree_text

        with self._view() as (_, view):
            return f"<pre>{escape(tree_text(self.name, view.phase, view.nodes))}</pre>"


def _step_name(step: object) -> str:
    return str(getattr(step, "display_name", step))


def _root_of(view: RunView) -> Node:
    return next(iter(view.nodes.values()))


def _outputs_of(view: RunView) -> Outputs:
    from argosy.model.manifest import Outputs

    return _root_of(view).outputs or Outputs()


def _first_failure(view: RunView) -> str:
    failed = [node for node in view.nodes.values() if str(node.phase) in ("Failed", "Error")]
    return f"{failed[-1].display_name}: {failed[-1].message}" if failed else ""


def _copied(project: Project, view: RunView, found: Any) -> Path:
    """A copy of an artifact in the run's own folder, made once."""
    from argosy.project.artifacts_of_runs import fetch

    target = project.home.run(view.summary.uid) / "outputs" / found.node / found.artifact.name
    if not target.exists():
        fetch(project, view, found, target)
    return target
