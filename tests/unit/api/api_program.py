"""The program whose workflows the tests of `argosy.run` run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

from argosy import Dir, bash, for_loop, step, when, workflow


class Model(NamedTuple):
    weights: Path
    accuracy: float


@step
def train(lr: float) -> Model:
    print("training with", lr)
    file = Path("weights.txt")
    file.write_text(f"{lr}")
    return Model(file, 1 - lr)


@step
def pick_best(models: list[Model]) -> Model:
    return max(models, key=lambda model: model.accuracy)


@workflow
def search(lrs: list[float] = [0.5, 0.25]) -> Model:  # noqa: B006 - a default is a value of the manifest
    return pick_best(for_loop(train, lrs))


@step
def gather(models: list[Model]) -> list[Model]:
    return models


@workflow
def several() -> list[Model]:
    return gather([train(0.5), train(0.25)])


@step
def split(text: Path) -> Dir:
    folder = Path("parts")
    folder.mkdir()
    for number, line in enumerate(text.read_text().splitlines()):
        (folder / f"{number}.txt").write_text(line)
    return Dir(folder)


@step
def count(text: Path) -> int:
    return len(text.read_text().splitlines())


class Counted(NamedTuple):
    lines: int
    parts: Dir


@workflow
def counting(text: Path) -> Counted:
    return Counted(count(text), split(text))


@step
def fail(message: str) -> None:
    print("about to fail", file=sys.stderr)
    raise ValueError(message)


@workflow
def failing(message: str = "no luck") -> None:
    fail(message)


@bash()
def today(form: str) -> str:
    return 'printf %s "$form"'


@step
def shout(text: str) -> str:
    return text.upper()


@workflow
def scripted(form: str = "a") -> str:
    printed = today(form)
    return when(printed == "a", lambda: shout(printed), lambda: printed)
