"""Looking out for news without going to sleep, where it is about to come: being woken takes a good part of that time.

It knows a poll object and the clock. The supervisor uses it too; hence it imports next to nothing.
"""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import select

# One that yields and comes back this late has neighbours, before whom those go that were asleep: then it sleeps too.
CROWDED_SECONDS = 0.0007
UNCROWDED_SECONDS = 0.25


class Awake:
    """Remembers for a while that others want the cores."""

    def __init__(self) -> None:
        self._crowded_until = 0.0

    def news(self, poll: select.poll, until: float) -> list[tuple[int, int]]:
        """What `poll` tells; nothing if that would not come before `until`, by the monotonic clock."""
        now = time.monotonic()
        while self._crowded_until < now < until:
            if news := poll.poll(0):
                return news
            # Another process that wants this core gets it.
            os.sched_yield()
            before, now = now, time.monotonic()
            if now - before > CROWDED_SECONDS:
                self._crowded_until = now + UNCROWDED_SECONDS
        return []
