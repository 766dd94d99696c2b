"""The scripted runner keeps its own clock and the promises of every runner."""

from __future__ import annotations

from pathlib import Path

from argosy.runners.local.runtimes.fake import EPOCH, Behaviour, FakeRunner
from argosy.runners.local.runtimes.runtime import Mount, StepSpec


def spec(id: str, folder: str = "/nowhere", **more: object) -> StepSpec:
    return StepSpec(id=id, folder=folder, stdout=f"{folder}/log", stderr=f"{folder}/log", **more)  # type: ignore[arg-type]


def lasting(**seconds: float | None):
    return lambda spec: Behaviour(duration_seconds=seconds[spec.id]) if spec.id in seconds else None


def test_exits_come_in_the_order_of_the_clock_and_take_no_time():
    runner = FakeRunner(lasting(a=5000.0, b=10.0, c=10.0))
    runner.start([spec("a"), spec("b"), spec("c")])
    assert [exit.id for exit in runner.wait()] == ["b", "c"]
    assert runner.now() == EPOCH + 10
    (last,) = runner.wait()
    assert (last.id, last.at) == ("a", EPOCH + 5000)
    assert runner.wait() == []


def test_a_timeout_moves_the_clock():
    runner = FakeRunner(lasting(a=100.0))
    runner.start([spec("a")])
    assert runner.wait(30) == []
    assert runner.now() == EPOCH + 30
    assert runner.wait(0) == []
    assert len(runner.wait(1000)) == 1
    assert runner.now() == EPOCH + 100


def test_starting_again_does_nothing():
    runner = FakeRunner()
    runner.start([spec("a"), spec("a")])
    assert len(runner.wait()) == 1
    runner.start([spec("a")])
    assert runner.wait() == []
    assert runner.started == ["a"]


def test_rules_say_how_a_step_ends():
    runner = FakeRunner(
        lambda spec: Behaviour(code=3, message="no") if spec.id == "bad" else None,
        lambda spec: Behaviour(lost=True, code=255) if spec.id == "lost" else None,
    )
    runner.start([spec("bad"), spec("lost"), spec("good")])
    assert {exit.id: (exit.code, exit.lost) for exit in runner.wait()} == {
        "bad": (3, False),
        "lost": (255, True),
        "good": (0, False),
    }


def test_stop_in_the_three_ways():
    tidy = {"obeys": 0.0, "tidies": 5.0, "ignores": None}
    runner = FakeRunner(lambda spec: Behaviour(duration_seconds=None, tidy_seconds=tidy[spec.id]))
    runner.start([spec(id) for id in tidy])
    assert runner.wait(10) == []
    for id in tidy:
        runner.stop(id, 30)
    ends = [(exit.id, exit.code, exit.at - EPOCH) for _ in range(3) for exit in runner.wait()]
    assert ends == [("obeys", 143, 10), ("tidies", 143, 15), ("ignores", 137, 40)]
    runner.stop("obeys", 0)


def test_a_second_stop_with_a_shorter_grace_is_the_one_that_counts():
    runner = FakeRunner(lambda spec: Behaviour(duration_seconds=None, tidy_seconds=None))
    runner.start([spec("a")])
    runner.stop("a", 100)
    runner.stop("a", 1)
    (ended,) = runner.wait()
    assert ended.at == EPOCH + 1
    assert runner.wait() == []


def test_a_stop_after_the_end_would_come_changes_nothing():
    runner = FakeRunner(lambda spec: Behaviour(duration_seconds=2.0, tidy_seconds=None))
    runner.start([spec("a")])
    runner.stop("a", 60)
    assert [exit.code for exit in runner.wait()] == [0]


def test_adopted_exits_are_not_told_again():
    runner = FakeRunner(lasting(a=1.0, b=2.0))
    runner.start([spec("a"), spec("b")])
    assert len(runner.wait()) == 1
    adopted = runner.adopt()
    assert adopted["a"] is not None
    assert adopted["b"] is None
    assert [exit.id for exit in runner.wait()] == ["b"]


def test_files_land_where_the_step_would_have_written_them(tmp_path: Path):
    folder = tmp_path / "step"
    (folder / "work").mkdir(parents=True)
    out = tmp_path / "out"
    files = {"relative.txt": "1", "/tmp/x/y": "2", "/outputs/deep/z": "3", "/mnt/one": "4"}
    mounts = (Mount(source=str(out), target="/outputs"), Mount(source=str(tmp_path / "one"), target="/mnt/one"))
    runner = FakeRunner(lambda spec: Behaviour(stdout="said\n", files=files))
    runner.start([spec("a", str(folder), mounts=mounts)])
    assert len(runner.wait()) == 1
    places = [folder / "work/relative.txt", folder / "tmp/x/y", out / "deep/z", tmp_path / "one", folder / "log"]
    assert [place.read_text() for place in places] == ["1", "2", "3", "4", "said\n"]
