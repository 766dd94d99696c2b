"""The locks and caches that a plan asks for, looked up in the record; answers are facts.

It knows what keys locks have, not why a node wants one. Source: Argo docs: synchronization.md, memoization.md.
"""

from __future__ import annotations

import msgspec

from argosy.errors import ArgosyError
from argosy.model.events import CacheRead, Fact, LocksGranted, LocksRefused
from argosy.model.manifest import Mutex, Outputs, SemaphoreRef, Synchronization
from argosy.model.status import Node
from argosy.plan.actions import AcquireLocks, ReadCache, WriteCache
from argosy.record.cache import Cache
from argosy.record.locks import Granted, Holder, Locks
from argosy.runners.local.context import RunContext


class Locking:
    """The locks of one run. Not for several threads."""

    def __init__(self, run_id: int, locks: Locks, context: RunContext) -> None:
        self._run_id = run_id
        self._locks = locks
        self._context = context
        self._waiting: dict[str, tuple[AcquireLocks, str]] = {}

    @property
    def is_waiting(self) -> bool:
        return bool(self._waiting)

    def ask(self, action: AcquireLocks, now: float) -> Fact | None:
        """Ask for a node's locks; None when the answer is the one already given."""
        before = self._waiting.get(action.node, (action, ""))[1]
        try:
            wanted = self._keys(action.synchronization)
        except ArgosyError as problem:
            self._waiting.pop(action.node, None)
            return LocksRefused(at=now, node=action.node, error=problem.message)
        spec = self._context.workflow.spec
        answer = self._locks.acquire(
            self._holder(action.node),
            wanted,
            now=now,
            priority=spec.priority or 0,
            created_at=self._context.identity.created_at,
        )
        if isinstance(answer, Granted):
            self._waiting.pop(action.node, None)
            return LocksGranted(at=now, node=action.node)
        self._waiting[action.node] = (action, answer.key)
        return None if answer.key == before else LocksRefused(at=now, node=action.node, waiting_for=answer.key)

    def ask_again(self, now: float) -> list[Fact]:
        """Ask for all that is waited for."""
        answers = (self.ask(action, now) for action, _ in list(self._waiting.values()))
        return [answer for answer in answers if answer is not None]

    def release(self, node: str) -> None:
        """Give back what a node holds or waits for."""
        self._waiting.pop(node, None)
        self._locks.release(self._holder(node))

    def _holder(self, node: str) -> Holder:
        return Holder(run_id=self._run_id, node=node)

    def _keys(self, wanted: Synchronization) -> list[tuple[str, int]]:
        return [(self._mutex(one), 1) for one in wanted.mutexes] + [self._semaphore(one) for one in wanted.semaphores]

    def _mutex(self, mutex: Mutex) -> str:
        # A lock in the controllers' database is apart from one of the same name in the cluster.
        kind = "DatabaseMutex" if mutex.database else "Mutex"
        return f"{mutex.namespace or self._context.identity.namespace}/{kind}/{mutex.name}"

    def _semaphore(self, semaphore: SemaphoreRef) -> tuple[str, int]:
        reference = semaphore.config_map_key_ref
        if reference is None:
            raise ArgosyError(
                "a semaphore needs a configMapKeyRef", hint="the limit of a semaphore in a database is not known here"
            )
        found = self._context.config_map(reference.name)
        if found is None or reference.key not in found.data:
            raise ArgosyError(
                f"the semaphore's ConfigMap '{reference.name}' has no key '{reference.key}'",
                hint="apply it first: argosy apply -f FILE",
            )
        try:
            limit = int(found.data[reference.key])
        except ValueError:
            value = found.data[reference.key]
            raise ArgosyError(f"the semaphore's limit '{value}' is not a whole number") from None
        namespace = semaphore.namespace or self._context.identity.namespace
        return f"{namespace}/ConfigMap/{reference.name}/{reference.key}", limit


def read_cache(cache: Cache, action: ReadCache, now: float) -> CacheRead:
    """What a memoization cache says for a node."""
    found = cache.read(action.cache, action.key, action.max_age_seconds, now)
    if found is None:
        return CacheRead(at=now, node=action.node, hit=False)
    try:
        outputs = msgspec.json.decode(found, type=Outputs | None)
    except msgspec.DecodeError as problem:
        return CacheRead(at=now, node=action.node, hit=False, error=f"the cache entry cannot be read: {problem}")
    return CacheRead(at=now, node=action.node, hit=True, outputs=outputs)


def write_cache(cache: Cache, action: WriteCache, node: Node) -> None:
    """Keep a node's outputs."""
    cache.write(action.cache, action.key, node.id, msgspec.json.encode(node.outputs), node.finished_at)
