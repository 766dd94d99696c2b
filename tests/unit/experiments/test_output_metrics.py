"""Metrics in what a step prints."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.errors import ExpressionError
from argosy.experiments import output_metrics
from argosy.experiments.output_metrics import OutputMetrics, check_patterns
from argosy.model.manifest import Metadata, Template
from argosy.model.metric_rules import (
    METRICS,
    NOTHING,
    MetricPattern,
    MetricRules,
    annotation_of,
    patterns_of,
    rules_of,
)


def read(text: str, *patterns: MetricPattern | str) -> dict[str, list[tuple[int, float]]]:
    reader = OutputMetrics(patterns_of(patterns) if patterns else None)
    reader.read(line.encode() for line in text.splitlines(keepends=True))
    return {one.name: list(zip(one.steps, one.values, strict=True)) for one in reader.series(1.0)}


def test_lines_of_a_name_and_a_number_are_metrics() -> None:
    text = "loss: 0.31\n  acc:  1e-3\nnot a metric: 5\nloss: -2\nurl: http://x\n12: 5\nval/f1: .5\nhalf: 1.\nx: 1 2\n"
    assert read(text) == {
        "loss": [(0, 0.31), (1, -2.0)],
        "acc": [(0, 1e-3)],
        "val/f1": [(0, 0.5)],
        "half": [(0, 1.0)],
    }


def test_a_step_line_numbers_what_follows() -> None:
    assert read("step: 10\nloss: 1\nacc: 2\nstep: 20\nloss: 0.5\n") == {
        "loss": [(10, 1.0), (20, 0.5)],
        "acc": [(10, 2.0)],
    }
    assert read("loss: 1 (step 3)\nloss: 2 (step: 4)\n") == {"loss": [(3, 1.0), (4, 2.0)]}


def test_progress_bars_and_values_that_are_no_numbers() -> None:
    found = read("loss: 3\rloss: 2\rloss: nan\nmost: inf\nstep: nan\nstep: inf\n")
    assert [value for _, value in found["loss"][:2]] == [3.0, 2.0]
    assert math.isnan(found["loss"][2][1])
    assert found["most"] == [(0, math.inf)]


def test_patterns_with_aliases_names_and_one_group() -> None:
    assert read("loss=0.5 acc=0.9\n", r"(\key)=(\value)") == {"loss": [(0, 0.5)], "acc": [(0, 0.9)]}
    assert read("7> loss 0.5\n", r"^(?P<step>\step)> loss (?P<loss>\value)") == {"loss": [(7, 0.5)]}
    assert read("Epoch 3 is 0.25\n", MetricPattern(pattern=r"is (\value)", name="loss")) == {"loss": [(0, 0.25)]}
    assert read("loss/0.5/9\n", r"(\key)/(\value)/(\step)$") == {"loss": [(9, 0.5)]}
    assert read("loss: 1\n", "(?P<other>x)") == {}


@pytest.mark.parametrize("pattern", ["(", r"(\value)", "nothing", r"(\key) (\value) (\step) (x)"])
def test_a_pattern_that_says_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(ExpressionError):
        check_patterns(patterns_of([pattern]))


def test_a_log_full_of_names_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output_metrics, "MOST_NAMES", 3)
    reader = OutputMetrics(None)
    reader.read(f"name-{n}: {n}\n".encode() for n in range(10))
    assert [one.name for one in reader.series(0.0)] == ["name-0", "name-1", "name-2"]
    assert reader.too_many


def test_no_patterns_is_no_look() -> None:
    reader = OutputMetrics(())
    reader.read([b"loss: 1\n"])
    assert reader.series(0.0) == []


@settings(deadline=None)
@given(st.binary(max_size=400), st.integers(1, 50))
def test_any_bytes_are_read_the_same_whatever_pieces_they_come_in(data: bytes, size: int) -> None:
    whole, pieces = OutputMetrics(None), OutputMetrics(None)
    whole.read([data])
    pieces.read(data[i : i + size] for i in range(0, len(data), size))
    assert repr(whole.series(0.0)) == repr(pieces.series(0.0))


def test_a_template_carries_its_rules() -> None:
    rules = MetricRules(patterns=patterns_of([r"(\key)=(\value)"]), files=("/tmp/m.json",), event_files=False)

    def having(text: str) -> Template:
        return Template(name="a", metadata=Metadata(annotations={METRICS: text}))

    assert rules_of(having(annotation_of(rules)), MetricRules()) == rules
    assert rules_of(having('{"files": ["x.json"]}'), rules) == MetricRules(
        patterns=rules.patterns, files=("x.json",), event_files=False
    )
    assert rules_of(having("false"), rules) == NOTHING
    assert rules_of(having("true"), rules) == rules
    assert rules_of(Template(name="a"), rules) == rules
    assert rules_of(having('{"patterns": [{"pattern": "(\\\\value)", "name": "loss"}]}'), rules).patterns == (
        MetricPattern(pattern=r"(\value)", name="loss"),
    )
