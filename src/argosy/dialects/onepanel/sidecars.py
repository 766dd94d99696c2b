"""Sidecars that people look at while a step runs: where they answer, what they see, and what is wrong with them.

It knows templates and ports; that a sidecar is started and stopped with its step is not its matter.
Source: onepanelio/core, pkg/workflow_execution.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec
from msgspec.structs import replace

from argosy.checks.finding import Finding
from argosy.model.manifest import DAGTask, Outputs, Parameter, Template, UserContainer, WorkflowSpec

# A sidecar with this variable is one for people; its address is in a parameter that begins so.
INTERACTIVE, SIDECAR_URL = "ONEPANEL_INTERACTIVE_SIDECAR", "sys-sidecar-url--"
# The names of tasks in `depends`, before the word that says how they ended.
_NAMES = re.compile(r"(?<![\w.-])[A-Za-z0-9_][\w-]*")


class _Port(msgspec.Struct, rename="camel"):
    container_port: int = 0


def with_sidecars(template: Template) -> Template:
    """The template whose sidecars for people, such as TensorBoard's, see the files of the step and have addresses."""
    sidecars = tuple(
        replace(one, mirror_volume_mounts=one.mirror_volume_mounts or _is_shown(one)) for one in template.sidecars
    )
    ports = {one.name: _first_port(one.ports) for one in template.sidecars if _is_shown(one)}
    outputs = template.outputs or Outputs()
    known = {one.name for one in outputs.parameters}
    addresses = tuple(
        Parameter(name=f"{SIDECAR_URL}{name}", value=_address(port))
        for name, port in ports.items()
        if port and f"{SIDECAR_URL}{name}" not in known
    )
    if addresses:
        outputs = replace(outputs, parameters=(*outputs.parameters, *addresses))
        template = replace(template, outputs=outputs)
    return replace(template, sidecars=sidecars)


def sidecar_addresses(spec: WorkflowSpec) -> dict[str, str]:
    """Where the sidecars answer that people look at, by the parameter that says so; of one name there may be several.

    The server gives each an address of its own; here they have the network of this machine.
    """
    found: dict[str, dict[str, None]] = {}
    for _, _, name, port in shown_sidecars(spec):
        found.setdefault(f"{SIDECAR_URL}{name}", {})[_address(port)] = None
    return {name: ", ".join(addresses) for name, addresses in found.items()}


def sidecar_problems(spec: WorkflowSpec) -> Iterator[Finding]:
    """What is wrong with sidecars that people look at."""
    for place, template in enumerate(spec.templates):
        for index, sidecar in enumerate(template.sidecars):
            if _is_shown(sidecar) and not _first_port(sidecar.ports):
                yield Finding(
                    rule="onepanel-sidecar",
                    severity="error",
                    path=("spec", "templates", place, "sidecars", index),
                    message=f"sidecar {sidecar.name} must have at least one port.",
                    why=f"with {INTERACTIVE} it is one that people look at",
                    hint="add `ports: [{containerPort: ...}]` with the port that its program listens at",
                )
    yield from _clashes(spec)


def _clashes(spec: WorkflowSpec) -> Iterator[Finding]:
    """A warning for each port that several sidecars want which people look at, where they may run at the same time.

    On a cluster each pod has ports of its own; here all have this machine's.
    """
    order = _Order(spec)
    taken: dict[int, list[tuple[str, str]]] = {}
    for place, index, name, port in shown_sidecars(spec):
        template = spec.templates[place].name
        others = taken.setdefault(port, [])
        other = next((one for one in others if one[0] == template or order.together(one[0], template)), None)
        others.append((template, name))
        if other is not None:
            who = f"the sidecars {other[1]} of {other[0]} and {name} of {template}"
        elif order.together(template, template):
            who = f"the sidecars {name} of the tasks that call {template}"
        else:
            continue
        message = f"{who} answer at {_address(port)}: only the first that is there gets it"
        hint = "give each a port of its own, in its command and its `ports`, or let one task wait for the other"
        yield port_is_not_its_own(place, index, message, hint)


def port_is_not_its_own(place: int, index: int, message: str, hint: str) -> Finding:
    """The warning for a sidecar, by its place and its template's, whose port something else has too."""
    return Finding(
        rule="onepanel-sidecar",
        severity="warning",
        path=("spec", "templates", place, "sidecars", index),
        message=message,
        why="steps have the ports of this machine, and no addresses of their own",
        hint=hint,
    )


class _Order:
    """Which templates may run at the same time, as far as the tasks that call them tell."""

    def __init__(self, spec: WorkflowSpec) -> None:
        self._calls: dict[str, list[tuple[int, DAGTask]]] = {}
        self._before: list[dict[str, set[str]]] = []
        for template in spec.templates:
            tasks = template.dag.tasks if template.dag is not None else ()
            for task in tasks:
                self._calls.setdefault(task.template, []).append((len(self._before), task))
            self._before.append(_before(tasks))

    def together(self, first: str, second: str) -> bool:
        """Whether steps of the two templates may run at the same time; both may be one."""
        one, other = self._calls.get(first, []), self._calls.get(second, [])
        if first == second and any(_is_looped(task) for _, task in one):
            return True
        return any(not self._in_order(a, b) for a in one for b in other if a is not b)

    def _in_order(self, first: tuple[int, DAGTask], second: tuple[int, DAGTask]) -> bool:
        (dag, one), (another, other) = first, second
        before = self._before[dag]
        return dag == another and (one.name in before[other.name] or other.name in before[one.name])


def _before(tasks: Iterable[DAGTask]) -> dict[str, set[str]]:
    """All tasks that are over before each begins."""
    direct = {task.name: {*task.dependencies, *_NAMES.findall(task.depends)} for task in tasks}
    found: dict[str, set[str]] = {}
    for name in direct:
        seen: set[str] = set()
        waiting = [*direct[name]]
        while waiting:
            one = waiting.pop()
            if one not in seen:
                seen.add(one)
                waiting += direct.get(one, ())
        found[name] = seen
    return found


def _is_looped(task: DAGTask) -> bool:
    return bool(task.with_items or task.with_param or task.with_sequence is not None)


def shown_sidecars(spec: WorkflowSpec) -> Iterator[tuple[int, int, str, int]]:
    """The sidecars that people look at: place of the template, place in it, name, port."""
    for place, template in enumerate(spec.templates):
        for index, sidecar in enumerate(template.sidecars):
            port = _first_port(sidecar.ports)
            if _is_shown(sidecar) and port:
                yield place, index, sidecar.name, port


def _is_shown(sidecar: UserContainer) -> bool:
    return any(one.name == INTERACTIVE and one.value == "true" for one in sidecar.env)


def _address(port: int) -> str:
    return f"http://localhost:{port}"


def _first_port(ports: object) -> int:
    try:
        return next((one.container_port for one in msgspec.convert(ports or [], list[_Port])), 0)
    except msgspec.ValidationError:
        return 0
