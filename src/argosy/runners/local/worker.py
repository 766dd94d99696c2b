"""Work that would hold up the loop, done in threads: transfers of artifacts, requests, waits.

It knows callables and results, not what they do. Results are taken by the loop's own thread.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")

_THREADS = 8


class Worker:
    """A few threads, started when first needed, and a descriptor that tells of results."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._results: deque[Callable[[], None]] = deque()
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._is_woken = False
        self.pending = 0
        self.cancelled = False

    def fileno(self) -> int:
        """Readable when `take` has something."""
        return self._read

    def do(self, work: Callable[[], T], then: Callable[[T], None]) -> None:
        """Do `work` in a thread; `then` is called with its result by whoever calls `take`. `work` must not raise."""
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor  # most runs need no thread

            self._pool = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="argosy")
        self.pending += 1
        self._pool.submit(self._run, work, then)

    def _run(self, work: Callable[[], T], then: Callable[[T], None]) -> None:
        try:
            result = work()
        except BaseException as problem:
            failure = problem
            self.post(lambda: _raise(failure), counted=True)
            return
        self.post(lambda: then(result), counted=True)

    def post(self, callback: Callable[[], None], *, counted: bool = False) -> None:
        """Have the loop's thread call this. Safe from threads and signal handlers."""
        self._results.append(self._counted(callback) if counted else callback)
        self.wake()

    def wake(self) -> None:
        """Make the descriptor readable."""
        self._is_woken = True
        try:
            os.write(self._write, b"!")
        except (BlockingIOError, OSError):
            return

    def _counted(self, callback: Callable[[], None]) -> Callable[[], None]:
        def call() -> None:
            self.pending -= 1
            callback()

        return call

    def take(self) -> None:
        """Call what the threads have left to be called."""
        if not self._is_woken:
            return
        self._is_woken = False
        with suppress(BlockingIOError):
            os.read(self._read, 4096)
        while self._results:
            self._results.popleft()()

    def close(self) -> None:
        """Wait for what runs and let go. Work asks `cancelled` now and then."""
        self.cancelled = True
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        os.close(self._read)
        os.close(self._write)


def _raise(problem: BaseException) -> None:
    raise problem
