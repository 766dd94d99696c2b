"""How often a driver's garbage is collected: seldom, since what a plan makes it keeps.

It knows the interpreter, not runs.
"""

from __future__ import annotations

import gc


def collect_seldom() -> None:
    """Set what is there apart from collections, and let much more be made between them.

    A plan's nodes live as long as the run; to look at all of them again and again is the only part of planning whose
    cost would grow with the number of nodes.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
