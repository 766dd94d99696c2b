"""What a workflow function cannot do is told at the user's own line, with what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dsl_steps import (
    Model,
    best,
    data,
    fails,
    folder,
    in_lambda,
    note,
    number,
    pasted,
    point,
    remembered_file,
    takes_any,
    takes_words,
    texts,
    told,
    train,
    wants,
    word,
)

from argosy import TraceError, for_loop, not_, run_with, step, when, while_loop, workflow

LINES = Path(__file__).read_text().splitlines()
Body = Callable[[], Any]


def refused(body: Body) -> TraceError:
    with pytest.raises(TraceError) as caught:
        workflow(body).manifest()
    return caught.value


def asks_bool() -> None:
    if number() > 1:  # here: when(condition
        note("x")


def asks_bool_of_and() -> None:
    when(number() > 1 and number() < 3, lambda: note("x"))  # here: & |


def asks_not() -> None:
    when(not (number() > 1), lambda: note("x"))  # here: not_()


def inverts() -> None:
    when(~(number() > 1), lambda: note("x"))  # here: not_(condition)


def loops() -> None:
    for one in texts(2):  # here: for_loop(
        note(one)


def whiles() -> None:
    while number() < 3:  # here: while_loop
        note("x")


def asks_length() -> None:
    note(str(len(texts(2))))  # here: return it from a step


def asks_in() -> None:
    when("x" in texts(2), lambda: note("x"))  # here: in a step


def makes_text() -> None:
    note(str(number()))  # here: make the text there


def formats() -> None:
    note(f"{number()} of them")  # here: make the text there


def is_number() -> None:
    number(int(number()))  # here: do it in a step


def is_fraction() -> None:
    train(data(), float(point().y))  # here: do it in a step


def indexes() -> None:
    note(["a", "b"][number()])  # here: do it in a step


def ranges() -> None:
    for _ in range(number()):  # here: for_loop
        note("x")


def picks_by_value() -> None:
    note(texts(2)[number()])  # here: pick it in a step


def picks_last() -> None:
    note(texts(2)[-1])  # here: pick it in a step


def opens() -> None:
    with open(data()) as file:  # here: open it there
        note(file.read())


def reads() -> None:
    note(data().read_text())  # here: open it there


def joins_a_file() -> None:
    train(data() / "x", 0.1)  # here: return a Dir


def rests() -> None:
    number(number() % 2)  # here: do it in a step


def methods() -> None:
    note(word(1).upper())  # here: use .upper in a step


def unknown_field() -> None:
    number(point().z)  # here: it has x, y


def compares_files() -> None:
    when(data() == data(), lambda: note("x"))  # here: in a step


def compares_kinds() -> None:
    when(word(1) == 1, lambda: note("x"))  # here:


def leaks() -> None:
    found: list[int] = []
    for_loop(lambda one: found.append(number(3)), texts(2))
    number(found[0])  # here: return it from there


def unknown_option() -> None:
    number.using(gpu=2)(1)  # type: ignore  # here: it has image, retry


def unknown_argument() -> None:
    number(speed=3)  # type: ignore  # here:


def wrong_constant() -> None:
    number("three")  # type: ignore  # here:


def wrong_value() -> None:
    number(word(3))  # type: ignore  # here:


def path_of_here() -> None:
    train(Path("here.csv"), 0.1)  # here: make it an input of the workflow


def condition_calls() -> None:
    while_loop(lambda one: number() > one, number, init=0, max_iterations=3)  # here: call it in the body


def condition_of_number() -> None:
    when(number(), lambda: note("x"))  # type: ignore  # here: compare it


def branches() -> None:
    when(number() > 1, lambda: word(1), lambda: data())  # type: ignore  # here:


def state_changes() -> None:
    while_loop(lambda one: one < 3, lambda one: one * 0.5, init=number(), max_iterations=3)  # here: init=0.0


def too_deep() -> None:
    while_loop(lambda one: one < 3, lambda one: number(one), init=0, max_iterations=300)  # here: max_iterations can be


def no_state() -> None:
    while_loop(lambda one: True, lambda one: note("x"), init=None, max_iterations=3)  # here: init=


def odd_limit() -> None:
    while_loop(lambda one: one < 3, number, init=0, max_iterations=3, on_limit="go")  # type: ignore  # here: "fail" or "stop"


def no_iteration() -> None:
    while_loop(lambda one: one < 3, number, init=0, max_iterations=0)  # here:


def none_at_once() -> None:
    for_loop(word, [1, 2], parallelism=0)  # here:


def loops_over_number() -> None:
    for_loop(word, number())  # type: ignore  # here:


def loops_without_step() -> None:
    for_loop(lambda one: one, texts(2))  # here: comprehension


def not_of_number() -> None:
    when(not_(number()), lambda: note("x"))  # type: ignore  # here: compare it first


def ands_numbers() -> None:
    when((number() & 1) == 1, lambda: note("x"))  # type: ignore  # here: compare it first


def remembers_files() -> None:
    remembered_file(data())  # here: --cache


def handles_unknown() -> None:
    number.on_exit(wants)(1)  # here: status


def handles_plainly() -> None:
    number.on_exit(print)(1)  # here: @step


HERE = [one for name, one in list(globals().items()) if callable(one) and getattr(one, "__module__", "") == __name__]
MARKED = [one for one in HERE if "# here" in "".join(LINES[one.__code__.co_firstlineno - 1 :][:6])]


@pytest.mark.parametrize("body", [one for one in MARKED if one.__name__ != "refused"], ids=lambda one: one.__name__)
def test_it_is_told_at_the_line_with_the_rewrite(body: Body) -> None:
    error = refused(body)
    line = LINES[error.place.line - 1]
    assert Path(error.place.file) == Path(__file__)
    assert "# here" in line, (error, line)
    assert body.__code__.co_firstlineno <= error.place.line  # type: ignore[attr-defined]
    rewrite = line.partition("# here:")[2].strip()
    assert rewrite in error.hint, (rewrite, error.hint)
    assert line.strip() in str(error)


def test_files_of_a_loop_leave_a_workflow_through_a_step() -> None:
    def ungathered() -> list[Model]:
        return for_loop(lambda rate: train(data(), rate), [0.1])

    error = refused(ungathered)
    assert "give the list to a step" in error.hint
    assert "def ungathered" in LINES[error.place.line - 1]

    @workflow
    def gathered() -> Model:
        return best(for_loop(lambda rate: train(data(), rate), [0.1]))

    assert gathered.manifest()


@pytest.mark.parametrize("one", [takes_any, takes_words])
def test_a_step_takes_no_stars(one: Any) -> None:
    error = refused(lambda: one())
    assert "takes *values" in error.message
    assert "list" in error.hint


def test_a_step_is_found_by_its_name() -> None:
    assert "top of its file" in refused(lambda: in_lambda(3)).hint

    @step
    def inner(seed: int) -> int:
        return seed

    error = refused(lambda: inner(3))
    assert "inner" in error.message
    assert "top of its file" in error.hint
    assert Path(error.place.file) == Path(__file__)
    assert "@step" in LINES[error.place.line - 1]


def test_a_script_pastes_no_parameter() -> None:
    error = refused(lambda: pasted("x"))
    assert "run as code" in error.message
    assert '"$name"' in error.hint
    assert "echo {name}" in Path(error.place.file).read_text().splitlines()[error.place.line - 1]


@pytest.mark.parametrize("decorate", [step, run_with, workflow])
def test_an_option_that_there_is_not_is_told(decorate: Any) -> None:
    with pytest.raises(TraceError, match="has no option 'colour'") as caught:
        decorate(colour="red")
    assert "it has" in caught.value.hint
    assert Path(caught.value.place.file) == Path(__file__)


def test_a_workflow_has_a_step_and_does_not_call_itself() -> None:
    assert "calls no step" in refused(lambda: None).message

    @workflow
    def again() -> None:
        number()
        again()

    with pytest.raises(TraceError, match="calls itself") as caught:
        again.manifest()
    assert "while_loop" in caught.value.hint


def test_an_exit_handler_is_given_what_there_is() -> None:
    @workflow(on_exit=wants)
    def unhandled(more: int = 3) -> None:
        number(more)

    with pytest.raises(TraceError, match="takes 'other'") as caught:
        unhandled.manifest()
    assert "status" in caught.value.hint
    assert "more" in caught.value.hint

    @workflow(on_exit=told)
    def handled() -> None:
        fails(number())

    assert handled.manifest()["spec"]["onExit"]


def test_a_folder_is_asked_for_its_files_only() -> None:
    @workflow
    def picking() -> None:
        train(folder() / "in" / "deep", 0.1)

    with pytest.raises(TraceError):
        picking.manifest()

    @workflow
    def picked() -> None:
        train(folder() / "in/deep", 0.1)

    (task,) = (one for one in picked.manifest()["spec"]["templates"][0]["dag"]["tasks"] if one["name"] == "train")
    assert task["arguments"]["artifacts"][0]["subPath"] == "in/deep"
