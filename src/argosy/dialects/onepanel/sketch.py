"""Sketches: workflows of a workspace as their authors wrote them down, before Onepanel's server had put in its part.

A sketch is told by the marks that stand where the server puts something in: a parameter called
`<volumeClaimTemplate.metadata.name>-volume-size`, `<<workflow.parameters.name>>` in the manifest of a resource. What
the server knows is put in here; whatever else is amiss is mended where it is clear what is meant, and told.
It knows nodes and names; what is wrong with a finished workflow is not its matter.
Source: onepanelio/core, pkg/workspace_template.go; onepanelio/templates, workspaces/base.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from argosy.checks.rules.resources import plain_manifest
from argosy.dialects.onepanel.placeholders import VALUES
from argosy.syntax.diagnostics import Severity, did_you_mean
from argosy.syntax.nodes import Mapping, Node, Scalar, Sequence
from argosy.syntax.parse import parse

RULE = "onepanel-sketch"
VOLUME_SIZE = "-volume-size"
# The parameters that the server adds to what it makes of a workspace, with the values that it gives them at first.
# Early ones had no `sys-` before their names, and one for both actions.
SUPPLIED = {
    "sys-name": "name",
    "sys-resource-action": "apply",
    "sys-workspace-action": "create",
    "sys-uid": "uid",
    "sys-host": "localhost",
    "sys-node-pool-label": VALUES["NodePoolLabel"],
    "sys-node-pool": VALUES["DefaultNodePoolOption"],
    "action": "create",
    "host": "localhost",
    "uid": "uid",
}
# In MB.
SIZE = "20480"
_MARK = re.compile(r"<<\s*([A-Za-z][\w./-]*)\s*>>")
_NAME_MARK = re.compile(r"<[A-Za-z][\w.]*>")
_CLAIM_MARK = re.compile(r"<volumeClaimTemplates?\.(?:metadata\.)?name>")
_SCOPES = ("workflow.", "workspace.", "inputs.", "tasks.", "steps.", "item")
_REFERENCE = re.compile(r"(\{\{\s*workflow\.parameters\.)([\w-]+)(\s*\}\})")


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """What was put in or mended, and where."""

    message: str
    place: int
    severity: Severity = "warning"
    why: str = ""
    hint: str = ""


def filled(spec: Node | None) -> list[Remark]:
    """Put into a sketch what the server does, and mend it; nothing is done to any other spec."""
    if not isinstance(spec, Mapping):
        return []
    manifests = list(_manifests(spec))
    sign = _sign(spec, manifests)
    if sign is None:
        return []
    remarks = [
        Remark(
            message="this is a sketch of what Onepanel's server makes of a workspace: its part is put in here",
            place=sign,
            why="marks such as <<workflow.parameters.name>> stand where the server puts something in",
        )
    ]
    for manifest in manifests:
        manifest.value = _MARK.sub(_unmarked, str(manifest.value))
    remarks += _expanded(spec, manifests)
    for task in _tasks(spec):
        remarks += _with_arguments(task)
    remarks += _supplied(spec)
    return remarks


def _sign(spec: Mapping, manifests: list[Scalar]) -> int | None:
    """Where the first mark stands that tells a sketch."""
    for parameter in _parameters(spec):
        if _NAME_MARK.search(_text(parameter.values.get("name"))):
            return parameter.values["name"].place
    return next((one.place for one in manifests if _MARK.search(str(one.value))), None)


def _unmarked(found: re.Match[str]) -> str:
    name = found[1]
    return f"{{{{{name}}}}}" if name.startswith(_SCOPES) else name


# -- parts of a spec, whatever shape it has


def _items(node: Node | None, key: str) -> Iterator[Mapping]:
    """The mappings of the list under a key."""
    given = node.values.get(key) if isinstance(node, Mapping) else None
    for one in given.items if isinstance(given, Sequence) else ():
        if isinstance(one, Mapping):
            yield one


def _text(node: Node | None) -> str:
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else ""


def _parameters(spec: Mapping) -> Iterator[Mapping]:
    return _items(spec.values.get("arguments"), "parameters")


def _tasks(spec: Mapping) -> Iterator[Mapping]:
    for template in _items(spec, "templates"):
        yield from _items(template.values.get("dag"), "tasks")


def _manifests(spec: Mapping) -> Iterator[Scalar]:
    for template in _items(spec, "templates"):
        resource = template.values.get("resource")
        manifest = resource.values.get("manifest") if isinstance(resource, Mapping) else None
        if isinstance(manifest, Scalar) and isinstance(manifest.value, str):
            yield manifest


def _scalars(node: Node) -> Iterator[Scalar]:
    if isinstance(node, Scalar):
        yield node
        return
    for child in _children(node):
        yield from _scalars(child)


def _children(node: Node) -> Iterable[Node]:
    if isinstance(node, Sequence):
        return node.items
    return node.values.values() if isinstance(node, Mapping) else ()


# -- parameters named after claims


def _expanded(spec: Mapping, manifests: list[Scalar]) -> list[Remark]:
    """Put one parameter for each claim in place of the one whose name has the mark of a claim's name."""
    arguments = spec.values.get("arguments")
    given = arguments.values.get("parameters") if isinstance(arguments, Mapping) else None
    if not isinstance(given, Sequence):
        return []
    claims = list(dict.fromkeys([*_claims(spec), *(name for one in manifests for name in _claims_in(one))]))
    declared = {_text(one.values.get("name")) for one in _parameters(spec)}
    remarks: list[Remark] = []
    items: list[Node] = []
    for one in given.items:
        name = _text(one.values.get("name")) if isinstance(one, Mapping) else ""
        if not isinstance(one, Mapping) or not _CLAIM_MARK.search(name):
            items.append(one)
            continue
        names = [_CLAIM_MARK.sub(claim, name) for claim in claims]
        remarks.append(Remark(message=f"{name} stands for {', '.join(names) or 'none'}", place=one.place))
        items += [_with_name(one, each) for each in names if each not in declared]
    given.items = items
    return remarks


def _claims(node: Node) -> Iterator[str]:
    """The names of claim templates, at any depth."""
    if isinstance(node, Mapping):
        for claim in _items(node, "volumeClaimTemplates"):
            metadata = claim.values.get("metadata")
            name = _text(metadata.values.get("name")) if isinstance(metadata, Mapping) else ""
            if name:
                yield name
    for child in _children(node):
        yield from _claims(child)


def _claims_in(manifest: Scalar) -> Iterator[str]:
    for node in parse(plain_manifest(str(manifest.value)), "manifest").documents:
        yield from _claims(node)


def _with_name(parameter: Mapping, name: str) -> Mapping:
    values = dict(parameter.values)
    values["name"] = Scalar(name, values["name"].place)
    return Mapping(values=values, key_places=list(parameter.key_places), place=parameter.place)


# -- tasks


def _with_arguments(task: Mapping) -> Iterator[Remark]:
    """Put what stands beside empty `arguments` of a task into them."""
    given = task.values.get("arguments")
    beside = [key for key in ("parameters", "artifacts") if isinstance(task.values.get(key), Sequence)]
    if not isinstance(given, Scalar) or given.value is not None or not beside:
        return
    places = dict(zip(task.values, task.key_places, strict=True))
    inside = Mapping(
        values={key: task.values[key] for key in beside}, key_places=[places[key] for key in beside], place=given.place
    )
    for key in beside:
        name = _text(task.values.get("name"))
        message = f"`{key}` of the task {name} stands beside its `arguments`: it is read as if it stood in them"
        yield Remark(message=message, place=places[key], hint="indent it")
    task.values = {key: inside if key == "arguments" else one for key, one in task.values.items() if key not in beside}
    task.key_places = [places[key] for key in task.values]


# -- what the server supplies


def _supplied(spec: Mapping) -> list[Remark]:
    """Add the parameters that are used and not declared: the server's with its values, others to be given."""
    supply = _Supply({_text(one.values.get("name")) for one in _parameters(spec)})
    for scalar in _scalars(spec):
        if isinstance(scalar.value, str) and "workflow.parameters." in scalar.value:
            scalar.value = supply.resolved(scalar.value, scalar.place)
    if supply.added:
        _add(spec, list(supply.added.values()))
    return supply.remarks


class _Supply:
    """Goes through texts and notes which parameters they need besides the declared ones."""

    def __init__(self, declared: set[str]) -> None:
        self.declared = declared
        self.added: dict[str, Mapping] = {}
        self.remarks: list[Remark] = []

    def resolved(self, text: str, place: int) -> str:
        """The text with references to parameters that there are, or are going to be."""
        return _REFERENCE.sub(lambda found: f"{found[1]}{self._name(found[2], place)}{found[3]}", text)

    def _name(self, name: str, place: int) -> str:
        if name in self.declared or name in self.added:
            return name
        value = SIZE if name.endswith(VOLUME_SIZE) else SUPPLIED.get(name)
        near = did_you_mean(name, [*self.declared, *SUPPLIED]) if value is None else None
        if near is not None:
            message = f"there is no parameter {name}: it is read as {near}"
            self.remarks.append(Remark(message=message, place=place, hint="correct the name"))
            return self._name(near, place)
        self.added[name] = _parameter(name, value, place)
        if value is None:
            self.remarks.append(Remark(message=f"there is no parameter {name}: it is to be given", place=place))
        else:
            message = f"the parameter {name} is the server's: it is {value}"
            self.remarks.append(Remark(message=message, place=place, severity="note"))
        return name


def _parameter(name: str, value: str | None, place: int) -> Mapping:
    fields: dict[str, Node] = {"name": Scalar(name, place)}
    if value is not None:
        fields["value"] = Scalar(value, place)
        fields["type"] = Scalar("input.hidden", place)
    return Mapping(values=fields, key_places=[place] * len(fields), place=place)


def _add(spec: Mapping, parameters: list[Mapping]) -> None:
    arguments = spec.values.get("arguments")
    if not isinstance(arguments, Mapping):
        if arguments is None:
            spec.key_places.append(spec.place)
        arguments = Mapping(values={}, key_places=[], place=spec.place)
        spec.values["arguments"] = arguments
    given = arguments.values.get("parameters")
    if not isinstance(given, Sequence):
        if given is None:
            arguments.key_places.append(arguments.place)
        given = Sequence([], arguments.place)
        arguments.values["parameters"] = given
    given.items = [*given.items, *parameters]
