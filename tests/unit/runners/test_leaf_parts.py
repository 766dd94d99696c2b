"""The small languages of resource templates: conditions, patches, JSONPath templates."""

from __future__ import annotations

from typing import Any

import pytest

from argosy.errors import ArgosyError, ExpressionError
from argosy.runners.local.leaves.conditions import requirements
from argosy.runners.local.leaves.patches import json_patched, merged, strategically_merged
from argosy.runners.local.leaves.readings import by_json_path

DOCUMENT = {
    "status": {
        "phase": "Succeeded",
        "succeeded": 3,
        "ready": True,
        "none": None,
        "list": [{"type": "A"}, {"type": "B"}],
    },
    "metadata": {"labels": {"app.io/x": "y"}, "name": "n"},
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True),
        ("status.phase == Succeeded", True),
        ("status.phase=Succeeded", True),
        ("status.phase != Succeeded", False),
        ("status.nothing != Succeeded", True),
        ("status.phase in (Failed, Succeeded)", True),
        ("status.phase notin (Failed, Error)", True),
        ("status.nothing in (a)", False),
        ("status.nothing notin (a)", True),
        ("status.succeeded > 2", True),
        ("status.succeeded < 3", False),
        ("status.phase > 2", False),
        ("status.ready == true", True),
        ("status.none ==", True),
        ("status.phase", True),
        ("!status.phase", False),
        ("!status.nothing", True),
        ("status.list.1.type == B", True),
        ("status.list.2.type == B", False),
        ("status.phase == Succeeded, status.succeeded == 3", True),
        ("status.phase == Succeeded,status.succeeded == 4", False),
    ],
)
def test_conditions(text: str, holds: bool) -> None:
    assert all(one.holds(DOCUMENT) for one in requirements(text)) is holds


@pytest.mark.parametrize(
    "text", ["a ==", "a > b", "a b", "a in b", "a in (b", ",", "a,", "a == b c", "== a", "a in (b c)"]
)
def test_wrong_conditions(text: str) -> None:
    if text == "a ==":
        assert requirements(text)[0].values == ("",)
        return
    with pytest.raises(ExpressionError):
        requirements(text)


def test_conditions_are_shown_as_kubernetes_does() -> None:
    text = "a = b, c in (z, y), !d, e, f > 1"
    assert [str(one) for one in requirements(text)] == ["a==b", "c in (y,z)", "!d", "e", "f>1"]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{.metadata.name}", "n"),
        ("{$.metadata.name}", "n"),
        (".metadata.name", "n"),
        ("{.metadata.labels['app.io/x']}", "y"),
        ("{.status.list[*].type}", "A B"),
        ('{.status.list[?(@.type=="B")].type}', "B"),
        ("{.status.list[0]}", '{"type":"A"}'),
        ("{.nothing.here}", ""),
        ('{.metadata.name}{"\\n"}{.status.succeeded}', "n\n3"),
        ("name: {.metadata.name}!", "name: n!"),
        ("{.status.ready}", "true"),
    ],
)
def test_json_path_templates(template: str, text: str) -> None:
    assert by_json_path(DOCUMENT, template) == text


@pytest.mark.parametrize("template", ["{range .status.list[*]}{.type}{end}", "{.a", "{.a[}", "{'a}"])
def test_wrong_json_path_templates(template: str) -> None:
    with pytest.raises(ExpressionError):
        by_json_path(DOCUMENT, template)


# The cases of RFC 7386, appendix A.
@pytest.mark.parametrize(
    ("document", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": "b"}, ["c"], ["c"]),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch(document: Any, patch: Any, result: Any) -> None:
    assert merged(document, patch) == result


def test_strategic_lists_and_directives() -> None:
    document = {
        "finalizers": ["a"],
        "ownerReferences": [{"uid": "1", "x": 1}, {"uid": "2"}],
        "other": [1],
        "m": {"k": 1},
    }
    patch = {
        "finalizers": ["b", "a"],
        "ownerReferences": [{"uid": "1", "y": 2}, {"uid": "2", "$patch": "delete"}, {"uid": "3"}],
        "other": [2],
        "m": {"$patch": "replace", "l": 2},
    }
    assert strategically_merged(document, patch) == {
        "finalizers": ["a", "b"],
        "ownerReferences": [{"uid": "1", "x": 1, "y": 2}, {"uid": "3"}],
        "other": [2],
        "m": {"l": 2},
    }
    with pytest.raises(ArgosyError, match="retainKeys"):
        strategically_merged(document, {"$retainKeys": ["a"]})


# From RFC 6902, appendix A.
@pytest.mark.parametrize(
    ("document", "operations", "result"),
    [
        ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": 1}], {"foo": "bar", "baz": 1}),
        ({"a": [1, 3]}, [{"op": "add", "path": "/a/1", "value": 2}], {"a": [1, 2, 3]}),
        ({"a": [1]}, [{"op": "add", "path": "/a/-", "value": [2]}], {"a": [1, [2]]}),
        ({"a": 1, "b": 2}, [{"op": "remove", "path": "/a"}], {"b": 2}),
        ({"a": [1, 2, 3]}, [{"op": "remove", "path": "/a/1"}], {"a": [1, 3]}),
        ({"a": 1}, [{"op": "replace", "path": "/a", "value": 2}], {"a": 2}),
        ({"a": [1, 2]}, [{"op": "replace", "path": "/a/0", "value": 9}], {"a": [9, 2]}),
        ({"a": {"b": 1}, "c": {}}, [{"op": "move", "from": "/a/b", "path": "/c/d"}], {"a": {}, "c": {"d": 1}}),
        ({"a": [1, 2]}, [{"op": "move", "from": "/a/0", "path": "/a/1"}], {"a": [2, 1]}),
        ({"a": {"b": 1}}, [{"op": "copy", "from": "/a", "path": "/c"}], {"a": {"b": 1}, "c": {"b": 1}}),
        ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], {"/": 9, "~1": 10}),
        ({"a": 1}, [{"op": "replace", "path": "", "value": {"b": 1}}], {"b": 1}),
    ],
)
def test_json_patch(document: Any, operations: Any, result: Any) -> None:
    assert json_patched(document, operations) == result


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "add", "path": "/x/y", "value": 1},
        {"op": "remove", "path": "/x"},
        {"op": "replace", "path": "/x", "value": 1},
        {"op": "add", "path": "/a/5", "value": 1},
        {"op": "add", "path": "/a/01", "value": 1},
        {"op": "test", "path": "/a", "value": 2},
        {"op": "move", "from": "/a", "path": "/a/0"},
        {"op": "sing", "path": "/a"},
        {"op": "add", "value": 1},
        {"op": "add", "path": "a", "value": 1},
        {"path": "/a"},
        "text",
    ],
)
def test_json_patches_that_fail_change_nothing(operation: Any) -> None:
    document = {"a": [1]}
    with pytest.raises(ArgosyError, match="operation 1"):
        json_patched(document, [{"op": "add", "path": "/new", "value": 1}, operation])
    assert document == {"a": [1]}
