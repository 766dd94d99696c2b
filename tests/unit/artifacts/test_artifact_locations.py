"""Which driver serves what, what completes a key, what is tried again, and how archives travel."""

from __future__ import annotations

import gzip
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from argosy.artifacts.drivers.local import LocalDriver
from argosy.artifacts.locations import Context, driver_for, location_kind
from argosy.artifacts.repositories import (
    Repository,
    below,
    driver_of,
    needs_repository,
    parse_repository,
    read_repository,
    repository_folder,
    resolve,
    with_key,
)
from argosy.artifacts.retrying import Patience, RetryingDriver
from argosy.artifacts.transfer import file_name, load_input, save_output, set_mode
from argosy.artifacts.troubles import (
    ArchiveRefused,
    ArtifactNotFound,
    LocationUnsupported,
    StoreTrouble,
    TransferCancelled,
    TransferRefused,
    TransferTrouble,
)
from argosy.model.manifest import (
    ArchiveStrategy,
    Artifact,
    ArtifactRepositoryRef,
    ConfigMap,
    ObjectMeta,
    RawArtifact,
    TarStrategy,
)

CONTEXT = Context()
NONE = ArchiveStrategy(none={})
ZIP = ArchiveStrategy(zip={})
TAR = ArchiveStrategy(tar=TarStrategy())


@pytest.mark.parametrize("kind", ["http", "artifactory", "git", "s3", "gcs", "azure", "oss", "hdfs"])
def test_every_kind_has_its_driver(kind: str) -> None:
    driver = driver_for(Artifact(name="a", **{kind: {}}))  # type: ignore[arg-type]
    assert type(driver).__name__.lower() == f"{kind}driver"


@pytest.mark.parametrize(
    ("artifact", "says"),
    [
        (Artifact(name="a"), "no location"),
        (Artifact(name="a", plugin={"name": "mine"}), "plugin 'mine'"),
        (Artifact(name="a", s3={}, http={}), "two locations: http and s3"),
    ],
)
def test_what_has_no_driver_is_named(artifact: Artifact, says: str) -> None:
    with pytest.raises(LocationUnsupported, match=says) as caught:
        driver_for(artifact)
    assert caught.value.hint


def test_raw_is_written_and_does_nothing_else(tmp_path: Path) -> None:
    artifact = Artifact(name="a", raw=RawArtifact(data="text ü\n"))
    driver = driver_for(artifact)
    driver.fetch(artifact, tmp_path / "f", CONTEXT)
    assert (tmp_path / "f").read_text() == "text ü\n"
    with pytest.raises(StoreTrouble):
        driver.fetch(artifact, tmp_path / "f", CONTEXT)
    with pytest.raises(LocationUnsupported):
        driver.save(tmp_path / "f", artifact, CONTEXT)
    with pytest.raises(LocationUnsupported):
        driver.list(artifact, CONTEXT)
    with pytest.raises(LocationUnsupported):
        driver.delete(artifact, CONTEXT)


# -- repositories


@pytest.fixture
def local(tmp_path: Path) -> Repository:
    return Repository(root=repository_folder(tmp_path / "home"))


S3_REPOSITORY = """
s3:
  bucket: my-bucket
  endpoint: minio:9000
  insecure: true
  keyFormat: "runs/{{workflow.name}}"
  accessKeySecret: {name: cred, key: access}
"""


@pytest.mark.parametrize("kind", ["s3", "gcs", "oss", "azure", "hdfs"])
def test_a_key_alone_is_kept_in_the_local_repository(local: Repository, tmp_path: Path, kind: str) -> None:
    name = {"azure": "blob", "hdfs": "path"}.get(kind, "key")
    artifact = Artifact(name="a", **{kind: {name: "my/path"}})  # type: ignore[arg-type]
    assert needs_repository(artifact)
    assert resolve(artifact, local) is artifact
    driver = driver_of(artifact, local)
    (tmp_path / "f").write_text("x")
    driver.save(tmp_path / "f", artifact, CONTEXT)
    assert (tmp_path / "home" / "repository" / "my" / "path").read_text() == "x"
    driver.fetch(artifact, tmp_path / "g", CONTEXT)
    assert driver.list(artifact, CONTEXT) == ["my/path"]
    driver.delete(artifact, CONTEXT)
    with pytest.raises(ArtifactNotFound):
        driver.fetch(artifact, tmp_path / "h", CONTEXT)


def test_folders_replace_files_and_files_replace_folders(local: Repository, tmp_path: Path) -> None:
    artifact = Artifact(name="a", s3={"key": "k"})
    driver = LocalDriver(local.root)
    (tmp_path / "d" / "sub").mkdir(parents=True)
    (tmp_path / "d" / "sub" / "f").write_text("1")
    (tmp_path / "f").write_text("2")
    for source in ("f", "d", "d", "f"):
        driver.save(tmp_path / source, artifact, CONTEXT)
        assert (local.root / "k").is_dir() == (source == "d")
    driver.save(tmp_path / "d", artifact, CONTEXT)
    assert driver.list(artifact, CONTEXT) == ["k/sub/f"]
    assert [p.name for p in local.root.iterdir()] == ["k"]


@pytest.mark.parametrize("key", ["../out", "a/../../out", "."])
def test_a_local_key_stays_in_the_repository(local: Repository, tmp_path: Path, key: str) -> None:
    (tmp_path / "f").write_text("x")
    with pytest.raises(TransferRefused, match="cannot be a key"):
        LocalDriver(local.root).save(tmp_path / "f", Artifact(name="a", s3={"key": key}), CONTEXT)


def test_the_repository_completes_a_key_and_the_artifact_wins(tmp_path: Path) -> None:
    repository = parse_repository(S3_REPOSITORY, tmp_path, where="here")
    assert repository.key_format == "runs/{{workflow.name}}"
    resolved = resolve(Artifact(name="a", s3={"key": "k", "insecure": False}), repository)
    assert resolved.s3 == {
        "bucket": "my-bucket",
        "endpoint": "minio:9000",
        "insecure": False,
        "accessKeySecret": {"name": "cred", "key": "access"},
        "key": "k",
    }
    assert isinstance(driver_of(resolved, repository), RetryingDriver)
    whole = Artifact(name="a", s3={"bucket": "other", "key": "k"})
    assert resolve(whole, repository) is whole
    with pytest.raises(LocationUnsupported, match="repository is s3"):
        resolve(Artifact(name="a", gcs={"key": "k"}), repository)


def test_an_output_without_a_location_gets_a_key(tmp_path: Path, local: Repository) -> None:
    repository = parse_repository(S3_REPOSITORY, tmp_path, where="here")
    assert with_key(Artifact(name="a"), repository, "w/p/a.tgz").s3["key"] == "w/p/a.tgz"  # type: ignore[index]
    assert with_key(Artifact(name="a"), local, "w/p/a.tgz").s3 == {"key": "w/p/a.tgz"}
    jfrog = parse_repository("artifactory: {repoURL: 'http://h/repo/'}", tmp_path, where="here")
    assert with_key(Artifact(name="a"), jfrog, "w/a.tgz").artifactory == {"url": "http://h/repo/w/a.tgz"}
    assert local.key_format == "{{workflow.name}}/{{pod.name}}"
    prefixed = parse_repository("s3: {bucket: b, keyPrefix: pre/}", tmp_path, where="here")
    assert prefixed.key_format == "pre/{{workflow.name}}/{{pod.name}}"


def test_a_sub_path_is_below_the_key() -> None:
    assert below(Artifact(name="a", s3={"key": "k/", "bucket": "b"}), "/x/y").s3 == {"key": "k/x/y", "bucket": "b"}
    with pytest.raises(LocationUnsupported, match="subPath"):
        below(Artifact(name="a", git={"repo": "r"}), "x")


def config_map(name: str, data: dict[str, str], default: str = "") -> dict[str, ConfigMap]:
    annotations = {"workflows.argoproj.io/default-artifact-repository": default} if default else {}
    return {name: ConfigMap(kind="ConfigMap", metadata=ObjectMeta(name=name, annotations=annotations), data=data)}


def test_the_repository_comes_from_a_config_map(tmp_path: Path) -> None:
    maps = config_map("artifact-repositories", {"a": S3_REPOSITORY, "b": "gcs: {bucket: g}"}, default="a")
    assert read_repository(maps, None, tmp_path).kind == "s3"
    assert read_repository(maps, ArtifactRepositoryRef(key="b"), tmp_path).kind == "gcs"
    assert read_repository({}, None, tmp_path) == Repository(root=tmp_path)
    assert read_repository({}, ArtifactRepositoryRef(config_map="other"), tmp_path) == Repository(root=tmp_path)
    assert read_repository(config_map("artifact-repositories", {}), None, tmp_path) == Repository(root=tmp_path)


@pytest.mark.parametrize(
    ("maps", "reference"),
    [
        (config_map("other", {}), ArtifactRepositoryRef(config_map="other")),
        (config_map("other", {}), ArtifactRepositoryRef(config_map="other", key="no")),
        (config_map("other", {"k": "s3: ["}), ArtifactRepositoryRef(config_map="other", key="k")),
        (config_map("other", {"k": "plugin: {}"}), ArtifactRepositoryRef(config_map="other", key="k")),
        (config_map("other", {"k": "[]"}), ArtifactRepositoryRef(config_map="other", key="k")),
    ],
)
def test_a_repository_that_is_not_there_is_named(
    maps: dict[str, ConfigMap], reference: ArtifactRepositoryRef, tmp_path: Path
) -> None:
    with pytest.raises(TransferRefused) as caught:
        read_repository(maps, reference, tmp_path)
    assert caught.value.hint


# -- trying again


class Flaky:
    """A driver that fails some times before it works."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def fetch(self, artifact: object, target: Path, context: Context) -> None:
        self._next()
        target.write_text("there")

    def save(self, path: Path, artifact: object, context: Context) -> None:
        self._next()

    def list(self, artifact: object, context: Context) -> list[str]:
        self._next()
        return ["k"]

    def delete(self, artifact: object, context: Context) -> None:
        self._next()

    def _next(self) -> None:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)


def patience(waits: list[float], **options: Any) -> Patience:
    return Patience(sleep=waits.append, random=lambda: 0.5, **options)


def test_what_may_pass_is_tried_again_with_growing_waits(tmp_path: Path) -> None:
    waits: list[float] = []
    lines: list[str] = []
    inner = Flaky(*(TransferTrouble("busy.") for _ in range(3)))
    driver = RetryingDriver(inner, patience(waits, max_seconds=3))
    driver.fetch(Artifact(name="a"), tmp_path / "f", Context(log=lines.append))
    assert waits == [0.75, 1.5, 2.25]
    assert inner.calls == 4
    assert lines[0] == "busy. Trying again in 0.8 s."
    assert (tmp_path / "f").read_text() == "there"


def test_after_the_last_try_the_error_says_how_many(tmp_path: Path) -> None:
    waits: list[float] = []
    inner = Flaky(*(TransferTrouble("busy.", hint="wait") for _ in range(9)))
    driver = RetryingDriver(inner, patience(waits, attempts=3))
    with pytest.raises(TransferTrouble, match=r"busy\. \(3 tries\)") as caught:
        driver.save(tmp_path, Artifact(name="a"), CONTEXT)
    assert caught.value.hint == "wait"
    assert len(waits) == 2


@pytest.mark.parametrize(
    "error",
    [TransferRefused("no"), ArtifactNotFound("no"), LocationUnsupported("no"), StoreTrouble("no"), KeyError("bug")],
)
def test_what_is_final_is_not_tried_again(error: Exception) -> None:
    inner = Flaky(error)
    with pytest.raises(type(error)):
        RetryingDriver(inner, patience([])).list(Artifact(name="a"), CONTEXT)
    assert inner.calls == 1


def test_a_stopped_step_is_not_waited_for() -> None:
    waits: list[float] = []
    driver = RetryingDriver(Flaky(TransferTrouble("busy.")), patience(waits))
    with pytest.raises(TransferCancelled):
        driver.delete(Artifact(name="a"), Context(cancelled=lambda: True))
    assert waits == []


def test_a_taken_target_is_not_cleared_by_trying_again(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("mine")
    artifact = Artifact(name="a", http={"url": "http://127.0.0.1:1/"})
    with pytest.raises(TransferTrouble):
        RetryingDriver(driver_for(artifact), patience([], attempts=2)).fetch(artifact, tmp_path / "f", CONTEXT)
    assert (tmp_path / "f").read_text() == "mine"


# -- archives on the way


def saved(path: Path, artifact: Artifact, local: Repository, tmp_path: Path) -> Path:
    driver = driver_of(artifact, local)
    save_output(path, artifact, driver, CONTEXT, scratch=tmp_path / "scratch")
    assert list((tmp_path / "scratch").iterdir() if (tmp_path / "scratch").exists() else []) == []
    return local.root / "k"


def loaded(artifact: Artifact, local: Repository, target: Path) -> Path:
    load_input(artifact, target, driver_of(artifact, local), CONTEXT)
    assert [p.name for p in target.parent.iterdir()] == [target.name]
    return target


@pytest.mark.parametrize(("archive", "start"), [(None, b"\x1f\x8b"), (TAR, b"\x1f\x8b"), (ZIP, b"PK"), (NONE, b"con")])
def test_a_file_travels_as_its_strategy_says(
    local: Repository, tmp_path: Path, archive: ArchiveStrategy | None, start: bytes
) -> None:
    artifact = Artifact(name="a", s3={"key": "k"}, archive=archive)
    (tmp_path / "f").write_text("content")
    assert saved(tmp_path / "f", artifact, local, tmp_path).read_bytes().startswith(start)
    assert loaded(artifact, local, tmp_path / "in" / "g").read_text() == "content"


@pytest.mark.parametrize("archive", [None, TAR, ZIP, NONE])
def test_a_folder_travels_too(local: Repository, tmp_path: Path, archive: ArchiveStrategy | None) -> None:
    artifact = Artifact(name="a", s3={"key": "k"}, archive=archive, mode=0o700, recurse_mode=True)
    (tmp_path / "d" / "sub").mkdir(parents=True)
    (tmp_path / "d" / "sub" / "f").write_text("content")
    saved(tmp_path / "d", artifact, local, tmp_path)
    target = loaded(artifact, local, tmp_path / "in" / "g")
    assert (target / "sub" / "f").read_text() == "content"
    assert {p.stat().st_mode & 0o777 for p in (target, *target.rglob("*"))} == {0o700}


def test_the_compression_level_is_used(local: Repository, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(bytes(100_000))
    sizes = []
    for level in (0, 9):
        archive = ArchiveStrategy(tar=TarStrategy(compression_level=level))
        artifact = Artifact(name="a", s3={"key": "k"}, archive=archive)
        sizes.append(saved(tmp_path / "f", artifact, local, tmp_path).stat().st_size)
    assert sizes[0] > 100_000 > 1000 > sizes[1]


def put(local: Repository, data: bytes) -> Artifact:
    local.root.mkdir(parents=True, exist_ok=True)
    (local.root / "k").write_bytes(data)
    return Artifact(name="a", s3={"key": "k"})


def zipped(tmp_path: Path) -> bytes:
    import zipfile

    with zipfile.ZipFile(tmp_path / "z", "w") as made:
        made.writestr("f", "x")
    return (tmp_path / "z").read_bytes()


def test_what_is_not_said_to_be_an_archive_is_unpacked_only_if_a_gzipped_tar(local: Repository, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "t", "w") as made:
        made.add(__file__, "f")
    plain = (tmp_path / "t").read_bytes()
    for number, data in enumerate((plain, zipped(tmp_path), gzip.compress(b"text" * 999), b"text")):
        target = loaded(put(local, data), local, tmp_path / f"in{number}" / "g")
        assert target.read_bytes() == data
    target = loaded(put(local, gzip.compress(plain)), local, tmp_path / "in" / "g")
    assert target.read_bytes() == Path(__file__).read_bytes()


@pytest.mark.parametrize(("archive", "word"), [(TAR, "tar"), (ZIP, "zip")])
def test_what_is_said_to_be_an_archive_has_to_be_one(
    local: Repository, tmp_path: Path, archive: ArchiveStrategy, word: str
) -> None:
    put(local, b"text")
    artifact = Artifact(name="a", s3={"key": "k"}, archive=archive)
    with pytest.raises(ArchiveRefused, match=f"unpacked as {word}, and it is no archive"):
        load_input(artifact, tmp_path / "in" / "g", LocalDriver(local.root), CONTEXT)
    assert list((tmp_path / "in").iterdir()) == []


def test_a_step_that_left_nothing_is_told(local: Repository, tmp_path: Path) -> None:
    artifact = Artifact(name="a", s3={"key": "k"}, path="/tmp/out")
    with pytest.raises(ArtifactNotFound, match="left nothing at /tmp/out"):
        save_output(tmp_path / "no", artifact, LocalDriver(local.root), CONTEXT, scratch=tmp_path / "scratch")


@pytest.mark.parametrize(
    ("archive", "name"), [(None, "model.tgz"), (TAR, "model.tgz"), (ZIP, "model.zip"), (NONE, "out.bin")]
)
def test_outputs_are_named_as_argo_names_them(archive: ArchiveStrategy | None, name: str) -> None:
    assert file_name(Artifact(name="model", path="/tmp/out.bin/", archive=archive), "model") == name


def test_modes_do_not_follow_links(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("")
    (tmp_path / "outside").chmod(0o600)
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "l").symlink_to(tmp_path / "outside")
    set_mode(tmp_path / "d", 0o755, recurse=True)
    assert os.stat(tmp_path / "outside").st_mode & 0o777 == 0o600


def test_two_locations_are_one_too_many() -> None:
    assert location_kind(Artifact(name="a")) is None
    assert location_kind(Artifact(name="a", raw=RawArtifact(data=""))) == "raw"
