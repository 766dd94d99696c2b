"""Small workflows that mean what they mean in plain Python, each for something that is easily lost on the way."""

from __future__ import annotations

import gzip
import io
import tarfile
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from argosy import Workflow, for_loop, not_, step, when, while_loop, workflow
from argosy.dsl import codec
from argosy.dsl.loading import load_target
from argosy.dsl.shapes import Json, Text, leaves
from argosy.project.in_process import run_in_process


class Pair(NamedTuple):
    left: int
    right: str | None


class Found(NamedTuple):
    file: Path
    extra: Path | None


@step
def same(text: str) -> str:
    return text


@step
def count(number: int) -> int:
    return number


@step
def up_to(number: int) -> list[int]:
    return list(range(number))


@step
def pair(left: int, right: str | None) -> Pair:
    return Pair(left, right)


@step
def pairs() -> list[Pair]:
    return [Pair(1, None), Pair(2, "{{x}}")]


@step
def shown(value: object) -> str:
    return repr(value)


@step
def joined(texts: list[str]) -> str:
    return repr(texts)


@step
def nested(lists: list[list[int]]) -> str:
    return repr(lists)


def _file(data: bytes) -> Path:
    place = Path(tempfile.mkdtemp()) / "file"
    place.write_bytes(data)
    return place


@step
def archive(number: int) -> Path:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo(f"empty-{number}"))
    return _file(packed.getvalue())


@step
def is_packed(file: Path) -> bool:
    return gzip.decompress(file.read_bytes()) != b""


@step
def found(number: int) -> Found:
    return Found(_file(b"a"), _file(b"b") if number % 2 else None)


@step
def extras(all_found: list[Found]) -> list[bool]:
    return [one.extra is not None for one in all_found]


@step
def is_there(file: Path | None) -> bool:
    return file is not None


@step
def lists_of(number: int) -> list[Path]:
    return [_file(str(one).encode()) for one in range(number)]


@step
def contents(files: list[list[Path]]) -> list[list[str]]:
    return [[one.read_text() for one in inner] for inner in files]


@workflow
def newlines(text: str = "a\n\n") -> str:
    return same(text)


@workflow
def dollars(text: str = "$$ $(HOME) $(ARGOSY_ARGUMENT_text)") -> str:
    return same(text)


@workflow
def braces(text: str = "{{workflow.name}} {{=1 + 1}}") -> str:
    return same(same("}} {{x}} '") + text)


@workflow
def ends_of_lines(text: str = "a\r\nb\rc\n") -> str:
    return same(text)


@workflow
def texts_like_lists() -> str:
    return joined(for_loop(same, ["[1,  2]", "{ }"]))


@workflow
def lists_gathered() -> str:
    return nested(for_loop(up_to, up_to(3)))


@workflow
def records_as_items() -> str:
    return shown(for_loop(lambda one: pair(one.left + 1, one.right), pairs())[1].left)


@workflow
def items_that_may_be_none() -> str:
    return shown(for_loop(lambda one: pair(3, one), ["a", None])[0].left)


@workflow
def archives_of_a_loop() -> list[bool]:
    return for_loop(lambda file: is_packed(file), for_loop(archive, up_to(2)))


@workflow
def files_that_may_be_missing() -> list[bool]:
    return extras(for_loop(found, up_to(3)))


@workflow
def a_missing_file_through_everything() -> bool:
    one = when(count(1) > 0, lambda: found(2), lambda: found(3))
    last = while_loop(lambda state: not_(state == 3), lambda state: count(state + 1), init=0, max_iterations=5)
    return is_there(when(last == 3, lambda: one.extra, lambda: found(1).extra))


@workflow
def lists_of_lists_of_files() -> list[list[str]]:
    return contents(for_loop(lists_of, up_to(3)))


@workflow
def nothing_to_loop_over() -> list[bool]:
    return extras(for_loop(found, up_to(0)))


@workflow
def a_constant_with_nothing_in_it() -> str:
    empty: list[str] = []
    return joined(for_loop(same, empty))


@workflow
def records_compared() -> tuple[bool, bool, bool]:
    one = pair(1, "a")
    return one == Pair(1, "a"), one != Pair(1, "b"), one == pair(1, None)


@workflow
def compared_with_none() -> tuple[bool, bool]:
    return pair(1, None).right == None, pair(1, "None").right == None  # noqa: E711


@workflow
def a_branch_that_gives_none() -> str:
    return shown(when(count(1) > 2, lambda: count(3), lambda: None))


@workflow
def without_a_step() -> int:
    return 7


@workflow
def calls_one_without_a_step() -> int:
    return count(without_a_step())


@workflow
def computed() -> tuple[int, float, float, bool, str]:
    one = count(7)
    return one * 2 - 1, one / 2, -(one + 0.5), (one > 3) & not_(one == 7) | (one <= 7), same("a") + "'{{"


ALL = [one for one in globals().values() if isinstance(one, Workflow) and one is not without_a_step]


def target(name: str) -> Any:
    where, _, attribute = name.rpartition(":")
    return load_target(name, Path()) if where.startswith("argosy.") else globals()[attribute]


@pytest.mark.parametrize("meant", ALL, ids=lambda one: one.name)
def test_it_means_what_python_means(meant: Workflow[[], Any]) -> None:
    run = run_in_process(meant.manifest(), call=target)
    assert run.phase == "Succeeded", [one.message for one in run.plan.nodes.values() if one.message]
    shape = meant.result_shape
    parts: dict[str, Any] = {}
    for leaf in leaves(shape, ""):
        assert isinstance(leaf.shape, (Text, Json))
        parts[leaf.name] = codec.from_text(run.parameters[leaf.name], leaf.shape)
    assert codec.whole(parts, shape, "") == meant()


def test_a_decorated_loop_runs_each_item_once_beside_jobs() -> None:
    import argosy.dsl.sketch  # noqa: F401

    seen: list[int] = []

    @for_loop([1, 2])
    def body(number: int) -> int:
        value = count(number)
        seen.append(value)
        return value

    assert body() == [1, 2]
    assert seen == [1, 2]
