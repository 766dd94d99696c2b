"""Operations with steps: which steps there are, what they are given, and what cannot be a step."""

from __future__ import annotations

from typing import Any

import pytest
from guild_reading import flags, good, problems, read, spec_of, workflow

from argosy.model.manifest import Template, WorkflowStep

OPERATIONS = """
prepare: {main: m, flags: {rows: 3, kind: {default: a, alias: k}}}
train:
  main: m
  flags: {lr: 0.1, epochs: 2}
  requires: {operation: prepare}
test: {main: m, requires: [{operation: "tr.*"}, {operation: prepare}]}
"""


def _pipeline(steps: str, more: str = "", **around: Any) -> tuple[Template, ...]:
    return workflow(good(f"{OPERATIONS}pipe:\n  steps: {steps}\n{more}", **around), "pipe").spec.templates


def _steps(steps: str, more: str = "", **around: Any) -> list[WorkflowStep]:
    groups = _pipeline(steps, more, **around)[0].steps or ()
    # One after the other, never side by side.
    assert all(len(group) == 1 for group in groups)
    return [one for (one,) in groups]


def _values(step: WorkflowStep) -> dict[str, str | None]:
    return {one.name: one.value for one in step.arguments.parameters} if step.arguments is not None else {}


def _errors(steps: str, more: str = "") -> list[str]:
    return [
        one.partition("error: ")[2] for one in problems(read(f"{OPERATIONS}pipe:\n  steps: {steps}\n{more}"), "error")
    ]


def test_steps_in_order_take_files_of_steps_before() -> None:
    prepare, train, test = _steps("[prepare, train, test]")
    assert [prepare.name, train.name, test.name] == ["prepare", "train", "test"]
    assert prepare.arguments is not None
    assert prepare.arguments.artifacts == ()
    assert train.arguments is not None
    assert [one.from_ for one in train.arguments.artifacts] == ["{{steps.prepare.outputs.artifacts.prepare}}"]
    assert test.arguments is not None
    assert [one.from_ for one in test.arguments.artifacts] == [
        "{{steps.train.outputs.artifacts.train}}",
        "{{steps.prepare.outputs.artifacts.prepare}}",
    ]


def test_values_of_steps_in_both_ways() -> None:
    text, table, listed = _steps(
        "['prepare rows=4 k=b', {run: prepare, flags: {rows: 5}}, {run: prepare rows=1, flags: ['rows=6']}]"
    )
    assert _values(text) == {"rows": "4", "kind": "b"}
    assert _values(table) == {"rows": "5", "kind": "a"}
    assert _values(listed)["rows"] == "6"


def test_repeated_steps_are_numbered_and_the_latest_counts() -> None:
    steps = _steps("[prepare, prepare rows=9, {run: prepare, name: own}, train]")
    assert [one.name for one in steps] == ["prepare", "prepare-2", "own", "train"]
    assert steps[-1].arguments is not None
    assert steps[-1].arguments.artifacts[0].from_ == "{{steps.own.outputs.artifacts.prepare}}"
    assert [one.template for one in steps] == ["prepare", "prepare", "prepare", "train"]


def test_flags_of_the_parent_are_put_in() -> None:
    (step,) = _steps("['prepare rows=${n} kind=x-${n}']", "  flags: {n: 7}\n")
    assert _values(step) == {"rows": "{{inputs.parameters.n}}", "kind": "x-{{inputs.parameters.n}}"}


@pytest.mark.parametrize("name", ["prepare:rows", "first:rows"])
def test_a_flag_of_the_parent_named_after_a_step_wins(name: str) -> None:
    (step,) = _steps("[{run: prepare rows=1, name: first}]", f"  flags: {{'{name}': 7}}\n")
    parameter = name.replace(":", "-")
    assert _values(step)["rows"] == f"{{{{inputs.parameters.{parameter}}}}}"


def test_a_person_may_set_a_flag_of_a_step() -> None:
    from argosy.dialects.guild.load import GuildFile
    from argosy.dialects.guild.surroundings import Surroundings
    from argosy.syntax.parse import DEFAULT_LIMITS

    text = f"{OPERATIONS}pipe:\n  steps: [prepare rows=1]\n"
    file = GuildFile(text, "guild.yml", Surroundings(), DEFAULT_LIMITS)
    document, _ = file.document(file.operations["pipe"], ("prepare:rows",))
    assert document is not None
    assert document.signature is not None
    (one,) = document.signature.inputs
    assert (one.name, one.aliases) == ("prepare-rows", ("prepare:rows",))
    assert "{{workflow.parameters.prepare-rows}}" in str(document.value)


def test_steps_name_operations_of_their_model() -> None:
    loaded = good("- model: a\n  operations: {x: m, p: {steps: [x, 'b:x', ':y']}}\n- operations: {y: m}\n"
                  "- model: b\n  operations: {x: m}\n")  # fmt: skip
    groups = workflow(loaded, "a:p").spec.templates[0].steps or ()
    assert [one.template for (one,) in groups] == ["a-x", "b-x", "y"]


@pytest.mark.parametrize(
    ("values", "count"), [("[1, 2, 3]", 3), ("'[1, 2]'", 2), ("'range[1:4]'", 4), ("'${n}'", 1), ("'[1,2]*2'", 4)]
)
def test_batches_in_steps(values: str, count: int) -> None:
    steps = _steps(f"[{{run: prepare, flags: {{rows: {values}}}}}, train]", "  flags: {n: 7}\n")
    assert len(steps) == count + 1
    assert bool(steps[0].continue_on) is (count > 1)
    assert steps[-1].arguments is not None
    last = "prepare" if count == 1 else f"prepare-{count}"
    assert steps[-1].arguments.artifacts[0].from_ == f"{{{{steps.{last}.outputs.artifacts.prepare}}}}"


def test_batches_have_at_most_twenty_trials_unless_they_say() -> None:
    grid = "flags: {rows: 'range[1:10]', kind: 'range[1:10]'}"
    assert len(_steps(f"[{{run: prepare, {grid}}}]")) == 20
    assert len(_steps(f"[{{run: prepare, {grid}, max-trials: 5}}]")) == 5
    assert len(_steps("['prepare --max-trials 3 rows=range[1:10]']")) == 3
    again = [_values(one) for one in _steps(f"[{{run: prepare, {grid}, random-seed: 3}}]")]
    assert again == [_values(one) for one in _steps(f"[{{run: prepare, {grid}, random-seed: 3}}]")]


def test_trials_of_files_in_steps() -> None:
    files = {"t.csv": "rows,kind\n7,x\n8,y\n", "more.json": '[{"k": "z"}]'}
    rows = [_values(one) for one in _steps("['prepare @t.csv', 'prepare @more.json rows=[1,2]']", files=files)]
    assert rows == [
        {"rows": "7", "kind": "x"},
        {"rows": "8", "kind": "y"},
        {"rows": "1", "kind": "z"},
        {"rows": "2", "kind": "z"},
    ]
    unknown = read(f"{OPERATIONS}pipe: {{steps: ['prepare @t.csv']}}\n", {"t.csv": "rosw\n1\n"})
    assert any("unsupported flag 'rosw' of prepare" in one for one in problems(unknown, "error"))
    broken = read(f"{OPERATIONS}pipe: {{steps: ['prepare @t.csv']}}\n", {"t.csv": "rows\n1,2\n"})
    assert any("row 2 has 2 values" in one for one in problems(broken, "error"))


def test_spaces_in_steps_are_drawn_from() -> None:
    step = "[prepare, {run: 'train lr=[0.1:0.5] epochs=2', max-trials: 4, random-seed: 1}]"
    values = [_values(one) for one in _steps(step)[1:]]
    assert len(values) == 4
    assert all(0.1 <= float(str(one["lr"])) <= 0.5 for one in values)
    assert values == [_values(one) for one in _steps(step)[1:]]


def test_tags_of_steps_are_the_runs() -> None:
    text = f"{OPERATIONS}pipe: {{tags: [a], steps: [prepare -t b --tag=c, {{run: prepare, tags: [d, a]}}]}}\n"
    assert workflow(good(text), "pipe").metadata.annotations["argosy.dev/tags"] == "a,b,c,d"


@pytest.mark.parametrize("ours", ["  parallel: yes\n", ""])
def test_steps_at_the_same_time_wait_for_what_they_take(ours: str) -> None:
    text = f"{OPERATIONS}pipe:\n  steps: [prepare, 'train lr=[1,2]', test]\n{ours}"
    whole = workflow(good(text), "pipe").spec.templates[0]
    if not ours:
        assert whole.dag is None
        return
    assert whole.dag is not None
    waits = {one.name: one.dependencies for one in whole.dag.tasks}
    assert waits == {"prepare": (), "train": ("prepare",), "train-2": ("prepare",), "test": ("train-2", "prepare")}
    test = whole.dag.tasks[-1]
    assert test.arguments is not None
    assert test.arguments.artifacts[0].from_ == "{{tasks.train-2.outputs.artifacts.train}}"


def test_a_trial_that_fails_may_end_it() -> None:
    assert all(one.continue_on is None for one in _steps("[{run: 'prepare rows=[1,2]', fail-on-trial-error: yes}]"))


def test_expected_outcomes_are_told_to_the_program() -> None:
    templates = _pipeline(
        "[{run: prepare, expect: {output: x}}, {run: prepare, expect: [{file: a, compare-to: b}]}, prepare]"
    )
    assert [spec_of(one).get("expect") for one in templates[1:]] == [
        [{"output": "x"}],
        [{"file": "a", "compare_to": "b"}],
        None,
    ]


def test_gpus_and_time() -> None:
    templates = _pipeline(
        "[{run: prepare, gpus: '0,1'}, {run: prepare, no-gpus: yes}, {run: prepare, stop-after: 1.5}]"
    )
    assert [spec_of(one).get("env") for one in templates[1:]] == [
        {"CUDA_VISIBLE_DEVICES": "0,1"},
        {"CUDA_VISIBLE_DEVICES": ""},
        None,
    ]
    assert templates[3].active_deadline_seconds == 90


def test_steps_see_only_their_siblings() -> None:
    assert _errors("[train]") == [
        "no suitable run for prepare: steps see what steps before them made; before this one: none"
    ]
    templates = _pipeline("[{run: train, isolate-runs: no}]")
    assert templates[1].inputs is not None
    assert templates[1].inputs.artifacts[0].named is not None
    assert set(flags(good(f"{OPERATIONS}pipe:\n  steps: [{{run: train, isolate-runs: no}}]\n"), "pipe")) == {
        "operation-prepare"
    }


def test_steps_may_have_steps() -> None:
    templates = _pipeline("['inner n=5']", "inner:\n  flags: {n: 1}\n  steps: ['prepare rows=${n}']\n")
    assert {one.name for one in templates} == {"pipe", "inner", "prepare"}
    inner = next(one for one in templates if one.name == "inner")
    assert inner.inputs is not None
    assert [one.name for one in inner.inputs.parameters] == ["n"]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("[nope]", "operation 'nope' is not defined for this project"),
        ("[trian]", "operation 'trian' is not defined for this project"),
        ("['']", "invalid step: it must define `run`"),
        ("[{name: x}]", "invalid step: it must define `run`"),
        ("['prepare bogus=1']", "unsupported flag 'bogus' of prepare"),
        ("['prepare rows=${nope}']", "the step refers to `${nope}`, which is no flag of pipe"),
        ("[pipe]", "pipe is a step of itself"),
        ("['prepare @trials.csv']", "cannot find the trials 'trials.csv'"),
        ("['prepare train']", "a step names one operation, not prepare train"),
        ("[{run: prepare, stop-after: x}]", "stop-after is a number of minutes, not 'x'"),
        ("['prepare --max-trials x']", "--max-trials takes a whole number, not 'x'"),
        ('["prepare \'x"]', "the step cannot be split into words: no closing quotation"),
    ],
)
def test_what_cannot_be_a_step(steps: str, said: str) -> None:
    assert said in _errors(steps)


def test_flags_may_be_forced() -> None:
    assert _errors("[{run: prepare bogus=1, force-flags: yes}]") == []


@pytest.mark.parametrize(
    "attribute",
    ["additional-deps: a", "break: a", "break-on-error: yes", "batch-label: a", "batch-tags: a",
     "force-sourcecode: yes", "label: a", "maximize: a", "minimize: a", "needed: yes", "opt-flags: a", "optimize: yes",
     "optimizer: a", "remote: a"],
)  # fmt: skip
def test_attributes_of_steps_without_effect_are_named(attribute: str) -> None:
    name = attribute.partition(":")[0]
    loaded = good(f"{OPERATIONS}pipe:\n  steps: [{{run: prepare, {attribute}}}]\n")
    assert any(one.message == f"`{name}` of a step has no effect here" for one in loaded.diagnostics)


@pytest.mark.parametrize("option", ["--label a", "--needed", "--optimize", "--remote=r"])
def test_options_of_steps_without_effect_are_named(option: str) -> None:
    loaded = good(f"{OPERATIONS}pipe:\n  steps: ['prepare {option}']\n")
    assert any("of a step has no effect here" in one for one in problems(loaded, "warning"))


def test_unknown_options_are_warnings() -> None:
    assert (
        "the option --lable of a step is not read"
        in problems(good(f"{OPERATIONS}pipe: {{steps: [prepare --lable]}}\n"))[0]
    )
    assert problems(good(f"{OPERATIONS}pipe: {{steps: [prepare -y]}}\n")) == []


def test_rules_on_code_that_differ_are_told() -> None:
    loaded = good("a: {main: m, sourcecode: x}\nb: {main: m, sourcecode: y}\np: {steps: [a, b]}\n")
    assert any("one snapshot" in one for one in problems(loaded, "warning"))


def test_scripts_are_steps_as_they_are() -> None:
    files = {"say.py": "msg = 'a'\nprint(msg)\n"}
    text = "pipe: {steps: ['say.py msg=hello', say.py]}\n"
    first, second = (one for (one,) in workflow(good(text, files), "pipe").spec.templates[0].steps or ())
    assert (first.name, second.name) == ("say-py", "say-py-2")
    assert _values(first) == {"msg": "hello"}
    assert any("operation 'say.py' is not defined" in one for one in problems(read(text), "error"))
