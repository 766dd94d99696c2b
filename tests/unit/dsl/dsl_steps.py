"""Steps and types that the tests of the front-end call."""

from __future__ import annotations

import enum
import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from argosy import Dir, bash, run_with, secret, step


class Model(NamedTuple):
    weights: Path
    accuracy: float


class Point(NamedTuple):
    x: int
    y: float


@dataclass(frozen=True)
class Study:
    point: Point
    extra: Path | None
    notes: list[str]


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


@step
def number(seed: int = 1) -> int:
    return seed


@step
def texts(count: int) -> list[str]:
    return ["x"] * count


@step
def word(value: int) -> str:
    return str(value)


@step
def point() -> Point:
    return Point(1, 0.5)


@step
def data() -> Path:
    Path("data").write_text("data")
    return Path("data")


@step
def folder() -> Dir:
    return Dir(".")


@step
def train(data: Path, rate: float) -> Model:
    return Model(data, rate)


@step
def best(models: list[Model]) -> Model:
    return max(models, key=lambda one: one.accuracy)


@step
def note(text: str) -> None:
    print(text)


@step
def told(status: str) -> None:
    print(status)


@step
def wants(status: str, other: int) -> None:
    print(status, other)


@bash()
def pasted(name: str) -> str:
    return f"echo {name}"


@bash()
def printed(name: str, count: int = 1) -> str:
    return 'echo "$name"'


@step(
    image="ml:1",
    retry=3,
    timeout="1h30m",
    gpus=2,
    cpu=4,
    memory="8Gi",
    secrets={"TOKEN": secret("api", "token")},
    env={"MODE": "fast"},
    volumes={"/data": "my-claim"},
    labels={"team": "ml"},
)
def heavy(seed: int) -> int:
    return seed


@step(cache="2d")
def remembered(seed: int, text: str) -> int:
    return seed


@step(cache=True)
def remembered_file(data: Path) -> int:
    return 1


@run_with(image="other:2", memory="1Gi")
@step(image="ml:1")
def shared(seed: int) -> int:
    return seed


@step
def takes_any(*values: int) -> int:
    return sum(values)


@step
def takes_words(**values: int) -> int:
    return sum(values.values())


@step(env={"DSL_MODE": "fast"})
def secret_mode() -> str:
    return os.environ["DSL_MODE"]


@step
def fails(seed: int) -> int:
    raise ValueError(f"bad seed {seed}")


in_lambda = step(lambda seed: seed)
