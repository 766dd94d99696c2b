"""Artifacts in S3 against a server on loopback, and how the other object stores' fields are read."""

from __future__ import annotations

import datetime
import re
import uuid
from pathlib import Path
from typing import Any

import pytest

from argosy.artifacts.credentials import Credentials
from argosy.artifacts.drivers.aws_signing import Keys, signed
from argosy.artifacts.drivers.clouds import AzureDriver, GCSDriver, HDFSDriver, OSSDriver
from argosy.artifacts.drivers.s3 import S3Driver
from argosy.artifacts.locations import Context
from argosy.artifacts.remote import ObjectBlobs
from argosy.artifacts.troubles import ArtifactNotFound, LocationUnsupported, TransferRefused
from argosy.errors import EnvironmentTrouble
from argosy.model.manifest import Artifact, KeySelector

SECRETS = {"access": b"AKIDEXAMPLE\n", "secret": b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "token": b"t0ken"}


def secret(selector: KeySelector) -> bytes:
    return SECRETS[selector.key]


CONTEXT = Context(secret=secret, timeout_seconds=10)
LOGIN = {
    "accessKeySecret": {"name": "s", "key": "access"},
    "secretKeySecret": {"name": "s", "key": "secret"},
    "insecure": True,
}


def at(endpoint: str, key: str, /, **fields: Any) -> Artifact:
    return Artifact(name="a", s3={"endpoint": endpoint, "bucket": "bucket", "key": key, **LOGIN, **fields})


@pytest.fixture
def place(s3_endpoint: str) -> Artifact:
    return at(s3_endpoint, f"test-{uuid.uuid4().hex}/key")


def below(artifact: Artifact, more: str) -> Artifact:
    assert artifact.s3
    return Artifact(name="a", s3={**artifact.s3, "key": artifact.s3["key"] + more})


def test_a_file_goes_and_comes_back(place: Artifact, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"content")
    S3Driver().save(tmp_path / "f", place, CONTEXT)
    S3Driver().fetch(place, tmp_path / "g", CONTEXT)
    assert (tmp_path / "g").read_bytes() == b"content"
    assert S3Driver().list(place, CONTEXT) == [place.s3["key"]]  # type: ignore[index]


def test_a_folder_goes_and_comes_back(place: Artifact, tmp_path: Path) -> None:
    (tmp_path / "d" / "sub").mkdir(parents=True)
    (tmp_path / "d" / "one").write_text("1")
    (tmp_path / "d" / "sub" / "two").write_text("2")
    S3Driver().save(tmp_path / "d", place, CONTEXT)
    for number, artifact in enumerate((place, below(place, "/"))):
        S3Driver().fetch(artifact, tmp_path / f"out{number}", CONTEXT)
        assert (tmp_path / f"out{number}" / "sub" / "two").read_text() == "2"
        assert [key.rpartition("key/")[2] for key in S3Driver().list(artifact, CONTEXT)] == ["one", "sub/two"]
    S3Driver().delete(place, CONTEXT)
    with pytest.raises(ArtifactNotFound):
        S3Driver().list(place, CONTEXT)
    with pytest.raises(ArtifactNotFound):
        S3Driver().fetch(place, tmp_path / "gone", CONTEXT)
    S3Driver().delete(place, CONTEXT)


def test_a_bucket_is_made_when_asked(s3_endpoint: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    bucket = f"made-{uuid.uuid4().hex[:12]}"
    with pytest.raises(ArtifactNotFound, match="bucket"):
        S3Driver().save(tmp_path / "f", at(s3_endpoint, "k", bucket=bucket), CONTEXT)
    artifact = at(s3_endpoint, "k", bucket=bucket, createBucketIfNotPresent={"objectLocking": True})
    S3Driver().save(tmp_path / "f", artifact, CONTEXT)
    S3Driver().save(tmp_path / "f", artifact, CONTEXT)
    S3Driver().fetch(artifact, tmp_path / "g", CONTEXT)


def test_a_role_is_taken(s3_endpoint: str, tmp_path: Path) -> None:
    role = "arn:aws:iam::123456789012:role/reader"
    artifact = at(s3_endpoint, f"role-{uuid.uuid4().hex}", roleARN=role)
    (tmp_path / "f").write_text("x")
    S3Driver().save(tmp_path / "f", artifact, CONTEXT)
    S3Driver().fetch(artifact, tmp_path / "g", CONTEXT)


@pytest.mark.parametrize(
    "options",
    [
        {"enableEncryption": True},
        {"kmsKeyId": "key"},
        {"serverSideCustomerKeySecret": {"name": "s", "key": "customer"}},
    ],
)
def test_encryption_is_asked_for(serve: Any, tmp_path: Path, options: dict[str, Any]) -> None:
    server = serve(lambda handler: (handler.body(), handler.answer(200, ETag='"x"')))
    (tmp_path / "f").write_text("x")
    secrets = {**SECRETS, "customer": b"k" * 32}
    context = Context(secret=lambda selector: secrets[selector.key])
    endpoint = server.url.removeprefix("http://")
    S3Driver().save(tmp_path / "f", at(endpoint, "k", encryptionOptions=options), context)
    sent = {name.lower(): value for name, value in server.notes[0][2].items()}
    algorithm = sent.get("x-amz-server-side-encryption") or sent.get("x-amz-server-side-encryption-customer-algorithm")
    assert algorithm == ("aws:kms" if "kmsKeyId" in options else "AES256")
    signed_headers = re.search(r"SignedHeaders=([^,]+)", sent["authorization"])
    assert signed_headers
    assert "x-amz-server-side-encryption" in signed_headers[1]


def test_session_tokens_and_keys_are_sent_and_never_told(serve: Any, tmp_path: Path) -> None:
    server = serve(lambda handler: handler.answer(403, b"<Error><Code>AccessDenied</Code></Error>"))
    artifact = at(server.url.removeprefix("http://"), "k", sessionTokenSecret={"name": "s", "key": "token"})
    with pytest.raises(TransferRefused, match="AccessDenied") as caught:
        S3Driver().fetch(artifact, tmp_path / "f", CONTEXT)
    sent = {name.lower(): value for name, value in server.notes[0][2].items()}
    assert sent["x-amz-security-token"] == "t0ken"
    assert "Credential=AKIDEXAMPLE/" in sent["authorization"]
    told = f"{caught.value} {caught.value.hint}"
    assert "t0ken" not in told
    assert "wJalr" not in told


@pytest.mark.parametrize(
    ("fields", "host", "virtual"),
    [
        ({"endpoint": "minio:9000"}, "http://minio:9000", False),
        ({"endpoint": "minio:9000", "addressingStyle": "virtual-hosted"}, "http://bucket.minio:9000", True),
        ({"endpoint": "oss-cn-x.aliyuncs.com", "insecure": False}, "https://bucket.oss-cn-x.aliyuncs.com", True),
        ({"endpoint": "s3.eu-west-1.amazonaws.com"}, None, True),
        ({"endpoint": "s3.amazonaws.com", "addressingStyle": "path"}, None, False),
        ({"endpoint": ""}, None, True),
    ],
)
def test_endpoints_are_addressed_as_they_want(fields: dict[str, Any], host: str | None, virtual: bool) -> None:
    blobs, key = S3Driver().open_blobs(at("", "k", **fields), Credentials(CONTEXT), CONTEXT, to_write=False)
    assert isinstance(blobs, ObjectBlobs)
    config: Any = blobs.store.config  # type: ignore[union-attr]
    assert key == "k"
    assert config.get("endpoint") == host
    assert str(config.get("virtual_hosted_style_request")).lower() == str(virtual).lower()
    assert config["region"] == ("eu-west-1" if "eu-west-1" in fields["endpoint"] else "us-east-1")


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"bucket": ""}, "bucket"),
        ({"addressingStyle": "odd"}, "addressingStyle"),
        ({"encryptionOptions": {"kmsEncryptionContext": "{}"}}, "kmsEncryptionContext"),
        ({"encryptionOptions": {"kmsKeyId": "k", "serverSideCustomerKeySecret": LOGIN["accessKeySecret"]}}, "KMS key"),
        ({"roleARN": "arn:x", "accessKeySecret": None}, "roleARN"),
        ({"region": []}, "region"),
    ],
)
def test_fields_that_cannot_be_are_named(
    tmp_path: Path, fields: dict[str, Any], names: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    with pytest.raises(LocationUnsupported, match=names):
        S3Driver().fetch(at("h", "k", **fields), tmp_path / "f", CONTEXT)


def test_a_key_that_leads_elsewhere_is_refused(s3_endpoint: str, tmp_path: Path) -> None:
    with pytest.raises(TransferRefused, match="cannot be a key"):
        S3Driver().fetch(at(s3_endpoint, "a/../b"), tmp_path / "f", CONTEXT)


LISTING = (
    b"<ListBucketResult><IsTruncated>false</IsTruncated>"
    b"<Contents><Key>%s</Key><Size>1</Size><ETag>x</ETag><LastModified>2020-01-01T00:00:00.000Z</LastModified></Contents>"
    b"</ListBucketResult>"
)


@pytest.mark.parametrize("listed", [b"k/../../evil", b"other/evil", b"k/./x"])
def test_a_store_that_lists_odd_keys_writes_nowhere_else(serve: Any, tmp_path: Path, listed: bytes) -> None:
    def handle(handler: Any) -> None:
        if "list-type" in handler.path:
            handler.answer(200, LISTING % listed)
        elif handler.path == "/bucket/k":
            handler.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            handler.answer(200, b"x", ETag='"x"', Last_Modified="Wed, 21 Oct 2015 07:28:00 GMT")

    endpoint = serve(handle).url.removeprefix("http://")
    with pytest.raises(TransferRefused):
        S3Driver().fetch(at(endpoint, "k"), tmp_path / "deep" / "out", CONTEXT)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_signature_is_that_of_the_published_example() -> None:
    """The example of AWS's documentation of Signature Version 4: ListUsers of IAM."""
    request = signed(
        "GET",
        "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
        b"",
        service="iam",
        region="us-east-1",
        keys=Keys(access_key="AKIDEXAMPLE", secret_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        now=datetime.datetime(2015, 8, 30, 12, 36, 0, tzinfo=datetime.UTC),
        headers={"content-type": "application/x-www-form-urlencoded; charset=utf-8"},
    )
    published = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    assert request.headers["authorization"].endswith(f"Signature={published}")


def test_google_azure_and_oss_fields_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    azure = {"endpoint": "https://acc.blob.core.windows.net", "container": "c", "blob": "b/l"}
    azure_artifact = Artifact(name="a", azure={**azure, "accountKeySecret": {"name": "s", "key": "base64"}})
    context = Context(secret=lambda selector: b"a2V5")
    blobs, key = AzureDriver().open_blobs(azure_artifact, Credentials(context), context, to_write=False)
    assert (key, blobs.name) == ("b/l", "azure://c")  # type: ignore[attr-defined]
    assert blobs.store.config["account_name"] == "acc"  # type: ignore[attr-defined]
    oss = {"endpoint": "http://oss-cn-x.aliyuncs.com", "bucket": "b", "key": "k", **LOGIN}
    oss.pop("insecure")
    blobs, key = OSSDriver().open_blobs(Artifact(name="a", oss=oss), Credentials(CONTEXT), CONTEXT, to_write=False)
    assert blobs.store.config["endpoint"] == "http://b.oss-cn-x.aliyuncs.com"  # type: ignore[attr-defined]
    gcs = Artifact(name="a", gcs={"bucket": "g", "key": "k/y"})
    monkeypatch.setenv("GOOGLE_SKIP_SIGNATURE", "true")
    blobs, key = GCSDriver().open_blobs(gcs, Credentials(CONTEXT), CONTEXT, to_write=False)
    assert (key, blobs.name) == ("k/y", "gs://g")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("driver", "artifact", "names"),
    [
        (AzureDriver(), Artifact(name="a", azure={"blob": "b"}), "container"),
        (AzureDriver(), Artifact(name="a", azure={"container": "c", "blob": "b"}), "endpoint"),
        (AzureDriver(), Artifact(name="a", azure={"container": "c", "endpoint": "https://h"}), "account"),
        (GCSDriver(), Artifact(name="a", gcs={"key": "k"}), "bucket"),
        (OSSDriver(), Artifact(name="a", oss={"endpoint": "h", "key": "k"}), "bucket"),
        (OSSDriver(), Artifact(name="a", oss={"endpoint": "h", "bucket": "b", "securityToken": "t"}), "securityToken"),
        (
            OSSDriver(),
            Artifact(name="a", oss={"endpoint": "h", "bucket": "b", "lifecycleRule": {"x": 1}}),
            "lifecycleRule",
        ),
        (HDFSDriver(), Artifact(name="a", hdfs={"path": "/p"}), "addresses"),
        (
            HDFSDriver(),
            Artifact(name="a", hdfs={"addresses": ["h:1"], "krbKeytabSecret": {"key": "k"}}),
            "krbKeytabSecret",
        ),
    ],
)
def test_what_other_stores_lack_is_named(driver: Any, artifact: Artifact, names: str, tmp_path: Path) -> None:
    with pytest.raises(LocationUnsupported, match=names):
        driver.fetch(artifact, tmp_path / "f", CONTEXT)


class MemoryHDFS(HDFSDriver):
    """HDFS with fsspec's memory in the place of a cluster."""

    def file_system(self, given: dict[str, Any]) -> Any:
        import fsspec

        assert given == {"host": "namenode", "port": 9000, "user": "root"}
        return fsspec.filesystem("memory")


def test_hdfs_is_spoken_to_through_fsspec(tmp_path: Path) -> None:
    fields = {"addresses": ["namenode:9000"], "path": f"/{uuid.uuid4().hex}/f", "hdfsUser": "root"}
    artifact = Artifact(name="a", hdfs=fields)
    (tmp_path / "f").write_text("x")
    MemoryHDFS().save(tmp_path / "f", artifact, CONTEXT)
    MemoryHDFS().fetch(artifact, tmp_path / "g", CONTEXT)
    assert (tmp_path / "g").read_text() == "x"
    MemoryHDFS().delete(artifact, CONTEXT)


def test_a_library_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "obstore.store", None)
    with pytest.raises(EnvironmentTrouble, match="obstore") as caught:
        S3Driver().fetch(at("h", "k"), tmp_path / "f", CONTEXT)
    assert "argosy[s3]" in caught.value.hint
    monkeypatch.setitem(__import__("sys").modules, "fsspec", None)
    with pytest.raises(EnvironmentTrouble, match="fsspec"):
        HDFSDriver().fetch(Artifact(name="a", hdfs={"addresses": ["h:1"], "path": "/p"}), tmp_path / "f", CONTEXT)


def test_secrets_of_the_wrong_form_are_named_and_not_told(tmp_path: Path) -> None:
    context = Context(secret=lambda selector: b"s3cr3t nonsense")
    secret_of = {"name": "s", "key": "k"}
    gcs = Artifact(name="a", gcs={"bucket": "b", "key": "k", "serviceAccountKeySecret": secret_of})
    s3 = at("127.0.0.1:1", "k", insecure=False, caSecret=secret_of)
    bucket = at("127.0.0.1:1", "k", insecure=False, caSecret=secret_of, createBucketIfNotPresent={})
    for driver, artifact in ((GCSDriver(), gcs), (S3Driver(), s3), (S3Driver(), bucket)):
        with pytest.raises(TransferRefused) as caught:
            driver.save(tmp_path, artifact, context)
        assert "s3cr3t" not in f"{caught.value} {caught.value.__cause__}"
        assert caught.value.hint


def test_no_credentials_at_all_is_said(serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for the address at which machines in clouds tell their credentials refuses."""
    server = serve(lambda handler: handler.answer(403))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr("argosy.artifacts.remote.METADATA_HOST", server.url)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", server.url)
    artifact = at("127.0.0.1:1", "k", accessKeySecret=None, secretKeySecret=None)
    with pytest.raises(TransferRefused, match="no credentials for s3://bucket/k"):
        S3Driver().fetch(artifact, tmp_path / "f", CONTEXT)
