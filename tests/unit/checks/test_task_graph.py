"""Cycles and ancestors, against the obvious way to find them; schedules; what a document catalog answers."""

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.checks.catalog import DocumentCatalog
from argosy.checks.graph import Ancestry, find_cycle
from argosy.checks.rules.schedules import schedule_problem
from argosy.model import manifest

NAMES = [f"t{i}" for i in range(8)]
graphs = st.fixed_dictionaries({name: st.lists(st.sampled_from([*NAMES, "gone"]), max_size=3) for name in NAMES})


def before(edges, name):
    """All that come before a task, found by walking."""
    found, queue = set(), list(edges.get(name, ()))
    while queue:
        at = queue.pop()
        if at not in found:
            found.add(at)
            queue += edges.get(at, ())
    return found


@given(graphs)
def test_a_cycle_is_found_where_there_is_one(edges):
    cycle = find_cycle(edges)
    assert bool(cycle) == any(name in before(edges, name) for name in edges)
    if cycle:
        assert cycle[0] == cycle[-1]
        assert all(later in edges[earlier] for earlier, later in itertools.pairwise(cycle))


@given(graphs)
def test_ancestors_are_those_that_walking_finds(edges):
    if find_cycle(edges):
        return
    ancestry = Ancestry(edges, edges)
    for later in edges:
        assert {earlier for earlier in edges if ancestry.precedes(earlier, later)} == before(edges, later) & set(edges)


@pytest.mark.parametrize(
    "schedule",
    ["* * * * *", "*/5 0-6,12 1 JAN-mar mon", "@daily", "@every 1h30m", "TZ=Europe/Berlin 0 4 * * *", "0 0 ? * 0"],
)
def test_schedules_that_can_be_read(schedule):
    assert schedule_problem(schedule) == ""


@pytest.mark.parametrize(
    "schedule",
    [
        "",
        "* * * *",
        "60 * * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 7",
        "5-1 * * * *",
        "*/0 * * * *",
        "@often",
        "a * * * *",
    ],
)
def test_schedules_that_cannot_be_read(schedule):
    assert schedule_problem(schedule)


def test_a_catalog_tells_the_scopes_of_templates_apart_and_asks_its_fallback():
    def template(kind):
        return msgspec.convert({"kind": kind, "metadata": {"name": "t"}, "spec": {}}, manifest.WorkflowTemplate)

    namespaced, cluster = template("WorkflowTemplate"), template("ClusterWorkflowTemplate")
    catalog = DocumentCatalog([cluster], DocumentCatalog([namespaced]))
    assert catalog.workflow_template("t", True) is cluster
    assert catalog.workflow_template("t", False) is namespaced
    assert catalog.workflow_template("u", False) is None
    assert catalog.config_map("t") is None
