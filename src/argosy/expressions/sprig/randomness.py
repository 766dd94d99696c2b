"""sprig's functions that draw lots. It knows a source of randomness, not the languages that call it.

A run keeps what it got: the values are in its record, so that a resumed run does not draw again.
"""

# The kinds of all arguments are checked against the signature beside each function, which a type checker cannot see.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import base64
import random
import secrets
import string
import uuid
from collections.abc import Callable

from argosy.errors import ExpressionError
from argosy.expressions.budget import Budget
from argosy.expressions.signatures import Function, plain

MAX_BYTES = 10_000


def _drawn(alphabet: str) -> Callable[..., object]:
    def run(budget: Budget, count: int) -> str:
        if count < 0:
            raise ExpressionError(f"the count must not be negative, it is {count}")
        budget.spend(2 * count)
        return "".join(secrets.choice(alphabet) for _ in range(count))

    return run


def _bytes(count: int) -> str:
    if not 0 <= count <= MAX_BYTES:
        raise ExpressionError(f"randBytes(): 0 to {MAX_BYTES} bytes can be had, not {count}")
    return base64.b64encode(secrets.token_bytes(count)).decode()


def _between(low: int, high: int) -> int:
    if high <= low:
        raise ExpressionError(f"randInt(): {high} is not above {low}")
    return low + secrets.randbelow(high - low)


def _shuffled(text: str) -> str:
    characters = list(text)
    random.SystemRandom().shuffle(characters)
    return "".join(characters)


FUNCTIONS = (
    Function("randAlpha", "i", _drawn(string.ascii_letters)),
    Function("randAlphaNum", "i", _drawn(string.ascii_letters + string.digits)),
    Function("randNumeric", "i", _drawn(string.digits)),
    Function("randAscii", "i", _drawn("".join(map(chr, range(32, 127))))),
    Function("randBytes", "i", plain(_bytes)),
    Function("randInt", "ii", plain(_between)),
    Function("shuffle", "s", plain(_shuffled)),
    Function("uuidv4", "", plain(lambda: str(uuid.uuid4()))),
)
