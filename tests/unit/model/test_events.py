"""A fact reads back as it was written."""

import pytest

from argosy.model import events
from argosy.model.manifest import Outputs, Parameter

FACTS: list[events.Fact] = [
    events.RunStarted(at=1.0),
    events.AttemptStarted(at=1.5, node="wf-1"),
    events.AttemptExited(
        at=2.0,
        node="wf-1",
        phase="Failed",
        message="main: Error (exit code 2)",
        outputs=Outputs(exit_code="2"),
    ),
    events.CacheRead(at=3.0, node="n", hit=True, outputs=Outputs(parameters=(Parameter(name="p", value="v"),))),
    events.Resumed(at=4.0, node="n", parameters=(Parameter(name="p", value="v"),)),
    events.StopRequested(at=5.0, strategy="Stop"),
    events.TimePassed(at=6.0),
]


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
def test_round_trip(fact: events.Fact) -> None:
    assert events.decode(events.encode(fact)) == fact
