"""Locks are granted all at once, in turn, and never to more than their limit."""

from collections.abc import Callable

import pytest
from record_samples import World, new_run

from argosy.errors import NotFound
from argosy.record.journal import Journal, Lease, Owner
from argosy.record.locks import Granted, Holder, Locks, Waiting


@pytest.fixture
def locks(journal: Journal, world: World) -> Locks:
    return Locks(journal.database, now=world.now, alive=world.alive)


@pytest.fixture
def driven(journal: Journal, world: World) -> Callable[[str], Lease]:
    """Makes a run whose driver lives."""

    def make(name: str) -> Lease:
        owner = Owner(host="here", pid=len(world.lives), boot_id="boot")
        world.lives[owner] = True
        return journal.acquire(journal.create_run(new_run(name)), owner=owner, seconds=10)

    return make


Driven = Callable[[str], Lease]
MUTEX = [("mutex/a", 1)]


def take(locks: Locks, lease: Lease, wanted: list[tuple[str, int]], node: str = "", **turn: float) -> Granted | Waiting:
    return locks.acquire(Holder(lease.run_id, node), wanted, now=1.0, **turn)  # pyright: ignore[reportArgumentType]


def test_a_mutex_has_one_holder_and_names_it(locks: Locks, driven: Driven) -> None:
    one, two = driven("one"), driven("two")
    assert take(locks, one, MUTEX, "n1") == Granted()
    waiting = take(locks, two, MUTEX)
    assert isinstance(waiting, Waiting)
    assert (waiting.key, waiting.limit) == ("mutex/a", 1)
    assert [(holder.run, holder.node, holder.since) for holder in waiting.held_by] == [("one", "n1", 1.0)]
    locks.release(Holder(one.run_id, "n1"))
    assert take(locks, two, MUTEX) == Granted()
    assert locks.holders("mutex/a")[0].run == "two"


def test_asking_again_for_what_is_held_grants_it(locks: Locks, driven: Driven) -> None:
    one = driven("one")
    assert [take(locks, one, MUTEX), take(locks, one, MUTEX)] == [Granted(), Granted()]
    assert locks.held_by(one.run_id) == {"": ["mutex/a"]}


def test_nodes_of_one_run_keep_one_another_out(locks: Locks, driven: Driven) -> None:
    one = driven("one")
    assert take(locks, one, MUTEX, "n1") == Granted()
    assert isinstance(take(locks, one, MUTEX, "n2"), Waiting)


def test_nodes_of_one_run_need_not_keep_their_order(locks: Locks, driven: Driven) -> None:
    one = driven("one")
    take(locks, one, MUTEX, "n1")
    take(locks, one, MUTEX, "n2")
    take(locks, one, MUTEX, "n3")
    locks.release(Holder(one.run_id, "n1"))
    assert take(locks, one, MUTEX, "n3") == Granted()


def test_a_semaphore_has_as_many_holders_as_its_limit_says_now(locks: Locks, driven: Driven) -> None:
    one = driven("one")
    granted = [take(locks, one, [("s", 2)], f"n{number}") for number in range(3)]
    assert [type(answer) for answer in granted] == [Granted, Granted, Waiting]
    assert isinstance(take(locks, one, [("s", 2)], "n2"), Waiting)
    assert take(locks, one, [("s", 3)], "n2") == Granted()
    assert isinstance(take(locks, one, [("s", 0)], "n9"), Waiting)


def test_all_or_nothing(locks: Locks, driven: Driven) -> None:
    one, two, three = driven("one"), driven("two"), driven("three")
    take(locks, one, [("b", 1)])
    waiting = take(locks, two, [("a", 1), ("b", 1)])
    assert isinstance(waiting, Waiting)
    assert waiting.key == "b"
    assert locks.holders("a") == []
    locks.release(Holder(two.run_id))
    assert take(locks, three, [("a", 1)]) == Granted()


def test_a_key_asked_for_twice_counts_once_with_the_smaller_limit(locks: Locks, driven: Driven) -> None:
    one, two = driven("one"), driven("two")
    assert take(locks, one, [("a", 2), ("a", 1)]) == Granted()
    assert isinstance(take(locks, two, [("a", 2), ("a", 1)]), Waiting)


def test_higher_priority_then_older_run_then_earlier_asking(locks: Locks, driven: Driven) -> None:
    holder = driven("holder")
    take(locks, holder, MUTEX)
    asking = {
        "late": {"priority": 0, "created_at": 9.0},
        "urgent": {"priority": 5, "created_at": 8.0},
        "old": {"priority": 0, "created_at": 1.0},
        "later": {"priority": 0, "created_at": 9.0},
    }
    leases = {name: driven(name) for name in asking}
    for name, turn in asking.items():
        assert isinstance(take(locks, leases[name], MUTEX, **turn), Waiting)
    locks.release(Holder(holder.run_id))
    served: list[str] = []
    while asking:
        granted = [name for name, turn in asking.items() if take(locks, leases[name], MUTEX, **turn) == Granted()]
        for name in granted:
            locks.release_run(leases[name].run_id)
            del asking[name]
        served += granted
    assert served == ["urgent", "old", "late", "later"]


def test_newcomers_do_not_pass_the_one_in_front(locks: Locks, driven: Driven) -> None:
    one, two, three = driven("one"), driven("two"), driven("three")
    take(locks, one, MUTEX)
    take(locks, two, MUTEX, created_at=1.0)
    locks.release(Holder(one.run_id))
    assert isinstance(take(locks, three, MUTEX, created_at=2.0), Waiting)
    assert take(locks, two, MUTEX, created_at=1.0) == Granted()


def test_two_that_want_both_locks_do_not_stop_each_other(locks: Locks, driven: Driven) -> None:
    one, two, three = driven("one"), driven("two"), driven("three")
    take(locks, three, [("a", 1), ("b", 1)])
    take(locks, one, [("a", 1), ("b", 1)])
    take(locks, two, [("b", 1), ("a", 1)])
    locks.release_run(three.run_id)
    assert isinstance(take(locks, two, [("b", 1), ("a", 1)]), Waiting)
    assert take(locks, one, [("a", 1), ("b", 1)]) == Granted()


def test_a_run_without_driver_keeps_what_it_holds_but_has_no_turn(locks: Locks, driven: Driven, world: World) -> None:
    one, two, three = driven("one"), driven("two"), driven("three")
    take(locks, one, MUTEX)
    take(locks, two, MUTEX)
    world.lives[one.owner] = world.lives[two.owner] = False
    assert isinstance(take(locks, three, MUTEX), Waiting)
    locks.release_run(one.run_id)
    assert take(locks, three, MUTEX) == Granted()


def test_a_run_that_is_over_or_gone_holds_nothing(locks: Locks, driven: Driven, journal: Journal) -> None:
    one, two, three = driven("one"), driven("two"), driven("three")
    take(locks, one, MUTEX, "n")
    journal.finish(one, phase="Failed", message="", finished_at=1.0, status=b"{}")
    assert locks.held_by(one.run_id) == {}
    assert take(locks, two, MUTEX) == Granted()
    journal.release(two)
    journal.delete_run(two.run_id)
    assert take(locks, three, MUTEX) == Granted()


def test_asking_for_other_locks_leaves_the_old_queues(locks: Locks, driven: Driven) -> None:
    one, two, three = driven("one"), driven("two"), driven("three")
    take(locks, one, [("a", 1)])
    take(locks, two, [("a", 1)])
    assert take(locks, two, [("b", 1)]) == Granted()
    assert locks.held_by(two.run_id) == {"": ["b"]}
    locks.release_run(one.run_id)
    assert take(locks, three, [("a", 1)]) == Granted()


def test_waiting_again_writes_nothing(locks: Locks, driven: Driven, journal: Journal) -> None:
    one, two = driven("one"), driven("two")
    take(locks, one, MUTEX)
    take(locks, two, MUTEX)
    before = journal.database.rows("SELECT total_changes()")
    assert isinstance(take(locks, two, MUTEX), Waiting)
    assert journal.database.rows("SELECT total_changes()") == before


def test_a_run_that_is_not_there_can_hold_nothing(locks: Locks) -> None:
    with pytest.raises(NotFound):
        locks.acquire(Holder(99), MUTEX, now=1.0)
