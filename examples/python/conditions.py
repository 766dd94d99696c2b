"""A value of a step decides what runs, and the branch that ran gives the value of both."""

from argosy import not_, step, when, workflow


@step
def measure(text: str) -> int:
    return len(text)


@step
def shorten(text: str, most: int) -> str:
    return text[:most]


@step
def warn(length: int) -> None:
    print(f"too long: {length}")


@workflow
def conditions(text: str = "a rather long text", most: int = 8, strict: bool = False) -> str:
    length = measure(text)

    @when((length > most) & not_(strict))
    def complain() -> None:
        warn(length)

    complain()
    return when(length > most, then=lambda: shorten(text, most), otherwise=lambda: text)
