"""A scope: the tasks that are recorded while a function is traced, which become one DAG template.

It knows tasks, what they are given, and how a value of an outer scope comes in: as an input of the template. It does
not know which construct made a task.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from argosy.dsl.expression import (
    Ended,
    Expr,
    Gathered,
    Input,
    Item,
    Output,
    Ref,
    Source,
    Variable,
    argument,
    condition,
    sources,
    text_of,
)
from argosy.dsl.trouble import NOWHERE, Place, TraceError, place_of_user

if TYPE_CHECKING:
    from argosy.dsl.tracing import Trace

# The input that tells a scope where artifacts of its loops are kept: a place of its own for each time it runs.
PLACE = "place"


@dataclass(frozen=True, slots=True)
class Kept:
    """Artifacts that are known by their key in the artifact repository. place: the text before `name` in the key."""

    task: Task
    place: Expr
    name: str

    @property
    def scope(self) -> Scope:
        return self.task.scope


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file or folder that is an input or an output, or what lies in it at `below`; an Item in it is its index.

    optional: there may be none.
    """

    source: Input | Output | Kept
    below: tuple[str | Item, ...] = ()
    optional: bool = field(default=False, compare=False)

    def at(self, *names: str | Item, optional: bool = False) -> Artifact:
        return Artifact(self.source, (*self.below, *names), self.optional or optional)

    def declared(self) -> dict[str, Any]:
        """The fields of an input that takes it."""
        return {"optional": True} if self.optional else {}


@dataclass(eq=False)
class Task:
    """A call of a template. items: what it is called for, one by one. place: the user's line."""

    scope: Scope
    name: str
    template: Any
    line: Place
    parameters: dict[str, Expr] = field(default_factory=dict[str, Expr])
    artifacts: dict[str, Artifact] = field(default_factory=dict[str, Artifact])
    when: Expr | None = None
    items: Expr | None = None
    indexed: bool = False
    after: list[Task] = field(default_factory=list["Task"])
    hooks: dict[str, Any] = field(default_factory=dict[str, Any])
    # The template of the same step whose artifacts go to a place that is given; None for what is no step.
    kept_template: Callable[[], Any] | None = None

    def place(self) -> str:
        """The text of the place that this task's own scope, if it has one, keeps artifacts of its loops in."""
        parts = [argument(self.scope.place()), self.name]
        if self.items is not None:
            parts.append("{{item.i}}")
        return "/".join(parts)

    def waits_for(self) -> list[str]:
        """The names of the tasks of this scope that come before."""
        found: dict[str, None] = {}
        for source in self._sources():
            if isinstance(source, (Output, Kept)):
                found[source.task.name] = None
        found.update((one.name, None) for one in self.after)
        return list(found)

    def _sources(self) -> Iterator[Source | Kept]:
        for expr in (*self.parameters.values(), self.when, self.items):
            if expr is not None:
                yield from sources(expr)
        for artifact in self.artifacts.values():
            yield artifact.source
            if isinstance(artifact.source, Kept):
                yield from sources(artifact.source.place)

    def manifest(self) -> dict[str, Any]:
        """The task as it stands in a DAG template."""
        made: dict[str, Any] = {"name": self.name, **self.template.called()}
        wants_place = self.template.wants_place()
        self.indexed = self.indexed or (wants_place and self.items is not None)
        if before := self.waits_for():
            made["depends"] = " && ".join(before)
        given: dict[str, Any] = {}
        if self.parameters:
            given["parameters"] = [{"name": name, "value": argument(one)} for name, one in self.parameters.items()]
        if self.artifacts:
            given["artifacts"] = [{"name": name, **artifact_argument(one)} for name, one in self.artifacts.items()]
        if wants_place:
            given.setdefault("parameters", []).append({"name": PLACE, "value": self.place()})
        if given:
            made["arguments"] = given
        if self.items is not None:
            made["withParam"] = _items(self.items, indexed=self.indexed)
        if self.when is not None:
            made["when"] = condition(self.when)
        if self.hooks:
            made["hooks"] = self.hooks
        return made


def _items(items: Expr, *, indexed: bool) -> str:
    if not indexed:
        return argument(items)
    numbered = f"(let items = {items.native()}; map(0..len(items)-1, ({{'i': #, 'v': items[#]}})))"
    return "{{=toJson(" + numbered + ")}}"


def artifact_argument(artifact: Artifact) -> dict[str, Any]:
    """How an artifact is passed to a task."""
    source = artifact.source
    made: dict[str, Any]
    if isinstance(source, Kept):
        # As it is: a file that is an archive of the user's own is not unpacked.
        made = {"s3": {"key": f"{argument(source.place)}/{source.name}"}, "archive": {"none": {}}}
    else:
        made = {"from": source.tag("artifacts")}
    if artifact.below:
        made["subPath"] = "/".join(one.tag() if isinstance(one, Item) else one for one in artifact.below)
    return made | artifact.declared()


@dataclass(eq=False)
class Scope:
    """What becomes one DAG template.

    parent: the scope whose code surrounds this one's, so that its values can be captured. captured: the outer
    expressions and artifacts that came in, by the input that each became.
    """

    trace: Trace
    name: str
    parent: Scope | None = None
    tasks: list[Task] = field(default_factory=list[Task])
    parameters: dict[str, Any] = field(default_factory=dict[str, Any])
    artifacts: dict[str, Any] = field(default_factory=dict[str, Any])
    captured: dict[str, Expr | Artifact] = field(default_factory=dict[str, "Expr | Artifact"])
    outputs: dict[str, Expr] = field(default_factory=dict[str, Expr])
    kept: dict[str, Artifact | tuple[Expr, Artifact, Artifact]] = field(default_factory=dict[str, Any])
    waits: list[Task] = field(default_factory=list[Task])
    parallelism: int | None = None
    with_place: bool = False
    # How often it may call itself.
    iterations: int = 0
    line: Place = NOWHERE

    def called(self) -> dict[str, Any]:
        return {"template": self.name}

    def wants_place(self) -> bool:
        """Whether this scope, or one that it calls, keeps artifacts of loops."""
        return self._wants_place(set())

    def _wants_place(self, seen: set[int]) -> bool:
        if id(self) in seen:
            return False
        seen.add(id(self))
        return self.with_place or any(
            one.template._wants_place(seen) for one in self.tasks if isinstance(one.template, Scope)
        )

    def place(self) -> Expr:
        """Where artifacts of this scope's loops are kept: a text that no other scope of the run has."""
        if self.trace.entrypoint is self:
            return Ref(str, Variable("workflow.uid"))
        self.with_place = True
        return Ref(str, Input(self, PLACE))

    def within(self, other: Scope | None) -> bool:
        """Whether this scope is the other one or stands in it."""
        scope: Scope | None = self
        while scope is not None:
            if scope is other:
                return True
            scope = scope.parent
        return False

    def local(self, expr: Expr) -> Expr:
        """The expression as this scope can write it: what is of an outer scope becomes an input."""
        if isinstance(expr, (Ref, Gathered, Ended)):
            scope = expr.source.scope if isinstance(expr, Ref) else expr.task.scope
            return expr if scope is None or scope is self else self._captured(expr, scope)
        return expr.rebuilt(self.local)

    def local_artifact(self, artifact: Artifact) -> Artifact:
        if artifact.source.scope is self:
            return artifact
        self._check_outer(artifact.source.scope)
        # An item's own part is picked by the task of the loop, within this scope.
        fixed = next((at for at, one in enumerate(artifact.below) if isinstance(one, Item)), len(artifact.below))
        outer, rest = Artifact(artifact.source, artifact.below[:fixed], artifact.optional), artifact.below[fixed:]
        for name, known in self.captured.items():
            if known == outer:
                return Artifact(Input(self, name), rest, artifact.optional)
        name = self.free_name(_name_of(artifact.source))
        self.artifacts[name] = artifact.declared()
        self.captured[name] = outer
        return Artifact(Input(self, name), rest, artifact.optional)

    def _captured(self, expr: Ref | Gathered | Ended, scope: Scope) -> Expr:
        self._check_outer(scope)
        for name, known in self.captured.items():
            if known == expr:
                return Ref(expr.type, Input(self, name))
        wanted = _name_of(expr.source) if isinstance(expr, Ref) else expr.task.name
        name = self.free_name(wanted)
        self.parameters[name] = {}
        self.captured[name] = expr
        return Ref(expr.type, Input(self, name))

    def _check_outer(self, scope: Scope) -> None:
        if not self.within(scope):
            raise TraceError(
                "a value from inside a loop, a branch or another workflow is used outside of it",
                hint="return it from there, and use what for_loop, while_loop or when gives back",
            )

    def free_name(self, wanted: str) -> str:
        """A name for an input that no other has, parameter or artifact."""
        return numbered(wanted, {*self.parameters, *self.artifacts, PLACE})

    def add(
        self,
        name: str,
        template: Any,
        parameters: dict[str, Expr] | None = None,
        artifacts: dict[str, Artifact] | None = None,
        *,
        when: Expr | None = None,
        items: Expr | None = None,
    ) -> Task:
        """A new task, with what it is given brought into this scope, and what the template captured with it."""
        task = Task(self, self._task_name(name), template, place_of_user())
        self.tasks.append(task)
        task.when = self.local(when) if when is not None else None
        task.items = self.local(items) if items is not None else None
        task.parameters = {key: self.local(one) for key, one in (parameters or {}).items()}
        task.artifacts = {key: self.local_artifact(one) for key, one in (artifacts or {}).items()}
        if isinstance(template, Scope) and template.parent is not None:
            self.pass_captured(task, template)
        return task

    def pass_captured(self, task: Task, template: Scope) -> None:
        """Give a task what its template took from outside."""
        for name, one in template.captured.items():
            if isinstance(one, Artifact):
                task.artifacts.setdefault(name, self.local_artifact(one))
            else:
                task.parameters.setdefault(name, self.local(one))
        for other in template.waits:
            self.wait_for(task, other)

    def wait_for(self, task: Task, other: Task) -> None:
        """Let a task begin after another one, which may stand further out: then this whole scope begins after it."""
        if other.scope is self:
            if other is not task:
                task.after.append(other)
            return
        self._check_outer(other.scope)
        if other not in self.waits:
            self.waits.append(other)

    def _task_name(self, wanted: str) -> str:
        return numbered(wanted, {one.name for one in self.tasks})

    def manifest(self) -> dict[str, Any]:
        """The DAG template."""
        made: dict[str, Any] = {"name": self.name}
        inputs: dict[str, Any] = {}
        wants_place = self.trace.entrypoint is not self and self.wants_place()
        names = [*self.parameters, *([PLACE] if wants_place else [])]
        if names:
            inputs["parameters"] = [{"name": name, **self.parameters.get(name, {})} for name in names]
        if self.artifacts:
            inputs["artifacts"] = [{"name": name, **more} for name, more in self.artifacts.items()]
        if inputs:
            made["inputs"] = inputs
        if outputs := self._outputs():
            made["outputs"] = outputs
        if self.parallelism is not None:
            made["parallelism"] = self.parallelism
        made["dag"] = {"tasks": [one.manifest() for one in self.tasks]}
        return made

    def _outputs(self) -> dict[str, Any]:
        made: dict[str, Any] = {}
        if self.outputs:
            made["parameters"] = [{"name": name, "valueFrom": _value_from(one)} for name, one in self.outputs.items()]
        if self.kept:
            made["artifacts"] = [{"name": name, **_artifact_output(one)} for name, one in self.kept.items()]
        return made


def _value_from(expr: Expr) -> dict[str, str]:
    if isinstance(expr, Ref):
        return {"parameter": expr.source.tag()}
    return {"expression": text_of(expr)}


def _artifact_output(one: Artifact | tuple[Expr, Artifact, Artifact]) -> dict[str, Any]:
    if isinstance(one, Artifact):
        return artifact_argument(one)
    chosen, then, otherwise = one
    paths = [each.source.path("artifacts") for each in (then, otherwise) if not isinstance(each.source, Kept)]
    optional = {"optional": True} if then.optional or otherwise.optional else {}
    return {"fromExpression": f"{chosen.native()} ? {paths[0]} : {paths[1]}", **optional}


def _name_of(source: Source | Kept) -> str:
    if isinstance(source, Output):
        name = source.name if source.name not in ("result", "stdout") else ""
        return "-".join(part for part in (source.task.name, name) if part)
    if isinstance(source, Kept):
        return source.task.name
    if isinstance(source, Input):
        return source.name
    return "item" if isinstance(source, Item) else source.name.rpartition(".")[2]


def numbered(wanted: str, taken: Container[str]) -> str:
    """A name that is not taken yet: the one wanted, or that with a number behind it."""
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}-{number}", number + 1
    return name


def kebab(name: str) -> str:
    """A function's name as names of templates and tasks are written."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "step"
