"""A writer that is killed at any moment loses nothing that it was told is committed, and leaves no half commit.

ARGOSY_TORTURE=1 kills it 1000 times instead of 200.
"""

import multiprocessing
import os
import random
import time
from multiprocessing.connection import Connection
from pathlib import Path

from argosy.model.events import AttemptStarted
from argosy.record.journal import Journal, NewRun, Progress
from argosy.record.ownership import this_process
from argosy.record.queries import Queries

KILLS = 1000 if os.environ.get("ARGOSY_TORTURE") else 200
RUN = NewRun(name="run", uid="u", namespace="default", created_at=1.0, manifest=b'{"metadata":{},"spec":{}}')
# Leases long enough that only knowing the owner to be dead can free them.
LEASE_SECONDS = 1e6


def write_until_killed(path: Path, acknowledgements: Connection, seed: int) -> None:
    """Append groups of facts for ever; after each commit tell how many facts there are."""
    sizes = random.Random(seed)
    journal = Journal.open(path, now=time.time)
    run = 1
    lease = journal.acquire(run, owner=this_process(), seconds=LEASE_SECONDS)
    count = int(Queries(journal.database, now=time.time).find("run").progress or 0)
    while True:
        size = sizes.randint(1, 20)
        facts = [AttemptStarted(at=float(size), node=f"{count + 1}/{place}") for place in range(size)]
        journal.append(lease, facts, progress=Progress(progress=str(count + size)))
        count += size
        acknowledgements.send(count)


def kill_one(path: Path, seed: int) -> int:
    """Start a writer, kill it at a random moment, and give the last count that it acknowledged."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["argosy.record.queries"])
    receiver, sender = context.Pipe(duplex=False)
    writer = context.Process(target=write_until_killed, args=(path, sender, seed))
    writer.start()
    sender.close()
    # Every other one dies at any moment of its start, the rest at any moment of its work.
    if seed % 2:
        receiver.poll(30)
    time.sleep(random.Random(-seed).uniform(0.0, 0.03 if seed % 2 else 0.1))
    writer.kill()
    writer.join()
    acknowledged = 0
    try:
        while True:
            acknowledged = receiver.recv()
    except EOFError:
        return acknowledged
    finally:
        receiver.close()
        writer.close()


def check_whole_groups(journal: Journal) -> int:
    """Every group that begins is complete and in its place; how many facts there are."""
    facts = [fact for _, fact in journal.events(1)]
    at = 0
    while at < len(facts):
        first = facts[at]
        assert isinstance(first, AttemptStarted)
        size = int(first.at)
        assert facts[at : at + size] == [
            AttemptStarted(at=float(size), node=f"{at + 1}/{place}") for place in range(size)
        ]
        at += size
    return at


def test_kill_9_of_the_writer_at_random_moments(tmp_path: Path) -> None:
    path = tmp_path / "argosy.db"
    journal = Journal.open(path, now=time.time)
    journal.create_run(RUN)
    queries = Queries(journal.database, now=time.time)
    committed = wrote = 0
    for seed in range(1, KILLS + 1):
        acknowledged = kill_one(path, seed)
        present = int(queries.find("run").progress or 0)
        assert present >= max(acknowledged, committed)
        assert len(list(journal.events(1, after=committed))) == present - committed
        wrote += acknowledged > 0
        committed = present
        assert not queries.find("run").driven
    assert check_whole_groups(journal) == committed
    # The moments must not all lie before the first commit.
    assert wrote > KILLS // 4
    journal.close()
