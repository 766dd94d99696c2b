"""What the three kinds of leaves share: a log, access to secrets for artifacts, parameters that need no work.

It knows files and the run's context, not any kind of leaf.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from argosy.artifacts.locations import Context
from argosy.artifacts.redaction import hidden, redact, spellings
from argosy.errors import ArgosyError, NotFound
from argosy.model.manifest import KeySelector, Parameter, Template
from argosy.plan.actions import Start
from argosy.runners.local.context import RunContext


class LeafFailed(ArgosyError):
    """What a leaf was to do did not succeed; the message says why."""

    id = "leaf-failed"


class Log:
    """The step's log, `main.log` in the attempt's folder, without secrets."""

    def __init__(self, start: Start, context: RunContext) -> None:
        """Raises OSError."""
        folder = context.attempt_folder(start.node)
        folder.mkdir(parents=True, exist_ok=True)
        self.path: Path = folder / "main.log"
        self._secrets: list[bytes] = []

    def hide(self, secret: bytes) -> None:
        """Keep this value out of the log and of messages."""
        self._secrets.append(secret)

    def redact(self, text: str) -> str:
        """The text without secrets."""
        return redact(text, self._secrets)

    def hidden(self, text: str) -> str:
        """The text without the secrets it was told, and else as it is: for outputs."""
        return hidden(text, spellings(self._secrets))

    def say(self, line: str) -> None:
        """One line with the time in front. Raises OSError."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.write(f"{now} {line}\n")

    def write(self, text: str) -> None:
        """Text as it is, but for secrets. Raises OSError."""
        with self.path.open("a", encoding="utf-8", errors="replace") as file:
            file.write(self.redact(text))


def secret_of(context: RunContext, selector: KeySelector) -> bytes:
    """The value of a Secret's key. Raises NotFound."""
    value = context.secret_value(selector)
    if value is None:
        raise NotFound(
            f'there is no key "{selector.key}" of a Secret "{selector.name}"',
            hint="Apply it first: argosy apply -f FILE.",
        )
    return value


def transfer_context(context: RunContext, log: Log, cancelled: Callable[[], bool]) -> Context:
    """What a driver of artifacts may ask on behalf of this leaf."""

    def secret(selector: KeySelector) -> bytes:
        value = secret_of(context, selector)
        log.hide(value)
        return value

    def config(selector: KeySelector) -> str:
        found = context.config_map(selector.name)
        if found is None or selector.key not in found.data:
            raise NotFound(
                f'there is no key "{selector.key}" of a ConfigMap "{selector.name}"',
                hint="Apply it first: argosy apply -f FILE.",
            )
        return found.data[selector.key]

    return Context(secret=secret, config=config, log=log.say, cancelled=cancelled)


def given_parameters(template: Template, kind: str, *, files: bool = False) -> tuple[Parameter, ...]:
    """The output parameters of a leaf without a process: those with a value, or a default for one.

    files: whether it may have output artifacts. Raises LeafFailed for a parameter that would have to be read from
    somewhere, and for artifacts that it cannot have.
    """
    outputs = template.outputs
    if outputs is None:
        return ()
    if outputs.artifacts and not files:
        raise LeafFailed(
            f'the output artifact "{outputs.artifacts[0].name}" cannot come from a template of kind {kind}.',
            hint="It has no files; use outputs.result.",
        )
    return tuple(_given(one, kind) for one in outputs.parameters)


def _given(declared: Parameter, kind: str) -> Parameter:
    value = declared.value
    if value is None and declared.value_from is not None:
        value = declared.value_from.default
    if value is None:
        raise LeafFailed(
            f'the output parameter "{declared.name}" cannot come from a template of kind {kind}.',
            hint="Use outputs.result.",
        )
    return found_parameter(declared, value)


def found_parameter(declared: Parameter, value: str) -> Parameter:
    """An output parameter with its value."""
    return Parameter(
        name=declared.name, value=value, global_name=declared.global_name, description=declared.description
    )
