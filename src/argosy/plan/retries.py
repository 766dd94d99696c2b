"""The attempts of a template that may be tried again: when there is a next one, and how it ends when there is none.

It knows outcomes of attempts, not what is attempted. Source: Argo docs: retries.md; processNodeRetries.
"""

from __future__ import annotations

import re

import msgspec

from argosy.errors import ExpressionError
from argosy.model.manifest import Backoff, Outputs, RetryStrategy
from argosy.model.status import Node, NodeFlag, NodeType, Phase
from argosy.plan import durations
from argosy.plan.conditions import expr_bool
from argosy.plan.execution import Execution
from argosy.plan.run import Timer
from argosy.plan.substitution import substitute

# What Argo calls transient by the words of its message.
_TRANSIENT = (
    r"(?i)i/o timeout|connection (?:refused|reset)|net/http: TLS handshake timeout|EOF|too many requests|"
    r"temporar(?:y|ily)|service unavailable|timed? ?out"
)
_FOREVER = 1e12
_TOO_LATE = "retry exceeded workflow deadline"


class Verdict(msgspec.Struct, frozen=True):
    """What to do after a failed attempt. again: try once more, at `at`. Else the node ends with message."""

    again: bool
    message: str = ""
    at: float = 0.0


class Retries:
    """The attempts of one execution, under a node of type Retry."""

    def __init__(self, execution: Execution, strategy: RetryStrategy) -> None:
        self.execution = execution
        self.run = execution.run
        self.strategy = strategy
        self.attempts: list[Node] = []
        self._wait: Timer | None = None
        self._deadline: Timer | None = None
        # By when the attempts after the first must have ended (backoff.maxDuration), or 0.0.
        self._latest = 0.0

    def start(self) -> None:
        """Make the first attempt."""
        self.node = self.execution.make_node(NodeType.RETRY, Phase.RUNNING)
        try:
            self.strategy = substitute(self.strategy, self.execution.scope)
        except ExpressionError as problem:
            self._end(Phase.ERROR, problem.message, problem.message)
            return
        self._attempt()

    def _attempt(self) -> None:
        from argosy.plan.bodies import body_of

        self.node.message = ""
        name = f"{self.node.name}({len(self.attempts)})"
        names = self._names()
        names["node.name"] = name
        limits = [limit for limit in (self.execution.deadline, self._latest) if limit]
        body_of(self.execution, name, names, self, min(limits, default=0.0)).start()

    # -- the owner of a body

    def make_node(self, kind: NodeType, phase: Phase) -> Node:
        """The node of the next attempt."""
        number = len(self.attempts)
        node = self.run.new_node(
            f"{self.node.name}({number})",
            f"{self.node.display_name}({number})",
            kind,
            phase,
            boundary_id=self.execution.boundary_id,
            flag=NodeFlag(retried=True, hooked=self.node.node_flag is not None and self.node.node_flag.hooked),
        )
        self.execution.describe(node)
        self.attempts.append(node)
        self.run.link(self.node, node)
        return node

    def ended(self, node: Node, refusal: str = "") -> None:
        """An attempt has ended, or its daemon is ready."""
        if not node.phase.fulfilled:
            self.node.daemoned = True
            self.node.pod_ip = node.pod_ip
            self.execution.ended(self.node)
            return
        self.node.daemoned = False
        if not node.phase.unsuccessful:
            self.node.outputs = node.outputs
            self._end(Phase.SUCCEEDED, "")
            return
        try:
            verdict = self._judge(node)
        except ExpressionError as problem:
            self._end(Phase.ERROR, problem.message, problem.message)
            return
        if not verdict.again:
            self.node.outputs = node.outputs
            self._end(node.phase, verdict.message, refusal)
            return
        self.execution.measure(node)
        if verdict.at > self.run.now:
            self.node.message = verdict.message
            self._wait_until(verdict.at)
        else:
            self.run.later(self._attempt)

    def _wait_until(self, moment: float) -> None:
        self.run.backoffs[self.node.id] = self
        self._wait = self.run.at(moment, self._after_wait)
        if self.execution.deadline:
            self._deadline = self.run.at(self.execution.deadline, lambda: self.kill(_TOO_LATE))

    def _after_wait(self) -> None:
        self._wait_over()
        self._attempt()

    def _wait_over(self) -> None:
        self.run.backoffs.pop(self.node.id, None)
        for timer in (self._wait, self._deadline):
            if timer is not None:
                timer.cancel()

    def kill(self, reason: str) -> None:
        """Do not wait any longer for the next attempt."""
        self._wait_over()
        last = self.attempts[-1]
        self.node.outputs = last.outputs
        self._end(last.phase, reason)

    # -- the decision

    def _judge(self, last: Node) -> Verdict:
        """Whether to try again, in the order in which Argo asks. Raises ExpressionError."""
        run = self.run
        if run.shutdown:
            return Verdict(False, f"Stopped with strategy '{run.shutdown}'")
        if self.execution.deadline and run.now >= self.execution.deadline:
            return Verdict(False, _TOO_LATE)
        wait = Verdict(True)
        if self.strategy.backoff is not None:
            # Policy, limit and expression are asked before the wait: a node that will not be tried again ends now.
            wait = self._backoff(self.strategy.backoff, last)
            if not wait.again:
                return wait
        if not self._policy_allows(last):
            return Verdict(False, last.message)
        limit = self._limit()
        if limit is not None and len(self.attempts) > limit:
            return Verdict(False, "No more retries left")
        if self.strategy.expression and expr_bool(self.strategy.expression, self._expression_names()) is False:
            return Verdict(False, "retryStrategy.expression evaluated to false")
        return wait

    def _limit(self) -> int | None:
        if self.strategy.limit is None:
            return None
        try:
            return int(self.strategy.limit)
        except ValueError:
            raise ExpressionError(f"retryStrategy.limit '{self.strategy.limit}' is not a whole number") from None

    def _backoff(self, backoff: Backoff, last: Node) -> Verdict:
        now, latest = self.run.now, 0.0
        if backoff.max_duration:
            latest = self._latest = self.attempts[0].started_at + durations.seconds(backoff.max_duration)
            if now > latest:
                return Verdict(False, "Max duration limit exceeded")
        if not backoff.duration:
            raise ExpressionError("no base duration specified for retryStrategy")
        wait = durations.seconds(backoff.duration)
        factor = int(backoff.factor) if backoff.factor is not None and str(backoff.factor).isdigit() else 0
        if factor > 0:
            wait = min(_FOREVER, wait * float(min(factor ** min(len(self.attempts) - 1, 60), 10**12)))
        if backoff.cap:
            wait = min(wait, durations.seconds(backoff.cap))
        until = last.finished_at + wait
        if latest and until > latest:
            return Verdict(False, "Backoff would exceed max duration limit")
        limit = self._limit()
        if now < until and limit is not None and len(self.attempts) <= limit:
            return Verdict(True, f"Backoff for {durations.in_words(wait)}", until)
        return Verdict(True)

    def _policy_allows(self, last: Node) -> bool:
        match self.strategy.retry_policy or ("Always" if self.strategy.expression else "OnFailure"):
            case "Always":
                return True
            case "OnFailure":
                return last.phase is Phase.FAILED
            case "OnError":
                return last.phase is Phase.ERROR
            case "OnTransientError":
                return bool(re.search(_TRANSIENT, last.message))
            case policy:
                raise ExpressionError(f"{policy} is not a valid RetryPolicy")

    # -- the names

    def _names(self) -> dict[str, object]:
        """What an attempt sees of the one before it."""
        last = self.attempts[-1] if self.attempts else None
        outputs = (last.outputs if last is not None else None) or Outputs()
        return {
            "retries": str(len(self.attempts)),
            "lastRetry.exitCode": outputs.exit_code or "0",
            "lastRetry.status": str(last.phase) if last is not None else "",
            "lastRetry.duration": str(int(last.finished_at - last.started_at)) if last is not None else "0",
            "lastRetry.message": last.message if last is not None else "",
        }

    def _expression_names(self) -> dict[str, object]:
        last = self.attempts[-1]
        outputs = last.outputs or Outputs()
        return self._names() | {
            "retries": str(len(self.attempts) - 1),
            "lastRetry.exitCode": outputs.exit_code if outputs.exit_code is not None else "-1",
        }

    def _end(self, phase: Phase, message: str, refusal: str = "") -> None:
        self.run.mark(self.node, phase, message)
        self.execution.ended(self.node, refusal)
