"""Taking credentials out of text before anybody sees it.

It knows how credentials stand in URLs and headers, and values it is told; not where the text goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

HIDDEN = "***"

# scheme://user:password@host, also with an @ or a / in the password: up to the last @ before white space or a quote.
_USER_INFO = re.compile(r"([a-z][a-z0-9+.-]*://)([^\s\"'<>@/?#]*:[^\s\"<>]*|[^\s\"'<>@/?#]+)@", re.IGNORECASE)
_NAMES = (
    r"(?:[\w.-]*(?:token|secret|passw(?:or)?d|pwd|signature|credential|api[-_]?key|access[-_]?key(?:[-_]?id)?|session[-_]?id)"
    r"[\w.-]*|sig|key|auth|code)"
)
_QUERY = re.compile(rf"([?&;]{_NAMES}=)[^&\s\"'<>#;]+", re.IGNORECASE)
_HEADER = re.compile(
    r"\b((?:proxy-)?authorization|(?:set-)?cookie|x-[\w-]*(?:token|key|auth)[\w-]*|private-token)(\s*[:=]\s*)[^\r\n\"']+",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE)
# Shorter values are ordinary words: hiding them would hide the text.
_SHORTEST_SECRET = 3
# How long base64 makes its lines, and what of it is too short to be told from a word.
_BASE64_LINE = 76
_SHORTEST_BASE64 = 8


def redact(text: str, secrets: Iterable[str | bytes] = ()) -> str:
    """The text without credentials in URLs and headers, and without any of `secrets`, plain or percent-encoded."""
    for value in spellings(secrets):
        text = text.replace(value, HIDDEN)
    text = _USER_INFO.sub(rf"\1{HIDDEN}@", text)
    text = _QUERY.sub(rf"\1{HIDDEN}", text)
    text = _HEADER.sub(rf"\1\2{HIDDEN}", text)
    return _BEARER.sub(rf"\1 {HIDDEN}", text)


def spellings(secrets: Iterable[str | bytes]) -> list[str]:
    """Every way in which these values may stand in a text, longest first, lest a part of one remain."""
    import base64
    from urllib.parse import quote, quote_plus

    found: set[str] = set()
    for value in secrets:
        data = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
        text = data.decode("utf-8", "replace").strip()
        for part in (text, *text.splitlines()):
            if len(part) >= _SHORTEST_SECRET:
                found |= {part, quote(part, safe=""), quote(part), quote_plus(part)}
                found.add(base64.b64encode(part.encode()).decode())
        if len(text) >= _SHORTEST_SECRET:
            # As a Secret's data has it, and as the command base64 prints what it is given without and with a newline.
            for form in (data, text.encode(), text.encode() + b"\n"):
                encoded = base64.b64encode(form).decode()
                found.add(encoded)
                lines = (encoded[start : start + _BASE64_LINE] for start in range(0, len(encoded), _BASE64_LINE))
                found |= {line for line in lines if len(line) >= _SHORTEST_BASE64}
    return sorted(found, key=len, reverse=True)
