"""A workflow that is a part of another one, and one step after another that gives it nothing."""

from argosy import step, workflow


@step
def double(number: int) -> int:
    return number * 2


@step
def announce(number: int) -> None:
    print(f"starting from {number}")


@step
def add(one: int, other: int) -> int:
    return one + other


@workflow
def quadruple(number: int) -> int:
    return double(double(number))


@workflow
def parts(number: int = 3) -> int:
    said = announce(number)
    first = double.after(said).named("first")(number)
    return add(quadruple(number), quadruple(first))
