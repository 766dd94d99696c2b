"""Parameters as rows, histories, and records from before there were any."""

from __future__ import annotations

import math
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.record import database as databases
from argosy.record import experiments as module
from argosy.record.database import Database
from argosy.record.experiments import Experiments, Gathered, Series, number_of
from argosy.record.journal import Journal, NewRun
from argosy.record.schema import MIGRATIONS

OLDER = next(
    number for number, entry in enumerate(MIGRATIONS) if any("CREATE TABLE run_metrics" in one for one in entry)
)


def test_an_older_record_gets_its_parameters_as_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "argosy.db"
    with monkeypatch.context() as patch:
        patch.setattr(databases, "MIGRATIONS", MIGRATIONS[:OLDER])
        with Database.open(path) as old:
            for name, parameters in (
                ("a", '{"lr": "0.1", "net": "cnn", "none": null, "big": "1e3", "json": "[1]"}'),
                ("b", "not JSON"),
                ("c", "[1]"),
                ("d", "{}"),
            ):
                old.execute(
                    "INSERT INTO runs (name, uid, namespace, created_at, parameters) VALUES (?, ?, 'x', 1, ?)",
                    (name, name, parameters),
                )
    with Database.open(path) as record:
        assert record.rows("SELECT run, name, value, number FROM run_parameters ORDER BY name") == [
            (1, "big", "1e3", 1000.0),
            (1, "json", "[1]", None),
            (1, "lr", "0.1", 0.1),
            (1, "net", "cnn", None),
            (1, "none", None, None),
        ]
        assert record.rows("SELECT count(*) FROM gathering WHERE done = 0") == [(4,)]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    journal = Journal.open(tmp_path / "argosy.db", now=time.time)
    manifest = msgspec.json.encode({"metadata": {}, "spec": {}})
    journal.create_run(NewRun(name="a", uid="a", namespace="x", created_at=1.0, manifest=manifest))
    return journal


VALUES = st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=30)


@settings(deadline=None, max_examples=40)
@given(VALUES, st.booleans())
def test_histories_come_back_as_they_were(values: list[float], timed: bool) -> None:
    with TemporaryDirectory() as folder, Database.open(Path(folder) / "argosy.db") as record:
        check_history(record, values, timed)


def check_history(record: Database, values: list[float], timed: bool) -> None:
    record.execute("INSERT INTO runs (name, uid, namespace, created_at) VALUES ('a', 'a', 'x', 1)")
    times = tuple(float(n) for n in range(len(values))) if timed and len(values) > 1 else ()
    steps = tuple(n * 3 for n in range(len(values)))
    series = Series(name="loss", source="output", steps=steps, values=values, times=times, at=9.0)
    experiments = Experiments(record)
    for _ in range(2):
        experiments.put(1, [Gathered(node="n", step="s", series=(series,))])
    (metric,) = experiments.metrics([1])[1]
    real = [one for one in values if not math.isnan(one)]
    assert (metric.count, metric.last_step) == (len(values), steps[-1])
    assert (metric.min, metric.max) == ((min(real), max(real)) if real else (None, None))
    found = experiments.history(1, "loss", "n")
    assert found is not None
    assert (list(found.steps), list(found.times)) == (list(steps), list(times))
    assert repr(list(found.values)) == repr(values)


def test_long_histories_keep_their_ends(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_POINTS", 100)
    experiments = Experiments(journal.database)
    values = [float(n) for n in range(1000)]
    series = Series(name="loss", source="output", steps=range(1000), values=values)
    experiments.put(1, [Gathered(node="n", step="s", series=(series,))])
    found = experiments.history(1, "loss", "n")
    assert found is not None
    assert len(found.values) <= 100
    assert (found.values[0], found.values[-1]) == (0.0, 999.0)
    assert experiments.metrics([1])[1][0].count == 1000
    assert experiments.history(1, "none", "n") is None
    journal.close()


def test_metrics_of_a_run_that_is_gone_are_nobodys(journal: Journal) -> None:
    experiments = Experiments(journal.database)
    journal.delete_run(1)
    experiments.put(1, [Gathered(node="n", step="s", series=())], done=True)
    assert journal.database.rows("SELECT * FROM gathering") == []
    journal.close()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1", 1.0),
        (" -1.5e3 ", -1500.0),
        (".5", 0.5),
        ("inf", None),
        ("1_0", None),
        ("", None),
        ("x", None),
        (None, None),
    ],
)
def test_numbers_in_texts(text: str | None, wanted: float | None) -> None:
    assert number_of(text) == wanted
