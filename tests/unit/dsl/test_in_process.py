"""Runs inside this process: what fails and why, retries without waiting, files, steps that need a stub."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dsl_steps as steps
import pytest
from dsl_steps import Model, best, fails, number, printed, remembered, secret_mode, told, train, word

from argosy import Retry, for_loop, while_loop, workflow
from argosy.errors import UsageError
from argosy.project.in_process import NeedsStub, run_in_process

CALLED: list[object] = []


def calling(**stubs: Callable[..., Any]) -> Callable[[str], object]:
    """The steps of `dsl_steps`, or others in their places."""

    def call(target: str) -> object:
        where, _, name = target.rpartition(":")
        if where.startswith("argosy."):
            from argosy.dsl.loading import load_target

            return load_target(target, Path())
        return stubs.get(name) or getattr(steps, name)

    return call


def trained(data: Path, rate: float) -> Model:
    Path("weights").write_text(f"{data.read_text()} at {rate}")
    return Model(Path("weights"), rate)


def made() -> Path:
    Path("data").write_text("data")
    return Path("data")


@workflow
def training(rates: list[float] = [0.5, 0.25], name: str = "") -> Model:  # noqa: B006
    file = steps.data()
    return best(for_loop(lambda rate: train(file, rate), rates))


def test_outputs_and_their_files() -> None:
    run = run_in_process(training.manifest(), call=calling(train=trained, data=made), parameters={"rates": "[1, 3, 2]"})
    assert (run.phase, run.failed, run.failures) == ("Succeeded", None, ())
    assert run.parameters == {"accuracy": "3.0"}
    assert run.artifacts["weights"].read_text() == "data at 3.0"
    assert run.plan.progress == "5/5"


def test_its_files_go_with_it() -> None:
    run = run_in_process(training.manifest(), call=calling(train=trained, data=made))
    folder = run.folder
    assert folder.is_dir()
    del run
    assert not folder.exists()


def test_an_input_that_there_is_not() -> None:
    with pytest.raises(UsageError, match="no input 'rate'") as caught:
        run_in_process(training.manifest(), parameters={"rate": "[]"})
    assert "rates" in caught.value.hint


@workflow(on_exit=told)
def failing(seed: int = 3) -> int:
    return number(fails(seed))


def test_a_failure_has_its_step_and_its_exception() -> None:
    CALLED.clear()
    run = run_in_process(failing.manifest(), call=calling(told=lambda status: CALLED.append(status)))
    assert run.phase == "Failed"
    assert run.failed is not None
    assert run.failed.node == "in-process.fails"
    assert run.failed.message == "ValueError: bad seed 3"
    assert isinstance(run.failed.exception, ValueError)
    assert CALLED == ["Failed"]
    assert {one.display_name: str(one.phase) for one in run.plan.nodes.values()}["number"] == "Omitted"


def test_what_a_step_gives_is_checked() -> None:
    def wrong(seed: int) -> int:
        return "three"  # type: ignore[return-value]

    def broken(status: str) -> None:
        raise OSError(status)

    run = run_in_process(failing.manifest(), call=calling(fails=wrong, told=broken))
    assert run.failed is not None
    # And not the handler that failed after it.
    assert "returned a wrong value: 'three' is no int" in run.failed.message
    assert [one.message for one in run.failures][1:] == ["OSError: Failed"]


@workflow
def trying() -> int:
    return number.using(retry=Retry(limit=3, backoff="1h", factor=2))(7)


def test_retries_wait_on_a_clock_of_their_own() -> None:
    CALLED.clear()

    def flaky(seed: int = 1) -> int:
        CALLED.append(seed)
        if len(CALLED) < 3:
            raise OSError("not yet")
        return seed

    before = time.monotonic()
    run = run_in_process(trying.manifest(), call=calling(number=flaky))
    assert time.monotonic() - before < 600
    assert (run.phase, run.parameters, len(CALLED)) == ("Succeeded", {"result": "7"}, 3)
    assert [one.message for one in run.failures] == ["OSError: not yet"] * 2
    assert run.plan.finished_at - run.plan.started_at >= 3 * 3600


@workflow
def limited() -> int:
    return while_loop(lambda one: one < 9, number, init=1, max_iterations=2)


def test_a_limit_says_what_it_is() -> None:
    run = run_in_process(limited.manifest(), call=calling())
    assert run.failed is not None
    assert "max_iterations" in run.failed.message


@workflow
def scripted(name: str = "it's $(HOME) $$ {{x}}") -> str:
    return printed(name)


def test_a_script_needs_a_stub_unless_commands_are_asked_for() -> None:
    with pytest.raises(NeedsStub, match="printed"):
        run_in_process(scripted.manifest(), call=calling())
    run = run_in_process(scripted.manifest(), call=calling(), commands=True)
    assert run.parameters == {"result": "it's $(HOME) $$ {{x}}"}


@workflow
def remembering() -> str:
    one = remembered(1, "a")
    return word(remembered.after(one)(1, "a"))


def test_a_step_is_remembered() -> None:
    CALLED.clear()

    def counted(seed: int, text: str) -> int:
        CALLED.append(seed)
        return seed + 1

    run = run_in_process(remembering.manifest(), call=calling(remembered=counted))
    assert (run.parameters, CALLED) == ({"result": "2"}, [1])


@workflow
def with_variables() -> str:
    return secret_mode()


def test_a_step_has_its_variables_and_a_folder_of_its_own() -> None:
    here = Path.cwd()
    run = run_in_process(with_variables.manifest(), call=calling())
    assert run.parameters == {"result": "fast"}
    assert "DSL_MODE" not in os.environ
    assert Path.cwd() == here
