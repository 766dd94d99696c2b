"""Rules on DAGs and on the graph of a container set: dependencies that exist, no circles, one way to say them.

Source: Argo docs: enhanced-depends-logic.md, walk-through/dag.md, container-set-template.md.
"""

from __future__ import annotations

from argosy.checks.finding import Rule
from argosy.checks.graph import find_cycle
from argosy.checks.report import Report
from argosy.checks.survey import Call, Place, Subject
from argosy.errors import ExpressionError
from argosy.expressions import depends
from argosy.model.manifest import DAGTask

DAG_EMPTY = Rule(
    id="dag-empty",
    meaning="A DAG has no task.",
    bad="dag: {tasks: []}",
    fix="add a task",
)
DAG_CYCLE = Rule(
    id="dag-cycle",
    meaning="Tasks wait for one another in a circle.",
    bad="tasks: [{name: A, dependencies: [B]}, {name: B, dependencies: [A]}]",
    fix="remove one of the dependencies",
)
DEPENDENCY_UNDEFINED = Rule(
    id="dependency-undefined",
    meaning="A task waits for one that does not exist.",
    bad="{name: B, dependencies: [AA]}",
    fix="correct the name, or add the task",
)
DEPENDS_INVALID = Rule(
    id="depends-invalid",
    meaning="A `depends` cannot be read, or asks for an outcome that there is not.",
    bad="{name: B, depends: A.Successful}",
    fix="use Succeeded, Failed, Errored, Skipped, Omitted, Daemoned, AnySucceeded or AllFailed, with &&, || and !",
)
DEPENDS_WITHOUT_ITEMS = Rule(
    id="depends-without-items",
    meaning="AnySucceeded or AllFailed is asked of a task that is not a loop.",
    bad="{name: B, depends: A.AnySucceeded}",
    fix="use .Succeeded or .Failed, or make the task a loop",
)
DEPENDS_MIXED = Rule(
    id="depends-mixed",
    meaning="A DAG uses `depends` together with `dependencies` or `continueOn`.",
    bad="tasks: [{name: B, depends: A}, {name: C, dependencies: [A]}]",
    fix="write `depends` everywhere; for continueOn write A.Succeeded || A.Failed",
)
TASK_NAME_DIGIT = Rule(
    id="task-name-digit",
    meaning="A task of a DAG with dependencies has a name that begins with a digit.",
    bad="{name: 5A, depends: B}",
    fix="let the name begin with a letter",
)
TARGET_UNDEFINED = Rule(
    id="target-undefined",
    meaning="A DAG's target is not one of its tasks.",
    bad="dag: {target: E, tasks: [{name: A}]}",
    fix="name tasks of this DAG, separated by spaces",
)
RULES = (
    DAG_EMPTY,
    DAG_CYCLE,
    DEPENDENCY_UNDEFINED,
    DEPENDS_INVALID,
    DEPENDS_WITHOUT_ITEMS,
    DEPENDS_MIXED,
    TASK_NAME_DIGIT,
    TARGET_UNDEFINED,
)

_ITEM_SELECTORS = ("AnySucceeded", "AllFailed")


def edges_of(place: Place) -> dict[str, tuple[str, ...]]:
    """What each task waits for. A `depends` that cannot be read counts as none."""
    edges: dict[str, tuple[str, ...]] = {}
    for call in place.calls:
        if isinstance(call.call, DAGTask):
            edges.setdefault(call.call.name, tuple(name for name, _ in references_of(call.call)))
    return edges


def references_of(task: DAGTask) -> tuple[tuple[str, str], ...]:
    """The tasks that a task waits for, each with the outcome asked for, or ""."""
    if not task.depends:
        return tuple((name, "") for name in task.dependencies)
    try:
        return depends.parse(task.depends).references
    except ExpressionError:
        return ()


def check_place(subject: Subject, place: Place, report: Report) -> None:
    """The graph of one DAG template."""
    dag = place.template.dag
    if dag is None or place.kind != "DAG":
        return
    if not dag.tasks:
        report.add(DAG_EMPTY, (*place.path, "dag", "tasks"), f"{place.label} must have at least one task")
        return
    using_depends = any(task.depends for task in dag.tasks)
    for call in place.calls:
        if isinstance(call.call, DAGTask):
            _check_style(call, call.call, using_depends, place, report)
            _check_references(call, call.call, place, report)
    cycle = find_cycle(edges_of(place))
    if cycle:
        first = place.by_name[cycle[0]]
        message = f"{place.label}.tasks dependency cycle detected: {'->'.join(cycle)}"
        report.add(DAG_CYCLE, first.path, message)
    for target in dag.target.split():
        if "{{" not in dag.target and target not in place.by_name:
            hint = report.suggest(target, place.by_name)
            message = f"{place.label}.targets: target '{target}' is not defined"
            report.add(TARGET_UNDEFINED, (*place.path, "dag", "target"), message, hint=hint)


def _check_style(call: Call, task: DAGTask, using_depends: bool, place: Place, report: Report) -> None:
    if (using_depends or task.dependencies) and task.name[:1].isdigit():
        message = f"{call.label} name cannot begin with a digit when using either 'depends' or 'dependencies'"
        report.add(TASK_NAME_DIGIT, (*call.path, "name"), message)
    if using_depends and task.dependencies:
        message = f"{place.label} cannot use both 'depends' and 'dependencies' in the same DAG template"
        report.add(DEPENDS_MIXED, (*call.path, "dependencies"), message)
    if using_depends and task.continue_on is not None:
        message = f"{place.label} cannot use 'continueOn' when using 'depends'. Instead use "
        message += "'dep-task.Failed'/'dep-task.Errored'"
        hint = f"let what follows say {task.name}.Succeeded || {task.name}.Failed || {task.name}.Errored"
        report.add(DEPENDS_MIXED, (*call.path, "continueOn"), message, hint=hint)


def _check_references(call: Call, task: DAGTask, place: Place, report: Report) -> None:
    key = "depends" if task.depends else "dependencies"
    path = (*call.path, key)
    if task.depends:
        try:
            depends.parse(task.depends)
        except ExpressionError as error:
            report.add(DEPENDS_INVALID, path, f"{call.label} {error.message}", hint=error.hint)
            return
    for index, (name, selector) in enumerate(references_of(task)):
        where = path if task.depends else (*path, index)
        other = place.by_name.get(name)
        if other is None:
            message = f"{call.label} dependency '{name}' not defined"
            report.add(DEPENDENCY_UNDEFINED, where, message, hint=report.suggest(name, place.by_name))
        elif selector in _ITEM_SELECTORS and not other.loops:
            message = f"{call.label} dependency '{name}' uses an items-based condition such as .AnySucceeded or "
            report.add(DEPENDS_WITHOUT_ITEMS, where, f"{message}.AllFailed but does not contain any items")
