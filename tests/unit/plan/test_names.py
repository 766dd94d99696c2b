"""Ids and names of nodes are Argo's."""

import pytest

from argosy.plan import names


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"", 2166136261), (b"a", 0xE40C292C), (b"foobar", 0xBF9CF968)],
)
def test_fnv1a(data: bytes, expected: int) -> None:
    """The published vectors of FNV-1a."""
    assert names.fnv1a_32(data) == expected


def test_root_has_the_name_of_the_run() -> None:
    assert names.node_id("wf", "wf") == "wf"
    assert names.node_id("wf", "wf.a") == f"wf-{names.fnv1a_32(b'wf.a')}"


def test_pod_name_carries_the_template() -> None:
    assert names.pod_name("wf", names.node_id("wf", "wf.a"), "train") == f"wf-train-{names.fnv1a_32(b'wf.a')}"


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("a(b)", "x(0:ab)"),
        (1, "x(0:1)"),
        (True, "x(0:true)"),
        (2.5, "x(0:2.5)"),
        ({"os": "debian", "version": 9}, "x(0:os:debian,version:9)"),
        ([1, 2], "x(0:[1 2])"),
    ],
)
def test_item_names(item: object, expected: str) -> None:
    assert names.item_name("x", 0, item) == expected
