"""What type checkers see of a workflow in Python: the declared types, everywhere, and mistakes where they are made."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import argosy

LISTING = """\
from pathlib import Path
from typing import NamedTuple

from argosy import for_loop, run, run_with, step, when, while_loop, workflow


class Model(NamedTuple):
    weights: Path
    accuracy: float


gpu = run_with(image="ml:1", gpus=1, retry=3, timeout="1h")


@step(image="ml:1")
def prepare() -> Path:
    return Path("data")


@step
@gpu
def train(data: Path, lr: float) -> Model:
    return Model(data, lr)


@step
def pick_best(models: list[Model]) -> Model:
    return max(models, key=lambda m: m.accuracy)


@step
@gpu
def improve(data: Path, model: Model) -> Model:
    return model


@step
def register(model: Model) -> None:
    return None


@step
def notify(status: str) -> None:
    return None


@workflow(on_exit=notify)
def pipeline(lrs: list[float] = [0.1, 0.01, 0.001], target: float = 0.9) -> None:
    data = prepare()
    models = for_loop(lambda lr: train(data, lr), lrs, parallelism=3)
    best = pick_best(models)
    good = when(
        best.accuracy > target,
        then=lambda: best,
        otherwise=lambda: while_loop(
            lambda m: m.accuracy <= target,
            lambda m: improve(data, m),
            init=best,
            max_iterations=20,
        ),
    )
    register(good)


if __name__ == "__main__":
    run(pipeline, target=0.95)
    run(pipeline, on="argo", namespace="ml")
"""

# One edit of the listing each, and what is wrong with it.
MISTAKES = {
    "wrong_argument": ("train(data, lr), lrs", 'train(data, "fast"), lrs'),
    "missing_argument": ("train(data, lr), lrs", "train(data), lrs"),
    "unknown_field": ("best.accuracy > target", "best.acuracy > target"),
    "wrong_default": ("target: float = 0.9", 'target: float = "high"'),
    "other_item": ("lambda lr: train(data, lr), lrs", "improve, lrs"),
    "other_state": ("lambda m: improve(data, m),", "lambda m: train(data, 0.1).weights,"),
    "other_branch": ("then=lambda: best,", "then=lambda: data,"),
    "other_use": ("register(good)", "register(data)"),
}

# Every form keeps the types of the function below it. Each line is checked, by both.
FORMS = """\
from collections.abc import Callable
from pathlib import Path
from typing import assert_type

from argosy import (
    Dir, Run, Step, Workflow, bash, container, for_loop, not_, resource, run, run_with, step, template, when,
    while_loop, workflow,
)

gpu = run_with(gpus=1)


@step
def plain(a: int, b: str = "") -> float:
    return a / 2


@step(image="x", retry=2, timeout="1m", cache=True)
def with_options(a: int, b: str = "") -> float:
    return a / 2


@step
@gpu
def below(a: int, b: str = "") -> float:
    return a / 2


@gpu
@step
def above(a: int, b: str = "") -> float:
    return a / 2


with_types: Step[..., float] = plain
assert_type(plain(1, b="x"), float)
assert_type(with_options(1), float)
assert_type(below(1), float)
assert_type(above(1), float)
assert_type(plain.using(gpus=2)(1), float)
assert_type(plain.named("x").after(plain(1))(1), float)
assert_type(plain.on_exit(with_options)(1), float)


@bash(image="alpine")
def print_date(fmt: str = "%F") -> str:
    return 'date +"$fmt"'


@container(image="alpine", command=["sort"])
def sort(lines: Path) -> Path:
    raise NotImplementedError


@resource(manifest="", success="status.succeeded > 0", outputs={"result": "{.status.phase}"})
def job(name: str) -> str:
    raise NotImplementedError


@template("trainers", "train")
def trained(data: Path, epochs: int = 3) -> Dir:
    raise NotImplementedError


assert_type(print_date(), str)
assert_type(sort(Path("x")), Path)
assert_type(job("x"), str)
assert_type(trained(Path("x")), Dir)


@step
def bye(status: str) -> None:
    return None


@workflow
def inner(x: int) -> float:
    return plain(x)


of_workflows: Workflow[..., float] = inner


@workflow(on_exit=bye, timeout="1h")
def outer(xs: list[int], n: int = 3) -> list[float]:
    first = inner(n)
    assert_type(first, float)

    @for_loop(xs)
    def each(x: int) -> float:
        return plain(x)

    assert_type(each(), list[float])

    @when(first > 2)
    def sometimes() -> None:
        plain(1)

    assert_type(sometimes, Callable[[], None])
    sometimes()

    @while_loop(lambda state: state > 1, max_iterations=5)
    def halved(state: float) -> float:
        return plain(int(state))

    assert_type(halved(first), float)
    assert_type(while_loop(lambda s: s > 1, lambda s: inner(1) + s, init=first, max_iterations=3), float)
    assert_type(for_loop(plain, xs), list[float])
    assert_type(for_loop(lambda x: for_loop(lambda y: with_options(x + y), xs), xs), list[list[float]])
    assert_type(when(not_(first > 1) & (first < 2), then=lambda: first, otherwise=lambda: plain(1)), float)
    assert_type(when(first > 1, then=lambda: bye("x")), None)
    return for_loop(lambda x: plain(x), range(n))


@step
def no_inputs() -> float:
    return 1.0


def direct(condition: bool) -> None:
    assert_type(when(condition, then=no_inputs, otherwise=no_inputs), float)


assert_type(run(inner, x=1), Run[float])
assert_type(run(inner, x=1).result, float)
assert_type(outer([1]), list[float])
"""


def said(folder: Path) -> dict[str, dict[str, list[str]]]:
    """The errors of each checker, by file."""
    found: dict[str, dict[str, list[str]]] = {"mypy": {}, "pyright": {}}
    mypy = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(folder / ".cache"), str(folder)]
    # Each is a program of its own; of several functions one may be without a body.
    ended = subprocess.run(
        [*mypy, "--no-error-summary", "--hide-error-context"], capture_output=True, text=True, check=False
    )
    assert ended.returncode in (0, 1), ended.stdout + ended.stderr
    for line in ended.stdout.splitlines():
        file, _, rest = line.partition(":")
        if " error: " in line:
            found["mypy"].setdefault(Path(file).stem, []).append(rest)
    (folder / "pyrightconfig.json").write_text(json.dumps({"typeCheckingMode": "strict", "pythonVersion": "3.11"}))
    pyright = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson", "-p", str(folder)]
    ended = subprocess.run(pyright, capture_output=True, text=True, check=False, cwd=folder)
    for one in json.loads(ended.stdout)["generalDiagnostics"]:
        if one["severity"] == "error":
            line = one["range"]["start"]["line"] + 1
            found["pyright"].setdefault(Path(one["file"]).stem, []).append(f"{line}: {one['message']}")
    return found


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[str]]]:
    """What both say of the listing, of each mistake in it, and of all forms: asked once."""
    folder = tmp_path_factory.mktemp("typed")
    (folder / "listing.py").write_text(LISTING)
    (folder / "forms.py").write_text(FORMS)
    for name, (right, wrong) in MISTAKES.items():
        assert LISTING.count(right) == 1, name
        (folder / f"{name}.py").write_text(LISTING.replace(right, wrong))
    return said(folder)


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
@pytest.mark.parametrize("program", ["listing", "forms"])
def test_good_programs_are_accepted(errors: dict[str, dict[str, list[str]]], checker: str, program: str) -> None:
    assert errors[checker].get(program, []) == []


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_found_near_where_they_are(
    errors: dict[str, dict[str, list[str]]], checker: str, mistake: str
) -> None:
    right, _ = MISTAKES[mistake]
    begins = LISTING[: LISTING.index(right)].count("\n") + 1
    lines = [int(one.partition(":")[0]) for one in errors[checker].get(mistake, [])]
    # A branch of another type is found where the value of both is used.
    last = LISTING[: LISTING.index("register(good)")].count("\n") + 1 if mistake == "other_branch" else begins + 4

    assert any(begins - 2 <= line <= last for line in lines), errors[checker][mistake]


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(argosy.__file__).parent / "py.typed").is_file()
