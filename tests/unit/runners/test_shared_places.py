"""One artifact at one place for steps that run at the same time: fetched once, never taken away from under one."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from attempt_bench import AttemptBench

from argosy.plan.actions import Start
from argosy.runners.local import shared_places
from argosy.runners.local.collecting import collect
from argosy.runners.local.shared_places import held, released, taking
from argosy.runners.local.staging import prepare


@pytest.fixture(autouse=True)
def nothing_is_kept() -> Iterator[None]:
    yield
    assert shared_places._places == {}


def needed(what: str, attempt: str) -> bool:
    with taking("/claim/data", what, attempt) as answer:
        return answer


def test_those_at_the_same_time_have_it_once() -> None:
    assert needed("x", "a")
    assert not needed("x", "b")
    released("a")
    assert not needed("x", "c")
    released("b")
    released("c")
    assert needed("x", "d"), "what a step may have changed is not handed on"
    released("d")


def test_another_artifact_is_put_there() -> None:
    assert needed("x", "a")
    assert needed("y", "b")
    assert needed("x", "c")
    for attempt in "abc":
        released(attempt)


def test_an_attempt_that_is_prepared_again_gets_it_again() -> None:
    assert needed("x", "a")
    assert needed("x", "a")
    released("a")
    released("a")


def test_what_an_earlier_driver_gave_is_left_where_it_is() -> None:
    held("/claim/data", "x", "a")
    assert not needed("x", "b")
    released("a")
    released("b")


def test_what_failed_was_not_given() -> None:
    with pytest.raises(OSError, match="full"), taking("/claim/data", "x", "a"):
        raise OSError("full")
    assert needed("x", "b")
    released("b")


def test_one_waits_for_another_and_not_for_what_was_before() -> None:
    assert needed("x", "a")
    said: list[bool] = []
    inside, go = threading.Event(), threading.Event()

    def hold() -> None:
        with taking("/claim/data", "x", "b") as answer:
            said.append(answer)
            inside.set()
            go.wait(10)

    def follow() -> None:
        said.append(needed("x", "c"))

    released("a")
    first, second = threading.Thread(target=hold), threading.Thread(target=follow)
    first.start()
    assert inside.wait(10)
    second.start()
    go.set()
    first.join(10)
    second.join(10)
    assert said == [True, False]
    released("b")
    released("c")


def reader(bench: AttemptBench) -> Start:
    artifact = {"name": "data", "path": "/mnt/data/set", "raw": {"data": "as it came"}}
    volume = {"name": "v", "persistentVolumeClaim": {"claimName": "disk"}}
    return bench.sh(
        "cat /mnt/data/set; echo changed > /mnt/data/set",
        result=True,
        container={"volumeMounts": [{"name": "v", "mountPath": "/mnt/data"}]},
        inputs={"artifacts": [artifact]},
        volumes=[volume],
    )


def test_an_artifact_in_a_volume_that_two_steps_have(isolated_bench: AttemptBench) -> None:
    bench = isolated_bench
    bench.claims.add("disk")
    place = bench.root / "claims" / "disk" / "set"
    one, other = reader(bench), reader(bench)
    first = prepare(one, bench.context, bench.options)
    place.write_text("a step is at work here")
    second = prepare(other, bench.context, bench.options)
    assert place.read_text() == "a step is at work here", "it is not taken away from under the first"
    assert list(place.parent.iterdir()) == [place]
    # As when another driver takes them up.
    assert prepare(one, bench.context, bench.options).main.spec == first.main.spec
    runner = bench.start_runner()
    for start, pod in ((one, first), (other, second)):
        runner.start(pod.begin())
        bench.finish(pod)
        collect(start, pod, bench.context, bench.options)
    end = bench.run(reader(bench))
    assert end.outputs is not None
    assert end.outputs.result == "as it came", "after those it is put there anew"
