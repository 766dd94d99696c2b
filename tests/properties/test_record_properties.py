"""Whatever facts are appended, in whatever groups: they come back the same, and so does every prefix."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.model.events import (
    AttemptExited,
    AttemptReady,
    AttemptStarted,
    CacheRead,
    Fact,
    LocksGranted,
    LocksRefused,
    Resumed,
    RunStarted,
    StopRequested,
    Suspended,
    TimePassed,
    decode,
    encode,
)
from argosy.model.manifest import Artifact, Outputs, Parameter
from argosy.record.journal import Journal, NewRun, Owner

# Every character that UTF-8 can write: lone surrogates cannot come from a decoded file.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
times = st.floats(min_value=0, max_value=1e12)
parameters = st.builds(Parameter, name=texts, value=st.none() | texts)
artifacts = st.builds(Artifact, name=texts, path=texts)
outputs = st.none() | st.builds(
    Outputs,
    parameters=st.lists(parameters, max_size=3).map(tuple),
    artifacts=st.lists(artifacts, max_size=3).map(tuple),
    result=st.none() | texts,
    exit_code=st.none() | texts,
)
facts: st.SearchStrategy[Fact] = st.one_of(
    st.builds(RunStarted, at=times),
    st.builds(AttemptStarted, at=times, node=texts),
    st.builds(AttemptReady, at=times, node=texts, ip=texts),
    st.builds(AttemptExited, at=times, node=texts, phase=texts, message=texts, outputs=outputs),
    st.builds(LocksGranted, at=times, node=texts),
    st.builds(LocksRefused, at=times, node=texts, waiting_for=texts, error=texts),
    st.builds(CacheRead, at=times, node=texts, hit=st.booleans(), outputs=outputs, error=texts),
    st.builds(Resumed, at=times, node=texts, parameters=st.lists(parameters, max_size=3).map(tuple)),
    st.builds(Suspended, at=times),
    st.builds(StopRequested, at=times, strategy=texts, message=texts),
    st.builds(TimePassed, at=times),
)


@given(facts)
def test_a_fact_is_read_back_as_it_was_written(fact: Fact) -> None:
    data = encode(fact)
    assert b"\n" not in data
    assert decode(data) == fact


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(facts, max_size=6), max_size=6), st.data())
def test_every_prefix_of_a_journal_is_read(groups: list[list[Fact]], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal.open(Path(folder) / "argosy.db", now=lambda: 0.0)
        run = journal.create_run(
            NewRun(name="r", uid="u", namespace="n", created_at=0.0, manifest=b'{"metadata":{},"spec":{}}')
        )
        lease = journal.acquire(run, owner=Owner(host="h", pid=1), seconds=1.0)
        for group in groups:
            journal.append(lease, group)
        expected = list(enumerate([fact for group in groups for fact in group], 1))
        assert list(journal.events(run)) == expected
        after = data.draw(st.integers(0, len(expected)))
        assert list(journal.events(run, after)) == expected[after:]
        journal.database.execute("DELETE FROM facts WHERE seq > ?", (after,))
        assert list(journal.events(run)) == expected[:after]
        journal.close()
