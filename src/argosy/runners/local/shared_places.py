"""Which attempts have which artifact at a place that several steps see: a folder of a claim, say.

It knows names of places and attempts of this process, not what an artifact is. Steps that run at the same time and are
given the same artifact at the same place have it once: neither takes it away from under the other.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator


class _Place:
    """A place that attempts want something at. what: which artifact; have: those that were given it there."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.what = ""
        self.wanted: set[str] = set()
        self.have: set[str] = set()


_places: dict[str, _Place] = {}
_guard = threading.Lock()


@contextlib.contextmanager
def taking(place: str, what: str, attempt: str) -> Generator[bool, None, None]:
    """Whether the artifact has to be put there: not while another attempt that has it there is not over.

    One at a time is in this block for a place. The attempt has it there once the block ends well.
    """
    with _guard:
        one = _places.setdefault(place, _Place())
        # Said at once, so that nobody forgets the place meanwhile.
        one.wanted.add(attempt)
    try:
        with one.lock:
            yield one.what != what or not one.have - {attempt}
            one.what = what
            one.have.add(attempt)
    except BaseException:
        _let_go(place, attempt)
        raise


def held(place: str, what: str, attempt: str) -> None:
    """The attempt was given it by an earlier driver, and may be running."""
    with _guard:
        one = _places.setdefault(place, _Place())
        one.what = what
        one.wanted.add(attempt)
        one.have.add(attempt)


def released(attempt: str) -> None:
    """The attempt is over: it needs nothing any more of what it was given."""
    if _places:
        for place in [name for name, one in list(_places.items()) if attempt in one.wanted]:
            _let_go(place, attempt)


def _let_go(place: str, attempt: str) -> None:
    with _guard:
        one = _places.get(place)
        if one is not None:
            one.wanted.discard(attempt)
            one.have.discard(attempt)
            if not one.wanted:
                del _places[place]
