"""Types and steps that random programs are made of: for each type one that makes a value, changes it, and tells it.

Every step leaves a word in LOG, so that it can be told how often each ran with what. It knows no program.
"""

from __future__ import annotations

import enum
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from argosy import Dir, step

NASTY = (
    "",
    "plain",
    'it\'s "quoted" `and` \\ more',
    "{{inputs.parameters.x}}",
    "{{=1 + 1}}",
    "}} {{ {{{ }}}",
    "line\nline\n",
    "\r\n\ttabs ",
    " spaces ",
    "ünïcødé ☃ 🎉",
    "$$ $(HOME) ${HOME} %s %(x)s",
    "null",
    "true",
    "[1, 2]",
    '{"a": 1}',
    "1.0",
    "-- #yaml: &a *b !c |",
    "a + b == 'c'",
    "\u2028\u0085",
    "\x01\x7f",
)
WHOLE = (0, 1, -1, 2, 7, 42, -13, 1000, 2**31, 2**50, -(2**50) + 1)
NUMBERS = (0.0, 1.0, -1.5, 0.1, 1e-7, 1e21, 123456789.125, 2.5e-10, 100.0, -0.001)


class Color(enum.Enum):
    RED = "red {{x}}"
    BLUE = "blue"


class Level(enum.Enum):
    LOW = 1
    HIGH = 2


class Point(NamedTuple):
    x: int
    y: float
    label: str


@dataclass(frozen=True)
class Box:
    point: Point
    tags: list[str]
    on: bool
    most: int | None = None


class Model(NamedTuple):
    weights: Path
    accuracy: float


@dataclass(frozen=True)
class Study:
    """A record with records and files, one of which may be missing."""

    model: Model
    note: str
    extra: Path | None
    folder: Dir
    scores: list[float]


Mode = Literal["fast", "it's slow"]
Pair = tuple[int, str]
PathPair = tuple[Path, int]

TYPES: dict[str, Any] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "color": Color,
    "level": Level,
    "mode": Mode,
    "maybe_int": int | None,
    "maybe_str": str | None,
    "ints": list[int],
    "floats": list[float],
    "strs": list[str],
    "counts": dict[str, int],
    "table": dict[str, list[int]],
    "point": Point,
    "points": list[Point],
    "int_lists": list[list[int]],
    "model_lists": list[list[Model]],
    "box": Box,
    "boxes": list[Box],
    "pair": Pair,
    "file": Path,
    "folder": Dir,
    "maybe_file": Path | None,
    "path_pair": PathPair,
    "model": Model,
    "models": list[Model],
    "files": list[Path],
    "study": Study,
    "studies": list[Study],
}
ELEMENTS = {
    "ints": "int",
    "floats": "float",
    "strs": "str",
    "points": "point",
    "int_lists": "ints",
    "model_lists": "models",
    "boxes": "box",
    "models": "model",
    "files": "file",
    "studies": "study",
}
FIELDS = {
    "point": (("x", "int"), ("y", "float"), ("label", "str")),
    "box": (("point", "point"), ("tags", "strs"), ("on", "bool"), ("most", "maybe_int")),
    "model": (("weights", "file"), ("accuracy", "float")),
    "study": (
        ("model", "model"),
        ("note", "str"),
        ("extra", "maybe_file"),
        ("folder", "folder"),
        ("scores", "floats"),
    ),
}
WITH_FILES = {
    "model_lists",
    "file",
    "folder",
    "maybe_file",
    "path_pair",
    "model",
    "models",
    "files",
    "study",
    "studies",
}
MANY = {"model_lists", "models", "files", "studies"}

LOG: Counter[str] = Counter()
# How often a step that fails at first has been tried, by its key; None in plain Python, where nothing retries.
TRIES: dict[str, int] | None = None


class Broken(Exception):
    """What a step raises that fails."""


def new_file(text: str) -> Path:
    place = Path(tempfile.mkdtemp()) / "file.txt"
    place.write_text(text, encoding="utf-8", newline="")
    return place


def new_folder(text: str) -> Dir:
    place = Path(tempfile.mkdtemp())
    for name in ("part", "deep/er"):
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(f"{name} of {text}", encoding="utf-8", newline="")
    return Dir(place)


def made(kind: str, seed: int) -> Any:
    """A value of a kind; the same seed makes the same one."""
    simple = {
        "int": lambda: WHOLE[seed % len(WHOLE)] if seed % 3 else seed % 100,
        "float": lambda: NUMBERS[seed % len(NUMBERS)],
        "str": lambda: NASTY[seed % len(NASTY)],
        "bool": lambda: seed % 2 == 0,
        "color": lambda: list(Color)[seed % 2],
        "level": lambda: list(Level)[seed % 2],
        "mode": lambda: ("fast", "it's slow")[seed % 2],
        "maybe_int": lambda: None if seed % 3 == 0 else seed % 10,
        "maybe_str": lambda: None if seed % 3 == 0 else NASTY[seed % len(NASTY)],
        "counts": lambda: {NASTY[(seed + at) % len(NASTY)]: at for at in range(seed % 4)},
        "table": lambda: {f"k{at}": list(range(at)) for at in range(seed % 4)},
        "point": lambda: Point(seed % 50, made("float", seed), made("str", seed + 1)),
        "box": lambda: Box(made("point", seed), made("strs", seed), seed % 2 == 1, made("maybe_int", seed)),
        "pair": lambda: (seed % 20, made("str", seed + 2)),
        "file": lambda: new_file(made("str", seed)),
        "folder": lambda: new_folder(made("str", seed)),
        "maybe_file": lambda: None if seed % 2 else made("file", seed),
        "path_pair": lambda: (made("file", seed), seed % 9),
        "model": lambda: Model(made("file", seed), made("float", seed)),
        "study": lambda: Study(
            made("model", seed),
            made("str", seed + 3),
            made("maybe_file", seed),
            made("folder", seed),
            made("floats", seed),
        ),
    }
    if kind in ELEMENTS:
        return [made(ELEMENTS[kind], seed + at) for at in range(seed % 4)]
    return simple[kind]()


def told(value: Any) -> str:
    """A value in words, files by what is in them: the same words for the same value only."""
    if isinstance(value, Path):
        if value.is_dir():
            files = sorted(one for one in value.rglob("*") if one.is_file())
            return f"folder({', '.join(f'{one.relative_to(value)}={one.read_bytes()!r}' for one in files)})"
        return f"file({value.read_bytes()!r})"
    if isinstance(value, enum.Enum):
        return str(value)
    if hasattr(value, "_fields") or hasattr(value, "__dataclass_fields__"):
        names = getattr(value, "_fields", None) or list(value.__dataclass_fields__)
        return f"{type(value).__name__}({', '.join(told(getattr(value, name)) for name in names)})"
    if isinstance(value, (list, tuple)):
        return f"{type(value).__name__}({', '.join(map(told, value))})"
    if isinstance(value, dict):
        return f"dict({', '.join(f'{name!r}: {told(one)}' for name, one in sorted(value.items()))})"
    # JSON keeps no sign of a zero.
    return repr(value + 0.0) if isinstance(value, float) else repr(value)


def changed(kind: str, value: Any, by: int) -> Any:
    """Another value of the kind, which depends on the first one."""
    if kind == "int":
        return (value * 3 + by) % 1000
    if kind == "float":
        return value / 2 + by
    if kind == "str":
        return f"{value[:200]}{by}"
    if kind == "bool":
        return value != (by % 2 == 0)
    if kind == "point":
        return value._replace(x=value.x + by)
    if kind == "box":
        return replace(value, point=changed("point", value.point, by), tags=[*value.tags, str(by)])
    if kind == "model":
        return Model(changed("file", value.weights, by), value.accuracy + by)
    if kind == "study":
        return replace(value, model=changed("model", value.model, by), extra=changed("maybe_file", value.extra, by))
    if kind == "file":
        return new_file(f"{value.read_bytes().decode()[:200]}|{by}")
    if kind == "maybe_file":
        return changed("file", value, by) if value is not None and by % 3 else made(kind, by)
    if kind in ELEMENTS:
        return [changed(ELEMENTS[kind], one, by) for one in value[:6]] + made(kind, by)[:1]
    return made(kind, len(told(value)) + by)


STEPS: dict[str, Any] = {}


def _declare(name: str, function: Any, **types: Any) -> None:
    """Makes a function that was put together here a step of this module."""
    function.__name__ = function.__qualname__ = name
    function.__annotations__ = {("return" if key == "gives" else key): kind for key, kind in types.items()}
    STEPS[name] = globals()[name] = step(function)


def _declare_for(kind: str, declared: Any) -> None:
    def make(seed):
        LOG[f"make_{kind} {seed}"] += 1
        return made(kind, seed)

    def tell(value, more=""):
        LOG[f"tell_{kind} {told(value)} {more}"] += 1
        return told(value) + more

    def change(value, by=1):
        LOG[f"change_{kind} {told(value)} {by}"] += 1
        return changed(kind, value, by)

    _declare(f"make_{kind}", make, seed=int, gives=declared)
    _declare(f"tell_{kind}", tell, value=declared, more=str, gives=str)
    _declare(f"change_{kind}", change, value=declared, by=int, gives=declared)


for _kind, _declared in TYPES.items():
    _declare_for(_kind, _declared)


@step(cache=True)
def remembered(number: int, word: str) -> str:
    return f"{number} {word}"


@step
def note(word: str, number: int = 5) -> None:
    LOG[f"note {word!r} {number}"] += 1


TAGGED_POINT = Point(3, 0.5, "{{x}}'")
TAGGED_BOX = Box(Point(1, 2.0, "\n"), ["{{a}}", "b"], on=False)


@step
def mixed(
    number: int,
    ratio: float = 1e21,
    word: str = 'the default\'s {{own}} "text"\n',
    flag: bool = True,
    color: Color = Color.BLUE,
    point: Point = TAGGED_POINT,
    box: Box = TAGGED_BOX,
    names: list[str] = ["{{=1}}"],  # noqa: B006
    extra: Path | None = None,
    models: list[Model] = [],  # noqa: B006
) -> str:
    text = ", ".join(map(told, (number, ratio, word, flag, color, point, box, names, extra, models)))
    LOG[f"mixed {text}"] += 1
    return text


@step
def indices(count: int) -> list[int]:
    """A list as long as is asked for."""
    return list(range(abs(count) % 4))


@step
def grown(model: Model, by: float) -> Model:
    LOG[f"grown {told(model)} {by}"] += 1
    return Model(new_file(f"{model.weights.read_bytes().decode()[:200]}+"), model.accuracy + by)


@step
def moved(point: Point, by: int) -> Point:
    LOG[f"moved {point} {by}"] += 1
    return Point(point.x + by, point.y / 2, f"{point.label[:200]}.")


@step
def fails(value: int) -> int:
    raise Broken(f"it's broken at {value} {{{{x}}}}")


@step
def fails_if(value: int, bad: bool) -> int:
    if bad:
        raise Broken(f"broken {value}")
    return value + 1


@step
def flaky(value: int, times: int, key: str) -> int:
    """Fails as often as it is told, and then gives the value."""
    if TRIES is not None:
        TRIES[key] = TRIES.get(key, 0) + 1
        if TRIES[key] <= times:
            raise Broken(f"try {TRIES[key]}")
    LOG[f"flaky {value} {times}"] += 1
    return value + times


@step
def handler(status: str, number: int = 77) -> None:
    LOG[f"handler {status} {number}"] += 1


def target(name: str) -> Any:
    """What a step's target names."""
    where, _, attribute = name.rpartition(":")
    if where.startswith("argosy."):
        from argosy.dsl.loading import load_target

        return load_target(name, Path())
    return globals()[attribute]
