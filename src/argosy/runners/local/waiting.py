"""The driver's wait for steps that end and for results of its threads: asleep, or awake where the next comes at once.

It knows descriptors and the clock, not what is waited for.
"""

from __future__ import annotations

import select
import time

from argosy.runners.local.awake import Awake
from argosy.runners.local.runtimes.runtime import Exit, Runner
from argosy.runners.local.worker import Worker

# Where steps end this soon one after another, the driver stays awake.
AWAKE_SECONDS = 0.002


class Waiting:
    """The waits of one driver."""

    def __init__(self, runner: Runner, worker: Worker) -> None:
        self._runner = runner
        self._worker = worker
        self._awake = Awake()
        # Whether the last thing waited for came at once.
        self._is_quick = False

    def exits(self, timeout: float, *, alone: bool, rest_seconds: float) -> list[Exit]:
        """The steps that have ended when there is news of any kind, at the latest after the timeout (seconds).

        alone: one step runs; several want the core for which the driver would stay awake. rest_seconds: how long more
        of them may be waited for.
        """
        descriptor = self._runner.fileno()
        if descriptor < 0:
            return self._runner.wait(timeout)
        begun = time.monotonic()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.register(self._worker.fileno(), select.POLLIN)
        stays = alone and self._is_quick
        if not (stays and self._awake.news(poll, begun + min(AWAKE_SECONDS, timeout))):
            poll.poll(timeout * 1000)
        self._is_quick = time.monotonic() < begun + AWAKE_SECONDS
        if rest_seconds:
            time.sleep(rest_seconds)
        return self._runner.wait(0)
