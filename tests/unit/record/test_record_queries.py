"""Runs are found by name, prefix, uid or age, and listed with what became of them."""

from pathlib import Path

import pytest
from record_samples import FIRST, World, new_run

from argosy.errors import NotFound, UsageError
from argosy.record.journal import Journal, Progress
from argosy.record.queries import Queries
from argosy.record.troubles import RecordTrouble


def test_a_summary_shows_what_the_manifest_says(journal: Journal, queries: Queries) -> None:
    run = journal.create_run(new_run())
    found = queries.find("train")
    assert (found.id, found.name, found.uid, found.namespace) == (run, "train", "uid-of-train", "default")
    assert (found.phase, found.generation, found.created_at) == ("Pending", 1, 1000.0)
    assert found.labels == {"team": "vision"}
    assert found.parameters == {"rate": "0.1", "depth": "3", "unset": None}
    assert found.template == "trainer"
    assert (queries.manifest(run), queries.source(run)) == (new_run().manifest, "kind: Workflow")
    assert queries.options(run) == b'{"jobs":2}'


def test_names_prefixes_and_uids(journal: Journal, queries: Queries) -> None:
    for name in ("train", "train-2", "eval"):
        journal.create_run(new_run(name, uid=f"{len(name)}-{name}"))
    assert queries.find("train").name == "train"
    assert queries.find("ev").name == "eval"
    assert queries.find("7-tr").name == "train-2"
    assert queries.find("4-eval").name == "eval"


def test_an_ambiguous_prefix_names_the_candidates(journal: Journal, queries: Queries) -> None:
    for number in range(7):
        journal.create_run(new_run(f"train-{number}"))
    with pytest.raises(
        UsageError, match=r"begin with train: train-6, train-5, train-4, train-3, train-2, \.\.\.(\n|$)"
    ):
        queries.find("train")


def test_letters_of_patterns_are_only_letters(journal: Journal, queries: Queries) -> None:
    journal.create_run(new_run("train"))
    for name in ("tr%", "tr_in", "TR", ""):
        with pytest.raises(NotFound):
            queries.find(name)


def test_a_name_that_is_not_there(journal: Journal, queries: Queries) -> None:
    with pytest.raises(NotFound, match="no runs yet"):
        queries.find("@latest")
    journal.create_run(new_run("train-model"))
    with pytest.raises(NotFound, match="no run named 'trian-model'") as caught:
        queries.find("trian-model")
    assert caught.value.hint == "did you mean train-model?"
    with pytest.raises(NotFound) as caught:
        queries.find("zzz")
    assert "argosy list" in caught.value.hint


def test_latest_is_the_newest(journal: Journal, queries: Queries) -> None:
    for name, created_at in (("a", 5.0), ("b", 9.0), ("c", 7.0)):
        journal.create_run(new_run(name, created_at=created_at))
    assert queries.find("@latest").name == "b"
    assert [run.name for run in queries.runs()] == ["b", "c", "a"]


def test_filters(journal: Journal, queries: Queries) -> None:
    for number in range(4):
        run = journal.create_run(new_run(f"r{number}", created_at=float(number)))
        lease = journal.acquire(run, owner=FIRST, seconds=10)
        journal.set_progress(
            lease, Progress(phase="Failed" if number % 2 else "Running", labels={"n": str(number // 2)})
        )
    bare = b'{"metadata":{},"spec":{}}'
    journal.create_run(new_run("bare", created_at=9.0, manifest=bare))

    def names(**filters: object) -> list[str]:
        return [run.name for run in queries.runs(**filters)]  # pyright: ignore[reportArgumentType]

    assert names(phase="Failed") == ["r3", "r1"]
    assert names(label=("n", "1")) == ["r3", "r2"]
    assert names(label=("n", "1"), limit=1) == ["r3"]
    assert names(label=("x", "1")) == []
    assert names(since=2.0) == ["bare", "r3", "r2"]
    assert names(template="trainer", since=1.0) == ["r3", "r2", "r1"]
    assert names(limit=2) == ["bare", "r3"]


def test_a_run_is_interrupted_when_its_driver_is_gone(journal: Journal, queries: Queries, world: World) -> None:
    run = journal.create_run(new_run())

    def seen() -> tuple[bool, bool]:
        found = queries.find("train")
        assert found.owner == (FIRST if found.driven else None)
        return found.driven, found.interrupted

    assert seen() == (False, False)
    lease = journal.acquire(run, owner=FIRST, seconds=10)
    journal.set_progress(lease, Progress(phase="Running"))
    assert seen() == (True, False)
    world.time += 11
    assert seen() == (False, True)
    world.lives[FIRST] = True
    assert seen() == (True, False)
    world.lives[FIRST] = False
    assert seen() == (False, True)
    assert queries.find("train").phase == "Running"


def test_a_damaged_row_does_not_hide_the_other_runs(journal: Journal, queries: Queries) -> None:
    for name in ("good", "bad"):
        journal.create_run(new_run(name))
    journal.database.execute("UPDATE runs SET labels = '{' WHERE name = 'bad'")
    assert {run.name: bool(run.damaged) for run in queries.runs()} == {"good": False, "bad": True}
    assert queries.find("bad").damaged.startswith("its labels or parameters cannot be read")


def test_unknown_numbers_are_not_found(queries: Queries) -> None:
    for ask in (queries.manifest, queries.status_document, queries.source, queries.options, queries.events):
        with pytest.raises(NotFound, match="Run number 7"):
            ask(7)


def test_readers_see_what_a_writer_of_another_connection_commits(journal: Journal, path: Path, world: World) -> None:
    reader = Queries.open(path, now=world.now, alive=world.alive)
    run = journal.create_run(new_run())
    with journal.database.write():
        lease = journal.acquire(run, owner=FIRST, seconds=10)
        journal.set_progress(lease, Progress(phase="Running"))
        assert reader.find("train").phase == "Pending"
    assert reader.find("train").phase == "Running"
    reader.close()


def test_readers_cannot_write(journal: Journal, path: Path, world: World) -> None:
    from argosy.record.database import Database

    with Database.open(path, read_only=True) as reader, pytest.raises(RecordTrouble, match="may not be written"):
        reader.execute("DELETE FROM runs")
