"""Names and versions: made, found, tagged, deleted, and made only once by a step."""

import pytest

from argosy.catalog.names import Content, Names, Origin
from argosy.errors import NotFound, UsageError

A = Content(digest=f"sha256:{'a' * 64}.tree", files=2, size_bytes=10)
B = Content(digest=f"sha256:{'b' * 64}.tree", files=3, size_bytes=20)
HERE = Origin(source="/data")


def by_step(node: str, artifact: str = "out") -> Origin:
    return Origin(run="uid-1", run_name="train", node=node, step="prep", artifact=artifact)


def test_versions_count_up_and_the_latest_is_meant(names: Names) -> None:
    assert names.add("dataset", "mnist", A, HERE).ref == "mnist:1"
    assert names.add("dataset", "mnist", B, HERE).ref == "mnist:2"
    assert names.version("dataset", "mnist").content == B
    assert names.version("dataset", "mnist:1").content == A
    assert [one.version for one in names.versions("dataset", "mnist")] == [2, 1]
    assert names.named("dataset", "mnist:1").versions == 2


def test_kinds_and_namespaces_are_apart(names: Names) -> None:
    names.add("dataset", "x", A, HERE)
    names.add("dataset", "team/x", B, HERE)
    names.add("model", "x", B, HERE)
    assert names.version("dataset", "x").content == A
    assert names.version("dataset", "team/x").content == B
    assert [one.whole_name for one in names.list("dataset")] == ["x", "team/x"]


def test_a_tag_moves(names: Names) -> None:
    names.add("dataset", "mnist:gold", A, HERE)
    names.add("dataset", "mnist", B, HERE)
    assert names.version("dataset", "mnist:gold").version == 1
    assert names.tag("dataset", "mnist:2", "gold").tags == ("gold",)
    assert names.version("dataset", "mnist:gold").version == 2
    assert names.version("dataset", "mnist:1").tags == ()
    names.untag("dataset", "mnist:gold")
    with pytest.raises(NotFound):
        names.version("dataset", "mnist:gold")


def test_a_tag_of_outputs_keeps_what_it_pointed_to(names: Names) -> None:
    names.add("tag", "prep:latest", A, HERE)
    names.add("tag", "prep:latest", B, HERE)
    assert names.version("tag", "prep:latest").content == B
    assert names.version("tag", "prep:latest@1").content == A
    assert [digest for _, digest in names.kept()] == [B.digest]


def test_a_step_makes_one_version_however_often_it_is_told(names: Names) -> None:
    first = names.add("dataset", "clean:fresh", A, by_step("n1"))
    names.add("dataset", "clean", B, HERE)
    again = names.add("dataset", "clean:fresh", A, by_step("n1"))
    assert again.version == first.version == 1
    assert names.add("dataset", "clean", A, by_step("n1", "other")).version == 3
    assert names.add("dataset", "clean", A, by_step("n1.2")).version == 4


def test_the_number_of_a_deleted_version_is_not_given_out_again(names: Names) -> None:
    for content in (A, B):
        names.add("dataset", "mnist", content, HERE)
    assert [one.version for one in names.delete("dataset", "mnist:2")] == [2]
    assert names.version("dataset", "mnist").version == 1
    assert names.add("dataset", "mnist", B, HERE).version == 3
    names.delete("dataset", "mnist")
    with pytest.raises(NotFound):
        names.named("dataset", "mnist")
    assert names.kept() == []


def test_the_tag_of_a_deleted_version_goes_with_it(names: Names) -> None:
    names.add("dataset", "mnist:gold", A, HERE)
    names.add("dataset", "mnist", B, HERE)
    names.delete("dataset", "mnist:gold")
    with pytest.raises(NotFound, match="no tag"):
        names.version("dataset", "mnist:gold")


def test_what_is_not_there_is_guessed(names: Names) -> None:
    names.add("dataset", "mnist:gold", A, HERE)
    for text, hint in (
        ("mnst", "did you mean mnist?"),
        ("mnist:gld", "did you mean gold?"),
        ("mnist:7", "latest is 1"),
    ):
        with pytest.raises(NotFound) as caught:
            names.version("dataset", text)
        assert hint in caught.value.hint
    with pytest.raises(NotFound) as caught:
        names.version("model", "mnist")
    assert "there is a dataset of that name" in caught.value.hint
    names.create("dataset", "empty")
    with pytest.raises(NotFound, match="no version yet"):
        names.version("dataset", "empty")


def test_versions_never_change(names: Names) -> None:
    names.add("dataset", "mnist", A, HERE)
    with pytest.raises(UsageError):
        names.add("dataset", "mnist:1", B, HERE)
    with pytest.raises(UsageError):
        names.create("dataset", "mnist")


def test_a_model_has_one_type_but_a_step_is_never_refused(names: Names) -> None:
    names.add("model", "net", A, HERE, type="ONNX")
    with pytest.raises(UsageError, match="ONNX"):
        names.add("model", "net", B, HERE, type="Custom")
    published = names.publish("model", "net", B, by_step("n1"), type="Custom", details={"metrics": {"acc": 0.5}})
    assert (published.version, published.type, published.details["type"]) == (2, "ONNX", "Custom")
