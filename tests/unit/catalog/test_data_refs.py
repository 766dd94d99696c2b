"""How data is named: what each spelling means, and what is refused."""

import pytest

from argosy.catalog.refs import Ref, checked_kind, checked_tag, parse_ref
from argosy.errors import UsageError


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("mnist", Ref(kind="dataset", name="mnist")),
        ("mnist:latest", Ref(kind="dataset", name="mnist")),
        ("mnist:3", Ref(kind="dataset", name="mnist", version=3)),
        ("mnist:03", Ref(kind="dataset", name="mnist", version=3)),
        ("mnist:gold", Ref(kind="dataset", name="mnist", tag="gold")),
        ("vision/mnist:v1.2", Ref(kind="dataset", namespace="vision", name="mnist", tag="v1.2")),
        ("user/repo/data", Ref(kind="dataset", namespace="user/repo", name="data")),
        ("dsabc123", Ref(kind="dataset", name="dsabc123")),
    ],
)
def test_a_dataset_is_named(text: str, meant: Ref) -> None:
    assert parse_ref("dataset", text) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("prepare:latest", Ref(kind="tag", name="prepare:latest")),
        ("gold", Ref(kind="tag", name="gold")),
        (":gold", Ref(kind="tag", name="gold")),
        ("me/repo/prepare:gold@2", Ref(kind="tag", namespace="me/repo", name="prepare:gold", version=2)),
    ],
)
def test_a_tag_of_outputs_is_named(text: str, meant: Ref) -> None:
    assert parse_ref("tag", text) == meant


@pytest.mark.parametrize(
    "text",
    ["", ":", "a:", "/a", "a/", "a//b", "a b", "a:b:c", "a:b c", "../a", "a/../b", ".", "a\n", "a:0", "é", "-a", "a@1"],
)
def test_what_is_no_name_of_a_dataset_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_ref("dataset", text)


@pytest.mark.parametrize("text", ["", ":", "a:", "a:b:c", "a@", "a@0", "a@x", "../a", "a b"])
def test_what_is_no_tag_of_outputs_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_ref("tag", text)


@pytest.mark.parametrize("tag", ["latest", "3", "", "a b", "a/b"])
def test_a_tag_is_no_version(tag: str) -> None:
    with pytest.raises(UsageError):
        checked_tag(tag)


def test_a_kind_is_guessed() -> None:
    assert checked_kind("model") == "model"
    with pytest.raises(UsageError) as caught:
        checked_kind("datset")
    assert "dataset" in caught.value.hint
