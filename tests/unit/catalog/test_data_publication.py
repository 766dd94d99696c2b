"""Outputs with a name become versions, once, whatever happens to who publishes them."""

from pathlib import Path

import pytest

from argosy.artifacts.store import Store
from argosy.catalog.names import Names
from argosy.catalog.publication import Publication
from argosy.model.events import AttemptExited, CacheRead, RunStarted
from argosy.model.manifest import Artifact, NamedData, Outputs, Parameter


@pytest.fixture
def published(names: Names, store: Store) -> Publication:
    return Publication(
        names, store, run="uid-1", run_name="train", attempt=lambda node: node, step=lambda node: f"step {node}"
    )


@pytest.fixture
def digest(store: Store, tmp_path: Path) -> str:
    (tmp_path / "model").write_text("weights")
    return store.put(tmp_path / "model")


def outputs(digest: str, **named: object) -> Outputs:
    artifact = Artifact(name="m", path="m", digest=digest, named=NamedData(**named))  # pyright: ignore[reportArgumentType]
    return Outputs(
        artifacts=(artifact,), parameters=(Parameter(name="acc", value="0.5"), Parameter(name="n", value="x"))
    )


def test_a_model_has_its_metrics_and_its_origin(published: Publication, names: Names, digest: str) -> None:
    given = outputs(digest, kind="model", ref="net:best", type="ONNX", metrics=("acc",))
    published.take([RunStarted(at=1.0), AttemptExited(at=2.0, node="n1", phase="Succeeded", outputs=given)])
    version = names.version("model", "net:best")
    assert version.details == {"metrics": {"acc": 0.5}}
    assert (version.origin.run, version.origin.step, version.origin.artifact) == ("uid-1", "step n1", "m")
    assert version.type == "ONNX"


def test_told_again_nothing_is_new(published: Publication, names: Names, digest: str) -> None:
    facts = [
        AttemptExited(at=2.0, node=node, phase="Succeeded", outputs=outputs(digest, kind="dataset", ref="d"))
        for node in ("n1", "n2")
    ]
    for _ in range(3):
        published.take(facts)
    assert [one.version for one in names.versions("dataset", "d")] == [2, 1]


def test_a_step_that_failed_publishes_nothing(published: Publication, names: Names, digest: str) -> None:
    for phase in ("Failed", "Error"):
        given = outputs(digest, kind="dataset", ref="d")
        published.take([AttemptExited(at=2.0, node="n1", phase=phase, outputs=given)])
    assert not names.exists("dataset", "d")


def test_a_reused_step_publishes_only_what_the_name_does_not_point_to(
    published: Publication, names: Names, store: Store, digest: str
) -> None:
    given = outputs(digest, kind="tag", ref="prep:latest")
    published.take([AttemptExited(at=2.0, node="n1", phase="Succeeded", outputs=given)])
    published.take([CacheRead(at=3.0, node="n2", hit=True, outputs=given)])
    assert names.named("tag", "prep:latest").versions == 1
    other = outputs(store.put_bytes(b"other"), kind="tag", ref="prep:latest")
    published.take([CacheRead(at=3.0, node="n3", hit=True, outputs=other)])
    assert names.named("tag", "prep:latest").versions == 2
