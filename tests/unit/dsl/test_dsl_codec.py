"""Types become shapes, values texts and values again; what is wrong is told plainly."""

from __future__ import annotations

import datetime
import enum
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NewType, TypedDict

import pytest
from dsl_steps import Color, Model, Point, Study

from argosy import Dir, TraceError
from argosy.dsl import codec
from argosy.dsl.shapes import File, Json, Many, Nothing, Record, Shape, Text, leaves, shape_of, signature_of
from argosy.dsl.trouble import WrongValue


class Level(enum.Enum):
    LOW = 1
    HIGH = 2


class Words(TypedDict):
    name: str
    count: int


@dataclass
class Wide:
    own: int
    inner: list[Point]


Name = NewType("Name", str)


@pytest.mark.parametrize(
    ("declared", "shape"),
    [
        (None, Nothing()),
        (str, Text(str)),
        (Name, Text(str)),
        (Annotated[int, "of something"], Json(int)),
        (Literal["a", "b"], Text(Literal["a", "b"])),
        (Literal[1, 2], Json(Literal[1, 2])),
        (Color, Text(Color)),
        (Level, Json(Level)),
        (list[int], Json(list[int])),
        (int | None, Json(int | None)),
        (Path, File()),
        (Dir, File(folder=True)),
        (Path | None, File(optional=True)),
        (Dir | None, File(folder=True, optional=True)),
        (Point, Record(Point, (("x", Json(int)), ("y", Json(float))))),
        (tuple[int, Path], Record(tuple[int, Path], (("0", Json(int)), ("1", File())))),
        (tuple[int, ...], Json(tuple[int, ...])),
        (list[Point], Json(list[Point])),
        (list[Path], Many(File())),
        (tuple[Path, ...], Many(File())),
    ],
)
def test_shapes(declared: Any, shape: Shape) -> None:
    assert shape_of(declared) == shape


def test_a_record_is_passed_leaf_by_leaf() -> None:
    found = list(leaves(shape_of(Study), "study"))
    assert [leaf.name for leaf in found] == ["study-point-x", "study-point-y", "study-extra", "study-notes"]
    assert [leaf.is_artifact for leaf in found] == [False, False, True, False]
    assert [leaf.name for leaf in leaves(shape_of(int), "")] == ["result"]
    assert [leaf.name for leaf in leaves(shape_of(Model), "")] == ["weights", "accuracy"]


@pytest.mark.parametrize("declared", [dict[str, Path], Model | None, set[Path], list[Path] | int])
def test_files_must_have_names(declared: Any) -> None:
    with pytest.raises(TraceError) as caught:
        shape_of(declared)
    assert "Path" in caught.value.hint


def test_types_that_are_only_checked_are_told() -> None:
    def function(value: Missing) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(TraceError, match="cannot be known when it runs") as caught:
        signature_of(function)
    assert "TYPE_CHECKING" in caught.value.hint


@pytest.mark.parametrize(
    ("value", "declared"),
    [
        (3, int),
        (2**60, int),
        (0.1, float),
        (1e300, float),
        (math.inf, float),
        (True, bool),
        ("it's {{x}}\n$$", str),
        ("", str),
        (None, int | None),
        ("null", str | None),
        (None, str | None),
        (3, float | int),
        (2.5, float | int),
        (Color.RED, Color),
        (Level.HIGH, Level),
        ("b", Literal["a", "b"]),
        ([], list[int]),
        ([1, 2], list[int]),
        ([[0.5], []], list[list[float]]),
        ({"{{a}}": [1]}, dict[str, list[int]]),
        ({1: "a"}, dict[int, str]),
        ((1, "a"), tuple[int, str]),
        ((1, 2, 3), tuple[int, ...]),
        ({1, 2}, set[int]),
        (frozenset({"a"}), frozenset[str]),
        ([Point(1, 2.5)], list[Point]),
        (Wide(1, [Point(2, 3.0)]), Wide),
        ({"name": "a", "count": 2}, Words),
        (datetime.date(2026, 1, 2), datetime.date),
        (datetime.datetime(2026, 1, 2, 3, 4, 5), datetime.datetime),
        (datetime.timedelta(seconds=90), datetime.timedelta),
        ({"any": [1, "a", None]}, Any),
    ],
)
def test_a_value_comes_back(value: Any, declared: Any) -> None:
    shape = Text(declared) if isinstance(shape_of(declared), Text) else Json(declared)
    back = codec.from_text(codec.to_text(value, shape), shape)
    assert back == value
    assert type(back) is type(value)


def test_a_number_that_is_none_comes_back() -> None:
    assert math.isnan(codec.from_text(codec.to_text(math.nan, Json(float)), Json(float)))


@pytest.mark.parametrize(
    ("value", "declared", "message"),
    [
        ("three", int, "'three' is no int"),
        (2.5, int, "2.5 is no int"),
        (True, int, "True is no int"),
        (1, bool, "1 is no bool"),
        (3, str, "3 is no str"),
        (None, int, "None is no int"),
        ("c", Literal["a", "b"], "'c' is no "),
        ("green", Color, "'green' is no Color"),
        ([1, "a"], list[int], "'a' is no int"),
        ((1,), tuple[int, int], "is no tuple"),
        ({"x": 1, "z": 2}, Point, "Point has no field 'z'"),
        ({"x": 1}, Point, "is no Point"),
        ({(1, 2): 3}, dict[str, int], "has texts as keys"),
        (object(), Any, "a object cannot be passed between steps"),
        (b"bytes", bytes, "a bytes cannot be passed between steps"),
    ],
)
def test_a_wrong_value_is_told(value: Any, declared: Any, message: str) -> None:
    shape = Text(declared) if isinstance(shape_of(declared), Text) else Json(declared)
    with pytest.raises(WrongValue) as caught:
        codec.to_text(value, shape)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("text", "declared", "message"),
    [
        ("abc", int, "'abc' is no int"),
        ("1.5", int, "1.5 is no int"),
        ("yes", bool, "'yes' is no bool"),
        ("[1", list[int], "is no list[int]"),
        ('{"x": 1, "y": "a"}', Point, "'a' is no float"),
        ("purple", Color, "'purple' is no Color"),
    ],
)
def test_a_wrong_text_is_told(text: str, declared: Any, message: str) -> None:
    shape = Text(declared) if isinstance(shape_of(declared), Text) else Json(declared)
    with pytest.raises(WrongValue) as caught:
        codec.from_text(text, shape)
    assert message in caught.value.message


class Deep(NamedTuple):
    study: Study
    pair: tuple[int, str]


def test_parts_and_the_whole() -> None:
    value = Deep(Study(Point(1, 2.0), None, ["a"]), (3, "b"))
    parts = codec.parts(value, shape_of(Deep), "deep")
    assert parts["deep-study-point-y"] == 2.0
    assert parts["deep-pair-1"] == "b"
    assert codec.whole(parts, shape_of(Deep), "deep") == value
