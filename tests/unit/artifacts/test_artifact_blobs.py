"""One suite over all blobs: a local folder, fsspec's memory, an S3 server, each of them retrying or not."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from argosy.artifacts.remote import Blobs, FsspecBlobs, LocalBlobs, ObjectBlobs
from argosy.artifacts.retrying import Patience, RetryingBlobs
from argosy.artifacts.troubles import ArtifactNotFound, StoreTrouble, TransferRefused, TransferTrouble


@pytest.fixture(params=["local", "memory", "s3"])
def plain_blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Blobs]:
    if request.param == "local":
        yield LocalBlobs(tmp_path / "blobs")
    elif request.param == "memory":
        fsspec = pytest.importorskip("fsspec")
        yield FsspecBlobs(fsspec.filesystem("memory"), f"/{uuid.uuid4().hex}")
    else:
        yield s3_blobs(request.getfixturevalue("s3_endpoint"))


def s3_blobs(endpoint: str, bucket: str = "bucket") -> ObjectBlobs:
    from obstore.store import S3Store

    store = S3Store(
        bucket,
        prefix=uuid.uuid4().hex,
        config={
            "endpoint": f"http://{endpoint}",
            "access_key_id": "a",
            "secret_access_key": "b",
            "region": "us-east-1",
        },
        client_options={"allow_http": True},
        retry_config={"max_retries": 0},
    )
    return ObjectBlobs(store, f"s3://{bucket}")


@pytest.fixture(params=["plain", "retrying"])
def blobs(request: pytest.FixtureRequest, plain_blobs: Blobs) -> Blobs:
    return plain_blobs if request.param == "plain" else RetryingBlobs(plain_blobs, Patience(sleep=lambda seconds: None))


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("size", [0, 1, 100_000, 7_000_000])
def test_what_is_put_comes_back(blobs: Blobs, tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    blobs.put_file(written(tmp_path / "f", data), "folder/key")
    blobs.get_file("folder/key", tmp_path / "g")
    assert (tmp_path / "g").read_bytes() == data


def test_a_put_replaces(blobs: Blobs, tmp_path: Path) -> None:
    blobs.put_file(written(tmp_path / "f", b"old"), "key")
    blobs.put_file(written(tmp_path / "f", b"new"), "key")
    blobs.get_file("key", tmp_path / "g")
    assert (tmp_path / "g").read_bytes() == b"new"


def test_nothing_is_not_found_and_leaves_nothing(blobs: Blobs, tmp_path: Path) -> None:
    with pytest.raises(ArtifactNotFound):
        blobs.get_file("no/such", tmp_path / "g")
    assert not (tmp_path / "g").exists()
    assert not blobs.exists("no/such")
    blobs.delete("no/such")
    assert blobs.list("no") == []
    assert blobs.list("") == []


def test_listing_is_sorted_and_keeps_to_the_folder(blobs: Blobs, tmp_path: Path) -> None:
    file = written(tmp_path / "f", b"x")
    for key in ("a/2", "a/1", "a/b/3", "ab/4", "c"):
        blobs.put_file(file, key)
    assert blobs.list("a") == blobs.list("a/") == ["a/1", "a/2", "a/b/3"]
    assert blobs.list("") == ["a/1", "a/2", "a/b/3", "ab/4", "c"]
    assert blobs.exists("a/1")
    assert not blobs.exists("a")
    blobs.delete("a/1")
    assert blobs.list("a") == ["a/2", "a/b/3"]
    blobs.delete("a/b")
    assert blobs.exists("a/b/3")


@pytest.mark.parametrize("key", ["with space", "percent%20", "hash#and?mark", "ümläut", "a+b=c&d", "trailing."])
def test_odd_keys_come_back_as_they_are(blobs: Blobs, tmp_path: Path, key: str) -> None:
    blobs.put_file(written(tmp_path / "f", b"x"), f"odd/{key}")
    assert blobs.list("odd") == [f"odd/{key}"]
    blobs.get_file(f"odd/{key}", tmp_path / "g")


@pytest.mark.parametrize("key", ["", "/", "../up", "a/../../b", "a/./b", "nul\0"])
def test_keys_that_lead_elsewhere_are_refused(blobs: Blobs, tmp_path: Path, key: str) -> None:
    file = written(tmp_path / "f", b"x")
    with pytest.raises(TransferRefused, match="cannot be a key"):
        blobs.put_file(file, key)
    with pytest.raises(TransferRefused, match="cannot be a key"):
        blobs.get_file(key, tmp_path / "g")
    with pytest.raises(TransferRefused, match="cannot be a key"):
        blobs.delete(key)


def test_a_target_that_is_taken_stays(plain_blobs: Blobs, tmp_path: Path) -> None:
    plain_blobs.put_file(written(tmp_path / "f", b"x"), "key")
    with pytest.raises(StoreTrouble):
        plain_blobs.get_file("key", written(tmp_path / "g", b"mine"))
    assert (tmp_path / "g").read_bytes() == b"mine"


def test_a_bucket_that_is_not_there_is_named(s3_endpoint: str, tmp_path: Path) -> None:
    blobs = s3_blobs(s3_endpoint, "nobody")
    with pytest.raises(ArtifactNotFound, match="bucket of s3://nobody/key does not exist"):
        blobs.put_file(written(tmp_path / "f", b"x"), "key")
    with pytest.raises(ArtifactNotFound, match="bucket"):
        blobs.list("key")


def test_a_server_that_is_away_may_come_back(tmp_path: Path) -> None:
    blobs = s3_blobs("127.0.0.1:1")
    with pytest.raises(TransferTrouble, match="Cannot reach s3://bucket/key"):
        blobs.exists("key")
    with pytest.raises(TransferTrouble):
        blobs.get_file("key", tmp_path / "g")


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, TransferTrouble), (503, TransferTrouble), (429, TransferTrouble), (403, TransferRefused)],
)
def test_what_a_store_answers_is_final_or_not(serve: Any, tmp_path: Path, status: int, error: type[Exception]) -> None:
    server = serve(lambda handler: handler.answer(status, b"<Error><Code>Odd</Code><Message>Why</Message></Error>"))
    with pytest.raises(error):
        s3_blobs(server.url.removeprefix("http://")).get_file("key", tmp_path / "g")
    assert len(server.notes) == 1


def test_an_answer_that_breaks_off_leaves_nothing(serve: Any, tmp_path: Path) -> None:
    server = serve(lambda handler: cut_off(handler))
    with pytest.raises(TransferTrouble):
        s3_blobs(server.url.removeprefix("http://")).get_file("key", tmp_path / "g")
    assert not (tmp_path / "g").exists()


def cut_off(handler: Any) -> None:
    handler.answer(200, b"half", Content_Length="8", ETag='"x"', Last_Modified="Wed, 21 Oct 2015 07:28:00 GMT")
    handler.close_connection = True


def test_too_much_is_refused(s3_endpoint: str, tmp_path: Path) -> None:
    blobs = s3_blobs(s3_endpoint)
    blobs.put_file(written(tmp_path / "f", b"four"), "key")
    with pytest.raises(TransferRefused, match="more than the 3 bytes"):
        ObjectBlobs(blobs.store, "s3://bucket", limit=3).get_file("key", tmp_path / "g")


class Failing:
    """fsspec-like: everything fails with one error."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, name: str) -> Any:
        def fail(*args: object, **kwargs: object) -> None:
            raise self.error

        return fail


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (OSError("reset by https://user:pw@host/"), TransferTrouble),
        (RuntimeError(), TransferTrouble),
        (PermissionError("no"), TransferRefused),
        (FileNotFoundError("gone"), ArtifactNotFound),
    ],
)
def test_errors_of_other_libraries_are_told_apart(tmp_path: Path, raised: Exception, expected: type[Exception]) -> None:
    blobs = FsspecBlobs(Failing(raised), "/root")
    with pytest.raises(expected) as caught:
        blobs.exists("key")
    assert "pw@" not in str(caught.value)
    with pytest.raises(expected):
        blobs.list("key")
