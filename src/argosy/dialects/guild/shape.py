"""The shape of a guild.yml: its models and configs, what they take from others, their parameters put in.

It knows both shapes of the file, `extends`, `include`, `params`, `operation-defaults` and `$include` of operations; not
what stands in an operation.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from argosy.dialects.guild.trees import (
    Findings,
    corrected,
    is_null,
    listed,
    mapping,
    over,
    pairs_of,
    rebased,
    text_of,
)
from argosy.syntax.diagnostics import Diagnostic, did_you_mean
from argosy.syntax.limits import Limits
from argosy.syntax.nodes import Mapping, Node, Scalar, Sequence, described
from argosy.syntax.parse import DEFAULT_LIMITS, last_counts, parse
from argosy.syntax.span import Source

ITEMS = ("model", "config", "package", "include")
INHERITED = (
    "description",
    "extra",
    "flags",
    "operation-defaults",
    "operations",
    "params",
    "references",
    "resources",
    "sourcecode",
)
INCLUDE = "$include"
_PARAM = re.compile(r"\{\{\s*([^{}\s]+)\s*\}\}")
_DEEPEST = 8


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A model or a config, with all that it takes from others. name: "" for the model that has none."""

    name: str
    is_config: bool
    node: Mapping

    def mapping(self, key: str) -> Mapping:
        """A mapping in it, an empty one where there is none."""
        found = self.node.values.get(key)
        return found if isinstance(found, Mapping) else Mapping({}, [], self.node.place)


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What a file holds. packages: their nodes. source: of the file itself."""

    models: tuple[Part, ...]
    configs: tuple[Part, ...]
    packages: tuple[Mapping, ...]
    source: Source
    diagnostics: tuple[Diagnostic, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        return self.models + self.configs


# The text of another file, by its path from this one; None if there is none.
Read = Callable[[str], str | None]


def shape_of(text: str | bytes, file: str, read: Read, *, limits: Limits = DEFAULT_LIMITS) -> Shape:
    """Read the file and put its parts together. Nothing is raised."""
    parsed = parse(text, file, limits=limits)
    findings = Findings(parsed.source)
    findings.all += [last_counts(one) for one in parsed.diagnostics]
    reader = _Reader(findings, read, limits)
    if parsed.documents and not any(one.severity == "error" for one in findings.all):
        reader.read(corrected(parsed.documents[0], parsed.source), 0)
        for node in parsed.documents[1:]:
            findings.report("guild-documents", "a guild.yml is one document", node.place, hint="remove the `---`")
    if not reader.items and not reader.packages and not findings.all:
        findings.report("file-empty", "there is nothing in this file", 0, hint="write `OPERATION: MODULE`")
    parts = [part for name in reader.items if (part := reader.whole(name, ())) is not None]
    return Shape(
        models=tuple(one for one in parts if not one.is_config),
        configs=tuple(one for one in parts if one.is_config),
        packages=tuple(reader.packages),
        source=parsed.source,
        diagnostics=tuple(findings.all),
    )


class _Reader:
    def __init__(self, findings: Findings, read: Read, limits: Limits) -> None:
        self.findings = findings
        self.other = read
        self.limits = limits
        self.items: dict[str, tuple[bool, Mapping]] = {}
        # Files that were included already: several may include what they share.
        self.included: set[str] = set()
        self.packages: list[Mapping] = []

    # -- the items of a file

    def read(self, node: Node, depth: int) -> None:
        """All items of a file, those of included ones too."""
        if is_null(node):
            return
        if isinstance(node, Sequence):
            for item in node.items:
                self._item(item, depth)
        elif isinstance(node, Mapping):
            operations = mapping(
                [("model", Scalar("", node.place), node.place), ("operations", node, node.place)], node.place
            )
            self._add("", False, operations)
        else:
            message = f"expected operations or a list of models, found {described(node)}"
            self.findings.report("guild-shape", message, node.place, hint="write `OPERATION: MODULE`")

    def _item(self, node: Node, depth: int) -> None:
        if not isinstance(node, Mapping):
            message = f"expected a model, a config, a package or an include, found {described(node)}"
            self.findings.report("guild-item", message, node.place, hint="write `- model: NAME`")
            return
        kinds = [kind for kind in ITEMS if kind in node.values]
        if not kinds and "operations" in node.values:
            name = ("model", Scalar("", node.place), node.place)
            self._add("", False, mapping([name, *pairs_of(node)], node.place))
            return
        if len(kinds) != 1:
            said = f"it has {' and '.join(kinds)}" if kinds else "it has none of them"
            near = next((one for key in node.values if (one := did_you_mean(key, ITEMS))), None)
            hint = f"did you mean `{near}`?" if near and not kinds else "make one item of each"
            message = f"an item is either a model, a config, a package or an include: {said}"
            self.findings.report("guild-item", message, node.place, hint=hint)
            return
        self._item_of(kinds[0], node, depth)

    def _item_of(self, kind: str, node: Mapping, depth: int) -> None:
        if kind == "include":
            for one in listed(node.values["include"]).items:
                self._include(one, depth)
        elif kind == "package":
            self.packages.append(node)
        else:
            name = text_of(node.values[kind])
            if kind == "config" and not name:
                self.findings.report("guild-item", "a config needs a name", node.place, hint="write `- config: NAME`")
            else:
                self._add(name, kind == "config", node)

    def _add(self, name: str, is_config: bool, node: Mapping) -> None:
        if name in self.items:
            what = f"`{name}`" if name else "without a name"
            message = f"there is a model or config {what} already"
            self.findings.report("guild-duplicate", message, node.place, hint="give it another name")
            return
        self.items[name] = (is_config, node)

    def _include(self, given: Node, depth: int) -> None:
        path = text_of(given)
        if path in self.included:
            return
        self.included.add(path)
        text = self.other(path) if path else None
        if text is None and path:
            text = self.other(f"{path}/guild.yml")
        if text is None or depth >= _DEEPEST:
            why = "files are included deeper than that" if text is not None else ""
            message = f"there is no file {path!r} to include"
            hint = "paths are relative to this file; modules and packages of Guild are not looked for"
            self.findings.report("guild-include", message, given.place, why=why, hint=hint)
            return
        inside = parse(text, path, limits=self.limits)
        for found in inside.diagnostics:
            message = f"{found.span}: {found.message}" if found.span else found.message
            self.findings.report(found.rule, message, given.place, severity=found.severity, hint=found.hint)
        for node in inside.documents[:1]:
            self.read(rebased(corrected(node, inside.source), given.place), depth + 1)

    # -- what a model or config takes from others

    def whole(self, name: str, seen: tuple[str, ...]) -> Part | None:
        """The model or config with what it inherits, its parameters put in. None behind a finding."""
        found = self._extended(name, seen)
        if found is None:
            return None
        node = self._with_params(found)
        if isinstance(operations := node.values.get("operations"), Mapping):
            made = self._operations(operations, node)
            node = mapping([(key, made if key == "operations" else one, at) for key, one, at in pairs_of(node)], 0)
            node = Mapping(node.values, node.key_places, found.place)
        return Part(name=name, is_config=self.items[name][0], node=node)

    def _extended(self, name: str, seen: tuple[str, ...]) -> Mapping | None:
        node = self.items[name][1]
        parents = node.values.get("extends")
        for given in listed(parents).items if parents is not None else ():
            parent = text_of(given)
            if parent in (*seen, name):
                message = f"`extends` goes in a circle: {' > '.join((*seen, name, parent))}"
                self.findings.report("guild-extends", message, given.place, hint="remove one of them")
                return None
            if parent not in self.items:
                self._unknown_parent(parent, given.place)
                continue
            above = self._extended(parent, (*seen, name))
            if above is None:
                return None
            node = over(node, above, INHERITED)
        return node

    def _unknown_parent(self, parent: str, place: int) -> None:
        near = did_you_mean(parent, [one for one in self.items if one])
        hint = f"did you mean `{near}`?" if near else "models of installed packages are not read" * ("/" in parent)
        message = f"there is no model or config `{parent}` to extend"
        self.findings.report("guild-extends", message, place, hint=hint)

    def _operations(self, operations: Mapping, node: Mapping) -> Mapping:
        """The operations with those that are included, and what operation-defaults says over all of them."""
        found: list[tuple[str, Node, int]] = [one for one in pairs_of(operations) if one[0] != INCLUDE]
        given = operations.values.get(INCLUDE)
        for one in listed(given).items if given is not None else ():
            found += self._included_operations(one)
        defaults = node.values.get("operation-defaults")
        if isinstance(defaults, Mapping):
            found = [(name, _with_defaults(one, defaults), place) for name, one, place in found]
        return mapping(found, operations.place)

    def _included_operations(self, given: Node) -> list[tuple[str, Node, int]]:
        name = text_of(given)
        if name in self.items:
            part = self._extended(name, ())
            inside = self._with_params(part).values.get("operations") if part is not None else None
            return list(pairs_of(inside)) if isinstance(inside, Mapping) else []
        near = did_you_mean(name, [one for one in self.items if one])
        hint = f"did you mean `{near}`?" if near else ""
        self.findings.report(
            "guild-include", f"there is no model or config `{name}` to include", given.place, hint=hint
        )
        return []

    # -- parameters

    def _with_params(self, node: Mapping) -> Mapping:
        given = node.values.get("params")
        if not isinstance(given, Mapping):
            return node
        params = dict(given.values)
        for _ in range(len(params)):
            params = {name: _put_in(one, params) for name, one in params.items()}
        found = [(key, one if key == "params" else _put_in(one, params), at) for key, one, at in pairs_of(node)]
        return mapping(found, node.place)


def _with_defaults(operation: Node, defaults: Mapping) -> Node:
    """An operation with the attributes that it does not have itself; nothing inside an attribute is merged."""
    if isinstance(operation, Scalar):
        pairs = [("main", operation, operation.place)] if operation.value is not None else []
        operation = mapping(pairs, operation.place)
    if not isinstance(operation, Mapping):
        return operation
    return mapping([*pairs_of(operation), *pairs_of(defaults)], operation.place)


def _put_in(node: Node, params: dict[str, Node]) -> Node:
    """The node with {{name}} replaced, in keys too; a text that is nothing else becomes the parameter's own value."""
    if isinstance(node, Sequence):
        return Sequence([_put_in(one, params) for one in node.items], node.place)
    if isinstance(node, Mapping):
        return mapping([(_text(key, params), _put_in(one, params), at) for key, one, at in pairs_of(node)], node.place)
    if not isinstance(node.value, str) or "{{" not in node.value:
        return node
    whole = _PARAM.fullmatch(node.value.strip())
    if whole and whole[1] in params:
        return rebased(params[whole[1]], node.place)
    return Scalar(_text(node.value, params), node.place)


def _text(text: str, params: dict[str, Node]) -> str:
    if "{{" not in text:
        return text
    return _PARAM.sub(lambda found: text_of(params[found[1]]) if found[1] in params else found[0], text)
