"""Which steps are begun ahead, and how many."""

from __future__ import annotations

import msgspec
import pytest

from argosy.model.manifest import Template
from argosy.plan.actions import Start
from argosy.runners.local.ahead import AHEAD, MOST_REST_SECONDS, QUICK_SECONDS, REST_PART, Ahead, may_wait

PLAIN: dict[str, object] = {"container": {"image": "a", "command": ["true"]}}


def start(node: str = "n", deadline: float = 0.0, template: dict[str, object] | None = None) -> Start:
    found = msgspec.convert({"name": "t", **(template or PLAIN)}, Template)
    return Start(node=node, name=node, pod_name=node, template=found, capture_result=False, deadline=deadline)


def quick(ahead: Ahead, steps: int) -> None:
    for number in range(steps):
        ahead.begin(start(f"before-{number}"))
        ahead.ended(f"before-{number}", QUICK_SECONDS / 2)


def test_only_after_as_many_quick_steps_as_run_at_once_is_there_more_room():
    ahead = Ahead(2, holds_back=True)
    assert ahead.room(start(), 1)
    assert not ahead.room(start(), 2)
    quick(ahead, 1)
    assert not ahead.room(start(), 2)
    quick(ahead, 1)
    assert ahead.room(start(), 2)
    assert ahead.room(start(), 2 + 2 - 1)
    assert not ahead.room(start(), 2 + 2)


def test_the_more_steps_were_quick_the_more_are_begun_ahead_up_to_a_limit():
    ahead = Ahead(2, holds_back=True)
    quick(ahead, 10)
    assert ahead.room(start(), 2 + 9)
    assert not ahead.room(start(), 2 + 10)
    quick(ahead, 100)
    assert ahead.room(start(), 2 + 2 * AHEAD - 1)
    assert not ahead.room(start(), 2 + 2 * AHEAD)


def test_of_steps_that_wait_too_long_fewer_are_begun_ahead():
    ahead = Ahead(2, holds_back=True)
    quick(ahead, 20)
    ahead.ended("waited", QUICK_SECONDS)
    assert ahead.room(start(), 2 + 9)
    assert not ahead.room(start(), 2 + 10)


def test_slow_steps_end_it():
    ahead = Ahead(2, holds_back=True)
    quick(ahead, 5)
    ahead.ended("slow", QUICK_SECONDS)
    assert ahead.room(start(), 2)
    ahead.ended("slow too", QUICK_SECONDS)
    assert not ahead.room(start(), 2)


def test_nothing_is_begun_ahead_for_a_runner_that_starts_all_at_once():
    ahead = Ahead(2, holds_back=False)
    quick(ahead, 5)
    assert not ahead.room(start(), 2)
    assert ahead.width == 0


def test_beside_a_step_that_the_runner_does_not_count_nothing_is_begun_ahead():
    ahead = Ahead(2, holds_back=True)
    quick(ahead, 5)
    assert ahead.width == 2
    ahead.begin(start("daemon", template={**PLAIN, "daemon": True}))
    assert not ahead.room(start(), 2)
    assert ahead.width == 0
    ahead.ended("daemon", 0.0)
    assert ahead.room(start(), 2)


@pytest.mark.parametrize(
    "template",
    [
        {**PLAIN, "daemon": True},
        {**PLAIN, "sidecars": [{"name": "s", "image": "a"}]},
        {"container": {"image": "a", "resources": {"requests": {"cpu": "1"}}}},
        {"script": {"image": "a", "source": "true"}},
        {"http": {"url": "http://localhost"}},
        {"containerSet": {"containers": [{"name": "main", "image": "a"}]}},
    ],
)
def test_steps_with_more_to_them_do_not_wait(template: dict[str, object]):
    assert may_wait(start())
    assert not may_wait(start(template=template))


def test_a_step_with_a_time_to_end_by_does_not_wait():
    assert not may_wait(start(deadline=5.0))


def test_the_driver_rests_for_a_part_of_the_time_that_steps_are_held_back():
    ahead = Ahead(2, holds_back=True)
    quick(ahead, 100)
    most = 2 + 2 * AHEAD
    assert ahead.rest_seconds(most) == pytest.approx(QUICK_SECONDS / 2 * REST_PART)


def test_it_does_not_rest_while_few_are_held_back():
    ahead = Ahead(2, holds_back=True)
    assert ahead.rest_seconds(100) == 0.0
    quick(ahead, 20)
    assert ahead.rest_seconds(2 + 10) == 0.0
    assert ahead.rest_seconds(2 + 11) > 0.0


def test_it_never_rests_for_long():
    ahead = Ahead(2, holds_back=True)
    for _ in range(100):
        quick(ahead, 20)
        ahead.ended("slow", 3600.0)
    assert ahead.rest_seconds(100) <= MOST_REST_SECONDS


def test_one_slow_step_makes_the_rest_twice_as_long_at_most():
    ahead = Ahead(2, holds_back=True)
    quick(ahead, 2 * AHEAD)
    before = ahead.rest_seconds(100)
    ahead.ended("slow", 3600.0)
    assert ahead.rest_seconds(100) <= 2 * before


def test_it_may_not_rest_where_nothing_is_held_back():
    everything_starts = Ahead(2, holds_back=False)
    quick(everything_starts, 20)
    assert everything_starts.rest_seconds(100) == 0.0
    beside_a_daemon = Ahead(2, holds_back=True)
    quick(beside_a_daemon, 20)
    beside_a_daemon.begin(start("daemon", template={**PLAIN, "daemon": True}))
    assert beside_a_daemon.rest_seconds(100) == 0.0
