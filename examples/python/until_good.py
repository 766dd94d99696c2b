"""A loop that goes on while a condition holds for its state: Newton's way to a square root."""

from typing import NamedTuple

from argosy import step, while_loop, workflow


class Guess(NamedTuple):
    root: float
    error: float


@step
def begin(number: float) -> Guess:
    return Guess(number, abs(number * number - number))


@step
def halfway(number: float, guess: Guess) -> float:
    return (guess.root + number / guess.root) / 2


@step
def judge(number: float, root: float) -> Guess:
    print(f"{root}")
    return Guess(root, abs(root * root - number))


@workflow
def until_good(number: float = 2.0, tolerance: float = 1e-6) -> Guess:
    @while_loop(lambda guess: guess.error > tolerance, max_iterations=30)
    def better(guess: Guess) -> Guess:
        return judge(number, halfway(number, guess))

    return better(begin(number))
