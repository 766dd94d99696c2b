"""Conditions on runs: what they choose, and what is said of those that make no sense."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.errors import UsageError
from argosy.experiments.columns import Asking
from argosy.experiments.runs import choose, chosen_columns, rows_of, values_of
from argosy.experiments.where import WhereError, parse
from argosy.record.experiments import Experiments, Gathered, Series
from argosy.record.journal import Journal, NewRun

NOW = 1_800_000_000.0


def add(journal: Journal, name: str, created: float, metrics: dict[str, list[float]], **parameters: str) -> int:
    given = [{"name": key, "value": value} for key, value in parameters.items()]
    manifest = {
        "metadata": {"generateName": "train-", "labels": {"team": "a"}},
        "spec": {"arguments": {"parameters": given}},
    }
    run_id = journal.create_run(
        NewRun(name=name, uid=f"uid-{name}", namespace="x", created_at=created, manifest=msgspec.json.encode(manifest))
    )
    series = [
        Series(name=key, source="output", steps=range(len(values)), values=values, at=created)
        for key, values in metrics.items()
    ]
    Experiments(journal.database).put(run_id, [Gathered(node=f"{name}-1", step="train(0)", series=tuple(series))])
    return run_id


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    journal = Journal.open(tmp_path_factory.mktemp("record") / "argosy.db", now=time.time)
    a = add(journal, "a", NOW - 10, {"loss": [0.9, 0.3], "both": [1]}, lr="0.10", model="cnn", both="1", mixed="5")
    b = add(journal, "b", NOW - 7300, {"loss": [0.5, 0.6], "weird name": [2]}, lr="0.01", model="My MLP", mixed="x")
    c = add(journal, "c", NOW - 90000, {"acc": [float("nan")]}, lr="1e-2", model="mlp")
    experiments = Experiments(journal.database)
    experiments.note(a, label="tuned", marked=True)
    experiments.tag(b, add=["paper", "x"])
    experiments.put(
        a,
        [
            Gathered(
                node="a-0",
                step="prep",
                series=(Series(name="loss", source="output", steps=(0,), values=(7.0,), at=1.0),),
            )
        ],
    )
    journal.database.execute(
        "UPDATE runs SET phase = 'Failed', started_at = ?, finished_at = ?, finished = 1 WHERE id = ?",
        (NOW - 7300, NOW - 7000, b),
    )
    yield Asking(experiments=experiments, now=NOW, interrupted=f"[{c}]")
    journal.close()


def names(asking: Asking, where: str, sort: str = "name") -> str:
    return "".join(row.name for row in rows_of(asking, choose(asking, where=where, sort=sort).run_ids))


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ("loss < 0.5", "a"),
        ("loss>=.3", "ab"),
        ("lr = 0.1", "a"),
        ("lr = 1E-2", "bc"),
        ("lr = '0.10'", "a"),
        ("lr != 0.1", "bc"),
        ("mixed != 5", "b"),
        ("lr in (0.1, 7)", "a"),
        ("lr not in [0.1]", "bc"),
        ("model contains MLP", "bc"),
        ("not model contains mlp", "a"),
        ("model not contains mlp", "a"),
        ("model = 'My MLP'", "b"),
        ('model = "My MLP" or acc', "bc"),
        ("label = tuned", "a"),
        ("label != tuned", ""),
        ("not label = tuned", "bc"),
        ("label", "a"),
        ("marked", "a"),
        ("not mark", "bc"),
        ("marked = no", "bc"),
        ("tag = paper", "b"),
        ("tag in (nope, x)", "b"),
        ("tag != paper", "ac"),
        ("tags", "b"),
        ("status = failed", "b"),
        ("status = Interrupted", "c"),
        ("phase in (pending, error)", "a"),
        ("workflow = train", "abc"),
        ("label:team = a and lr < 0.05", "bc"),
        ("created > 2h ago", "a"),
        ("created >= 2027-01-01", "abc"),
        ("started < 1h", "b"),
        ("duration >= 5m", "b"),
        ("duration < 299", ""),
        ("min(loss) = 0.3 and max(loss) = 0.9", "a"),
        ("first(loss) = .5 or count(train#loss) > 3", "b"),
        ("prep#loss = 7", "a"),
        ("train#loss < 7", "ab"),
        ("metric:both = 1 and param:both = 1", "a"),
        ("`weird name` = 2", "b"),
        ("acc > 0 or acc <= 0", ""),
        ("((loss<0.5))", "a"),
        ("loss < 0.5 OR loss < 0.7 AND lr > 1", "a"),
        ("name = b", "b"),
        ("", "abc"),
    ],
)
def test_conditions_choose_runs(asking: Asking, where: str, wanted: str) -> None:
    assert names(asking, where) == wanted


@pytest.mark.parametrize(
    ("where", "marked", "said", "hint"),
    [
        ("los < 3", "los", "no attribute", "loss"),
        ("loss < x", "x", "is a number", ""),
        ("loss <", "", "value is missing", ""),
        ("< 3", "<", "name is missing", ""),
        ("loss < 3 lr < 2", "lr", "not expected", "and, or"),
        ("(loss < 3", "", ") is missing", ""),
        ("loss in 3", "3", "list is missing", ""),
        ("loss in (3", "", ") is missing", ""),
        ("status = faild", "faild", "no status", "Failed"),
        ("status < Failed", "Failed", "only = or !=", ""),
        ("started > soon", "soon", "no time", "2h ago"),
        ("duration > long", "long", "no duration", ""),
        ("marked = perhaps", "perhaps", "neither yes nor no", ""),
        ("both = 1", "both", "a parameter and a metric", "param:both"),
        ("param:loss = 1", "param:loss", "no run has a parameter", ""),
        ("metric:los = 1", "metric:los", "no run has a metric", "loss"),
        ("min(lr) = 1", "min(lr)", "is a parameter", ""),
        ("name = 'a", "'a", "has no end", ""),
        ("'a' = name", "'a'", "a value", ""),
        ("lr = 2 ago", "2 ago", "no time", ""),
        ("loss ! 3", "!", "not expected", ""),
        ("not", "", "name is missing", ""),
        ("lr not 3", "3", "in or contains", ""),
        ('label:a"b = 1', '"b = 1', "has no end", ""),
    ],
)
def test_nonsense_is_marked_where_it_stands(asking: Asking, where: str, marked: str, said: str, hint: str) -> None:
    with pytest.raises(WhereError) as caught:
        choose(asking, where=where)
    error = caught.value
    assert said in error.message
    assert hint in error.hint
    text, marks = error.excerpt.split("\n")
    assert text == where
    start = marks.index("^")
    assert where[start : start + marks.count("^")] == marked


def test_what_is_written_is_never_sql(asking: Asking) -> None:
    for text in ('name = "\'; DROP TABLE runs; --"', "`x' OR 1=1 --` = 1", "label:x') = 1"):
        try:
            assert names(asking, text) == ""
        except WhereError:
            continue
    assert names(asking, "") == "abc"


def test_nesting_and_length_are_bounded() -> None:
    with pytest.raises(WhereError, match="deeply"):
        parse("(" * 2000 + "a" + ")" * 2000)
    with pytest.raises(UsageError, match="characters"):
        parse("a" * 5000)


@settings(deadline=None)
@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from(
            ["and", "or", "not", "in", "(", ")", "loss", "=", "<", "3", "'a'", ",", "contains", "min", "#", "ago"]
        ),
        max_size=12,
    ).map(" ".join)
)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse(text)
    except WhereError as error:
        marked = error.excerpt.split("\n")
    else:
        marked = ["", ""]
    assert len(marked) == 2


def test_sorting_puts_runs_that_lack_the_column_last(asking: Asking) -> None:
    assert names(asking, "", "loss") == "abc"
    assert names(asking, "", "-loss") == "bac"
    assert names(asking, "", "-lr") == "abc"
    assert names(asking, "", "") == "abc"
    chosen = choose(asking, sort="name", limit=2)
    assert (len(chosen.run_ids), chosen.total) == (2, 3)


def test_columns_as_guild_writes_them(asking: Asking) -> None:
    columns = chosen_columns(asking, "name, =lr, .label, min loss, max(train#loss) as worst, prep#loss")
    assert [one.title for one in columns] == ["name", "lr", "label", "min(loss)", "worst", "prep#loss"]
    found = choose(asking, where="name = a").run_ids
    assert values_of(asking, found, columns)[found[0]] == ["a", 0.1, "tuned", 0.3, 0.9, 7.0]
    with pytest.raises(WhereError):
        chosen_columns(asking, " , ")


def test_a_marked_run_is_what_a_workflow_stands_for(asking: Asking) -> None:
    experiments = asking.experiments
    (a,) = choose(asking, where="name = a").run_ids
    assert experiments.preferred("train") == a
    assert experiments.preferred("other") is None


def test_record_lists_names_without_reading_every_row(asking: Asking, tmp_path: Path) -> None:
    assert asking.experiments.names("run_metrics") == ["acc", "both", "loss", "weird name"]
    assert asking.experiments.names("run_parameters") == ["both", "lr", "mixed", "model"]
    with Journal.open(tmp_path / "empty.db", now=time.time).database as empty:
        assert Experiments(empty).names("run_metrics") == []
