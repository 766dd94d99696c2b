"""What substitution and evaluation cost: `python benchmarks/expressions.py`.

It prints microseconds per call, the best of five rounds, so that two checkouts can be compared.
"""

from __future__ import annotations

import json
import timeit
from collections.abc import Callable, Mapping

from argosy.expressions import condition, depends, expr, tags
from argosy.plan.scope import Scope

ROUNDS = 5

TWO_TAGS = json.dumps({"args": ["{{inputs.parameters.city}}", "{{=asInt(inputs.parameters.count) + 1}}"]})
SIMPLE = json.dumps({"args": ["{{inputs.parameters.city}}", "-n", "{{inputs.parameters.count}}"]})
PLAIN = json.dumps({"args": ["echo", "hello"] * 20})
CONJUNCTION = " && ".join(f"task-{number}" for number in range(10_000))


def best(run: Callable[[], object], number: int) -> float:
    """Microseconds per call."""
    run()
    return min(timeit.repeat(run, number=number, repeat=ROUNDS)) / number * 1e6


def main() -> None:
    """Print one line a case."""
    small: Mapping[str, object] = {"inputs.parameters.city": "Oslo", "inputs.parameters.count": "3"}
    large = Scope(small, {f"tasks.t{number}.outputs.result": str(number) for number in range(10_000)})
    parsed = depends.parse(CONJUNCTION)
    states = {task: depends.TaskState(succeeded=True) for task, _ in parsed.references}
    cases: list[tuple[str, Callable[[], object], int]] = [
        ("no tag", lambda: tags.substitute_json(PLAIN, small, allow_unresolved=True), 20_000),
        ("two simple tags", lambda: tags.substitute_json(SIMPLE, small, allow_unresolved=True), 5000),
        ("a simple and an expression tag", lambda: tags.substitute_json(TWO_TAGS, small, allow_unresolved=True), 5000),
        ("the same, scope of 10,000", lambda: tags.substitute_json(TWO_TAGS, large, allow_unresolved=True), 5000),
        ("evaluate a.b == 'x' && n > 1", lambda: expr.evaluate("a.b == 'x' && n > 1", {"a.b": "x", "n": 2}), 5000),
        ("parse an expression anew", lambda: expr.Program("a.b == 'x' && asInt(n) > 1 ? 'y' : 'z'"), 500),
        ("when, seen before", lambda: condition.evaluate_when("Failed in (Failed, Error)"), 5000),
        ("depends of 10,000, parsed", lambda: depends.parse(CONJUNCTION), 3),
        ("depends of 10,000, evaluated", lambda: parsed.evaluate(states), 20),
    ]
    for name, run, number in cases:
        print(f"{name:34} {best(run, number):12.2f} us")


if __name__ == "__main__":
    main()
