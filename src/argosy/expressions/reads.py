"""Which names of the scope an expression reads, found without evaluating it.

It knows trees, not scopes.
"""

from __future__ import annotations

from collections.abc import Iterator

from argosy.expressions import syntax_tree as tree
from argosy.expressions.evaluator import dotted_parts


def names_read(node: tree.Node) -> tuple[str, ...]:
    """All dotted names, in the order written; `$env` and what `let` binds are none."""
    return _gather(node, guards=False)


def names_required(node: tree.Node) -> tuple[str, ...]:
    """The names that must be there. Of a name that is guarded (left of `??`, or before `?.`) only the first part is."""
    return _gather(node, guards=True)


def _gather(root: tree.Node, *, guards: bool) -> tuple[str, ...]:
    found: dict[str, None] = {}
    pending: list[tuple[tree.Node, frozenset[str], bool]] = [(root, frozenset(), False)]
    while pending:
        node, bound, guarded = pending.pop()
        parts, optional = dotted_parts(node)
        if parts:
            if parts[0] not in bound and parts[0] != "$env":
                loose = guards and (guarded or any(optional))
                found[parts[0] if loose else ".".join(parts)] = None
            continue
        children = [
            (child, bound | {name} if name else bound, guarded or (guards and loosened))
            for child, name, loosened in _children(node)
        ]
        pending.extend(reversed(children))
    return tuple(found)


def _children(node: tree.Node) -> Iterator[tuple[tree.Node, str, bool]]:
    """The parts of a node; for each, the name it sees bound besides, and whether `??` guards it."""
    if isinstance(node, tree.Let):
        yield node.value, "", False
        yield node.body, node.name, False
    elif isinstance(node, tree.Binary):
        yield node.left, "", node.operator == "??"
        yield node.right, "", False
    elif isinstance(node, tree.Map):
        for pair in node.pairs:
            yield from ((part, "", False) for part in pair)
    else:
        yield from ((part, "", False) for part in _plain_children(node))


def _plain_children(node: tree.Node) -> tuple[tree.Node, ...]:
    if isinstance(node, tree.Member):
        return node.base, node.key
    if isinstance(node, tree.Chain):
        return (node.node,)
    if isinstance(node, tree.Slice):
        return tuple(part for part in (node.base, node.start, node.stop) if part is not None)
    if isinstance(node, tree.Unary):
        return (node.operand,)
    if isinstance(node, tree.Conditional):
        return node.condition, node.then, node.otherwise
    if isinstance(node, tree.Array):
        return node.items
    if isinstance(node, tree.Call):
        return node.arguments
    if isinstance(node, tree.MethodCall):
        return node.base, *node.arguments
    if isinstance(node, tree.PredicateCall):
        return tuple(part for part in (node.items, node.predicate, *node.more) if part is not None)
    return node.nodes if isinstance(node, tree.Sequence) else ()
