"""sprig's functions on texts. It knows texts, not the languages that call it; positions are bytes, as in Go."""

# The kinds of all arguments are checked against the signature beside each function, which a type checker cannot see.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable

from argosy.errors import ExpressionError
from argosy.expressions.budget import Budget
from argosy.expressions.builtin import texts
from argosy.expressions.formatting import float_text, kind_of, text_of
from argosy.expressions.signatures import Function, plain

_ESCAPES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}


def go_quoted(text: str) -> str:
    """The text as a Go literal in double quotes."""
    parts: list[str] = []
    for character in text:
        code = ord(character)
        if character in '"\\':
            parts.append("\\" + character)
        elif character in _ESCAPES:
            parts.append(_ESCAPES[character])
        elif character.isprintable():
            parts.append(character)
        else:
            parts.append(f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
    return '"' + "".join(parts) + '"'


def text_value(value: object) -> str:
    """The text of a value; bytes are taken as UTF-8."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else text_of(value)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _piece(text: str, start: int, stop: int) -> str:
    return text[start:stop] if text.isascii() else _bytes(text)[start:stop].decode("utf-8", "replace")


def truncated(count: int, text: str) -> str:
    """The first `count` bytes, or the last if it is negative."""
    size = len(_bytes(text))
    if count < 0:
        return _piece(text, size + count, size) if size + count > 0 else text
    return _piece(text, 0, count)


def _substring(start: int, end: int, text: str) -> str:
    size = len(_bytes(text))
    if start < 0:
        start = 0
    elif end < 0 or end > size:
        end = size
    if not 0 <= start <= end <= size:
        raise ExpressionError(f"substr(): {start} to {end} is not within {size} bytes")
    return _piece(text, start, end)


def _abbreviated(left: int, width: int, text: str) -> str:
    """The text cut to `width` characters, dots where it was cut; `left` may be cut off at its begin."""
    if len(text) <= width:
        return text
    left = min(left, len(text))
    if len(text) - left < width - 3:
        left = len(text) - (width - 3)
    if left <= 4:
        return text[: width - 3] + "..."
    if left + width - 3 < len(text):
        return "..." + _abbreviated(0, width - 3, text[left:])
    return "..." + text[len(text) - (width - 3) :]


def _abbrev(width: int, text: str) -> str:
    return text if width < 4 else _abbreviated(0, width, text)


def _abbrev_both(left: int, width: int, text: str) -> str:
    return text if width < 4 or (left > 0 and width < 7) else _abbreviated(left, width, text)


def _indent(budget: Budget, spaces: int, text: str) -> str:
    if spaces < 0:
        raise ExpressionError(f"indent(): the count must not be negative, it is {spaces}")
    budget.reserve(2 * spaces * (text.count("\n") + 1))
    pad = " " * spaces
    return pad + text.replace("\n", "\n" + pad)


def _wrapped(budget: Budget, width: int, newline: str, text: str, break_words: bool) -> str:
    width = max(width, 1)
    budget.reserve(2 * len(text) + 2 * len(newline) * (len(text) // width + text.count(" ")))
    lines: list[str] = []
    offset = 0
    while len(text) - offset > width:
        if text[offset] == " ":
            offset += 1
            continue
        budget.spend(1)
        space = text.rfind(" ", offset, offset + width + 1)
        if space < 0 and break_words:
            lines.append(text[offset : offset + width])
            offset += width
            continue
        if space < 0:
            space = text.find(" ", offset + width)
        if space < 0:
            break
        lines.append(text[offset:space])
        offset = space + 1
    return newline.join([*lines, text[offset:]])


def texts_of(value: object) -> list[str]:
    """The texts of a list's elements without the nils; of anything else, its own."""
    if isinstance(value, list | tuple):
        return [text_value(item) for item in value if item is not None]
    return [] if value is None else [text_value(value)]


def _join(budget: Budget, separator: str, value: object) -> str:
    budget.measure(value)
    found = texts_of(value)
    budget.reserve(2 * (sum(map(len, found)) + len(separator) * len(found)))
    return separator.join(found)


def _measured(call: Callable[[object], object]) -> Callable[..., object]:
    def run(budget: Budget, value: object) -> object:
        budget.measure(value)
        return call(value)

    return run


def _cat(budget: Budget, *values: object) -> str:
    return _join(budget, " ", list(values)).strip()


def _quote(budget: Budget, *values: object) -> str:
    budget.measure(values)
    return " ".join(go_quoted(text_value(value)) for value in values if value is not None)


def _single_quote(budget: Budget, *values: object) -> str:
    budget.measure(values)
    return " ".join(f"'{text_of(value)}'" for value in values if value is not None)


def _split(budget: Budget, separator: str, text: str) -> dict[str, str]:
    return _numbered(texts.split(budget, text, separator))


def _split_n(budget: Budget, separator: str, count: int, text: str) -> dict[str, str]:
    return _numbered(texts.split(budget, text, separator, count))


def _numbered(pieces: list[str]) -> dict[str, str]:
    return {f"_{index}": piece for index, piece in enumerate(pieces)}


def _type(value: object) -> str:
    names = {"float": "float64", "map": "map[string]interface {}", "array": "[]interface {}", "nil": "<nil>"}
    return names.get(kind_of(value), kind_of(value))


def _kind(value: object) -> str:
    names = {"float": "float64", "array": "slice", "nil": "invalid", "time.Time": "struct", "time.Duration": "int64"}
    return names.get(kind_of(value), kind_of(value))


def _to_decimal(value: object) -> int:
    text = float_text(value) if isinstance(value, float) else text_of(value)
    try:
        return int(text, 8) if len(text) < 30 and not text[:2].lower().startswith("0o") else 0
    except ValueError:
        return 0


FUNCTIONS = (
    Function("hello", "", plain(lambda: "Hello!")),
    Function("abbrev", "is", plain(_abbrev)),
    Function("abbrevboth", "iis", plain(_abbrev_both)),
    Function("trunc", "is", plain(truncated)),
    Function("trim", "s", plain(lambda text: text.strip(texts.SPACE))),
    Function("upper", "s", plain(str.upper)),
    Function("lower", "s", plain(str.lower)),
    Function("substr", "iis", plain(_substring)),
    Function("repeat", "is", lambda budget, count, text: texts.repeat(budget, text, count)),
    Function("trimall", "ss", plain(lambda characters, text: text.strip(characters) if characters else text)),
    Function("trimAll", "ss", plain(lambda characters, text: text.strip(characters) if characters else text)),
    Function("trimSuffix", "ss", plain(lambda suffix, text: text.removesuffix(suffix))),
    Function("trimPrefix", "ss", plain(lambda prefix, text: text.removeprefix(prefix))),
    Function("nospace", "s", plain(lambda text: "".join(text.split()))),
    Function("swapcase", "s", plain(str.swapcase)),
    Function("wrap", "is", lambda budget, width, text: _wrapped(budget, width, "\n", text, False)),
    Function("wrapWith", "iss", lambda budget, width, sep, text: _wrapped(budget, width, sep or "\n", text, True)),
    Function("contains", "ss", plain(lambda part, text: part in text)),
    Function("hasPrefix", "ss", plain(lambda prefix, text: text.startswith(prefix))),
    Function("hasSuffix", "ss", plain(lambda suffix, text: text.endswith(suffix))),
    Function("quote", "|*+", _quote),
    Function("squote", "|*+", _single_quote),
    Function("cat", "|*+", _cat),
    Function("indent", "is", _indent),
    Function("nindent", "is", lambda budget, spaces, text: "\n" + _indent(budget, spaces, text)),
    Function("replace", "sss", lambda budget, old, new, text: texts.replace(budget, text, old, new)),
    Function("plural", "ssi", plain(lambda one, many, count: one if count == 1 else many)),
    Function("toString", "*", _measured(text_value)),
    Function("toStrings", "*", _measured(texts_of)),
    Function("join", "s*", _join),
    Function("split", "ss", _split),
    Function("splitn", "sis", _split_n),
    Function("splitList", "ss", lambda budget, separator, text: texts.split(budget, text, separator)),
    Function("toDecimal", "*", _measured(_to_decimal)),
    Function("typeOf", "*", plain(_type)),
    Function("typeIs", "s*", plain(lambda wanted, value: _type(value) == wanted)),
    Function("typeIsLike", "s*", plain(lambda wanted, value: _type(value) in (wanted, "*" + wanted))),
    Function("kindOf", "*", plain(_kind)),
    Function("kindIs", "s*", plain(lambda wanted, value: _kind(value) == wanted)),
)
