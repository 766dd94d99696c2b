"""Taking credentials out of text before anybody sees it.

It knows how credentials stand in URLs and headers, and in how many ways a value that it is told may be spelled; not
where the text goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from argosy.artifacts import masking

HIDDEN = masking.HIDDEN.decode()

# scheme://user:password@host, also with an @ or a / in the password: up to the last @ before white space or a quote.
_USER_INFO = r"(?i)([a-z][a-z0-9+.-]*://)([^\s\"'<>@/?#]*:[^\s\"<>]*|[^\s\"'<>@/?#]+)@"
_NAMES = (
    r"(?:[\w.-]*(?:token|secret|passw(?:or)?d|pwd|signature|credential|api[-_]?key|access[-_]?key(?:[-_]?id)?|session[-_]?id)"
    r"[\w.-]*|sig|key|auth|code)"
)
_QUERY = rf"(?i)([?&;]{_NAMES}=)[^&\s\"'<>#;]+"
_HEADER = (
    r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie|x-[\w-]*(?:token|key|auth)[\w-]*|private-token)"
    r"(\s*[:=]\s*)[^\r\n\"']+"
)
_BEARER = r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"
# Shorter values are ordinary words, or not even that: hiding them would hide the text.
_SHORTEST_SECRET = 3
_SHORTEST_LINE = 4
_SHORTEST_BASE64 = 4
# How many characters of base64 at the end of a line may not be told from an ordinary word.
_LOST = 3


class Spellings(msgspec.Struct, frozen=True, kw_only=True):
    """Every way in which values may stand in a text. broken: those of `texts` that line ends may break."""

    texts: tuple[bytes, ...]
    broken: tuple[bytes, ...]

    def masked(self, data: bytes) -> bytes:
        """The data without the values."""
        return masking.masked(data, self.texts, self.broken) if self.texts else data

    def masker(self) -> masking.Masker:
        """The same for a stream."""
        return masking.Masker(self.texts, self.broken)


def redact(text: str, secrets: Iterable[str | bytes] = ()) -> str:
    """The text without credentials in URLs and headers, and without any of `secrets`, however they are spelled."""
    text = hidden(text, spellings(secrets))
    text = re.sub(_USER_INFO, rf"\1{HIDDEN}@", text)
    text = re.sub(_QUERY, rf"\1{HIDDEN}", text)
    text = re.sub(_HEADER, rf"\1\2{HIDDEN}", text)
    return re.sub(_BEARER, rf"\1 {HIDDEN}", text)


def hidden(text: str, values: Spellings) -> str:
    """The text without the values."""
    if not values.texts:
        return text
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = text.encode("utf-8", "replace")
    found = values.masked(data)
    return text if found == data else found.decode("utf-8", "surrogateescape")


def spellings(secrets: Iterable[str | bytes]) -> Spellings:
    """Every way in which these values, and the lines of those that have several, may stand in a text."""
    texts: set[bytes] = set()
    encoded: set[bytes] = set()
    for value in secrets:
        data = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
        whole, *lines = _parts(data)
        if len(whole) < _SHORTEST_SECRET:
            continue
        for part in (whole, *(line for line in lines if len(line) >= _SHORTEST_LINE)):
            texts.update(_written(part))
            encoded.update(_base64(part))
        encoded.update(_base64(data))
    texts |= encoded
    return Spellings(
        texts=tuple(sorted(text for text in texts if len(text) >= _SHORTEST_SECRET)), broken=tuple(sorted(encoded))
    )


def _parts(data: bytes) -> list[bytes]:
    """A value, and each of its lines, without white space around."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return [data.strip(), *(line.strip() for line in data.splitlines())]
    # The white space of Unicode is more than that of bytes.
    return [text.strip().encode(), *(line.strip().encode() for line in text.splitlines())]


def _written(part: bytes) -> Iterator[bytes]:
    """A text as it is, and as URLs, JSON, shells, Python, HTML and dumps write it."""
    yield part
    yield part.hex().encode()
    yield part.hex().upper().encode()
    try:
        text = part.decode()
    except UnicodeDecodeError:
        return
    if text.isascii() and text.isalnum():
        return
    import html
    import json
    import shlex
    from urllib.parse import quote, quote_plus

    for escaped in (quote(text, safe=""), quote(text), quote_plus(text), quote(text, safe="~()*!.'")):
        yield escaped.encode()
        yield re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), escaped).encode()
    for ascii_only in (True, False):
        quoted = json.dumps(text, ensure_ascii=ascii_only)
        yield quoted[1:-1].encode()
        yield quoted[1:-1].replace("/", "\\/").encode()
        # Go writes these three so, and JSON within JSON is escaped twice.
        for character in "<>&":
            quoted = quoted.replace(character, f"\\u{ord(character):04x}")
        yield quoted[1:-1].encode()
        yield json.dumps(json.dumps(text, ensure_ascii=ascii_only), ensure_ascii=ascii_only)[3:-3].encode()
    yield shlex.quote(text).removeprefix("'").removesuffix("'").encode()
    yield text.replace("'", "'\\''").encode()
    yield re.sub(r"([^\w@%+=:,./-])", r"\\\1", text, flags=re.ASCII).encode()
    yield re.sub(r"([\"$`\\!])", r"\\\1", text).encode()
    yield re.sub(r"([\\'])", r"\\\1", text).replace("\n", "\\n").replace("\t", "\\t").encode()
    yield repr(text)[1:-1].encode()
    yield repr(part)[2:-1].encode()
    yield html.escape(text).encode()
    yield html.escape(text, quote=False).encode()


def _base64(data: bytes) -> Iterator[bytes]:
    """Base64 of the data, alone or inside of something longer: from there on its letters depend on what is around."""
    import base64

    for before in range(3):
        text = base64.b64encode(bytes(before) + data)
        # Letters with bits of what is before or after, of 6 each, are not the data's own.
        first, end = -(-before * 8 // 6), (before + len(data)) * 8 // 6
        for letters in (text[first:end], text[first:] if text.endswith(b"=") else b""):
            for cut in (letters, letters[_LOST:] if len(letters) >= 4 * _LOST else b""):
                if len(cut) >= _SHORTEST_BASE64:
                    yield cut
                    if b"+" in cut or b"/" in cut:
                        yield cut.replace(b"+", b"-").replace(b"/", b"_")
