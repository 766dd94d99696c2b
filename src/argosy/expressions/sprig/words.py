"""sprig's functions on words and paths: cases, initials, base names. It knows texts, not the languages that call it."""

# The kinds of all arguments are checked against the signature beside each function, which a type checker cannot see.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import re

from argosy.expressions.signatures import Function, plain

_WORD = re.compile(
    r"(?P<gap>[ _-])|(?:[0-9]+[a-z]+)+[0-9]*|[A-Z]+(?![a-z])(?:[0-9]+(?![0-9a-z]))?"
    r"|[A-Z]?[a-z]+(?:[0-9]+(?![0-9a-z]))?|[0-9]+|.",
    re.DOTALL,
)


def _joined_words(text: str, connector: str) -> str:
    """Words in lower case with connectors between; a new word begins where the case or the kind of character does."""
    parts: list[str] = []
    for found in _WORD.finditer(text):
        gap = found.group("gap") is not None
        if parts and not gap and not parts[-1].endswith(connector):
            parts.append(connector)
        parts.append(connector if gap else found.group().lower())
    return "".join(parts)


def _pascal(text: str) -> str:
    """Words in one, each with a capital; of several gaps in a row one goes, those at the ends stay."""
    lead = re.match(r"[ _-]*", text)
    start = lead.end() if lead else 0
    tail = len(text.rstrip(" _-"))
    if start >= tail:
        return text
    core = re.sub(r"[ _-]([ _-]*)([^ _-]*)", lambda found: found.group(1) + _capital(found.group(2)), text[start:tail])
    first = re.match(r"[^ _-]*", text[start:tail])
    size = first.end() if first else 0
    return text[:start] + _capital(text[start : start + size]) + core[size:] + text[tail:]


def _capital(word: str) -> str:
    rest = re.sub(r"(?<=[A-Z])[A-Z]+", lambda found: found.group().lower(), word)
    return rest[:1].upper() + rest[1:]


_TITLE = re.compile(r"(?<![\w'])\w|(?<=')\w")


def _title(text: str) -> str:
    return _TITLE.sub(lambda found: found.group().upper(), text)


def _untitle(text: str) -> str:
    return re.sub(r"(?:^|(?<=\s))\S", lambda found: found.group().lower(), text)


def _clean(path: str) -> str:
    rooted = path.startswith("/")
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in ("", ".") and not (part == ".." and rooted):
            parts.append(part)
    return ("/" if rooted else "") + "/".join(parts) or "."


def _base(path: str) -> str:
    if not path:
        return "."
    return path.rstrip("/").rsplit("/", 1)[-1] or "/"


def _dir(path: str) -> str:
    return _clean(path[: path.rfind("/") + 1])


def _ext(path: str) -> str:
    name = path.rsplit("/", 1)[-1]
    return name[name.rfind(".") :] if "." in name else ""


_PATHS = (
    ("base", _base),
    ("dir", _dir),
    ("clean", _clean),
    ("ext", _ext),
    ("isAbs", lambda path: path.startswith("/")),
)

FUNCTIONS = (
    Function("title", "s", plain(_title)),
    Function("untitle", "s", plain(_untitle)),
    Function("initials", "s", plain(lambda text: "".join(word[0] for word in text.split()))),
    Function("snakecase", "s", plain(lambda text: _joined_words(text, "_"))),
    Function("kebabcase", "s", plain(lambda text: _joined_words(text, "-"))),
    Function("camelcase", "s", plain(_pascal)),
    *(Function(name, "s", plain(run)) for name, run in _PATHS),
    *(Function(f"os{name[0].upper()}{name[1:]}", "s", plain(run)) for name, run in _PATHS),
)
