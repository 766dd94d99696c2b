"""What runs at the end, however it came: of one step, and of the workflow."""

from argosy import step, workflow


@step
def work(fail: bool) -> str:
    if fail:
        raise ValueError("it was asked to fail")
    return "done"


@step
def tidy(status: str) -> None:
    print(f"work ended: {status}")


@step
def tell(status: str, name: str, fail: bool) -> None:
    print(f"{name} ended: {status} (fail={fail})")


@workflow(on_exit=tell)
def exits(fail: bool = False) -> str:
    return work.on_exit(tidy)(fail)
