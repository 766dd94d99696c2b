"""The logs of an attempt, read back: whole, their end, or as they grow; without the secrets that the step was given.

It knows files and attempts, not terminals: control characters are the reader's to neutralise. Memory stays the same
however long a log is.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator
from io import FileIO
from pathlib import Path

import msgspec

from argosy.artifacts.redaction import spellings
from argosy.artifacts.troubles import disk_errors
from argosy.errors import EnvironmentTrouble, NotFound
from argosy.model.manifest import KeySelector, Secret
from argosy.runners.local.context import RunContext
from argosy.runners.local.environment import secret_bytes
from argosy.runners.local.staging import ATTEMPT_FILE

BLOCK_BYTES = 1 << 16
# A line longer than this comes in pieces.
LINE_BYTES = 1 << 16
FOLLOW_SECONDS = 0.1


class ContainerRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What attempt.json says of a container, as far as its logs need it."""

    name: str
    stdout: str
    stderr: str
    secret_environment: dict[str, str] = {}


class AttemptRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What attempt.json says of an attempt. masked: secrets were kept out of its logs when they were written."""

    containers: tuple[ContainerRecord, ...]
    secret_volumes: tuple[str, ...] = ()
    masked: bool = False


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line, with its newline if it has one, or a piece of a very long one."""

    container: str
    data: bytes


_decode = msgspec.json.Decoder(AttemptRecord).decode


def read_record(folder: Path) -> AttemptRecord:
    """What is known of the attempt in a folder. Raises NotFound if it was never prepared."""
    try:
        return _decode((folder / ATTEMPT_FILE).read_bytes())
    except (FileNotFoundError, msgspec.DecodeError):
        raise NotFound(
            f"Nothing is known of an attempt in {folder}.", hint="It was never started, or was pruned."
        ) from None


class AttemptLogs:
    """The logs of one attempt. secret: the Secret of a name, or None."""

    def __init__(self, folder: Path, secret: Callable[[str], Secret | None]) -> None:
        """Raises NotFound if there is no such attempt."""
        self._folder = folder
        self._record = read_record(folder)
        self._secret = secret

    def containers(self) -> tuple[str, ...]:
        """The names of its containers, each with a log."""
        return tuple(one.name for one in self._record.containers)

    def files(self, container: str) -> tuple[Path, ...]:
        """The log files of a container: what it said, and if that is apart, what it said to standard error."""
        found = next((one for one in self._record.containers if one.name == container), None)
        if found is None:
            raise NotFound(f"There is no container {container!r}.", hint=f"There are {', '.join(self.containers())}.")
        return tuple(Path(path) for path in dict.fromkeys((found.stdout, found.stderr)))

    def lines(
        self,
        containers: tuple[str, ...] = (),
        *,
        tail: int | None = None,
        since: float | None = None,
        until: Callable[[], bool] | None = None,
    ) -> Iterator[LogLine]:
        """The lines of these containers' logs, of all of them without a name.

        tail: only the last lines of each file. since: seconds since the epoch; files last written before are left out
        (lines carry no times). until: follow the logs until it says True, and then to their end.
        Raises NotFound for an unknown container, EnvironmentTrouble when a Secret that has to be masked is gone.
        """
        mask = self.mask()
        readers = [
            LogReader(path, name, mask, tail, since)
            for name in containers or self.containers()
            for path in self.files(name)
        ]
        while True:
            last = until is None or until()
            before = sum(reader.offset for reader in readers)
            for reader in readers:
                yield from reader.lines(to_end=last)
            if last:
                return
            if before == sum(reader.offset for reader in readers):
                time.sleep(FOLLOW_SECONDS)

    def mask(self) -> Mask:
        """The mask for what is in the logs of Secrets: those that Argosy wrote before it masked what it writes.

        Raises EnvironmentTrouble when one of them is gone.
        """
        if self._record.masked:
            return Mask([])
        values: list[bytes] = []
        for container in self._record.containers:
            for place in container.secret_environment.values():
                name, _, key = place.partition("/")
                values.append(self._value(KeySelector(name=name, key=key)))
        for name in self._record.secret_volumes:
            values.extend(secret_bytes(self._known(name)).values())
        return Mask(values)

    def _value(self, selector: KeySelector) -> bytes:
        return secret_bytes(self._known(selector.name)).get(selector.key, b"")

    def _known(self, name: str) -> Secret:
        found = self._secret(name)
        if found is None:
            raise EnvironmentTrouble(
                f"This step was given the Secret {name!r}, which is not here any more, so its log cannot be masked.",
                hint=f"Apply the Secret again, or read the files in {self._folder} yourself.",
            )
        return found


class Mask:
    """Hides values in bytes. A value that is cut in two by the end of a piece is hidden too if `hold` bytes are kept
    back for the next piece."""

    def __init__(self, values: list[bytes]) -> None:
        self._values = spellings(values)
        self.hold = max(map(len, self._values.texts), default=1) - 1

    def apply(self, data: bytes) -> bytes:
        """The data without the values."""
        return self._values.masked(data)


class LogReader:
    """One growing file, read on from where the last call stopped. tail, since: as those of `AttemptLogs.lines`."""

    def __init__(
        self, path: Path, container: str, mask: Mask, tail: int | None = None, since: float | None = None
    ) -> None:
        self.offset = 0
        self._path, self._container, self._mask = path, container, mask
        self._tail, self._since = tail, since
        self._rest = b""

    def lines(self, *, to_end: bool) -> Generator[LogLine, None, None]:
        """The whole lines that are there now; to_end: also one that has no newline yet."""
        try:
            with disk_errors("read", self._path), FileIO(self._path) as file:
                yield from self._new_lines(file)
        except EnvironmentTrouble as trouble:
            if not isinstance(trouble.__cause__, FileNotFoundError):
                raise
        if to_end and self._rest:
            rest, self._rest = self._rest, b""
            yield self._line(rest)

    def _new_lines(self, file: FileIO) -> Generator[LogLine, None, None]:
        if self._since is not None:
            if os.fstat(file.fileno()).st_mtime < self._since:
                return
            self._since = None
        if self._tail is not None:
            self.offset = offset_of_tail(file, self._tail)
            self._tail = None
        file.seek(self.offset)
        while data := file.read(BLOCK_BYTES):
            self.offset += len(data)
            *whole, self._rest = (self._rest + data).split(b"\n")
            for line in whole:
                yield self._line(line + b"\n")
            if len(self._rest) > LINE_BYTES + self._mask.hold:
                masked = self._mask.apply(self._rest)
                cut = max(0, len(masked) - self._mask.hold)
                yield LogLine(container=self._container, data=masked[:cut])
                self._rest = masked[cut:]

    def _line(self, data: bytes) -> LogLine:
        return LogLine(container=self._container, data=self._mask.apply(data))


def offset_of_tail(file: FileIO, lines: int) -> int:
    """Where the last lines of a file begin. A newline at the very end ends a line and begins none."""
    end = file.seek(0, os.SEEK_END)
    if lines <= 0:
        return end
    wanted, position = lines, end
    while position > 0:
        start = max(0, position - BLOCK_BYTES)
        file.seek(start)
        block = file.read(position - start) or b""
        if position == end and block.endswith(b"\n"):
            wanted += 1
        count = block.count(b"\n")
        if count >= wanted:
            place = len(block)
            for _ in range(wanted):
                place = block.rindex(b"\n", 0, place)
            return start + place + 1
        wanted -= count
        position = start
    return 0


def saved_log(context: RunContext, node: str, container: str) -> Path | None:
    """A container's log as one file, fit to be kept: masked, with standard error after output; None if it said nothing.

    Raises what reading the logs raises.
    """
    folder = context.attempt_folder(node)
    logs = AttemptLogs(folder, context.secret)
    present = [path for path in logs.files(container) if path.exists()]
    if not present:
        return None
    if len(present) == 1 and not logs.mask().hold:
        return present[0]
    target = folder / "outputs" / f"{container}.log"
    with disk_errors("write", target):
        target.parent.mkdir(exist_ok=True)
        with target.open("wb") as file:
            for line in logs.lines((container,)):
                file.write(line.data)
    return target
