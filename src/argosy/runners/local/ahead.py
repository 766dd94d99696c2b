"""How many steps are given to the runner before there is room for them, so that a core need not wait for the driver.

While steps are over in no time, the driver's turn (an exit heard of, a commit, the next step asked for) takes as long
as a step. So a few steps more than may run at once are begun ahead in the record, and the runner holds them back until
one of the others has ended. It knows which steps may wait so, not how they run.
"""

from __future__ import annotations

from argosy.plan.actions import Start
from argosy.runners.local.leaves import runs_here
from argosy.runners.local.staging import is_simple

# Where steps take longer, from their beginning in the record on, fewer are begun ahead: the record says of those that
# wait that they run.
QUICK_SECONDS = 0.05
# The most, for each that may run at once. With few the driver is woken for one step at a time.
AHEAD = 16
# With enough steps held back, the driver waits for more of them to end, so that one commit serves several: for a part
# of the time that a step is held back, which leaves it time to ask for more of them, and no longer than people notice.
REST_PART = 1 / 3
MOST_REST_SECONDS = 0.02


class Ahead:
    """What is begun and has not ended, as far as it matters here."""

    def __init__(self, jobs: int, *, holds_back: bool) -> None:
        """holds_back: whether the runner heeds a width."""
        self._jobs = jobs
        self._holds_back = holds_back
        # As many steps may be begun ahead as were quick of late; so of steps that are not quite so quick, a few are.
        self._quick = 0
        # How long it is of late from a step's beginning in the record to its end.
        self._seconds = 0.0
        # Those begun that the runner does not count.
        self._others: set[str] = set()

    @property
    def width(self) -> int:
        """How many of the steps that are begun may run at once; 0 if each that is begun runs."""
        return self._jobs if self._holds_back and not self._others else 0

    def room(self, start: Start, begun: int) -> bool:
        """Whether this step may begin when so many have not ended."""
        if begun < self._jobs:
            return True
        return self._quick >= self._jobs and begun < self._jobs + self._quick and self.width > 0 and may_wait(start)

    def rest_seconds(self, begun: int) -> float:
        """How long cores stay busy without the driver, with so many steps begun, most of them held back."""
        held_back = begun - self._jobs
        if self.width == 0 or held_back <= self._quick // 2 or held_back < 2 * self._jobs:
            return 0.0
        return min(self._seconds * REST_PART, MOST_REST_SECONDS)

    def begin(self, start: Start) -> None:
        """It begins."""
        if not may_wait(start):
            self._others.add(start.node)

    def ended(self, node: str, seconds: float) -> None:
        """It ended, so long after it was begun."""
        self._others.discard(node)
        # One that took long says little of those behind it.
        self._seconds = min(seconds, 2 * self._seconds) if self._seconds else seconds
        self._quick = min(self._quick + 1, self._jobs * AHEAD) if seconds < QUICK_SECONDS else self._quick // 2


def may_wait(start: Start) -> bool:
    """Whether it makes no difference to a step that it is held back: it is one process, and has no time to end by."""
    template = start.template
    main = template.container
    return (
        main is not None
        and main.resources is None
        and not template.daemon
        and not start.deadline
        and not runs_here(template)
        and is_simple(template, main)
    )
