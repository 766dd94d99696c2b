"""How much an archive or a transfer may bring.

It knows numbers only; `archives` and the drivers keep to them.
"""

from __future__ import annotations

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much an archive may ask for.

    max_bytes: all that it unpacks to. max_entries: names in it. max_ratio: unpacked bytes for each byte of the archive,
    looked at only past free_bytes, since small things may pack well. max_header_bytes: of one entry's description.
    """

    max_bytes: int = 1 << 40
    max_entries: int = 1_000_000
    max_ratio: int = 200
    free_bytes: int = 1 << 30
    max_header_bytes: int = 1 << 20

    def allowance(self, archive_bytes: int) -> int:
        """How many bytes an archive of this size may unpack to."""
        return min(self.max_bytes, max(self.free_bytes, self.max_ratio * archive_bytes))
