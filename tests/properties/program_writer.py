"""Writes random programs: every construct, on values of every kind, of a size that is asked for.

It knows what the front-end documents as not possible, and writes none of it: a list of files that was put together, or
that a loop gave, leaves a workflow, a branch or a body only through a step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from random import Random
from typing import Any

import program_steps as steps
from random_programs import (
    Block,
    Call,
    Const,
    Field,
    For,
    Function,
    In,
    Index,
    ListOf,
    Node,
    Op,
    Part,
    RecordOf,
    Unrolled,
    Var,
    When,
    While,
)

KINDS = tuple(steps.TYPES)
PLAIN = tuple(kind for kind in KINDS if kind not in steps.WITH_FILES)
LISTS = {element: kind for kind, element in steps.ELEMENTS.items()}
INPUTS = (
    "int",
    "float",
    "str",
    "bool",
    "mode",
    "color",
    "maybe_int",
    "ints",
    "strs",
    "points",
    "counts",
    "box",
    "pair",
)
# States of loops, and the number in each that the loop goes on by.
STATES = {"int": (), "point": ("x",), "model": ("accuracy",), "study": ("model", "accuracy"), "box": ("point", "x")}


@dataclass(frozen=True)
class Known:
    """A value that a program has. loose_in: the block in which it is files of a loop, or a part of a folder."""

    node: Node
    kind: str
    loose_in: int = 0


class Place:
    """A block being written, with the values that it can use."""

    count = 0

    def __init__(self, known: list[Known]) -> None:
        Place.count += 1
        self.number = Place.count
        self.known = list(known)
        self.block = Block()


class Writer:
    def __init__(self, random: Random, size: int) -> None:
        self.random = random
        self.left = size
        self.names = 0
        self.parts: list[Function] = []

    # -- small choices

    def maybe(self, chance: float) -> bool:
        return self.random.random() < chance

    def name(self, word: str) -> str:
        self.names += 1
        return f"{word}{self.names}"

    def seed(self) -> int:
        return self.random.randint(0, 40)

    def constant(self, kind: str) -> Any:
        return steps.made(kind, self.seed())

    def add(self, place: Place, node: Node, kind: str, *, loose: bool = False) -> Node:
        """A statement: the value gets a name. kind: "" for none."""
        name = self.name("v")
        place.block.statements.append((name, node))
        if kind:
            place.known.append(Known(Var(name), kind, place.number if loose else 0))
        return Var(name)

    # -- values

    def value(self, place: Place, kind: str, *, tight: bool = False, literal: bool = False, deep: int = 0) -> Node:
        """A value of a kind. tight: it can leave the block. literal: it may be a list of files that is written out."""
        found: list[Callable[[], Node]] = []
        fitting = [one for one in place.known if one.kind == kind and not (tight and one.loose_in == place.number)]
        if fitting:
            found += [lambda: self.random.choice(fitting[-4:]).node] * 4
        if deep < 2:
            found += self.parts_of(place, kind, tight)
            found += self.made_of(place, kind, tight, literal, deep)
        if kind not in steps.WITH_FILES:
            found += [lambda: Const(self.constant(kind))] * 2
        if not found or self.maybe(0.1):
            found = [lambda: self.step_for(place, kind)]
        return self.random.choice(found)()

    def parts_of(self, place: Place, kind: str, tight: bool) -> list[Callable[[], Node]]:
        """Fields of records that are known, files of folders."""
        found: list[Callable[[], Node]] = []
        for one in place.known:
            if tight and one.loose_in == place.number:
                continue
            for field, inner in steps.FIELDS.get(one.kind, ()):
                if inner == kind:
                    found.append(lambda one=one, field=field: Field(one.node, field))
            if one.kind == "box" and kind in ("int", "float", "str"):
                field = {"int": "x", "float": "y", "str": "label"}[kind]
                found.append(lambda one=one, field=field: Field(Field(one.node, "point"), field))
            if one.kind == "study" and kind == "file":
                found.append(lambda one=one: Field(Field(one.node, "model"), "weights"))
            if (one.kind, kind) in (("pair", "int"), ("path_pair", "file")):
                found.append(lambda one=one: Index(one.node, 0))
            if (one.kind, kind) in (("pair", "str"), ("path_pair", "int")):
                found.append(lambda one=one: Index(one.node, 1))
            if one.kind == "folder" and kind == "file" and not tight:
                found.append(lambda one=one: In(one.node, self.random.choice(("part", "deep/er"))))
        return found

    def made_of(self, place: Place, kind: str, tight: bool, literal: bool, deep: int) -> list[Callable[[], Node]]:
        """Values that are put together: numbers computed, conditions, lists and records of other values."""

        def inner(which: str) -> Node:
            return self.value(place, which, tight=tight, deep=deep + 1)

        if kind in ("int", "float"):
            sign = self.random.choice("+-*" if kind == "int" else "+-")
            small = Const(self.random.randint(-3, 3))
            found = [lambda: Op(sign, (inner(kind), small))]
            if kind == "float":
                found += [
                    lambda: Op("/", (inner("float"), Const(self.random.choice((2, 0.5, -4))))),
                    lambda: Op("*", (Op("/", (inner("int"), Const(8))), Const(0.5))),
                    lambda: Op("-", (Const(1.5), inner("float"))),
                ]
            return [*found, lambda: Op("neg", (inner(kind),))]
        if kind == "str":
            return [
                lambda: Op("+", (inner("str"), Const(self.constant("str")))),
                lambda: Op("+", (inner("str"), inner("str"))),
            ]
        if kind == "bool":
            return [lambda: self.condition(place, deep + 1)] * 2
        if kind in steps.ELEMENTS and (literal or kind not in steps.MANY):
            element = steps.ELEMENTS[kind]
            if element not in steps.MANY:
                return [lambda: ListOf(tuple(inner(element) for _ in range(self.random.randint(0 if deep else 1, 3))))]
        if kind in steps.FIELDS:
            return [lambda: RecordOf(kind, tuple(inner(one) for _, one in steps.FIELDS[kind]))]
        if kind in ("pair", "path_pair"):
            kinds = ("int", "str") if kind == "pair" else ("file", "int")
            return [lambda: RecordOf(kind, tuple(inner(one) for one in kinds))]
        return []

    def condition(self, place: Place, deep: int = 0) -> Node:
        def inner(kind: str) -> Node:
            return self.value(place, kind, deep=deep + 1)

        kind = self.random.choice(
            ("int", "int", "float", "str", "bool", "color", "level", "mode", "maybe_int", "maybe_str", "mixed")
        )
        if kind == "mixed":
            return Op(self.random.choice(("<", ">=", "==")), (inner("int"), inner("float")))
        if kind in ("int", "float", "str"):
            return Op(self.random.choice(("<", "<=", ">", ">=", "==", "!=")), (inner(kind), inner(kind)))
        if kind == "bool" and deep < 3:
            choice = self.random.randint(0, 3)
            if choice == 0:
                return Op("not", (self.value(place, "bool", deep=deep + 1),))
            if choice == 3:
                return self.value(place, "bool", deep=deep + 1)
            return Op("&|"[choice - 1], (self.condition(place, deep + 1), self.condition(place, deep + 1)))
        if kind == "bool":
            return Const(self.maybe(0.5))
        other = Const(None) if kind.startswith("maybe") and self.maybe(0.5) else Const(self.constant(kind))
        return Op(self.random.choice(("==", "!=")), (inner(kind), other))

    def step_for(self, place: Place, kind: str) -> Node:
        """A new statement that makes a value."""
        if kind in steps.MANY and self.maybe(0.5):
            return self.add(place, Call(f"make_{kind}", {"seed": Const(self.seed())}), kind)
        seed: Node = Const(self.seed())
        if ints := [one.node for one in place.known if one.kind == "int"]:
            seed = self.random.choice([*ints, seed])
        return self.add(place, Call(f"make_{kind}", {"seed": seed}), kind)

    def leaving(self, place: Place, kind: str) -> Node:
        """A value that a block can give."""
        return self.value(place, kind, tight=True)

    # -- statements

    def statements(self, place: Place, most: int, deep: int) -> None:
        """At least one statement that calls a step."""
        before = len(place.block.statements)
        for _ in range(self.random.randint(1, most)):
            if self.left > 0:
                self.statement(place, deep)
        if len(place.block.statements) == before or self.maybe(0.2):
            self.add(place, self.noted(place), "")

    def statement(self, place: Place, deep: int) -> None:
        self.left -= 1
        choices = [self.call] * 6 + [self.assigned]
        if deep < 3:
            choices += [self.when, self.loop, self.while_loop, self.loop, self.when, self.unrolled, self.part]
        self.random.choice(choices)(place, deep)

    def noted(self, place: Place) -> Node:
        return Call("note", {"word": self.value(place, "str"), "number": self.value(place, "int")})

    def call(self, place: Place, deep: int) -> None:
        random = self.random
        if self.maybe(0.01):
            self.add(place, Call("fails_if", {"value": self.value(place, "int"), "bad": self.condition(place)}), "int")
            return
        which = random.choice(
            ("make", "tell", "tell", "change", "change", "mixed", "flaky", "note", "indices", "remembered")
        )
        kind = random.choice(KINDS)
        more = self.options(place)
        if which == "make":
            node, gives = Call(f"make_{kind}", {"seed": self.value(place, "int")}, **more), kind
        elif which == "tell":
            given = {"value": self.value(place, kind, literal=True)}
            if self.maybe(0.5):
                given["more"] = self.value(place, "str")
            else:
                given["more"] = Const("")
            node, gives = Call(f"tell_{kind}", given, **more), "str"
        elif which == "change":
            given = {"value": self.value(place, kind, literal=True)}
            if self.maybe(0.5):
                given["by"] = Const(random.randint(0, 9))
            node, gives = Call(f"change_{kind}", given, **more, in_order=self.maybe(0.3)), kind
        elif which == "mixed":
            node, gives = self.mixed(place, more), "str"
        elif which == "flaky":
            times = random.randint(0, 2)
            more["using"] = {**more.get("using", {}), "retry": random.randint(times, 3)}
            given = {"value": self.value(place, "int"), "times": Const(times), "key": Const(self.name("key"))}
            node, gives = Call("flaky", given, **more), "int"
        elif which == "indices":
            node, gives = Call("indices", {"count": self.value(place, "int")}, **more), "ints"
        elif which == "remembered":
            node, gives = (
                Call("remembered", {"number": self.value(place, "int"), "word": self.value(place, "str")}, **more),
                "str",
            )
        else:
            node, gives = self.noted(place), ""
        self.add(place, node, gives)

    def mixed(self, place: Place, more: dict[str, Any]) -> Node:
        kinds = {
            "number": "int",
            "ratio": "float",
            "word": "str",
            "flag": "bool",
            "color": "color",
            "point": "point",
            "box": "box",
            "names": "strs",
            "extra": "maybe_file",
            "models": "models",
        }
        given = {
            name: self.value(place, kind, literal=True)
            for name, kind in kinds.items()
            if name == "number" or self.maybe(0.4)
        }
        if "extra" not in given and self.maybe(0.2):
            given["extra"] = Const(None) if self.maybe(0.3) else self.value(place, "file")
        return Call("mixed", given, **more)

    def options(self, place: Place) -> dict[str, Any]:
        more: dict[str, Any] = {}
        if self.maybe(0.1):
            more["using"] = {"timeout": "1h"} if self.maybe(0.5) else {"env": {"WORD": "w"}, "memory": "1Gi"}
        if self.maybe(0.1):
            more["named"] = self.random.choice(("own-name", "x", "item"))
        if self.maybe(0.1) and place.known:
            more["after"] = (self.random.choice(place.known).node,)
        return more

    def assigned(self, place: Place, deep: int) -> None:
        kind = self.random.choice(("int", "float", "str", "bool", "point", "pair", "ints", "strs", "box"))
        # It may be a part of something that cannot leave this block; without files that does not matter.
        self.add(place, self.value(place, kind), kind)

    def inner(self, place: Place, *more: Known) -> Place:
        return Place([*place.known, *more])

    def block(self, place: Place, deep: int, kind: str, *more: Known, can_be_bare: bool = False) -> Block:
        """A block within a place, which gives a value of a kind, "" for none."""
        inner = self.inner(place, *more)
        if not (can_be_bare and self.maybe(0.3)):
            self.statements(inner, 3, deep + 1)
        if kind:
            inner.block.gives = self.leaving(inner, kind)
        return inner.block

    def when(self, place: Place, deep: int) -> None:
        condition = self.condition(place)
        if self.maybe(0.3):
            node = When(condition, self.block(place, deep, ""), None, decorated=self.maybe(0.5))
            self.add(place, node, "")
            return
        kind = self.random.choice(("", *KINDS))
        then = self.block(place, deep, kind, can_be_bare=bool(kind))
        otherwise = self.block(place, deep, kind, can_be_bare=bool(kind))
        # Where the condition is a constant there is no branch, but the value itself.
        self.add(place, When(condition, then, otherwise), kind, loose=kind in steps.WITH_FILES)

    def loop(self, place: Place, deep: int) -> None:
        kind = self.random.choice(tuple(steps.ELEMENTS))
        over = self.over(place, kind)
        item = self.name("item")
        gives = self.random.choice(("", *LISTS))
        body = self.block(place, deep, gives, Known(Var(item), steps.ELEMENTS[kind]))
        if not any(_calls(node) for _, node in body.statements):
            body.statements.insert(0, (self.name("v"), self.noted(place)))
        parallelism = self.random.choice((None, None, 1, 2))
        node = For(over, item, body, parallelism, decorated=self.maybe(0.2))
        self.add(place, node, LISTS[gives] if gives else "", loose=gives in steps.WITH_FILES)

    def over(self, place: Place, kind: str) -> Node:
        if kind == "ints" and self.maybe(0.4):
            return self.add(place, Call("indices", {"count": self.value(place, "int")}), "ints")
        return self.value(place, kind)

    def while_loop(self, place: Place, deep: int) -> None:
        random = self.random
        kind = random.choice(tuple(STATES))
        state = self.name("state")
        init = self.value(place, kind, tight=True)
        init = self.add(place, init, kind)
        at, now = reduce(Field, STATES[kind], init), reduce(Field, STATES[kind], Var(state))
        by, wanted = random.randint(1, 3), random.randint(0, 3)
        bound: Node = Op("+", (at, Const(by * wanted)))
        if self.maybe(0.2):
            bound = self.value(place, "float" if "accuracy" in STATES[kind] else "int")
        condition: Node = Op("<" if "accuracy" in STATES[kind] else random.choice(("<", "!=")), (now, bound))
        if self.maybe(0.2):
            condition = Op("&", (condition, self.condition(place, 2)))
        inner = self.inner(place, Known(Var(state), kind))
        if self.maybe(0.6):
            self.statements(inner, 2, deep + 1)
        inner.block.gives = self.next_state(inner, kind, state, by)
        most = random.choice((wanted or 1, wanted + 1, 4))
        on_limit = "stop" if most < wanted or self.maybe(0.85) else "fail"
        node = While(state, condition, inner.block, init, most, on_limit, decorated=self.maybe(0.3))
        self.add(place, node, kind)

    def next_state(self, place: Place, kind: str, state: str, by: int) -> Node:
        if kind == "int":
            return Op("+", (Var(state), Const(by)))
        if kind in ("study", "box"):
            return self.add(place, Call(f"change_{kind}", {"value": Var(state), "by": Const(by)}), kind)
        step, name = ("moved", "point") if kind == "point" else ("grown", "model")
        given = {name: Var(state), "by": Const(by if kind == "point" else float(by))}
        return self.add(place, Call(step, given, in_order=True), kind)

    def unrolled(self, place: Place, deep: int) -> None:
        kind = self.random.choice(("int", "str", "point", "maybe_int"))
        over = [self.constant(kind) for _ in range(self.random.randint(0, 2))]
        item, gives = self.name("k"), self.random.choice(("", *LISTS))
        body = self.block(place, deep, gives, Known(Var(item), kind))
        node = self.add(place, Unrolled(item, over, body), "")
        if not gives:
            return
        if gives in steps.WITH_FILES:
            if gives not in steps.MANY:
                self.add(place, Call(f"tell_{LISTS[gives]}", {"value": node, "more": Const("")}), "str")
        else:
            place.known.append(Known(node, LISTS[gives]))

    def part(self, place: Place, deep: int) -> None:
        if not self.parts or self.maybe(0.3):
            if self.left < 3:
                return
            self.parts.append(self.function(f"part_{len(self.parts) + 1}", deep + 1))
        part = self.random.choice(self.parts)
        given = {
            name: self.value(place, kind)
            for name, kind in part.parameters.items()
            if name not in part.defaults or self.maybe(0.5)
        }
        self.add(place, Part(part, given), str(part.gives or ""))

    # -- whole functions

    def function(self, name: str, deep: int) -> Function:
        """A workflow that others can call."""
        parameters = {self.name("p"): self.random.choice(KINDS) for _ in range(self.random.randint(0, 3))}
        defaults = {one: self.constant(kind) for one, kind in parameters.items() if kind in PLAIN and self.maybe(0.5)}
        parts, self.parts = self.parts, list(self.parts)
        place = Place([Known(Var(one), kind) for one, kind in parameters.items()])
        self.statements(place, 3, deep)
        gives = self.random.choice(("", *KINDS))
        if gives:
            place.block.gives = self.leaving(place, gives)
        self.parts = parts
        if not any(_calls(node) for _, node in place.block.statements):
            place.block.statements.append((self.name("v"), self.noted(place)))
        return Function(name, parameters, defaults, place.block, gives or None, annotated=gives != "")

    def program(self) -> tuple[Function, dict[str, Any]]:
        """A workflow, and the arguments of a run of it."""
        kinds = ["int", *(self.random.choice(INPUTS) for _ in range(self.random.randint(0, 3)))]
        parameters = {("number" if at == 0 else self.name("p")): kind for at, kind in enumerate(kinds)}
        defaults = {one: self.constant(kind) for one, kind in parameters.items() if self.maybe(0.6)}
        given = {one: self.constant(kind) for one, kind in parameters.items() if one not in defaults or self.maybe(0.4)}
        if self.maybe(0.3):
            parameters["data"] = self.random.choice(("file", "folder", "maybe_file"))
            found = self.constant(parameters["data"])
            if found is not None:
                given["data"] = found
            else:
                defaults["data"] = None
        place = Place([Known(Var(one), kind) for one, kind in parameters.items()])
        while self.left > 0:
            self.statements(place, 4, 0)
        if self.maybe(0.05):
            self.add(place, Call("fails_if", {"value": self.value(place, "int"), "bad": self.condition(place)}), "int")
        if not any(_calls(node) for _, node in place.block.statements):
            place.block.statements.append((self.name("v"), self.noted(place)))
        shown = list(dict.fromkeys(one.kind for one in place.known if one.kind not in parameters.values()))
        gives = (*self.random.sample(shown, min(len(shown), 4)), "int")
        place.block.gives = RecordOf("pair", tuple(self.leaving(place, kind) for kind in gives))
        function = Function("program", parameters, defaults, place.block, gives, on_exit=self.maybe(0.2))
        return function, given


def _calls(node: Node) -> bool:
    """Whether a statement surely calls a step."""
    return isinstance(node, Call)


def program(seed: int, size: int) -> tuple[Function, dict[str, Any]]:
    return Writer(Random(seed), size).program()
