"""Memoization: a hit takes the outputs from the cache, a success writes them there."""

import pytest
from simulator import FAILED, gave, main, simulate, tree

from argosy.model.manifest import Outputs, Parameter

CACHED = """- name: cached
  inputs: {parameters: [{name: key}]}
  outputs: {parameters: [{name: x, valueFrom: {path: /x}}]}
  memoize:
    key: "{{inputs.parameters.key}}"
    maxAge: "10m"
    cache: {configMap: {name: cache}}
  MORE
"""
LEAF = "container: {image: none}"
HIT = Outputs(parameters=(Parameter(name="x", value="from cache"),))


def text(kind: str = LEAF, key: str = "k") -> str:
    call = f"steps: [[{{name: a, template: cached, arguments: {{parameters: [{{name: key, value: {key}}}]}}}}]]"
    output = 'outputs: {parameters: [{name: x, valueFrom: {parameter: "{{steps.a.outputs.parameters.x}}"}}]}'
    return main(f"{output}\n{call}") + CACHED.replace("MORE", kind)


def test_a_hit_runs_nothing() -> None:
    found = simulate(text(), cache={"cache/k": HIT})
    assert (found.phase, found.ran, found.outputs("/")) == ("Succeeded", [], {"x": "from cache"})
    status = found.node("a").memoization_status
    assert status is not None
    assert (status.hit, status.key, status.cache_name, found.written) == (True, "k", "cache", [])


def test_a_miss_is_written_after_success_only() -> None:
    found = simulate(text(), {"a": gave(x="new")})
    status = found.node("a").memoization_status
    assert status is not None
    assert (status.hit, [(one.cache, one.key) for one in found.written]) == (False, [("cache", "k")])
    assert found.cache["cache/k"].parameters[0].value == "new"
    assert simulate(text(), {"a": FAILED}).written == []


@pytest.mark.parametrize(
    "kind",
    [
        "retryStrategy: {limit: 1}\n  container: {image: none}",
        "steps: [[{name: x, template: leaf}]]",
        "dag: {tasks: [{name: x, template: leaf}]}",
    ],
)
def test_every_kind_can_be_memoized(kind: str) -> None:
    parameter = "{name: x, valueFrom: {path: /x}}"
    given = text(kind)
    if "container" not in kind:
        given = given.replace(parameter, '{name: x, value: "computed"}')
    miss = simulate(given, {"a": gave(x="computed")})
    assert (miss.phase, miss.outputs("/"), len(miss.written)) == ("Succeeded", {"x": "computed"}, 1)
    hit = simulate(given, cache={"cache/k": HIT})
    assert hit.tree() == tree(
        f"""
        /: Steps Succeeded > [0]
        [0]: StepGroup Succeeded > [0].a
        [0].a: {hit.node("a").type} Succeeded
        """
    )


@pytest.mark.parametrize("key", ["-k", '"a b"', '"a.b"', '""'])
def test_keys_that_are_none(key: str) -> None:
    found = simulate(text(key=key))
    assert (found.phase, found.ran) == ("Failed", [])
    assert "memoization key" in found.message


def test_the_lock_comes_first_and_then_the_cache() -> None:
    given = main(
        """
        steps:
        - - {name: a, template: cached, arguments: {parameters: [{name: key, value: k}]}, withItems: [1, 2, 3]}
        """
    ) + CACHED.replace("MORE", "synchronization: {mutexes: [{name: m}]}\n  container: {image: none}")
    found = simulate(given, {"a(0:1)": gave(x="once")})
    assert (found.phase, found.ran, len(found.locks.released)) == ("Succeeded", ["[0].a(0:1)"], 3)
    assert found.outputs("[0].a(2:3)") == {"x": "once"}


def test_outputs_from_the_cache_may_be_global() -> None:
    hit = Outputs(parameters=(Parameter(name="x", value="v", global_name="everywhere"),))
    assert simulate(text(), cache={"cache/k": hit}).outputs() == {"everywhere": "v"}
