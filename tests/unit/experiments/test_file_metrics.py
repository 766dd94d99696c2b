"""Metrics in files that steps leave: JSON, and TensorBoard's event files as its own writer writes them."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.scalar import metadata
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util import tensor_util

from argosy.experiments import gathering
from argosy.experiments.file_metrics import MISSING, UnreadableMetrics, event_files, read_events, read_json
from argosy.experiments.gathering import Places, gather
from argosy.model.manifest import Metadata, Outputs, Parameter, Template
from argosy.model.metric_rules import METRICS, MetricRules
from argosy.model.status import Node, NodeType, Phase


def write_events(folder: Path) -> None:
    writer = EventFileWriter(str(folder))
    for step in range(3):
        value = Summary.Value(tag="loss", simple_value=1 / (step + 1))
        writer.add_event(Event(wall_time=100.0 + step, step=step * 10, summary=Summary(value=[value])))
    tensor = Summary.Value(
        tag="acc", tensor=tensor_util.make_tensor_proto(0.5), metadata=metadata.create_summary_metadata("acc", "")
    )
    text = Summary.Value(tag="words", tensor=tensor_util.make_tensor_proto("hello"))
    writer.add_event(Event(wall_time=200.0, step=7, summary=Summary(value=[tensor, text])))
    writer.close()


def test_event_files_anywhere_below_the_folder_are_read(tmp_path: Path) -> None:
    write_events(tmp_path)
    write_events(tmp_path / "a" / "b")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    files = event_files(tmp_path)
    assert len(files) == 2
    found, said = read_events(tmp_path, files)
    series = {one.name: one for one in found}
    assert sorted(series) == ["a/b/acc", "a/b/loss", "acc", "loss"]
    assert list(series["loss"].steps) == [0, 10, 20]
    assert list(series["loss"].times) == [100.0, 101.0, 102.0]
    assert series["acc"].values[0] == 0.5
    assert said == []


def test_of_a_damaged_event_file_what_comes_before_counts(tmp_path: Path) -> None:
    write_events(tmp_path)
    (path,) = event_files(tmp_path)
    data = bytearray(path.read_bytes())
    data[-20] ^= 255
    path.write_bytes(data)
    found, _ = read_events(tmp_path, [path])
    assert [(one.name, len(one.values)) for one in found] == [("loss", 3)]


def test_an_event_file_that_is_none_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "events.out.tfevents.1").write_bytes(b"nonsense" * 100)
    assert read_events(tmp_path, event_files(tmp_path))[0] == []


def test_event_files_without_a_reader_are_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_events(tmp_path / "steps" / "n" / "work")
    monkeypatch.setattr(gathering, "can_read_events", lambda: False)
    assert gather(node(), places(tmp_path), lambda path, start: iter(())) == ([], [MISSING])


def node(**outputs: str) -> Node:
    parameters = tuple(Parameter(name=name, value=value) for name, value in outputs.items())
    return Node(
        id="n", name="n", display_name="n", type=NodeType.POD, phase=Phase.SUCCEEDED, template_name="t",
        outputs=Outputs(parameters=parameters),
    )  # fmt: skip


def places(folder: Path, rules: MetricRules | None = None, annotation: str = "", runtime: str = "sandbox") -> Places:
    template = Template(name="t", metadata=Metadata(annotations={METRICS: annotation} if annotation else {}))
    return Places(folder=folder, generation=1, runtime=runtime, rules=rules or MetricRules(), templates={"t": template})


def attempt(folder: Path, log: str = "") -> Path:
    made = folder / "steps" / "n"
    (made / "tmp").mkdir(parents=True, exist_ok=True)
    (made / "main.log").write_text(log)
    return made


def read_log(path: Path, start: int) -> list[bytes]:
    return [path.read_bytes()[start:]]


def gathered(found: Places, **outputs: str) -> dict[str, tuple[str, float]]:
    series, notes = gather(node(**outputs), found, lambda path, start: iter(read_log(path, start)))
    assert notes == []
    return {one.name: (one.source, one.values[-1]) for one in series}


def test_sources_have_an_order(tmp_path: Path) -> None:
    made = attempt(tmp_path, "loss: 1\nacc: 2\n")
    write_events(made / "work")
    (made / "tmp" / "sys-metrics.json").write_text(
        '[{"name": "acc", "value": 9}, {"name": "f1", "value": "0.5", "format": "%"}]'
    )
    assert gathered(places(tmp_path), acc="7", f1="8", score="0.25", word="x", nan="nan") == {
        "loss": ("tensorboard", pytest.approx(1 / 3)),
        "acc": ("tensorboard", 0.5),
        "f1": ("file", 0.5),
        "score": ("parameter", 0.25),
    }
    assert gathered(places(tmp_path, annotation="false"), score="1") == {"score": ("parameter", 1.0)}
    only = MetricRules(files=(), event_files=False)
    assert gathered(places(tmp_path, only)) == {"loss": ("output", 1.0), "acc": ("output", 2.0)}


@pytest.mark.parametrize("place", ["tmp/sys-metrics.json", "root/mnt/tmp/sys-metrics.json"])
def test_a_file_alone_is_found(tmp_path: Path, place: str) -> None:
    path = attempt(tmp_path) / place
    (tmp_path / "steps" / "n" / "work").mkdir()
    assert gathered(places(tmp_path)) == {}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"a": 1}')
    assert gathered(places(tmp_path)) == {"a": ("file", 1.0)}


def test_a_step_that_left_nothing_has_no_metrics(tmp_path: Path) -> None:
    attempt(tmp_path)
    assert gathered(places(tmp_path)) == {}
    assert gathered(places(tmp_path / "nowhere")) == {}


def test_an_annotation_that_is_none_is_told_of(tmp_path: Path) -> None:
    attempt(tmp_path, "loss: 1\n")
    for text in ("{", '{"patterns": ["("]}', '{"files": 3}'):
        series, notes = gather(node(), places(tmp_path, annotation=text), lambda path, start: iter(()))
        assert series == []
        assert METRICS in notes[0]


def test_files_on_mounts_and_of_this_machine(tmp_path: Path) -> None:
    made = attempt(tmp_path)
    (made / "volumes" / "v").mkdir(parents=True)
    (made / "volumes" / "v" / "sys-metrics.json").write_text('{"a": 1}')
    mounts = f'[{{"source": "{made}/volumes/v", "target": "/mnt/tmp", "read_only": false}}]'
    (made / "attempt.json").write_text(f'{{"containers": [{{"name": "main", "mounts": {mounts}}}]}}')
    assert gathered(places(tmp_path)) == {"a": ("file", 1.0)}
    shared = tmp_path / "shared.json"
    shared.write_text('{"b": 2}')
    rules = MetricRules(files=(str(shared),))
    assert gathered(places(tmp_path, rules, runtime="process")) == {"b": ("file", 2.0)}
    os.utime(shared, (1, 1))
    assert gathered(places(tmp_path, rules, runtime="process")) == {}


def test_a_file_of_this_machine_is_not_that_of_a_step_without_a_folder(tmp_path: Path) -> None:
    shared = tmp_path / "shared.json"
    shared.write_text('{"b": 2}')
    rules = MetricRules(files=(str(shared),))
    assert gathered(places(tmp_path, rules, runtime="process")) == {}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            '[{"name": "a", "value": 1}, {"name": "b", "value": "2.5"}, {"name": "c", "value": true}]',
            {"a": 1, "b": 2.5},
        ),
        ('{"a": 1e3, "b": "x", "c": null, "d": [1]}', {"a": 1000.0}),
        ('[{"name": "a", "value": "inf"}]', {"a": math.inf}),
        ("[]", {}),
    ],
)
def test_json_files(tmp_path: Path, text: str, wanted: dict[str, float]) -> None:
    path = tmp_path / "m.json"
    path.write_text(text)
    assert {one.name: one.values[0] for one in read_json(path)} == wanted


@pytest.mark.parametrize("text", ["", "{", "3", '["a"]', '[{"value": 1}]', "[" * 100_000])
def test_a_json_file_that_is_none_is_told_of(tmp_path: Path, text: str) -> None:
    path = tmp_path / "m.json"
    path.write_text(text)
    with pytest.raises(UnreadableMetrics):
        read_json(path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.json")
    with pytest.raises(UnreadableMetrics):
        read_json(tmp_path / "m.json")
    assert read_json(tmp_path / "nothing.json") == []


def test_of_a_giant_log_the_end_is_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "MOST_BYTES", 1 << 20)
    attempt(tmp_path, "first: 1\n" + "x" * (1 << 20) + "\nlast: 2\n")
    series, notes = gather(node(), places(tmp_path), lambda path, start: iter(read_log(path, start)))
    assert [one.name for one in series] == ["last"]
    assert "only the last 1" in notes[0]
