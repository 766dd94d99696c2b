"""The containers of a pod: what starts when, what is stopped, how the end is judged; without any process."""

from __future__ import annotations

import pytest

from argosy.runners.local.pod import Piece, Pod
from argosy.runners.local.runtimes.runtime import Exit, StepSpec


def piece(name: str, *needs: str, retries: int = 0, seconds: float = 0.0) -> Piece:
    spec = StepSpec(id=f"a/{name}", folder="/f", stdout="/f/o", stderr="/f/e")
    return Piece(name=name, spec=spec, needs=needs, retries=retries, retry_seconds=seconds)


def pod(*mains: Piece, inits: str = "", sidecars: str = "", is_set: bool = False, is_daemon: bool = False) -> Pod:
    return Pod(
        attempt="a",
        node="a",
        name="pod",
        mains=mains or (piece("main"),),
        inits=tuple(piece(name) for name in inits.split()),
        sidecars=tuple(piece(name) for name in sidecars.split()),
        is_set=is_set,
        is_daemon=is_daemon,
    )


def end(name: str, code: int = 0, **more: object) -> Exit:
    return Exit(id=f"a/{name}", code=code, **more)  # type: ignore[arg-type]


def names(specs: list[StepSpec]) -> list[str]:
    return [spec.id.removeprefix("a/") for spec in specs]


def test_one_container() -> None:
    one = pod()
    assert names(one.begin()) == ["main"]
    assert one.ids() == ["a/main"]
    assert one.exited(end("other")).ended is False
    assert one.exited(end("main")).ended
    assert one.ids() == []
    assert (one.verdict().phase, one.verdict().exit_code) == ("Succeeded", 0)
    assert one.exited(end("main", 1)).ended is False, "a second exit is dropped"
    assert one.verdict().exit_code == 0


def test_init_containers_come_one_after_another_then_sidecars_then_main() -> None:
    one = pod(inits="i j", sidecars="s t")
    assert names(one.begin()) == ["i"]
    assert names(one.exited(end("i")).start) == ["j"]
    assert names(one.exited(end("j")).start) == ["s", "t", "main"]
    assert one.ids()[-1] == "a/main"
    turn = one.exited(end("main"))
    assert (turn.stop, turn.ended) == (["a/s", "a/t"], False)
    assert one.exited(end("s", 143)).stop == []
    assert one.exited(end("t", 137)).ended
    assert one.verdict().phase == "Succeeded"


def test_a_failed_init_container_ends_it() -> None:
    one = pod(inits="i j", sidecars="s")
    one.begin()
    turn = one.exited(end("i", 2))
    assert (turn.start, turn.ended) == ([], True)
    verdict = one.verdict()
    assert (verdict.phase, verdict.message, verdict.exit_code) == ("Failed", "i: Error (exit code 2)", None)


def test_a_sidecar_that_ends_early_does_not_end_the_pod() -> None:
    one = pod(sidecars="s")
    one.begin()
    assert one.exited(end("s", 1)) == one.exited(end("nobody"))
    assert one.exited(end("main")).ended
    assert (one.verdict().phase, one.verdict().message) == ("Failed", "s: Error (exit code 1)")


def test_main_is_blamed_before_its_sidecars() -> None:
    one = pod(sidecars="s")
    one.begin()
    one.exited(end("s", 1))
    one.exited(end("main", 9))
    assert one.verdict().message == "main: Error (exit code 9)"


@pytest.mark.parametrize(
    ("exit", "phase", "message"),
    [
        (
            end("main", 137, message="OOMKilled: it may use 5 bytes"),
            "Failed",
            "main: OOMKilled (exit code 137): it may use 5 bytes",
        ),
        (
            end("main", 127, message="StartError: 'x' is not found"),
            "Failed",
            "main: StartError (exit code 127): 'x' is not found",
        ),
        (end("main", 143), "Failed", "main: Error (exit code 143)"),
        (end("main", 255, lost=True, message="it died"), "Error", "main: it died"),
        (end("main", 126, refused=True, message="no image"), "Error", "main: no image"),
    ],
)
def test_words_of_a_failure(exit: Exit, phase: str, message: str) -> None:
    one = pod()
    one.begin()
    one.exited(exit)
    assert (one.verdict().phase, one.verdict().message) == (phase, message)


def test_a_daemon_that_ends_by_itself_has_failed() -> None:
    one = pod(is_daemon=True)
    one.begin()
    one.exited(end("main"))
    assert one.verdict().phase == "Failed"


def diamond(**more: int) -> Pod:
    return pod(piece("a"), piece("b", "a"), piece("c", "a", **more), piece("main", "b", "c"), is_set=True)


def test_a_container_set_follows_its_dependencies() -> None:
    one = diamond()
    assert names(one.begin()) == ["a"]
    assert names(one.exited(end("a")).start) == ["b", "c"]
    assert one.exited(end("b")).start == []
    assert names(one.exited(end("c")).start) == ["main"]
    assert one.exited(end("main")).ended
    verdict = one.verdict()
    assert verdict.phase == "Succeeded"
    assert [(one.name, one.phase) for one in verdict.containers] == [
        (name, "Succeeded") for name in ("a", "b", "c", "main")
    ]


def test_a_failure_in_a_set_stops_the_rest() -> None:
    one = diamond()
    one.begin()
    one.exited(end("a"))
    turn = one.exited(end("b", 1))
    assert (turn.start, turn.stop, turn.ended) == ([], ["a/c"], False)
    assert one.exited(end("c", 143)).ended
    verdict = one.verdict()
    assert (verdict.phase, verdict.message, verdict.exit_code) == ("Failed", "b: Error (exit code 1)", None)
    ends = {one.name: one for one in verdict.containers}
    assert [ends[name].phase for name in ("a", "b", "c", "main")] == ["Succeeded", "Failed", "Failed", "Error"]
    assert "b did not succeed" in ends["main"].message


def test_a_container_of_a_set_is_tried_again_in_its_own_files() -> None:
    one = diamond(retries=2, seconds=5)
    one.begin()
    one.exited(end("a"))
    one.exited(end("b"))
    turn = one.exited(end("c", 1))
    assert names(turn.start) == ["c~1"]
    assert turn.start[0].delay_seconds == 5
    assert turn.start[0].continues == "a/c"
    assert names(one.exited(end("c~1", 1)).start) == ["c~2"]
    assert names(one.exited(end("c~2")).start) == ["main"]
    one.exited(end("main"))
    assert one.verdict().phase == "Succeeded"


def test_tries_come_to_an_end() -> None:
    one = pod(piece("main", retries=1), is_set=True)
    one.begin()
    assert names(one.exited(end("main", 1)).start) == ["main~1"]
    assert one.exited(end("main~1", 4)).ended
    assert one.verdict().message == "main: Error (exit code 4)"
    assert one.last_id("main") == "a/main~1"


def test_nothing_starts_once_it_is_stopped() -> None:
    one = diamond(retries=2)
    one.begin()
    one.exited(end("a"))
    assert one.stop() == ["a/b", "a/c"]
    assert one.exited(end("c", 143)).start == []
    turn = one.exited(end("b"))
    assert (turn.start, turn.ended) == ([], True)
    assert one.verdict().phase == "Failed"
    idle = pod()
    assert idle.stop() == []
    assert idle.begin() == []
    assert idle.verdict().phase == "Failed"


def every_history() -> list[list[tuple[str, int]]]:
    return [
        [("i", 0), ("a", 0), ("b", 0), ("c", 1), ("c~1", 0), ("main", 0), ("s", 143)],
        [("i", 0), ("s", 0), ("a", 0), ("c", 1), ("c~1", 1), ("b", 143)],
        [("i", 1)],
    ]


@pytest.mark.parametrize("history", every_history())
def test_a_new_driver_goes_on_where_the_last_one_was(history: list[tuple[str, int]]) -> None:
    """At each moment: what one driver would have running, another takes up, and both end the same."""

    def made() -> Pod:
        mains = (piece("a"), piece("b", "a"), piece("c", "a", retries=1), piece("main", "b", "c"))
        return pod(*mains, inits="i", sidecars="s", is_set=True)

    for moment in range(len(history) + 1):
        first = made()
        started = set(names(first.begin()))
        for name, code in history[:moment]:
            started |= set(names(first.exited(end(name, code)).start))
        known: dict[str, Exit | None] = {f"a/{name}": None for name in started}
        known |= {f"a/{name}": end(name, code) for name, code in history[:moment]}
        second = made()
        turn = second.take_up(known)
        assert turn.start == [], "what was started is not started again"
        assert sorted(second.ids()) == sorted(first.ids())
        ended = turn.ended
        for name, code in history[moment:]:
            ended = second.exited(end(name, code)).ended
            first.exited(end(name, code))
        assert ended
        assert second.verdict() == first.verdict()


def test_a_new_driver_starts_what_its_predecessor_could_not() -> None:
    one = pod(inits="i", sidecars="s")
    assert names(one.take_up({"a/i": end("i")}).start) == ["s", "main"]
    one = pod(sidecars="s")
    turn = one.take_up({"a/main": end("main"), "a/s": None})
    assert (turn.stop, turn.ended) == (["a/s"], False)
    assert names(pod().take_up({}).start) == ["main"]
    assert pod().take_up({"a/main": end("main", 3)}).ended
