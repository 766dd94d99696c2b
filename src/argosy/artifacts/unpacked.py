"""The folder that an archive is unpacked into, and the rules for what may come into it.

It knows names, links and counts; not tar or zip. Links are made only when all files are written, so that no file can be
written through one.
"""

from __future__ import annotations

import contextlib
import os
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, NoReturn

from argosy.artifacts.troubles import ArchiveRefused, TransferCancelled

MAX_DEPTH = 256
MAX_NAME_BYTES = 255
# How many links may stand between a name and what it means; the kernel's own limit.
MAX_LINKS = 40
MAX_WARNINGS = 20

Parts = tuple[str, ...]


class Unpacked:
    """One archive being unpacked into the private folder `root`. Its methods raise ArchiveRefused."""

    def __init__(
        self, archive: Path, root: Path, max_entries: int, allowance: int, cancelled: Callable[[], bool]
    ) -> None:
        self.root = root
        self.allowance = allowance
        self.entries = 0
        self.size_bytes = 0
        self.warnings: list[str] = []
        self._archive = archive
        self._max_entries = max_entries
        self._cancelled = cancelled
        self._kinds: dict[Parts, Literal["folder", "file", "link"]] = {}
        self._folded: dict[str, Parts] = {}
        self._links: dict[Parts, str] = {}
        self._modes: dict[Parts, int] = {}

    def refuse(self, name: str, reason: str) -> NoReturn:
        """Stop: this entry makes the archive unacceptable."""
        raise ArchiveRefused(
            f"The archive {self._archive} is refused: {name[:200]!r} {reason}.",
            hint="Nothing of it was unpacked. If you trust it, unpack it in a step.",
        )

    def folder(self, name: str, mode: int) -> None:
        """Take in a folder."""
        parts = self._entered(name)
        if not parts:
            return
        self._make_folder(name, parts)
        self._modes[parts] = mode | 0o700

    def file(self, name: str, mode: int, size: int, pieces: Iterator[bytes], mtime: float | None) -> None:
        """Take in a file of exactly `size` bytes."""
        parts = self._placed(name)
        if self.size_bytes + size > self.allowance:
            self._too_much(name)
        descriptor = os.open(self._path(parts), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            got = self._write(name, size, pieces, descriptor)
            if got != size:
                self.refuse(name, f"has {got} bytes where {size} are announced")
            os.fchmod(descriptor, mode | 0o400)
            if mtime is not None:
                with contextlib.suppress(OverflowError, OSError, ValueError):
                    os.utime(descriptor, (max(mtime, 0), max(mtime, 0)))
        finally:
            os.close(descriptor)
        self._kinds[parts] = "file"

    def link(self, name: str, text: str) -> None:
        """Take in a symbolic link; where it leads is judged at the end."""
        parts = self._placed(name)
        if not text or "\0" in text or len(os.fsencode(text)) >= 4096:
            self.refuse(name, "is a link to no possible name")
        if text.startswith("/"):
            self.refuse(name, f"is a link to the absolute path {text[:200]!r}")
        self._kinds[parts] = "link"
        self._links[parts] = text

    def hard_link(self, name: str, to: str) -> None:
        """Take in another name for a file that the archive has brought before."""
        source = self._checked(to)
        parts = self._placed(name, keep=source)
        if self._kinds.get(source) != "file":
            self.refuse(name, f"is a hard link to {to[:200]!r}, which is no file of the archive")
        if parts != source:
            os.link(self._path(source), self._path(parts), follow_symlinks=False)
        self._kinds[parts] = "file"

    def finish(self, unwrap: bool) -> Path:
        """Make the links and set the folders' modes; the path of what was unpacked."""
        tops = {parts[0] for parts in self._kinds}
        only = next(iter(tops)) if unwrap and len(tops) == 1 else None
        top: Parts = () if only is None else (only,)
        if only is not None and top in self._links:
            self.refuse(only, "is a link and the only thing in it")
        for parts, text in self._links.items():
            if not self._stays_inside(parts[:-1], text, top):
                self.refuse("/".join(parts), f"is a link out of the archive, to {text[:200]!r}")
        for parts, text in self._links.items():
            os.symlink(text, self._path(parts))
        for parts in sorted(self._modes, key=len, reverse=True):
            os.chmod(self._path(parts), self._modes[parts])
        if not top:
            os.chmod(self.root, 0o755)
        return self._path(top)

    def _write(self, name: str, size: int, pieces: Iterator[bytes], descriptor: int) -> int:
        got = 0
        for data in pieces:
            got += len(data)
            self.size_bytes += len(data)
            if self.size_bytes > self.allowance or got > size:
                self._too_much(name)
            if self._cancelled():
                raise TransferCancelled(f"Unpacking {self._archive} was stopped.")
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
        return got

    def _too_much(self, name: str) -> NoReturn:
        self.refuse(name, f"takes it past the {self.allowance} bytes that it may unpack to")

    def _path(self, parts: Parts) -> Path:
        return self.root.joinpath(*parts)

    def _entered(self, name: str) -> Parts:
        self.entries += 1
        if self.entries > self._max_entries or len(self._kinds) >= self._max_entries:
            self.refuse(name, f"is one more than the {self._max_entries} entries that are allowed")
        if self._cancelled():
            raise TransferCancelled(f"Unpacking {self._archive} was stopped.")
        return self._checked(name)

    def _checked(self, name: str) -> Parts:
        """The components of a name; () for the top folder itself."""
        if not name or "\0" in name:
            self.refuse(name, "is no possible name")
        if name.startswith("/") or (len(name) > 1 and name[0].isalpha() and name[1:3] in (":\\", ":/")):
            self.refuse(name, "is an absolute path")
        parts = tuple(part for part in name.split("/") if part not in ("", "."))
        if ".." in name.replace("\\", "/").split("/"):
            self.refuse(name, "leads out of its folder")
        if len(parts) > MAX_DEPTH:
            self.refuse(name, f"is more than {MAX_DEPTH} folders deep")
        if any(len(os.fsencode(part)) > MAX_NAME_BYTES for part in parts):
            self.refuse(name, "is too long a name")
        return parts

    def _placed(self, name: str, keep: Parts | None = None) -> Parts:
        """A place for something that is not a folder: what an earlier entry put there is gone, except `keep`."""
        parts = self._entered(name)
        if not parts:
            self.refuse(name, "would take the place of the folder itself")
        self._make_folder(name, parts[:-1])
        there = self._kinds.get(parts)
        if there == "folder":
            self.refuse(name, "was a folder and now is not")
        if there == "link":
            del self._links[parts]
        elif there == "file" and parts != keep:
            os.unlink(self._path(parts))
        elif there is None:
            self._warn_alike(parts)
        return parts

    def _make_folder(self, name: str, parts: Parts) -> None:
        for length in range(1, len(parts) + 1):
            above = parts[:length]
            there = self._kinds.get(above)
            if there is None:
                if len(self._kinds) >= self._max_entries:
                    self.refuse(name, f"is one more than the {self._max_entries} entries that are allowed")
                os.mkdir(self._path(above), 0o700)
                self._kinds[above] = "folder"
                self._modes[above] = 0o755
                self._warn_alike(above)
            elif there != "folder":
                self.refuse(name, f"lies below {'/'.join(above)!r}, which is a {there}")

    def _warn_alike(self, parts: Parts) -> None:
        folded = unicodedata.normalize("NFC", "/".join(parts)).casefold()
        other = self._folded.setdefault(folded, parts)
        if other != parts and len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(
                f"{'/'.join(other)!r} and {'/'.join(parts)!r} differ only in case: they are one file on some systems."
            )

    def _stays_inside(self, start: Parts, text: str, top: Parts) -> bool:
        """Whether a link from the folder `start` leads, through whatever other links, to something within `top`."""
        here = list(start)
        waiting = text.split("/")[::-1]
        followed = 0
        while waiting:
            part = waiting.pop()
            if part == "..":
                if len(here) <= len(top):
                    return False
                here.pop()
            elif part not in ("", "."):
                here.append(part)
                if (further := self._links.get(tuple(here))) is not None:
                    followed += 1
                    if followed > MAX_LINKS:
                        # A ring: it leads nowhere, so nowhere outside.
                        return True
                    here.pop()
                    waiting.extend(further.split("/")[::-1])
            if tuple(here[: len(top)]) != top[: len(here)]:
                return False
        return True
