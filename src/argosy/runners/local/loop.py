"""The loop that drives one run on this machine: decisions of the plan are made durable, then carried out.

It knows the order of things (durable, believed, done) and nothing of templates: the plan decides, `staging` makes
files, a runner runs processes. A restart is the same loop after a replay. One thread; slow work goes to `worker`.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from argosy.artifacts.troubles import raise_if_full
from argosy.errors import ArgosyError
from argosy.model.events import (
    AttemptExited,
    AttemptReady,
    AttemptStarted,
    CacheRead,
    Fact,
    StopRequested,
    TimePassed,
)
from argosy.model.host_templates import without_halves
from argosy.model.status import Phase
from argosy.plan.actions import AcquireLocks, Action, Kill, ReadCache, ReleaseLocks, Start, WriteCache
from argosy.plan.document import progress_of, status_of
from argosy.plan.plan import Plan
from argosy.record.cache import Cache
from argosy.record.journal import Journal, Progress
from argosy.record.leases import Lease
from argosy.record.locks import Locks
from argosy.runners.local.ahead import Ahead
from argosy.runners.local.collecting import collect, takes_long
from argosy.runners.local.context import RunContext
from argosy.runners.local.leaves import run as run_leaf
from argosy.runners.local.leaves import runs_here
from argosy.runners.local.locking import Locking, read_cache, write_cache
from argosy.runners.local.pod import Pod, Turn
from argosy.runners.local.readiness import wait_until_ready
from argosy.runners.local.resources import Capacity, Request, request_of
from argosy.runners.local.runtimes.runtime import Exit, Runner, StepSpec
from argosy.runners.local.spares import Spares
from argosy.runners.local.staging import StagingOptions, needs_transfer, prepare
from argosy.runners.local.waiting import Waiting
from argosy.runners.local.worker import Worker

if TYPE_CHECKING:
    from argosy.runners.local.reusing import Answer, Reusing

POLL_SECONDS = 0.25
PROGRESS_SECONDS = 0.5
# What is left of a finished run (daemons) has this long to go beyond its grace.
LEAVE_SECONDS = 10.0
# How many steps that ask for more than is free are passed over for a later one that fits.
LOOK_AHEAD = 64
# A run that only reuses would decide all of itself in one turn; it commits after so many facts.
MOST_FACTS = 10_000


def default_jobs() -> int:
    """How many steps run at once when nobody says: enough to keep every core busy while one step ends."""
    return max(4, (os.cpu_count() or 1) + 2)


class Driver:
    """One run, driven in this process. Not for several threads, but for `stop`."""

    def __init__(
        self,
        *,
        journal: Journal,
        lease: Lease,
        plan: Plan,
        context: RunContext,
        runner: Runner,
        locks: Locks,
        cache: Cache,
        capacity: Capacity | None = None,
        jobs: int | None = None,
        options: StagingOptions,
        reusing: Reusing | None = None,
        on_change: Callable[[Plan], None] | None = None,
        on_facts: Callable[[list[Fact]], None] | None = None,
        on_idle: Callable[[], None] | None = None,
    ) -> None:
        """plan: with every fact of the journal applied. capacity: None to ignore what steps ask for.

        on_facts: is told of facts in the commit that makes them durable, and of none before the run's end is.
        on_idle: is called when there is nothing to do, and soon returns.

        reusing: where outcomes of earlier runs are looked up; None to run every step.
        """
        self._journal = journal
        self._lease = lease
        self._plan = plan
        self._context = context
        self._runner = runner
        self._locking = Locking(lease.run_id, locks, context)
        self._cache = cache
        self._capacity = capacity
        self._reusing = reusing
        self._jobs = jobs or default_jobs()
        self._cores = os.cpu_count() or 1
        self._ahead = Ahead(self._jobs, holds_back=runner.holds_back and not context.workflow.spec.pod_spec_patch)
        self._spares = Spares(f"{context.folder}/spares")
        self._options = msgspec.structs.replace(options, take_spare=self._spares.take)
        self._on_change = on_change
        self._on_facts = on_facts
        self._on_idle = on_idle
        self._worker = Worker()
        self._waiting = Waiting(runner, self._worker)
        self._facts: list[Fact] = []
        self._ready: deque[Start] = deque()
        self._pods: dict[str, Pod] = {}
        self._starts: dict[str, Start] = {}
        self._stopping: set[str] = set()
        # When pods end that a podSpecPatch gives a time; the plan knows of the template's own.
        self._deadlines: dict[str, float] = {}
        # Daemons run beside the steps that use them, so they take no job.
        self._daemons: set[str] = set()
        self._starting: list[Start] = []
        self._to_start: list[StepSpec] = []
        self._to_write: list[Callable[[], None]] = []
        self._next_poll = 0.0
        self._next_renewal = 0.0
        self._next_progress = 0.0
        # For whoever looks on: the run may be waiting for somebody from the beginning, with no fact to tell.
        self._is_changed = True

    # -- the loop

    def drive(self) -> Phase:
        """Drive the run to its end and return its phase. Safe to call in a new process after any crash.

        Raises LeaseLost when another driver has taken the run over, EnvironmentTrouble when the disk is full: that is
        no step's fault, so nothing is recorded of it, and the next driver goes on where this one stopped.
        """
        try:
            self._take_up()
            while not self._plan.finished:
                self._decide()
                self._commit()
                self._carry_out()
                self._show()
                if not self._facts and not self._plan.finished:
                    self._wait()
            self._leave()
            return self._plan.phase
        except OSError as error:
            raise_if_full(error)
            raise
        finally:
            self._worker.close()
            self._runner.close()
            self._spares.remove()

    def stop(self, strategy: str, message: str = "") -> None:
        """Ask for the run's end: "Stop", or "Terminate", which gives the steps no grace.

        Safe from signal handlers and other threads.
        """
        self._worker.post(lambda: self._stop_run(strategy, message))

    def _stop_run(self, strategy: str, message: str) -> None:
        self._tell(StopRequested(at=self._runner.now(), strategy=strategy, message=message))
        if strategy == "Stop":
            return
        self._commit()
        for pod in self._pods.values():
            if self._plan.nodes[pod.node].daemoned:
                # It ends with those that it serves; the plan says when.
                continue
            self._stopping.add(pod.node)
            # What was asked to end before still has its grace; this cuts it short.
            self._stop(pod, grace_seconds=0.0)

    def _tell(self, fact: Fact) -> None:
        """Believe a fact; it becomes durable with the next commit, before anything is done because of it."""
        self._facts.append(fact)
        self._plan.apply(fact)

    def _take_up(self) -> None:
        """Go on where the driver before this one stopped: adopt what runs, start what never did."""
        known = self._runner.adopt()
        wanted: set[str] = set()
        for start in self._plan.running():
            self._starts[start.node] = start
            if start.template.daemon:
                self._daemons.add(start.node)
            self._ahead.begin(start)
            self._occupy(start)
            if runs_here(start.template):
                self._begin_leaf(start)
                continue
            self._take_up_pod(start, known)
            wanted.update(self._pods[start.node].ids() if start.node in self._pods else ())
        for id, exit in known.items():
            if exit is None and id not in wanted:
                self._runner.stop(id, self._context.grace_seconds)

    def _take_up_pod(self, start: Start, known: dict[str, Exit | None]) -> None:
        try:
            pod = prepare(start, self._context, self._options_of(start))
        except ArgosyError as problem:
            raise_if_full(problem)
            self._end(start.node, "Error", problem.message)
            return
        self._pods[start.node] = pod
        if pod.write_record is not None:
            self._to_write.append(pod.write_record)
        turn = pod.take_up(known)
        self._follow(pod, turn)
        if not turn.ended:
            self._watch_readiness(start, pod)

    # -- decisions

    def _decide(self) -> None:
        """Take the plan's decisions, and those that follow from their answers."""
        self._take_requests()
        while True:
            actions = self._plan.actions()
            for action in actions:
                self._take(action)
            looked_up = self._reusing is not None and self._look_up(self._reusing)
            if not self._start_ready() and not actions and not looked_up:
                return

    def _take(self, action: Action) -> None:
        now = self._runner.now()
        match action:
            case Start():
                if self._reusing is None or not self._reusing.takes(action):
                    self._ready.append(action)
            case Kill():
                self._kill(action)
            case AcquireLocks():
                answer = self._locking.ask(action, now)
                if answer is not None:
                    self._tell(answer)
            case ReleaseLocks():
                self._locking.release(action.node)
                for answer in self._locking.ask_again(now):
                    self._tell(answer)
            case ReadCache():
                self._look_into_cache(action, now)
            case WriteCache():
                write_cache(self._cache, action, self._plan.nodes[action.node])
            case _:
                raise AssertionError(f"no way to carry out {action}")

    def _look_into_cache(self, action: ReadCache, now: float) -> None:
        node = self._plan.nodes[action.node]
        answer = CacheRead(at=now, node=action.node, hit=False)
        if self._reusing is None or not self._reusing.runs_anyway(node.name, node.template_name):
            answer = read_cache(self._cache, action, now)
        if answer.outputs is not None and answer.outputs.artifacts:
            from argosy.runners.local.reusing import checked

            store = self._context.store
            self._worker.do(lambda: checked(answer, store), self._tell)
        else:
            self._tell(answer)

    def _look_up(self, reusing: Reusing) -> bool:
        """Take the outcomes that there are of leaves about to start; the others may start now. Whether any was told."""
        answers = reusing.answers(self._runner.now())
        self._answer(answers)
        for check in reusing.checks():
            self._worker.do(check, self._answer)
        if len(self._facts) >= MOST_FACTS:
            self._commit()
        return bool(answers)

    def _answer(self, answers: list[Answer]) -> None:
        for start, answer in answers:
            self._tell(answer)
            if not answer.hit:
                self._ready.append(start)

    def _start_ready(self) -> bool:
        """Decide which of the waiting leaves begin now, as many as the machine has room for; whether any does."""
        held: list[Start] = []
        began = len(self._starting)
        while self._ready and len(held) < LOOK_AHEAD:
            if not self._ahead.room(self._ready[0], self._begun):
                break
            start = self._ready.popleft()
            if self._plan.nodes[start.node].phase is not Phase.PENDING:
                continue
            if not self._occupy(start):
                held.append(start)
                continue
            self._starts[start.node] = start
            if start.template.daemon:
                self._daemons.add(start.node)
            self._ahead.begin(start)
            self._tell(AttemptStarted(at=self._runner.now(), node=start.node))
            self._starting.append(start)
        self._ready.extendleft(reversed(held))
        return len(self._starting) > began

    @property
    def _begun(self) -> int:
        """How many steps have begun and not ended."""
        return len(self._starts) - len(self._daemons)

    def _occupy(self, start: Start) -> bool:
        """Set aside what a step asks for; False if that much is not free now."""
        if self._capacity is None:
            return True
        request = self._request(start)
        return request is None or self._capacity.take(start.node, request) is not None

    def _request(self, start: Start) -> Request | None:
        template = start.template
        main = template.container or template.script
        if main is not None and main.resources is None and not template.sidecars and not template.init_containers:
            return None
        return request_of(template)

    def _kill(self, action: Kill) -> None:
        pod = self._pods.get(action.node)
        if pod is None:
            if action.node in self._starts:
                self._stopping.add(action.node)
            return
        self._stopping.add(action.node)
        self._stop(pod, grace_seconds=0.0 if self._plan.is_aborted else None)

    def _stop(self, pod: Pod, grace_seconds: float | None = None) -> None:
        """End a pod: what runs is stopped, and nothing more of it begins. grace_seconds: other than its own."""
        # What was never asked for cannot be stopped, and would run on.
        self._start_decided()
        own = self._context.grace_seconds if pod.grace_seconds is None else pod.grace_seconds
        grace = own if grace_seconds is None else grace_seconds
        for id in pod.stop():
            self._runner.stop(id, grace)

    # -- durable

    def _commit(self) -> None:
        """Make what was believed durable: one commit for all of it."""
        now = self._runner.now()
        if now >= self._next_renewal:
            self._journal.renew(self._lease)
            self._next_renewal = now + self._lease.seconds / 3
        if self._facts:
            facts, self._facts = self._facts, []
            self._context.store.sync()
            with self._journal.database.write():
                self._journal.append(self._lease, facts, progress=self._progress(now))
                if self._on_facts is not None:
                    self._on_facts(facts)
                if self._reusing is not None:
                    self._reusing.write(now)
            self._is_changed = True

    def _show(self) -> None:
        """Tell whoever looks on, if anything became durable since the last time; no step waits for that."""
        if self._is_changed and self._on_change is not None:
            self._on_change(self._plan)
        self._is_changed = False

    def _progress(self, now: float) -> Progress | None:
        if now < self._next_progress:
            return None
        self._next_progress = now + PROGRESS_SECONDS
        return self._shown()

    def _shown(self) -> Progress:
        return Progress(
            phase=str(self._plan.phase),
            message=self._plan.message,
            progress=progress_of(self._plan),
            started_at=self._plan.started_at,
            reused=self._plan.reused,
        )

    # -- done

    def _carry_out(self) -> None:
        """Start what was decided; only now, when the decision is durable."""
        starting, self._starting = self._starting, []
        for start in starting:
            if runs_here(start.template):
                self._begin_leaf(start)
            elif needs_transfer(start, self._options):
                options = self._options_of(start)
                self._worker.do(lambda start=start, options=options: self._prepared(start, options), self._begin_pod)
            else:
                self._begin_pod(self._prepared(start, self._options_of(start)))
        self._start_decided()

    def _start_decided(self) -> None:
        """Start what is prepared: the start of each attempt in `_to_start` is durable."""
        if self._to_start:
            specs, self._to_start = self._to_start, []
            self._runner.start(specs, self._ahead.width)
        for write in self._to_write:
            # A step that is quick to remove its own folder has no record.
            with suppress(FileNotFoundError):
                write()
        self._to_write.clear()

    def _options_of(self, start: Start) -> StagingOptions:
        if self._capacity is not None and (request := self._request(start)) is not None and request.gpus:
            return msgspec.structs.replace(self._options, gpus=self._capacity.take(start.node, request) or ())
        return self._options

    def _prepared(self, start: Start, options: StagingOptions) -> tuple[Start, Pod | ArgosyError]:
        try:
            return start, prepare(start, self._context, options)
        except ArgosyError as problem:
            raise_if_full(problem)
            return start, problem

    def _begin_pod(self, prepared: tuple[Start, Pod | ArgosyError]) -> None:
        start, pod = prepared
        if isinstance(pod, ArgosyError):
            self._end(start.node, "Error", f"{pod.message} {pod.hint}".strip())
            return
        if start.node in self._stopping:
            self._end(start.node, "Failed", "stopped before it began")
            return
        self._pods[start.node] = pod
        self._to_start.extend(pod.begin())
        if pod.write_record is not None:
            self._to_write.append(pod.write_record)
        if pod.deadline_seconds is not None:
            self._deadlines[start.node] = self._runner.now() + pod.deadline_seconds
        self._watch_readiness(start, pod)

    def _begin_leaf(self, start: Start) -> None:
        def cancelled() -> bool:
            return self._worker.cancelled or start.node in self._stopping

        self._worker.do(lambda: run_leaf(start, self._context, cancelled), self._ended)

    def _watch_readiness(self, start: Start, pod: Pod) -> None:
        if not start.template.daemon:
            return
        main = pod.ids()[-1] if pod.ids() else ""

        def cancelled() -> bool:
            return self._worker.cancelled or start.node not in self._pods

        def ready(address: str | None) -> None:
            if address is not None:
                self._tell(AttemptReady(at=self._runner.now(), node=start.node, ip=address))

        address = self._runner.address(main) or "127.0.0.1"
        self._worker.do(lambda: wait_until_ready(start.template, address, cancelled), ready)

    # -- what comes back

    def _wait(self) -> None:
        """Wait for an exit, a result, a timer, a request."""
        now = self._runner.now()
        until = min(self._plan.wake_at or now + POLL_SECONDS, now + POLL_SECONDS)
        timeout = max(0.0, until - now)
        exits = self._runner.wait(0)
        if not exits:
            self._use_time()
            rest = self._ahead.rest_seconds(self._begun)
            exits = self._waiting.exits(timeout, alone=len(self._starts) == 1, rest_seconds=rest)
        self._worker.take()
        for exit in exits:
            self._exited(exit)
        now = self._runner.now()
        for node in [one for one, until in self._deadlines.items() if until <= now]:
            del self._deadlines[node]
            self._stop(self._pods[node])
        if self._plan.wake_at is not None and self._plan.wake_at <= now:
            self._tell(TimePassed(at=now))

    def _use_time(self) -> None:
        """Nothing has to be done now: do some of what will have to be."""
        # Taking one costs too: it is worth that where a core would be idle, and steps do not wait for this process.
        if len(self._starts) < self._cores:
            self._spares.make()
        if self._on_idle is not None:
            self._on_idle()

    def _take_requests(self) -> None:
        """What other processes ask for, and locks that other runs may have given back."""
        now = self._runner.now()
        if now < self._next_poll:
            return
        self._next_poll = now + POLL_SECONDS
        # The journal's order is the order in which facts are believed.
        self._commit()
        for request in self._journal.take_requests(self._lease):
            # The journal has it already: believed, but not written again.
            self._plan.apply(request)
            self._is_changed = True
        if self._locking.is_waiting:
            for answer in self._locking.ask_again(now):
                self._tell(answer)

    def _exited(self, exit: Exit) -> None:
        pod = self._pods.get(self._node_of(exit.id))
        if pod is not None:
            self._follow(pod, pod.exited(exit))

    def _node_of(self, id: str) -> str:
        attempt = id.partition("/")[0]
        return attempt if self._context.generation == 1 else attempt.removesuffix(f".{self._context.generation}")

    def _follow(self, pod: Pod, turn: Turn) -> None:
        if pod.node not in self._stopping:
            self._to_start.extend(turn.start)
        for id in turn.stop:
            self._runner.stop(id, self._context.grace_seconds)
        if not turn.ended and (pod.node not in self._stopping or pod.ids()):
            return
        start = self._starts.get(pod.node)
        if start is None:
            return
        if takes_long(start, pod):
            self._worker.do(lambda: self._collected(start, pod), self._ended)
        else:
            self._ended(self._collected(start, pod))

    def _collected(self, start: Start, pod: Pod) -> AttemptExited:
        if self._plan.is_aborted and pod.node in self._stopping:
            # Without grace, what it was writing may be half of it.
            start = msgspec.structs.replace(start, template=without_halves(start.template))
        try:
            return collect(start, pod, self._context, self._options)
        except ArgosyError as problem:
            raise_if_full(problem)
            message = f"{problem.message} {problem.hint}".strip()
            return AttemptExited(at=0.0, node=start.node, phase="Error", message=message)

    def _end(self, node: str, phase: str, message: str) -> None:
        self._ended(AttemptExited(at=0.0, node=node, phase=phase, message=message))

    def _ended(self, fact: AttemptExited) -> None:
        node = fact.node
        self._pods.pop(node, None)
        self._starts.pop(node, None)
        self._daemons.discard(node)
        self._deadlines.pop(node, None)
        self._stopping.discard(node)
        if self._capacity is not None:
            self._capacity.give_back(node)
        now = self._runner.now()
        self._ahead.ended(node, now - self._plan.nodes[node].started_at if node in self._plan.nodes else 0.0)
        self._tell(msgspec.structs.replace(fact, at=now))
        if self._reusing is not None and node in self._plan.nodes:
            self._reusing.ended(fact, self._plan.nodes[node])

    # -- the end

    def _leave(self) -> None:
        """Nothing of the run stays behind; then the run is finished in the record."""
        for action in self._plan.actions():
            if not isinstance(action, Start):
                self._take(action)
        until = self._runner.now() + self._context.grace_seconds + LEAVE_SECONDS
        while self._pods and self._runner.now() < until:
            for pod in self._pods.values():
                self._stop(pod)
            for exit in self._runner.wait(POLL_SECONDS):
                node = self._node_of(exit.id)
                pod = self._pods.get(node)
                if pod is not None and pod.exited(exit).ended:
                    del self._pods[node]
        self._commit()
        if self._on_facts is not None:
            self._on_facts([])
        self._journal.set_progress(self._lease, self._shown())
        self._journal.finish(
            self._lease,
            phase=str(self._plan.phase),
            message=self._plan.message,
            finished_at=self._plan.finished_at,
            status=msgspec.json.encode(status_of(self._plan)),
        )
        self._is_changed = True
        self._show()
