"""sprig's functions on semantic versions. It knows versions and constraints, not the languages that call it.

Source: semver.org; the constraints of Masterminds/semver 3.
"""

# The kinds of all arguments are checked against the signature beside each function, which a type checker cannot see.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import ClassVar

from argosy.errors import ExpressionError
from argosy.expressions.formatting import Spoken
from argosy.expressions.signatures import Function, plain

_VERSION = re.compile(
    r"v?(\d{1,18})(?:\.(\d{1,18}))?(?:\.(\d{1,18}))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)
_BOUND = (
    r"(=|!=|>=|=>|<=|=<|>|<|~>|~|\^)?\s*v?(\d{1,18}|[xX*])(?:\.(\d{1,18}|[xX*]))?(?:\.(\d{1,18}|[xX*]))?"
    r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?"
)
_CONSTRAINT = re.compile(_BOUND)
_HYPHEN = re.compile(r"(\S+)\s+-\s+(\S+)")
_WILD = ("x", "X", "*")


class Version(Spoken):
    """A semantic version. numbers: major, minor, patch."""

    __slots__ = ("metadata", "numbers", "original", "prerelease")
    type_name = "*semver.Version"

    def __init__(self, original: str, numbers: tuple[int, int, int], prerelease: str, metadata: str) -> None:
        self.original = original
        self.numbers = numbers
        self.prerelease = prerelease
        self.metadata = metadata

    @classmethod
    def read(cls, text: str) -> Version:
        """The version that a text says; missing parts are 0. Raises ExpressionError."""
        found = _VERSION.fullmatch(text)
        if found is None:
            raise ExpressionError(f"'{text[:100]}' is not a semantic version")
        major, minor, patch, prerelease, metadata = found.groups()
        return cls(text, (int(major), int(minor or 0), int(patch or 0)), prerelease or "", metadata or "")

    def text(self) -> str:
        """Without the v, with all three numbers."""
        head = ".".join(map(str, self.numbers))
        return (
            head + (f"-{self.prerelease}" if self.prerelease else "") + (f"+{self.metadata}" if self.metadata else "")
        )

    def key(self) -> tuple[object, ...]:
        """What versions are ordered by."""
        parts = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in self.prerelease.split("."))
        return (self.numbers, not self.prerelease, parts if self.prerelease else ())

    def compare(self, other: Version) -> int:
        """-1, 0 or 1."""
        ours, theirs = self.key(), other.key()
        return (ours > theirs) - (ours < theirs)

    methods: ClassVar[Mapping[str, tuple[str, Callable[..., object]]]] = {
        "Major": ("", lambda version: version.numbers[0]),
        "Minor": ("", lambda version: version.numbers[1]),
        "Patch": ("", lambda version: version.numbers[2]),
        "Prerelease": ("", lambda version: version.prerelease),
        "Metadata": ("", lambda version: version.metadata),
        "Original": ("", lambda version: version.original),
        "String": ("", lambda version: version.text()),
        "Compare": ("*", lambda version, other: version.compare(_version(other))),
        "LessThan": ("*", lambda version, other: version.compare(_version(other)) < 0),
        "GreaterThan": ("*", lambda version, other: version.compare(_version(other)) > 0),
        "Equal": ("*", lambda version, other: version.compare(_version(other)) == 0),
    }


def _version(value: object) -> Version:
    if isinstance(value, Version):
        return value
    raise ExpressionError("a version is expected", hint="sprig.semver(...) makes one")


Test = Callable[[Version], bool]


def _bump(numbers: tuple[int, int, int], place: int) -> tuple[int, int, int]:
    """The first version above all that share the numbers up to `place`."""
    raised = [*numbers[:place], numbers[place] + 1, 0, 0][:3]
    return (raised[0], raised[1], raised[2])


def _plain_version(numbers: tuple[int, int, int], prerelease: str = "") -> Version:
    return Version("", numbers, prerelease, "")


def _test(operator: str, parts: tuple[str | None, ...], prerelease: str) -> Test:
    """Whether a version satisfies one bound, for example `>=1.2`."""
    given = [part for part in parts if part is not None]
    fixed: list[int] = []
    for part in given:
        if part in _WILD:
            break
        fixed.append(int(part))
    padded = (*fixed, 0, 0, 0)[:3]
    numbers = (padded[0], padded[1], padded[2])
    exact = len(fixed) == 3
    bound = _plain_version(numbers, prerelease)
    if not fixed:
        return lambda version: operator not in ("<", ">", "!=")
    above = _plain_version(_bump(numbers, len(fixed) - 1))
    if operator in ("", "="):
        if exact:
            return lambda version: version.compare(bound) == 0
        return lambda version: bound.compare(version) <= 0 and version.numbers < above.numbers
    if operator == "!=":
        if exact:
            return lambda version: version.compare(bound) != 0
        return lambda version: version.numbers[: len(fixed)] != tuple(fixed)
    if operator in (">", "<=", "=<"):
        if exact:
            return lambda version: (version.compare(bound) > 0) == (operator == ">")
        return lambda version: (version.numbers >= above.numbers) == (operator == ">")
    if operator in (">=", "=>", "<"):
        return lambda version: (version.compare(bound) < 0) == (operator == "<")
    return _range(operator, fixed, numbers, bound)


def _range(operator: str, fixed: list[int], numbers: tuple[int, int, int], bound: Version) -> Test:
    """`~` keeps the minor number, `^` the first that is not zero."""
    if operator == "^":
        place = next((index for index, number in enumerate(fixed) if number), len(fixed) - 1)
    else:
        place = min(len(fixed) - 1, 1)
    limit = _bump(numbers, place)
    return lambda version: bound.compare(version) <= 0 and version.numbers < limit


def _group(text: str) -> Test:
    """Bounds that must all hold."""
    text = _HYPHEN.sub(r">=\1 <=\2", text).replace(",", " ").strip()
    tests: list[tuple[Test, str]] = []
    offset = 0
    while offset < len(text):
        found = _CONSTRAINT.match(text, offset)
        if found is None or (found.end() < len(text) and not text[found.end()].isspace()):
            raise ExpressionError(
                f"'{text[:100]}' is not a constraint on versions", hint="for example: >=1.2 <2 || ^3.1"
            )
        operator, major, minor, patch, prerelease = found.groups()
        tests.append((_test(operator or "", (major, minor, patch), prerelease or ""), prerelease or ""))
        offset = found.end()
        while offset < len(text) and text[offset].isspace():
            offset += 1
    if not tests:
        raise ExpressionError("an empty text is not a constraint on versions")
    return lambda version: all(test(version) and (not version.prerelease or prerelease) for test, prerelease in tests)


def _compare(constraint: str, text: str) -> bool:
    if len(constraint) > 1000:
        raise ExpressionError("semverCompare(): the constraint is longer than 1000 characters")
    tests = [_group(part) for part in constraint.split("||")]
    version = Version.read(text)
    return any(test(version) for test in tests)


FUNCTIONS = (
    Function("semver", "s", plain(Version.read)),
    Function("semverCompare", "ss", plain(_compare)),
)
