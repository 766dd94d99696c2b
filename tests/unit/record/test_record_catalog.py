"""Objects applied to the catalog are kept by kind and name, with versions that grow."""

from pathlib import Path

import msgspec
import pytest
from record_samples import World

from argosy.errors import NotFound, UsageError
from argosy.record.catalog import Catalog
from argosy.record.journal import Journal


@pytest.fixture
def catalog(journal: Journal, world: World) -> Catalog:
    return Catalog(journal.database, now=world.now)


def test_apply_says_what_it_did(catalog: Catalog, world: World) -> None:
    assert catalog.apply("ConfigMap", "sizes", b'{"data":{"a":"1"}}') == "created"
    first = catalog.get("ConfigMap", "sizes")
    world.time += 5
    assert catalog.apply("ConfigMap", "sizes", b'{ "data": {"a": "1"} }') == "unchanged"
    assert catalog.get("ConfigMap", "sizes") == first
    assert catalog.apply("ConfigMap", "sizes", b'{"data":{"a":"2"}}') == "configured"
    second = catalog.get("ConfigMap", "sizes")
    assert second.manifest == b'{"data":{"a":"2"}}'
    assert (second.uid, second.created_at) == (first.uid, first.created_at)
    assert second.resource_version > first.resource_version
    assert second.updated_at == first.updated_at + 5


def test_every_change_and_no_reading_moves_the_version(catalog: Catalog) -> None:
    versions = [catalog.version()]
    catalog.create("Secret", "s", b"{}")
    versions.append(catalog.version())
    catalog.apply("Secret", "s", b'{"type":"Opaque"}')
    versions.append(catalog.version())
    catalog.delete("Secret", "s")
    versions.append(catalog.version())
    assert versions == sorted(set(versions))
    catalog.list("Secret")
    assert catalog.version() == versions[-1]


def test_create_refuses_what_exists(catalog: Catalog) -> None:
    catalog.create("ConfigMap", "a", b"{}")
    with pytest.raises(UsageError, match="ConfigMap a already exists"):
        catalog.create("ConfigMap", "a", b"{}")


def test_kinds_and_namespaces_are_apart(catalog: Catalog) -> None:
    catalog.create("ConfigMap", "a", b"{}")
    catalog.create("Secret", "a", b"{}")
    catalog.create("ConfigMap", "a", b"{}", namespace="other")
    catalog.create("ConfigMap", "b", b"{}")
    assert [(found.name, found.namespace) for found in catalog.list("ConfigMap")] == [
        ("a", "default"),
        ("a", "other"),
        ("b", "default"),
    ]
    assert [found.name for found in catalog.list("ConfigMap", namespace="other")] == ["a"]


def test_a_cluster_template_is_in_no_namespace(catalog: Catalog) -> None:
    catalog.create("ClusterWorkflowTemplate", "t", b"{}", namespace="other")
    assert catalog.get("ClusterWorkflowTemplate", "t").namespace == ""


def test_what_is_not_there_is_named_with_what_looks_alike(catalog: Catalog) -> None:
    catalog.create("WorkflowTemplate", "trainer", b"{}")
    with pytest.raises(NotFound, match="no WorkflowTemplate named 'trianer'") as caught:
        catalog.get("WorkflowTemplate", "trianer")
    assert caught.value.hint == "did you mean trainer?"
    with pytest.raises(NotFound) as caught:
        catalog.delete("Secret", "zzz")
    assert "argosy apply" in caught.value.hint


def test_an_unknown_kind_is_refused(catalog: Catalog) -> None:
    with pytest.raises(UsageError, match="keeps no Deployment"):
        catalog.list("Deployment")


def test_an_immutable_object_keeps_its_data(catalog: Catalog) -> None:
    catalog.apply("ConfigMap", "a", b'{"immutable":true,"data":{"x":"1"}}')
    with pytest.raises(UsageError, match="ConfigMap a is immutable"):
        catalog.apply("ConfigMap", "a", b'{"immutable":true,"data":{"x":"2"}}')
    relabelled = b'{"immutable":true,"data":{"x":"1"},"metadata":{"labels":{"l":"1"}}}'
    assert catalog.apply("ConfigMap", "a", relabelled) == "configured"


def test_a_secret_is_not_kept_in_the_clear(catalog: Catalog, path: Path) -> None:
    with pytest.raises(UsageError, match="in the clear"):
        catalog.create("Secret", "s", b'{"stringData":{"password":"hunter2"}}')
    with pytest.raises(UsageError, match="in the clear"):
        catalog.apply("Secret", "s", b'{"data":{"password":"aHVudGVyMg=="}}')
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}


class Backwards:
    """A seal that can be seen through."""

    def seal(self, place: str, manifest: bytes) -> bytes:
        return msgspec.json.encode({"place": place, "kept": manifest.decode()[::-1]})

    def open(self, place: str, kept: bytes) -> bytes:
        document = msgspec.json.decode(kept)
        assert document["place"] == place
        text: str = document["kept"]
        return text[::-1].encode()


def test_a_secret_is_sealed_with_its_name_and_version(journal: Journal, world: World) -> None:
    catalog = Catalog(journal.database, now=world.now, sealing=Backwards())
    first = b'{"stringData":{"password":"hunter2"}}'
    assert catalog.apply("Secret", "s", first) == "created"
    assert catalog.apply("Secret", "s", first) == "unchanged"
    assert catalog.apply("Secret", "s", first.replace(b"2", b"3")) == "configured"
    found = catalog.get("Secret", "s")
    assert b"hunter" not in found.manifest
    assert f"s@{found.resource_version}".encode() in found.manifest
    assert catalog.opened("Secret", "s") == first.replace(b"2", b"3")


def test_what_an_earlier_format_kept_in_the_clear_is_sealed(journal: Journal, world: World, path: Path) -> None:
    database = journal.database
    clear = b'{"stringData":{"password":"hunter2"}}'
    Catalog(database, now=world.now).create("Secret", "s", b"{}")
    database.execute("UPDATE objects SET manifest = ?", (clear,))
    database.execute("INSERT INTO counters VALUES ('clear_secrets', 1)")
    catalog = Catalog(database, now=world.now, sealing=Backwards())
    assert catalog.seal_old(str.upper)
    assert not catalog.seal_old(str.upper)
    assert catalog.opened("Secret", "s") == clear
    assert [file for file in path.parent.iterdir() if b"hunter2" in file.read_bytes()] == []
