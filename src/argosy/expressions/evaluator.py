"""expr-lang, from a tree to a function that computes it.

It knows trees and values, not which functions exist (they are handed in) nor what a scope is made of. Each part
becomes one Python closure; long chains of operators become one loop, so their length is no depth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from argosy.errors import ExpressionError
from argosy.expressions import operations, paths, predicates
from argosy.expressions import syntax_tree as tree
from argosy.expressions.budget import Budget
from argosy.expressions.formatting import Spoken, kind_of
from argosy.expressions.signatures import Function, check

Functions = Mapping[str, Function]


class State:
    """One evaluation under way. slots: what `let` has bound. item, index, acc: what `#` means now."""

    __slots__ = ("acc", "budget", "index", "item", "names", "slots")

    def __init__(self, names: paths.Names, budget: Budget, slots: int) -> None:
        self.names = names
        self.budget = budget
        self.slots: list[object] = [None] * slots
        self.item: object = None
        self.index = 0
        self.acc: object = None


Step = Callable[[State], object]

# What a member with `?.` gives when its base is nil; the chain around it turns it into nil.
_BROKEN = object()


class Compiler:
    """Compiles one tree. refused: functions that exist but may not be called, and why. slots: how many `let` it has."""

    def __init__(self, functions: Functions, refused: Mapping[str, str]) -> None:
        self.functions = functions
        self.refused = refused
        self.bound: dict[str, int] = {}
        self.slots = 0

    def compile(self, node: tree.Node) -> Step:
        """The closure for a part. Raises ExpressionError for what cannot work: unknown functions, names bound twice."""
        return _COMPILERS[type(node)](self, node)

    def literal(self, node: tree.Literal) -> Step:
        """A constant."""
        value = node.value
        return lambda state: value

    def name(self, node: tree.Name) -> Step:
        """A variable of `let` or of the scope, or the whole scope as `$env`."""
        if node.name in self.bound:
            slot = self.bound[node.name]
            return lambda state: state.slots[slot]
        if node.name == "$env":
            return _whole_scope
        return self.path(node.name, (node.name,), (False,), node.position)

    def path(self, full: str, parts: tuple[str, ...], optional: tuple[bool, ...], position: int) -> Step:
        """A dotted name of the scope."""
        look_up = paths.look_up

        def compute(state: State) -> object:
            try:
                return look_up(state.names, full, parts, optional)
            except ExpressionError as problem:
                raise placed(self.explained(problem), position) from None

        return compute

    def explained(self, problem: ExpressionError) -> ExpressionError:
        """Say more about an unknown name that is a function's, or another language's word for nil."""
        if isinstance(problem, paths.UnknownName) and not problem.hint:
            if problem.name in ("null", "None", "undefined"):
                problem.hint = "did you mean nil?"
            elif problem.name in self.functions:
                problem.hint = f"{problem.name} is a function: {problem.name}(...)"
        return problem

    def pointer(self, node: tree.Pointer) -> Step:
        """`#`, `#acc`, `#index`."""
        if node.name == "acc":
            return lambda state: state.acc
        if node.name == "index":
            return lambda state: state.index
        return lambda state: state.item

    def member(self, node: tree.Member) -> Step:
        """`base.key`; a name with constant keys is looked up at once, without making maps."""
        dotted = self.dotted(node)
        if dotted is not None:
            parts, optional = dotted
            if not any(optional):
                return self.path(".".join(parts), parts, optional, node.position)
            return self.chained_path(parts, optional, node.position)
        base, key, optional_here, position = (
            self.compile(node.base),
            self.compile(node.key),
            node.optional,
            node.position,
        )

        def compute(state: State) -> object:
            value = base(state)
            if value is _BROKEN or (optional_here and value is None):
                return _BROKEN
            try:
                return operations.fetch(value, key(state))
            except ExpressionError as problem:
                raise placed(problem, position) from None

        return compute

    def chained_path(self, parts: tuple[str, ...], optional: tuple[bool, ...], position: int) -> Step:
        """A dotted name with `?.` in it: look up what comes before, and if that is nil, the chain is."""
        last = max(index for index, here in enumerate(optional) if here)
        before = self.path(".".join(parts[:last]), parts[:last], optional[:last], position)
        if any(optional[:last]):
            before = self.chained_path(parts[:last], optional[:last], position)
        whole = self.path(".".join(parts), parts, (False,) * len(parts), position)

        def compute(state: State) -> object:
            value = before(state)
            return _BROKEN if value is None or value is _BROKEN else whole(state)

        return compute

    def dotted(self, node: tree.Node) -> tuple[tuple[str, ...], tuple[bool, ...]] | None:
        """The parts of a name of the scope with constant keys, and which of them stand after `?.`."""
        parts, optional = dotted_parts(node)
        return (parts, optional) if parts and parts[0] not in self.bound and parts[0] != "$env" else None

    def chain(self, node: tree.Chain) -> Step:
        """The end of a chain with `?.` in it."""
        inner = self.compile(node.node)

        def compute(state: State) -> object:
            value = inner(state)
            return None if value is _BROKEN else value

        return compute

    def slice(self, node: tree.Slice) -> Step:
        """`base[start:stop]`."""
        base = self.compile(node.base)
        start = self.compile(node.start) if node.start is not None else _nothing
        stop = self.compile(node.stop) if node.stop is not None else _nothing

        def compute(state: State) -> object:
            value = base(state)
            if value is _BROKEN:
                return _BROKEN
            try:
                piece = operations.cut(value, start(state), stop(state))
                state.budget.reserve_value(piece)
            except ExpressionError as problem:
                raise placed(problem, node.position) from None
            return piece

        return compute

    def unary(self, node: tree.Unary) -> Step:
        """`!`, `-`, `+`."""
        operand, operator = self.compile(node.operand), node.operator

        def compute(state: State) -> object:
            value = operand(state)
            try:
                if operator == "!":
                    return not operations.boolean(value, operator)
                return operations.negate(value) if operator == "-" else _positive(value)
            except ExpressionError as problem:
                raise placed(problem, node.position) from None

        return compute

    def binary(self, node: tree.Binary) -> Step:
        """Operators that group from the left, as one loop."""
        links: list[tuple[str, Step, int]] = []
        left: tree.Node = node
        while isinstance(left, tree.Binary):
            links.append((left.operator, self.compile(left.right), left.position))
            left = left.left
        first = self.compile(left)
        links.reverse()
        apply, short = operations.BINARY, _SHORT

        def compute(state: State) -> object:
            value = first(state)
            for operator, right, position in links:
                try:
                    if operator in short:
                        value = short[operator](state, value, right)
                    else:
                        value = apply[operator](state.budget, value, right(state))
                except ExpressionError as problem:
                    raise placed(problem, position) from None
            return value

        return compute

    def conditional(self, node: tree.Conditional) -> Step:
        """`a ? b : c`."""
        condition, then, otherwise = map(self.compile, (node.condition, node.then, node.otherwise))

        def compute(state: State) -> object:
            try:
                holds = operations.boolean(condition(state), "a condition")
            except ExpressionError as problem:
                raise placed(problem, node.position) from None
            return then(state) if holds else otherwise(state)

        return compute

    def array(self, node: tree.Array) -> Step:
        """`[a, b]`."""
        items = [self.compile(item) for item in node.items]

        def compute(state: State) -> object:
            state.budget.reserve_list(len(items))
            return [item(state) for item in items]

        return compute

    def map(self, node: tree.Map) -> Step:
        """`{a: b}`."""
        pairs = [(self.compile(key), self.compile(value)) for key, value in node.pairs]

        def compute(state: State) -> object:
            state.budget.reserve_list(2 * len(pairs))
            made: dict[str, object] = {}
            for key, value in pairs:
                name = key(state)
                if not isinstance(name, str):
                    raise ExpressionError(f"a map key must be a string, not {kind_of(name)}", position=node.position)
                made[name] = value(state)
            return made

        return compute

    def call(self, node: tree.Call) -> Step:
        """A function."""
        function = self.functions.get(node.name)
        if function is None:
            if node.name in self.refused:
                raise ExpressionError(
                    f"{node.name}() is not supported: {self.refused[node.name]}", position=node.position
                )
            raise self.unknown_function(node)
        arguments = [self.compile(argument) for argument in node.arguments]
        apply = function.apply

        def compute(state: State) -> object:
            values = [argument(state) for argument in arguments]
            try:
                return apply(state.budget, values)
            except ExpressionError as problem:
                raise placed(problem, node.position) from None

        return compute

    def unknown_function(self, node: tree.Call) -> ExpressionError:
        """The error for a call of nothing, with the nearest name there is."""
        known = [*self.functions, *predicates.TESTS]
        import difflib

        near = difflib.get_close_matches(node.name, known, n=1, cutoff=0.6)
        last = node.name.rsplit(".", 1)[-1]
        if not near:
            near = [name for name in known if name.rsplit(".", 1)[-1].lower() == last.lower()][:1]
        hint = f"did you mean {near[0]}?" if near else ""
        return ExpressionError(f"unknown function {node.name}()", position=node.position, hint=hint)

    def method_call(self, node: tree.MethodCall) -> Step:
        """A method of a date, a duration or a zone."""
        base = self.compile(node.base)
        arguments = [self.compile(argument) for argument in node.arguments]

        def compute(state: State) -> object:
            value = base(state)
            if value is _BROKEN or (node.optional and value is None):
                return _BROKEN
            try:
                return _call_method(state, value, node.method, [argument(state) for argument in arguments])
            except ExpressionError as problem:
                raise placed(problem, node.position) from None

        return compute

    def predicate_call(self, node: tree.PredicateCall) -> Step:
        """`filter(items, predicate)` and the like."""
        items = self.compile(node.items)
        predicate = self.compile(node.predicate) if node.predicate is not None else None
        more = [self.compile(argument) for argument in node.more]
        run = predicates.TESTS[node.name]

        def compute(state: State) -> object:
            values = items(state)
            try:
                if not isinstance(values, list | tuple):
                    raise ExpressionError(f"{node.name}() takes an array, not {kind_of(values)}")
                elements = cast("Sequence[object]", values)
                result = run(_Loop(state, elements, predicate, node.weight), [argument(state) for argument in more])
                state.budget.reserve_value(result)
                return result
            except ExpressionError as problem:
                raise placed(problem, node.position) from None

        return compute

    def let(self, node: tree.Let) -> Step:
        """`let name = value; body`."""
        value = self.compile(node.value)
        if node.name in self.bound:
            raise ExpressionError(f"cannot redeclare variable {node.name}", position=node.position)
        if node.name in self.functions or node.name in predicates.TESTS:
            raise ExpressionError(f"cannot redeclare builtin {node.name}", position=node.position)
        slot = self.bound[node.name] = self.slots
        self.slots += 1
        body = self.compile(node.body)
        del self.bound[node.name]

        def compute(state: State) -> object:
            state.slots[slot] = value(state)
            return body(state)

        return compute

    def sequence(self, node: tree.Sequence) -> Step:
        """`a; b`."""
        steps = [self.compile(part) for part in node.nodes]

        def compute(state: State) -> object:
            result: object = None
            for step in steps:
                result = step(state)
            return result

        return compute


class _Loop(predicates.Loop):
    """A predicate over the elements of a list; what `#` meant outside is put back at the end."""

    __slots__ = ("predicate", "state", "weight")

    def __init__(self, state: State, items: Sequence[object], predicate: Step | None, weight: int) -> None:
        super().__init__(items, state.budget, predicate is not None)
        self.state = state
        self.predicate = predicate
        self.weight = weight

    def value(self, index: int, acc: object = None) -> object:
        """The predicate's value for one element; without a predicate, the element."""
        state, item = self.state, self.items[index]
        state.budget.spend(self.weight)
        if self.predicate is None:
            return item
        before = (state.item, state.index, state.acc)
        state.item, state.index, state.acc = item, index, acc
        try:
            return self.predicate(state)
        finally:
            state.item, state.index, state.acc = before


def dotted_parts(node: tree.Node) -> tuple[tuple[str, ...], tuple[bool, ...]]:
    """The parts of a name with constant text keys, and which stand after `?.`; nothing for any other node."""
    keys: list[str] = []
    optional: list[bool] = []
    while isinstance(node, tree.Member | tree.Chain):
        if isinstance(node, tree.Chain):
            if not keys:
                return (), ()
            node = node.node
            continue
        if not isinstance(node.key, tree.Literal) or not isinstance(node.key.value, str):
            return (), ()
        keys.append(node.key.value)
        optional.append(node.optional)
        node = node.base
    if not isinstance(node, tree.Name):
        return (), ()
    return (node.name, *reversed(keys)), (False, *reversed(optional))


def placed(problem: ExpressionError, position: int) -> ExpressionError:
    """The error with a position, unless a nearer one is known."""
    if problem.position is None:
        problem.position = position
    return problem


def _whole_scope(state: State) -> object:
    found = paths.expanded(state.names)
    state.budget.reserve_list(len(found))
    return found


def _nothing(state: State) -> object:
    return None


def _positive(value: object) -> object:
    if not operations.is_number(value):
        raise ExpressionError(f"invalid operation: +{kind_of(value)}")
    return value


def _and(state: State, left: object, right: Step) -> object:
    return operations.boolean(left, "&&") and operations.boolean(right(state), "&&")


def _or(state: State, left: object, right: Step) -> object:
    return operations.boolean(left, "||") or operations.boolean(right(state), "||")


def _coalesce(state: State, left: object, right: Step) -> object:
    return right(state) if left is None else left


_SHORT: dict[str, Callable[[State, object, Step], object]] = {"&&": _and, "||": _or, "??": _coalesce}


def _call_method(state: State, value: object, name: str, arguments: list[object]) -> object:
    methods: Mapping[str, tuple[str, Callable[..., object]]] = value.methods if isinstance(value, Spoken) else {}
    if name not in methods:
        import difflib

        near = difflib.get_close_matches(name, methods, n=1)
        hint = f"did you mean {near[0]}()?" if near else ""
        raise ExpressionError(f"{kind_of(value)} has no method {name}()", hint=hint)
    kinds, run = methods[name]
    state.budget.spend(4)
    result = run(value, *check(name, kinds, arguments))
    state.budget.reserve_value(result)
    return result


_COMPILERS: dict[type[tree.Node], Callable[[Compiler, tree.Node], Step]] = cast(
    "dict[type[tree.Node], Callable[[Compiler, tree.Node], Step]]",
    {
        tree.Literal: Compiler.literal,
        tree.Name: Compiler.name,
        tree.Pointer: Compiler.pointer,
        tree.Member: Compiler.member,
        tree.Chain: Compiler.chain,
        tree.Slice: Compiler.slice,
        tree.Unary: Compiler.unary,
        tree.Binary: Compiler.binary,
        tree.Conditional: Compiler.conditional,
        tree.Array: Compiler.array,
        tree.Map: Compiler.map,
        tree.Call: Compiler.call,
        tree.MethodCall: Compiler.method_call,
        tree.PredicateCall: Compiler.predicate_call,
        tree.Let: Compiler.let,
        tree.Sequence: Compiler.sequence,
    },
)
