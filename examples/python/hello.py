"""A step, and a workflow that calls it: argosy run examples/python/hello.py who=moon"""

from argosy import step, workflow


@step
def greet(who: str, times: int) -> str:
    text = " ".join([f"hello {who}"] * times)
    print(text)
    return text


@workflow
def hello(who: str = "world", times: int = 2) -> str:
    return greet(who, times)
