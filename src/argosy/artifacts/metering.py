"""A stream for the tar reader that never goes back and counts what it gives out.

It knows only bytes: a decompressor behind it cannot be made to start again, nor to fill the memory with one header.
"""

from __future__ import annotations

from typing import IO

from argosy.artifacts.troubles import ArchiveRefused

SKIP_BYTES = 1 << 18
BLOCK_BYTES = 512
# Writers fill up their last record; none of them fills up this much.
TRAILER_BYTES = 16 << 20


class Metered:
    """Reads as a file does, but seeks only forward, or one byte back, as the tar reader asks."""

    def __init__(self, stream: IO[bytes], header_allowance: int, allowance: int) -> None:
        self._stream = stream
        self._header_allowance = header_allowance
        self._allowance = allowance
        self._position = 0
        self._last = b""
        self._back = False
        self._header_bytes: int | None = 0
        self._header = b""

    def reading_header(self) -> None:
        """From now on what is read describes the next entry, and must be short."""
        self._header_bytes = 0

    def reading_data(self) -> None:
        """From now on what is read is content, which the receiver counts."""
        self._header_bytes = None

    def tell(self) -> int:
        """How many bytes lie before the next one."""
        return self._position - self._back

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes. Raises ArchiveRefused for a header without end."""
        if self._header_bytes is not None:
            self._header_bytes += max(size, 0)
            if size < 0 or self._header_bytes > self._header_allowance:
                raise ArchiveRefused(
                    f"The description of one entry is longer than {self._header_allowance} bytes.", hint=_HINT
                )
        start = b""
        if self._back and size:
            start, self._back, size = self._last, False, size - 1
        data = start + self._take(size)
        if self._header_bytes is not None:
            self._header = data
        return data

    def check_end(self) -> None:
        """Raises ArchiveRefused when the last header read, which the tar reader took for the end, is none."""
        if self._header.strip(b"\0") or len(self._header) % BLOCK_BYTES:
            raise ArchiveRefused("It is damaged: something in it is no entry.", hint="Make or fetch it anew.")

    def drain(self) -> None:
        """Read what follows the last entry: only at its end does a decompressor know that the sum is right."""
        end = self._position + TRAILER_BYTES
        while self._take(SKIP_BYTES):
            if self._position > end:
                raise ArchiveRefused(f"More than {TRAILER_BYTES} bytes follow its last entry.", hint=_HINT)

    def _take(self, size: int) -> bytes:
        if size == 0:
            return b""
        parts: list[bytes] = []
        while size > 0 and (data := self._stream.read(size)):
            parts.append(data)
            size -= len(data)
        data = b"".join(parts)
        self._position += len(data)
        self._last = data[-1:] or self._last
        # Headers and padding are small next to content: twice the allowance is met only by an archive made of them.
        if self._position > 2 * self._allowance:
            raise ArchiveRefused(f"It unpacks to more than {self._allowance} bytes.", hint=_HINT)
        return data

    def seek(self, position: int, whence: int = 0) -> int:
        """Go on to `position`. Raises ArchiveRefused for an archive that asks to go back."""
        if whence != 0 or position < self._position - 1 or (position < self._position and not self._last):
            raise ArchiveRefused("Its entries do not follow one another.", hint=_HINT)
        self._back = position == self._position - 1
        while (missing := position - self._position) > 0:
            if not self._take(min(missing, SKIP_BYTES)):
                break
        return self.tell()


_HINT = "Nothing was unpacked. If you trust it, unpack it in a step."
