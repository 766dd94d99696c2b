"""How much of a file is read before it is refused: one budget for each way in which a file can grow.

It knows numbers only. The defaults take a workflow of 10,000 tasks and refuse a bomb within a tenth of a second.
"""

from __future__ import annotations

import msgspec

from argosy.errors import UsageError

MIB = 1 << 20
LARGEST_FILE_BYTES = 16 * MIB
DEEPEST = 200


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Budgets of one file. Raises UsageError for values that the reader could not keep safe.

    size_bytes: of the file in UTF-8. depth: of nesting, aliases followed. nodes: written in the file.
    alias_nodes: that aliases stand for, in sum. merge_keys: that merge keys bring, in sum.
    scalar_characters, key_characters: of one value, one key. digits: of one number.
    documents: in the file. problems: reported before reading stops.
    """

    size_bytes: int = MIB
    depth: int = 100
    nodes: int = 400_000
    alias_nodes: int = 50_000
    merge_keys: int = 10_000
    scalar_characters: int = MIB // 2
    key_characters: int = 1024
    digits: int = 4300
    documents: int = 1000
    problems: int = 50

    def __post_init__(self) -> None:
        if self.size_bytes > LARGEST_FILE_BYTES:
            raise UsageError(
                f"a limit of {self.size_bytes} bytes is too large",
                hint=f"the most is {LARGEST_FILE_BYTES} bytes (16 MiB); split the file",
            )
        if self.depth > DEEPEST:
            raise UsageError(f"a nesting limit of {self.depth} is too large", hint=f"the most is {DEEPEST}")
