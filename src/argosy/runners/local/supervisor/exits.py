"""The file that says which steps were started and how they ended, and what of it has found no room there yet.

It knows lines and a disk that may be full, not processes.
"""

from __future__ import annotations

import os


def quoted(text: str) -> str:
    """`text` as a JSON string; the slow import is paid only by ids and messages that need it."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    import json

    return json.dumps(text)


class Exits:
    """`exits.jsonl` in the supervisor's folder.

    is_full: the disk was, when something was last to be written. known: the ids that stood there at the beginning.
    """

    def __init__(self, folder: str) -> None:
        self._file = os.open(f"{folder}/exits.jsonl", os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._waiting = b""
        # Of what waits, the lines that a driver who reads the file would miss.
        self._ends: list[str] = []
        self.is_full = False
        self.known = self._read()

    def _read(self) -> set[str]:
        """The ids that an earlier supervisor of this folder has started, or tried to."""
        content = b""
        while part := os.pread(self._file, 1 << 20, len(content)):
            content += part
        if not content:
            return set()
        if not content.endswith(b"\n"):
            self._waiting = b"\n"
        import json

        known: set[str] = set()
        for line in content.splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # a line that a killed supervisor did not finish
            known.add(entry.get("started") or entry.get("exit"))
        return known

    @property
    def has_waiting(self) -> bool:
        """Whether anything is not in the file yet."""
        return bool(self._waiting)

    @property
    def missing(self) -> str:
        """The ends that are not in the file."""
        return "".join(self._ends)

    def write(self, line: str = "") -> None:
        """Append to the file, with all that waits; while the disk is full, keep it and try again."""
        self._waiting += line.encode()
        try:
            while self._waiting:
                self._waiting = self._waiting[os.write(self._file, self._waiting) :]
        except OSError:
            self.is_full = True
        else:
            self.is_full = False
            self._ends.clear()

    def write_soon(self, line: str) -> None:
        """Append it with the next line, or when there is nothing else to do."""
        self._waiting += line.encode()

    def end(self, line: str) -> None:
        """Append the end of a step before it is told."""
        self.write_soon(line)
        self._ends.append(line)

    def write_ends(self) -> None:
        """Append the ends that wait, unless the disk was full just now."""
        if self._ends and not self.is_full:
            self.write()
