"""Thirty secrets of every shape, and every way in which one may be found again."""

from __future__ import annotations

import base64
import json
import os
import shlex
import threading
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, quote_plus

LINE = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC{}Kgw7ggSjAgEAAoIBAQ"
CANARIES: dict[str, str] = {
    "pem": "-----BEGIN CANARY KEY-----\n"
    + "\n".join(LINE.format(n) for n in range(9))
    + "\n-----END CANARY KEY-----\n",
    "account": json.dumps({"type": "canary_account", "private_key": "canary\nkey/one==", "id": "c-881"}, indent=2),
    "json": '{"canary":"j5on","deep":[1,{"x":"y<z>&"}]}',
    "unicode": "kanarienvögel-日本-🐤-9f",
    "single": "canary'with'single'q1",
    "double": 'canary"with"double"q2',
    "both": "can'ary\"both'q3\"`backtick`",
    "four": "q7Zx",
    "five": "w8#Kp",
    "encoded": base64.b64encode(b"canary that is base64 itself").decode(),
    "urlish": "https://canary:p%40ss@host.example/x?y=z&w=canary#f",
    "query": "canary&amp=1;b=2?c=3#d",
    "spaces": "canary with many   spaces  4",
    "tabs": "canary\twith\ttabs 5",
    "newline": "canary-with-a-newline-6\n",
    "crlf": "canary-line-7a\r\ncanary-line-7b\r\n",
    "lines": "canary-first-8\n\ncanary-third-8\n  canary-fourth-8",
    "dollar": "canary$HOME$(id)${X}$$9",
    "backslash": "canary\\n\\t\\\\server\\share10",
    "percent": "canary%s%d%%41%2F11",
    "dash": "--canary-option=12",
    "braces": "{{canary.parameters.13}}",
    "html": "<canary>&'\"</canary>14",
    "token": "ghp_canaryCANARYcanary0123456789abcdefgh",
    "aws": "wJalrXUtnFEMI/K7MDENG/bPxRfiCANARYKEY",
    "hex": "c0ffee00canary5deadbeef5",
    "connection": "Server=tcp:x;User=canary;Password=p;w=16;",
    "yamlish": "canary: [a, b] # not a comment 17",
    "long": "canary-long-" + "x1Y2z3" * 60,
    "word": "correct-horse-canary",
}
TMP, WORK = "tmp", "work"


def forms(value: str) -> list[bytes]:
    """How the value may be found: as it is, its lines, escaped, encoded, alone or in something longer."""
    text = value.strip()
    data = text.encode()
    found = {data, base64.b64encode(data).rstrip(b"=")[: len(data) * 8 // 6], data.hex().encode()}
    if len(text) >= 6:
        found |= {line.strip().encode() for line in text.splitlines() if len(line.strip()) >= 8}
        found |= {quote(text).encode(), quote(text, safe="").encode(), quote_plus(text).encode()}
        found |= {json.dumps(text)[1:-1].encode(), json.dumps(text, ensure_ascii=False)[1:-1].encode()}
        found |= {shlex.quote(text).encode(), repr(text)[1:-1].encode()}
        for before in range(3):
            letters = base64.b64encode(bytes(before) + data)[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
            # Of several lines of base64 any row of letters would tell.
            found |= {letters, *(letters[at : at + 24] for at in range(0, len(letters) - 24, 24))}
    return sorted(found)


PROOFS: dict[str, list[bytes]] = {name: forms(value) for name, value in CANARIES.items()}


def hits(data: bytes, where: str) -> list[str]:
    """Which canaries are in the data, and in what form."""
    return [f"{name} in {where}: {form[:60]!r}" for name, found in PROOFS.items() for form in found if form in data]


def hits_below(folder: Path, besides: Iterable[Path] = ()) -> list[str]:
    """Those in any file below a folder, and in its name."""
    passed = set(besides)
    found: list[str] = []
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and passed.isdisjoint((path, *path.parents)):
            found += hits(path.read_bytes() + b"\0" + os.fsencode(path), str(path))
    return found


class Watch:
    """Looks at every command line of this machine until it is left."""

    def __init__(self) -> None:
        self.found: set[str] = set()
        self.looks = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        known: set[bytes] = set()
        while not self._over.wait(0.002):
            self.looks += 1
            for name in os.listdir("/proc"):
                if not name.isdigit():
                    continue
                try:
                    with open(f"/proc/{name}/cmdline", "rb") as file:
                        line = file.read()
                except OSError:
                    continue
                if line not in known:
                    known.add(line)
                    self.found.update(hits(line, f"command line {line[:80]!r}"))
