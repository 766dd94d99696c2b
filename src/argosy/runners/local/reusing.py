"""Outcomes of earlier runs for the leaves of this one: looked up many at once, checked, and stored when there are new.

It knows a run's leaves and what became of them; `reuse_key` knows what decides an outcome, the record keeps it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache

import msgspec

from argosy.artifacts.store import Store
from argosy.artifacts.trees import Digest, parse_digest
from argosy.errors import ArgosyError
from argosy.model.events import AttemptExited, CacheRead, ContainerEnd
from argosy.model.manifest import Outputs
from argosy.model.status import REUSE_CACHE, Node, Phase
from argosy.plan.actions import Start
from argosy.record.reuse import Asked, Found, Reuse
from argosy.runners.local.context import RunContext
from argosy.runners.local.reuse_key import (
    Decisive,
    NotLookedUp,
    hashes_of,
    key_of,
    may_be_reused,
    parts_of,
    whole_outputs,
)

# As a step to be run anyway: every one.
EVERY_STEP = "*"
ANYWAY = "asked to be run anyway"
# So many outcomes with artifacts are checked by one thread at a time.
CHECKED_TOGETHER = 256


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What is kept of a step that succeeded."""

    outputs: Outputs | None = None
    containers: tuple[ContainerEnd, ...] = ()


Answer = tuple[Start, CacheRead]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Outcome).decode
_NOTHING = Outcome()


class Reusing:
    """The reuse of one run. The loop's thread only, but for what `checks` gives."""

    def __init__(self, reuse: Reuse, context: RunContext, decisive: Decisive, *, anyway: Sequence[str] = ()) -> None:
        """anyway: steps that are run whatever there is, by name, or EVERY_STEP."""
        self._reuse = reuse
        self._context = context
        self._run, self._uid = context.identity.name, context.identity.uid
        self._decisive = msgspec.structs.replace(decisive, image_mark=cache(decisive.image_mark))
        self._anyway = _names(anyway)
        self._waiting: list[Start] = []
        self._to_check: list[tuple[Start, CacheRead]] = []
        self._asked: list[Asked] = []
        self._outcomes: list[tuple[str, str, bytes]] = []
        # By the bytes of an outcome: many steps end alike.
        self._decoded: dict[bytes, Outcome] = {}

    def takes(self, start: Start) -> bool:
        """Whether a leaf has to be looked up before it may start; it then waits for `answers`."""
        if not may_be_reused(start.template):
            return False
        self._waiting.append(start)
        return True

    def runs_anyway(self, name: str, template: str) -> bool:
        """Whether a node was asked to be run whatever there is."""
        if self._anyway is None:
            return False
        return bool(self._anyway.search(name.removeprefix(self._run))) or bool(self._anyway.fullmatch(f".{template}"))

    # -- looking up

    def answers(self, now: float) -> list[Answer]:
        """What is known of all leaves that wait. Those with artifacts to be checked are in `checks`."""
        starts, self._waiting = self._waiting, []
        answered: list[Answer] = []
        keyed: list[tuple[Start, str, dict[str, object]]] = []
        # Documents do not change within one look.
        context = msgspec.structs.replace(
            self._context, config_map=cache(self._context.config_map), secret=cache(self._context.secret)
        )
        decisive = msgspec.structs.replace(self._decisive, secret_version=cache(self._decisive.secret_version))
        for start in starts:
            try:
                parts = parts_of(start, context, decisive)
            except NotLookedUp as reason:
                answered.append((start, CacheRead(at=now, node=start.node, hit=False, reason=str(reason))))
                continue
            keyed.append((start, key_of(parts), parts))
        found = self._reuse.read([key for _, key, _ in keyed], self._uid) if keyed else {}
        for start, key, parts in keyed:
            kept = found.get(key)
            anyway = self._anyway is not None and self.runs_anyway(start.name, start.template.name)
            answer = self._hit(start, key, kept, now) if kept is not None and not anyway else None
            if answer is None:
                self._ask(start, key, parts)
                reason = ANYWAY if anyway else ""
                answered.append((start, CacheRead(at=now, node=start.node, hit=False, key=key, reason=reason)))
            elif _digests(answer):
                self._to_check.append((start, answer))
            else:
                answered.append((start, answer))
        return answered

    def _ask(self, start: Start, key: str, parts: dict[str, object]) -> None:
        self._asked.append(
            Asked(
                key=key,
                template=start.template.name or start.name.rpartition(".")[2].partition("(")[0],
                place=start.name.removeprefix(self._run),
                parts=hashes_of(parts),
            )
        )

    def _hit(self, start: Start, key: str, kept: Found, now: float) -> CacheRead | None:
        outcome = self._decoded.get(kept.outcome)
        if outcome is None:
            try:
                outcome = self._decoded[kept.outcome] = _decode(kept.outcome)
            except msgspec.DecodeError:
                return None
        return CacheRead(
            at=now,
            node=start.node,
            hit=True,
            outputs=outcome.outputs,
            key=key,
            run=kept.run,
            origin=kept.node,
            containers=outcome.containers,
        )

    def checks(self) -> Iterator[Callable[[], list[Answer]]]:
        """Work for threads, each giving answers: outcomes whose artifacts are whole are used, others are not."""
        waiting, self._to_check = self._to_check, []
        store = self._context.store
        for start in range(0, len(waiting), CHECKED_TOGETHER):
            some = waiting[start : start + CHECKED_TOGETHER]
            yield lambda some=some: [(start, checked(answer, store)) for start, answer in some]

    # -- storing

    def ended(self, fact: AttemptExited, node: Node) -> None:
        """Keep the outcome of a leaf that succeeded, with the next `write`."""
        status = node.memoization_status
        if node.phase is not Phase.SUCCEEDED or status is None or status.cache_name != REUSE_CACHE or not status.key:
            return
        outputs = fact.outputs
        ends = [outputs, *(one.outputs for one in fact.containers)]
        if all(one is None or whole_outputs(one.artifacts) for one in ends):
            outcome = Outcome(outputs=outputs, containers=fact.containers)
            self._outcomes.append((status.key, node.name.removeprefix(self._run), _encode(outcome)))

    def write(self, now: float) -> None:
        """Put into the record what was asked for and what came out, within the caller's transaction."""
        if self._asked:
            self._reuse.ask(self._asked, self._uid, self._run, now)
            self._asked = []
        if self._outcomes:
            self._reuse.store(self._outcomes, self._uid, self._run, now)
            self._outcomes = []


def checked(answer: CacheRead, store: Store) -> CacheRead:
    """The answer if every artifact of it is whole in the store; else that nothing was found."""
    try:
        for digest in _digests(answer):
            _check(parse_digest(digest), store)
    except (ArgosyError, OSError, ValueError):
        return CacheRead(
            at=answer.at,
            node=answer.node,
            hit=False,
            key=answer.key,
            reason=f"an artifact of {answer.origin or 'what was kept'} is lost",
        )
    return answer


def _digests(answer: CacheRead) -> set[str]:
    """What an answer would have used again of the store."""
    if (answer.outputs is None or not answer.outputs.artifacts) and not answer.containers:
        return set()
    groups = [answer.outputs, *(one.outputs for one in answer.containers)]
    return {one.digest for outputs in groups if outputs is not None for one in outputs.artifacts if one.digest}


def _check(digest: Digest, store: Store) -> None:
    """Raises ArtifactNotFound, StoreTrouble when the object, or one that it holds, is not what it was."""
    if digest.form != "tree":
        with store.opened(digest) as file:
            store.verify_once(digest, file)
        return
    for entry in store.entries(digest):
        if entry.kind != "link":
            _check(parse_digest(entry.digest), store)


def _names(wanted: Iterable[str]) -> re.Pattern[str] | None:
    """What finds one of the names in that of a node: as a step, or as a step around it."""
    names = list(wanted)
    if not names:
        return None
    if EVERY_STEP in names:
        return re.compile("")
    return re.compile(rf"(?:^|\.)(?:{'|'.join(re.escape(one) for one in names)})(?:$|[.(\[])")
