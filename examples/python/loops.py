"""A loop of Python, which is unrolled, and for_loop over values that are known only when the workflow runs."""

from argosy import for_loop, step, workflow


@step
def sizes(largest: int) -> list[int]:
    return list(range(1, largest + 1))


@step
def score(size: int, weight: float) -> float:
    return size * weight


@step
def best(scores: list[float]) -> float:
    return max(scores)


@step
def total(parts: list[float]) -> float:
    return sum(parts)


@workflow
def loops(largest: int = 3, weights: list[float] = [0.5, 2.0]) -> float:
    found = sizes(largest)
    # Three steps, written out: the numbers stand in the program.
    fixed = [score(size, 1.0) for size in (10, 20, 30)]
    # As many as there are weights and sizes, one loop in the other.
    each = for_loop(
        lambda weight: best(for_loop(lambda size: score(size, weight), found, parallelism=2)),
        weights,
    )
    return total([best(fixed), best(each)])
