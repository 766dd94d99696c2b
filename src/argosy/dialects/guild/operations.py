"""Operations out of a guild.yml's nodes: every way of writing one made into one way, then decoded.

It knows the short forms of attributes and where flags are included from, not what an operation does.
"""

from __future__ import annotations

import shlex

import msgspec

from argosy.dialects.guild.schema import CALLED, WITHOUT_EFFECT, Model, Operation, Package, Resource
from argosy.dialects.guild.shape import INCLUDE, Part, Shape
from argosy.dialects.guild.surroundings import Surroundings
from argosy.dialects.guild.trees import Findings, is_null, listed, mapping, over, pairs_of, replaced, text_of
from argosy.syntax.decode import decode
from argosy.syntax.decoders import Manner
from argosy.syntax.diagnostics import Diagnostic, did_you_mean
from argosy.syntax.nodes import Mapping, Node, Scalar, Sequence, described
from argosy.syntax.source_map import SourceMap

_RESOURCE_KEYS = ("resource", "sources")
_MANNER = Manner(strict=False, words=CALLED)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An operation of the file. model: the name of its model, "" for none. resources: of that model, by name.

    operation: None behind an error. diagnostics: what was found in it, which is of no interest to other operations.
    """

    name: str
    model: str
    operation: Operation | None
    resources: dict[str, Resource]
    places: SourceMap
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def whole_name(self) -> str:
        """How people call it: MODEL:OPERATION, or OPERATION."""
        return f"{self.model}:{self.name}" if self.model else self.name


def script_of(name: str, surroundings: Surroundings, places: SourceMap) -> Found | None:
    """A Python script or a notebook that is run as it is, with all of its flags; None if there is none of that name."""
    if not name.endswith((".py", ".ipynb")) or surroundings.kind(name) != "file":
        return None
    operation = Operation(main=shlex.quote(name), flags_import=True)
    return Found(name=name, model="", operation=operation, resources={}, places=places)


def operations_of(shape: Shape, findings: Findings) -> list[Found]:
    """All operations of all models. What is wrong is in the findings; an operation with an error is left out."""
    return _Operations(shape, findings).all()


class _Operations:
    def __init__(self, shape: Shape, findings: Findings) -> None:
        self.shape = shape
        self.findings = findings

    def all(self) -> list[Found]:
        found: list[Found] = []
        for package in self.shape.packages:
            self._decoded(package, Package)
            message = "a package is not built here; its models are read"
            self.findings.report("guild-package", message, package.place, severity="note", hint="use a wheel builder")
        for part in self.shape.parts:
            self._decoded(part.node, Model)
            self._check_kinds(part)
        for part in self.shape.models:
            resources = self._resources(part)
            for name, node, place in pairs_of(part.mapping("operations")):
                found.append(self._operation(part, name, node, place, resources))
        return found

    def _check_kinds(self, part: Part) -> None:
        for key in ("operations", "flags", "resources", "params", "operation-defaults"):
            node = part.node.values.get(key)
            if node is not None and not isinstance(node, Mapping) and not is_null(node):
                message = f"invalid {key} value: expected a mapping, found {described(node)}"
                self.findings.report("guild-shape", message, node.place)

    def _decoded(self, node: Mapping, type: type[msgspec.Struct]) -> object:
        decoded = decode(node, type, self.findings.source, manner=_MANNER)
        for one in decoded.diagnostics:
            if one not in self.findings.all:
                self.findings.all.append(one)
        self._without_effect(node, type.__name__)
        return decoded.value

    def _without_effect(self, node: Mapping, kind: str) -> None:
        """Name the attributes that are read and do nothing here."""
        for key, child, place in pairs_of(node):
            hint = WITHOUT_EFFECT.get(kind, {}).get(key)
            off = is_null(child) or (isinstance(child, Scalar) and child.value is False)
            if hint is not None and not off:
                message = f"`{key}` of {CALLED[kind]} has no effect here"
                self.findings.report("guild-no-effect", message, place, severity="warning", hint=hint)

    def _resources(self, part: Part) -> dict[str, Resource]:
        found: dict[str, Resource] = {}
        for name, node, place in pairs_of(part.mapping("resources")):
            made = self._decoded(_resource(node, place), Resource)
            self._inside(_resource(node, place))
            if isinstance(made, Resource):
                found[name] = made
        return found

    def _operation(self, part: Part, name: str, node: Node, place: int, resources: dict[str, Resource]) -> Found:
        """One operation, with findings of its own."""
        outer, self.findings = self.findings, Findings(self.findings.source)
        whole = self._whole(part, name, node, place)
        made = self._decoded(whole, Operation) if whole is not None else None
        if whole is not None:
            self._inside(whole)
        own, self.findings = self.findings, outer
        return Found(
            name=name,
            model=part.name,
            operation=made if isinstance(made, Operation) else None,
            resources=resources,
            places=SourceMap(whole if whole is not None else Scalar("", place), own.source),
            diagnostics=tuple(own.all),
        )

    def _whole(self, part: Part, name: str, node: Node, place: int) -> Mapping | None:
        """The operation in the one way of writing it; None behind a finding."""
        if isinstance(node, Scalar) and (node.value is None or isinstance(node.value, str)):
            pairs = [("main", node, node.place)] if node.value is not None else []
            node = mapping(pairs, place)
        if not isinstance(node, Mapping):
            message = f"invalid value for operation {name!r}: expected a string or a mapping, found {described(node)}"
            self.findings.report("guild-operation", message, node.place)
            return None
        steps = node.values.get("steps")
        if steps is not None and not isinstance(steps, Sequence) and not is_null(steps):
            message = f"invalid steps of operation {name!r}: expected a list, found {described(steps)}"
            self.findings.report("guild-steps", message, steps.place, hint="write `- OPERATION` for each step")
            return None
        return self._normal(node, part)

    def _inside(self, node: Mapping) -> None:
        """What has no effect below an operation or a resource."""
        flags = node.values.get("flags")
        for one in flags.values.values() if isinstance(flags, Mapping) else ():
            if isinstance(one, Mapping):
                self._without_effect(one, "Flag")
        for key, kind in (("steps", "Step"), ("sources", "Source"), ("requires", "")):
            for one in _items(node.values.get(key)):
                if kind:
                    self._without_effect(one, kind)
                else:
                    self._inside(one)

    # -- one way of writing an operation

    def _normal(self, node: Mapping, part: Part) -> Mapping:
        if "sourcecode" not in node.values and (given := part.node.values.get("sourcecode")) is not None:
            place = part.node.key_place("sourcecode")
            node = mapping([*pairs_of(node), ("sourcecode", given, place)], node.place)
        return replaced(
            node,
            {
                "flags": lambda one: self._flags(one, part, 0),
                "flags-import-skip": listed,
                "tags": listed,
                "python-path": listed,
                "requires": lambda one: Sequence([_requirement(each) for each in listed(one).items], one.place),
                "steps": lambda one: (
                    Sequence([_step(each) for each in one.items], one.place) if isinstance(one, Sequence) else None
                ),
                "sourcecode": _sourcecode,
                "publish": lambda one: one,
            },
        )

    def _flags(self, node: Node, part: Part, depth: int) -> Node:
        """Every flag as a mapping, with the flags that are included."""
        if not isinstance(node, Mapping):
            if not is_null(node):
                message = f"invalid flags value: expected a mapping, found {described(node)}"
                self.findings.report("guild-flags", message, node.place)
            return Mapping({}, [], node.place)
        found = mapping([(k, _flag(one), at) for k, one, at in pairs_of(node) if k != INCLUDE], node.place)
        given = node.values.get(INCLUDE)
        for one in listed(given).items if given is not None else ():
            if depth < 8:
                found = over(found, self._included(one, part, depth))
        return found

    def _included(self, given: Node, part: Part, depth: int) -> Mapping:
        """The flags that CONFIG[#NAMES] or MODEL:OPERATION[#NAMES] means."""
        whole, _, names = text_of(given).partition("#")
        model, colon, operation = whole.rpartition(":")
        parts = {one.name: one for one in self.shape.parts}
        source: Node | None = None
        owner = part
        if not colon and whole in parts:
            owner = parts[whole]
            source = owner.mapping("flags")
        elif (model or part.name) in parts:
            owner = parts[model or part.name]
            one = owner.mapping("operations").values.get(operation)
            source = one.values.get("flags") if isinstance(one, Mapping) else None
        if source is None:
            near = did_you_mean(whole, [one for one in parts if one])
            hint = f"did you mean `{near}`?" if near else "write CONFIG, or MODEL:OPERATION"
            self.findings.report("guild-include", f"there are no flags of `{whole}` to include", given.place, hint=hint)
            return Mapping({}, [], given.place)
        flags = self._flags(source, owner, depth + 1)
        assert isinstance(flags, Mapping)
        wanted = [one.strip() for one in names.split(",") if one.strip()]
        for name in wanted:
            if name not in flags.values:
                near = did_you_mean(name, flags.values)
                hint = f"did you mean `{near}`?" if near else ""
                self.findings.report("guild-include", f"`{whole}` has no flag `{name}`", given.place, hint=hint)
        return mapping([one for one in pairs_of(flags) if not wanted or one[0] in wanted], flags.place)


def _items(node: Node | None) -> list[Mapping]:
    return [one for one in node.items if isinstance(one, Mapping)] if isinstance(node, Sequence) else []


def _flag(node: Node) -> Node:
    if not isinstance(node, Mapping):
        return mapping([("default", node, node.place)], node.place)
    if "nb-replace" in node.values:
        node = replaced(node, {"nb-replace": listed})
    choices = node.values.get("choices")
    if choices is None:
        return node
    made: list[Node] = [
        one if isinstance(one, Mapping) else mapping([("value", one, one.place)], one.place)
        for one in listed(choices).items
    ]
    return replaced(node, {"choices": lambda one: Sequence(made, one.place)})


def _requirement(node: Node) -> Node:
    """An item of `requires` as a resource."""
    if isinstance(node, Scalar):
        return mapping([("resource", node, node.place)], node.place)
    if isinstance(node, Mapping) and not any(key in node.values for key in _RESOURCE_KEYS):
        return mapping([("sources", Sequence([_source(node)], node.place), node.place)], node.place)
    return _resource(node, node.place)


def _resource(node: Node, place: int) -> Mapping:
    """A resource, which may be written as its list of sources."""
    if isinstance(node, Sequence):
        return mapping([("sources", Sequence([_source(one) for one in node.items], node.place), place)], place)
    if not isinstance(node, Mapping):
        return mapping([("resource", node, node.place)] if not is_null(node) else [], place)
    return replaced(node, {"sources": lambda one: Sequence([_source(each) for each in listed(one).items], one.place)})


def _source(node: Node) -> Node:
    if isinstance(node, Scalar):
        return mapping([("file", node, node.place)], node.place)
    if not isinstance(node, Mapping):
        return node
    return replaced(
        node,
        {"select": listed, "rename": lambda one: Sequence([_rename(each) for each in listed(one).items], one.place)},
    )


def _rename(node: Node) -> Node:
    if not isinstance(node, Scalar):
        return node
    words = _words(text_of(node))
    place = node.place
    if len(words) == 1:
        return mapping([("repl", Scalar(words[0], place), place)], place)
    pattern, new = words[0] if words else "", " ".join(words[1:])
    return mapping([("pattern", Scalar(pattern, place), place), ("repl", Scalar(new, place), place)], place)


def _words(text: str) -> list[str]:
    """The words of a text, quotes taken off; a backslash is one."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.escape = ""
    lexer.commenters = ""
    try:
        return list(lexer)
    except ValueError:
        return text.split()


def _step(node: Node) -> Node:
    if isinstance(node, Scalar):
        return mapping([("run", node, node.place)], node.place)
    if not isinstance(node, Mapping):
        return node
    return replaced(
        node, {"flags": _assignments, "tags": listed, "expect": lambda one: one if is_null(one) else listed(one)}
    )


def _assignments(node: Node) -> Node:
    if not isinstance(node, Sequence):
        return node
    pairs: list[tuple[str, Node, int]] = []
    for one in node.items:
        name, _, value = text_of(one).partition("=")
        pairs.append((name, Scalar(value, one.place), one.place))
    return mapping(pairs, node.place)


def _sourcecode(node: Node) -> Node | None:
    if isinstance(node, Mapping):
        return replaced(node, {"select": _rules})
    if _is_off(node):
        return mapping([("disabled", Scalar(True, node.place), node.place)], node.place)
    if is_null(node):
        return None
    return mapping([("select", _rules(node), node.place)], node.place)


def _is_off(node: Node) -> bool:
    return (isinstance(node, Scalar) and node.value is False) or (isinstance(node, Sequence) and not node.items)


def _rules(node: Node) -> Node:
    """Rules as a list of mappings. Only texts mean these files and no others."""
    items = listed(node).items
    made: list[Node] = []
    if items and all(isinstance(one, Scalar) for one in items):
        made.append(mapping([("exclude", Scalar("*", node.place), node.place)], node.place))
    if _is_off(node):
        return Sequence([mapping([("exclude", Scalar("*", node.place), node.place)], node.place)], node.place)
    for one in items:
        if isinstance(one, Mapping):
            made += _rules_in(one)
        else:
            made.append(mapping([("include", one, one.place)], one.place))
    return Sequence(made, node.place)


def _rules_in(node: Mapping) -> list[Node]:
    """The rules in {include: PATTERN}, where a pattern may be a list, or {dir: ...}, {text: ...}, {binary: ...}."""
    made: list[Node] = []
    for key, given, place in pairs_of(node):
        if key not in ("include", "exclude"):
            made.append(mapping([(key, given, place)], node.place))
            continue
        kinds = list(pairs_of(given)) if isinstance(given, Mapping) else [("", given, place)]
        for kind, patterns, at in kinds:
            for one in listed(patterns).items:
                rule = [(key, one, place), ("kind", Scalar(kind, at), at)] if kind else [(key, one, place)]
                made.append(mapping(rule, one.place))
    return made
