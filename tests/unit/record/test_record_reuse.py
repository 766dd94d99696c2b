"""Outcomes by key: read many at once, compared with the nearest, forgotten with their runs."""

from record_samples import new_run

from argosy.record.journal import Journal
from argosy.record.reuse import Asked, Reuse


def asked(key: str, *, place: str = ".a", **parts: str) -> Asked:
    return Asked(key=key, template="train", place=place, parts=parts)


def kept(reuse: Reuse, one: Asked, *, run: str = "uid-old", name: str = "old", now: float = 1.0) -> None:
    reuse.ask([one], run, name, now)
    reuse.store([(one.key, one.place, f"outcome of {one.key}".encode())], run, name, now)


def test_an_outcome_is_found_by_its_key(journal: Journal) -> None:
    reuse = Reuse(journal.database)
    kept(reuse, asked("k1"))
    found = reuse.read(["k1", "k2"], "uid-new")
    assert list(found) == ["k1"]
    assert (found["k1"].outcome, found["k1"].run, found["k1"].node) == (b"outcome of k1", "old", "old.a")


def test_a_key_that_was_only_asked_for_has_no_outcome(journal: Journal) -> None:
    reuse = Reuse(journal.database)
    reuse.ask([asked("k1", command="1")], "uid-old", "old", 1.0)
    assert reuse.read(["k1"], "uid-new") == {}
    assert reuse.parts("k1") == {"command": "1"}


def test_a_run_does_not_use_what_it_stored_itself(journal: Journal) -> None:
    reuse = Reuse(journal.database)
    kept(reuse, asked("k1"), run="uid-new")
    assert reuse.read(["k1"], "uid-new") == {}


def test_many_keys_are_read(journal: Journal) -> None:
    reuse = Reuse(journal.database)
    keys = [f"k{number}" for number in range(1234)]
    for key in keys:
        kept(reuse, asked(key))
    assert set(reuse.read([*keys, "none"], "uid-new")) == set(keys)


def test_a_newer_outcome_takes_the_place_of_an_older_one(journal: Journal) -> None:
    reuse = Reuse(journal.database)
    kept(reuse, asked("k1"))
    reuse.store([("k1", ".b", b"newer")], "uid-2", "second", 2.0)
    assert reuse.read(["k1"], "uid-new")["k1"].node == "second.b"


def test_the_nearest_is_the_one_with_most_in_common(journal: Journal) -> None:
    reuse = Reuse(journal.database)
    kept(reuse, asked("near", command="1", image="1", code="1"), now=1.0)
    kept(reuse, asked("far", command="2", image="2", code="1"), now=2.0)
    reuse.ask([asked("new", command="1", image="1", code="2")], "uid-new", "new", 3.0)
    found = reuse.nearest("new", "uid-new", 4.0)
    assert found is not None
    assert found.parts["command"] == "1"


def test_the_nearest_of_the_same_place_comes_first(journal: Journal) -> None:
    reuse = Reuse(journal.database)
    kept(reuse, asked("other", place=".b", command="1"))
    kept(reuse, asked("same", place=".a", command="9"))
    reuse.ask([asked("new", place=".a", command="1")], "uid-new", "new", 3.0)
    found = reuse.nearest("new", "uid-new", 4.0)
    assert found is not None
    assert found.place == ".a"


def test_neither_later_outcomes_nor_those_of_the_run_itself_are_compared(journal: Journal) -> None:
    reuse = Reuse(journal.database)
    kept(reuse, asked("later", command="1"), now=9.0)
    kept(reuse, asked("own", command="1"), run="uid-new", now=1.0)
    reuse.ask([asked("new", command="2")], "uid-new", "new", 3.0)
    assert reuse.nearest("new", "uid-new", 4.0) is None
    assert reuse.nearest("unknown", "uid-new", 4.0) is None


def test_outcomes_go_with_their_runs(journal: Journal) -> None:
    run = new_run("stays")
    journal.create_run(run)
    reuse = Reuse(journal.database)
    kept(reuse, asked("k1"), run=run.uid, name=run.name)
    kept(reuse, asked("k2"), run="uid of a deleted run")
    assert reuse.prune() == 1
    assert set(reuse.read(["k1", "k2"], "uid-new")) == {"k1"}
