"""The `depends` field of a DAG task: a condition on the outcomes of other tasks.

It knows the words of the condition (`A && (B.Failed || !C.Skipped)`), not how a task came by its outcome, nor
whether a named task exists. Source: Argo docs: enhanced-depends-logic.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

import msgspec

from argosy.errors import ExpressionError

MAX_NESTING = 100


class TaskState(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a task when it has come to rest. any_succeeded and all_failed speak of a loop's iterations."""

    succeeded: bool = False
    failed: bool = False
    errored: bool = False
    skipped: bool = False
    omitted: bool = False
    daemoned: bool = False
    any_succeeded: bool = False
    all_failed: bool = False


SELECTORS: dict[str, str] = {
    "Succeeded": "succeeded",
    "Failed": "failed",
    "Errored": "errored",
    "Skipped": "skipped",
    "Omitted": "omitted",
    "Daemoned": "daemoned",
    "AnySucceeded": "any_succeeded",
    "AllFailed": "all_failed",
}

BARE = ("succeeded", "skipped", "daemoned")

ContinueOn = Mapping[str, tuple[bool, bool]]

_TOKEN = r"\s*(?:(&&|\|\||==|!=|[!()])|([A-Za-z0-9_][-A-Za-z0-9_]*)(?:\.([A-Za-z0-9_]*))?)"
_WORD_OPERATORS = {"and": "&&", "or": "||", "not": "!"}


class Leaf(msgspec.Struct, frozen=True):
    """True if any of these fields of the task's state is."""

    task: str
    selector: str
    fields: tuple[str, ...]


class Constant(msgspec.Struct, frozen=True):
    """`true` or `false`, written out."""

    value: bool


class Not(msgspec.Struct, frozen=True):
    """The opposite of its part."""

    part: Condition


class Equal(msgspec.Struct, frozen=True):
    """Both sides have the same truth (or, if `same` is false, a different one)."""

    left: Condition
    right: Condition
    same: bool


class All(msgspec.Struct, frozen=True):
    """True if each part is."""

    parts: tuple[Condition, ...]


class Any(msgspec.Struct, frozen=True):
    """True if one part is."""

    parts: tuple[Condition, ...]


Condition = Leaf | Constant | Not | Equal | All | Any


class Depends(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed condition.

    references: each (task, selector or "") once, in the order written. trivial_all: the condition is nothing but
    bare names joined by `&&`. condition: the tree.
    """

    references: tuple[tuple[str, str], ...]
    condition: Condition
    trivial_all: bool

    def evaluate(self, states: Mapping[str, TaskState]) -> bool:
        """Whether the condition holds. Raises ExpressionError if a task has no state."""
        return _holds(self.condition, states)


def parse(text: str, continue_on: ContinueOn | None = None) -> Depends:
    """The condition that `text` says.

    continue_on: for tasks with continueOn, (error, failed): what a bare name accepts besides success. Raises
    ExpressionError with the position of the mistake.
    """
    return _read(text, continue_on) if continue_on else _read_plain(text)


@lru_cache(maxsize=4096)
def _read_plain(text: str) -> Depends:
    # Every check that looks at a task asks anew, and so does its plan.
    return _read(text, {})


def _read(text: str, continue_on: ContinueOn) -> Depends:
    reader = _Reader(text, continue_on)
    condition = reader.disjunction(0)
    reader.expect_end()
    return _finish(condition, reader.references)


def from_dependencies(names: Sequence[str], continue_on: ContinueOn | None = None) -> Depends:
    """The condition that the older `dependencies: [A, B]` means: each name bare, joined by `&&`."""
    known = continue_on or {}
    unique = tuple(dict.fromkeys(names))
    leaves = tuple(Leaf(name, "", _bare_fields(name, known)) for name in unique)
    return Depends(references=tuple((name, "") for name in unique), condition=All(leaves), trivial_all=True)


def _finish(condition: Condition, references: dict[tuple[str, str], None]) -> Depends:
    parts = condition.parts if isinstance(condition, All) else (condition,)
    trivial = all(isinstance(part, Leaf) and not part.selector for part in parts)
    return Depends(references=tuple(references), condition=condition, trivial_all=trivial)


def _bare_fields(task: str, continue_on: ContinueOn) -> tuple[str, ...]:
    error, failed = continue_on.get(task, (False, False))
    return BARE + (("errored",) if error else ()) + (("failed",) if failed else ())


def _holds(condition: Condition, states: Mapping[str, TaskState]) -> bool:
    if isinstance(condition, Leaf):
        state = states.get(condition.task)
        if state is None:
            raise ExpressionError(f"depends: the outcome of task '{condition.task}' is not known")
        return any(getattr(state, field) for field in condition.fields)
    if isinstance(condition, All):
        return all(_holds(part, states) for part in condition.parts)
    if isinstance(condition, Any):
        return any(_holds(part, states) for part in condition.parts)
    if isinstance(condition, Not):
        return not _holds(condition.part, states)
    if isinstance(condition, Equal):
        return (_holds(condition.left, states) is _holds(condition.right, states)) is condition.same
    return condition.value


class _Reader:
    """Reads one condition, token by token; `&&` and `||` gather their parts in a list, so long ones do not nest."""

    def __init__(self, text: str, continue_on: ContinueOn) -> None:
        self.text = text
        self.continue_on = continue_on
        self.references: dict[tuple[str, str], None] = {}
        self.offset = 0
        self.match = re.compile(_TOKEN).match
        self.token: re.Match[str] | None = None
        self.advance()

    def advance(self) -> None:
        """Step to the next token; None at the end."""
        found = self.match(self.text, self.offset)
        if found is None:
            rest = self.text[self.offset :].lstrip()
            if rest:
                raise self.problem(f"unexpected '{rest[0]}'", len(self.text) - len(rest))
            self.offset = len(self.text)
        else:
            self.offset = found.end()
        self.token = found

    def symbol(self) -> str:
        """The operator or bracket at hand, else ''."""
        return (self.token.group(1) or "") if self.token else ""

    def position(self) -> int:
        """Where the token at hand begins."""
        if self.token is None:
            return len(self.text)
        return self.token.start(1 if self.token.group(1) else 2)

    def problem(self, message: str, position: int | None = None, hint: str = "") -> ExpressionError:
        """An error that shows the condition."""
        shown = self.text if len(self.text) <= 200 else self.text[:197] + "..."
        where = self.position() if position is None else position
        return ExpressionError(f"depends '{shown}': {message}", position=where, hint=hint)

    def expect_end(self) -> None:
        """Refuse anything after a complete condition."""
        if self.token is None:
            return
        word = self.token.group(2) or self.token.group(1)
        better = _WORD_OPERATORS.get(word)
        hint = f"did you mean {better}?" if better else "join conditions with && or ||"
        raise self.problem(f"unexpected '{word}'", hint=hint)

    def disjunction(self, depth: int) -> Condition:
        """Conjunctions joined by `||`."""
        parts = [self.conjunction(depth)]
        while self.symbol() == "||":
            self.advance()
            parts.append(self.conjunction(depth))
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def conjunction(self, depth: int) -> Condition:
        """Comparisons joined by `&&`."""
        parts = [self.comparison(depth)]
        while self.symbol() == "&&":
            self.advance()
            parts.append(self.comparison(depth))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def comparison(self, depth: int) -> Condition:
        """One operand, or two with `==` or `!=` between."""
        left = self.operand(depth)
        operator = self.symbol()
        if operator not in ("==", "!="):
            return left
        self.advance()
        right = self.operand(depth)
        if self.symbol() in ("==", "!="):
            raise self.problem("comparisons cannot be chained; use parentheses")
        return Equal(left, right, operator == "==")

    def operand(self, depth: int) -> Condition:
        """A task, a negation or something in parentheses."""
        if depth > MAX_NESTING:
            raise self.problem(f"nested deeper than {MAX_NESTING} levels")
        symbol = self.symbol()
        if symbol == "!":
            self.advance()
            return Not(self.operand(depth + 1))
        if symbol == "(":
            opened = self.position()
            self.advance()
            inner = self.disjunction(depth + 1)
            if self.symbol() != ")":
                if self.token is not None:
                    self.expect_end()
                raise self.problem("this parenthesis is never closed", opened)
            self.advance()
            return inner
        if symbol or self.token is None:
            found = f"'{symbol}'" if symbol else "the end"
            raise self.problem(f"a task name is expected, found {found}")
        return self.task()

    def task(self) -> Condition:
        """A task's name, with or without a selector."""
        assert self.token is not None
        name, selector = self.token.group(2), self.token.group(3)
        where = self.position()
        if selector is None and name in ("true", "false"):
            self.advance()
            return Constant(name == "true")
        if selector is not None and selector not in SELECTORS:
            raise self.unknown_selector(name, selector, where + len(name) + 1)
        self.advance()
        self.references[(name, selector or "")] = None
        fields = _bare_fields(name, self.continue_on) if selector is None else (SELECTORS[selector],)
        return Leaf(name, selector or "", fields)

    def unknown_selector(self, name: str, selector: str, where: int) -> ExpressionError:
        """The error for a selector that does not exist."""
        import difflib

        near = difflib.get_close_matches(selector.capitalize(), SELECTORS, n=1, cutoff=0.5)
        hint = f"did you mean {name}.{near[0]}?" if near else f"one of: {', '.join(SELECTORS)}"
        return self.problem(f"task result '{selector}' for task '{name}' is invalid", where, hint)
