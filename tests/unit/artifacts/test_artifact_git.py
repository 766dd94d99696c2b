"""Artifacts from git, against repositories made on the spot: over a path, and over HTTP with and without a password."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from argosy.artifacts.drivers.git import GitDriver
from argosy.artifacts.locations import Context
from argosy.artifacts.troubles import (
    ArtifactNotFound,
    LocationUnsupported,
    StoreTrouble,
    TransferCancelled,
    TransferRefused,
    TransferTrouble,
)
from argosy.model.manifest import Artifact, KeySelector

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="the program git is absent")
Git = Callable[..., str]


def fetch(target: Path, repo: object, context: Context | None = None, **fields: Any) -> Path:
    GitDriver().fetch(Artifact(name="code", git={"repo": str(repo), **fields}), target, context or Context())
    return target


def context(**secrets: bytes) -> Context:
    def secret(selector: KeySelector) -> bytes:
        return secrets[selector.key]

    return Context(secret=secret, timeout_seconds=10)


def test_the_default_branch_is_checked_out(git_repository: Path, tmp_path: Path, git: Git) -> None:
    target = fetch(tmp_path / "out", git_repository)
    assert (target / "file").read_text() == "two\n"
    assert git(target, "rev-parse", "--abbrev-ref", "HEAD") == "main"


@pytest.mark.parametrize(
    ("revision", "content"), [("v1", "one\n"), ("side", "one\n"), ("main", "two\n"), ("refs/tags/v1", "one\n")]
)
def test_a_revision_is_checked_out(git_repository: Path, tmp_path: Path, revision: str, content: str, git: Git) -> None:
    target = fetch(tmp_path / "out", git_repository, revision=revision)
    assert (target / "file").read_text() == content
    assert (target / "side").exists() == (revision == "side")
    assert git(target, "branch", "--list", "--format=%(refname:short)", "side", "main").split() == ["main", "side"]


def test_a_commit_is_checked_out_from_a_shallow_clone_too(git_repository: Path, tmp_path: Path, git: Git) -> None:
    first = git(git_repository, "rev-parse", "v1")
    git(git_repository, "config", "uploadpack.allowAnySHA1InWant", "true")
    for depth in (None, 1):
        target = fetch(tmp_path / f"out{depth}", git_repository, revision=first, depth=depth)
        assert (target / "file").read_text() == "one\n"


def test_depth_and_a_single_branch_limit_what_comes(git_repository: Path, tmp_path: Path, git: Git) -> None:
    target = fetch(tmp_path / "out", git_repository, depth=1, singleBranch=True, branch="side")
    assert (target / "side").exists()
    assert git(target, "rev-list", "--count", "HEAD") == "1"
    assert git(target, "branch", "-r", "--format=%(refname:short)") == "origin/side"


def test_more_refs_can_be_fetched(git_repository: Path, tmp_path: Path, git: Git) -> None:
    git(git_repository, "update-ref", "refs/changes/1", "v1")
    target = fetch(tmp_path / "out", git_repository, fetch=["refs/changes/*:refs/changes/*"], revision="refs/changes/1")
    assert (target / "file").read_text() == "one\n"


def test_an_empty_repository_is_an_empty_folder(tmp_path: Path, git: Git) -> None:
    (tmp_path / "empty").mkdir()
    git(tmp_path / "empty", "init", "-q")
    assert [p.name for p in fetch(tmp_path / "out", tmp_path / "empty").iterdir()] == [".git"]


def test_what_is_not_there_is_not_found(git_repository: Path, tmp_path: Path) -> None:
    for fields in ({"revision": "nope"}, {"singleBranch": True, "branch": "nope"}, {"fetch": ["refs/heads/nope"]}):
        with pytest.raises(ArtifactNotFound):
            fetch(tmp_path / "out", git_repository, **fields)
        assert not (tmp_path / "out").exists()
    with pytest.raises(ArtifactNotFound):
        fetch(tmp_path / "out", tmp_path / "no-repository")


@pytest.mark.parametrize(
    "fields",
    [
        {"repo": ""},
        {"revision": "--upload-pack=touch evil"},
        {"fetch": ["--upload-pack=touch evil"]},
        {"singleBranch": True},
        {"singleBranch": True, "branch": "-x"},
        {"branch": "a\nb"},
        {"depth": -1},
        {"depth": "many"},
    ],
)
def test_fields_that_cannot_be_are_named(git_repository: Path, tmp_path: Path, fields: dict[str, Any]) -> None:
    with pytest.raises(LocationUnsupported):
        fetch(tmp_path / "out", **{"repo": git_repository, **fields})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "repo", ["ext::sh -c 'touch evil'", "--upload-pack=touch evil", "fd::17", "file-not://x", "-c"]
)
def test_odd_protocols_and_options_run_nothing(tmp_path: Path, repo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((TransferRefused, ArtifactNotFound, TransferTrouble)):
        fetch(tmp_path / "out", repo)
    assert list(tmp_path.iterdir()) == []


def test_hooks_templates_and_configuration_of_others_are_not_used(
    git_repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, git: Git
) -> None:
    hooks = tmp_path / "templates" / "hooks"
    hooks.mkdir(parents=True)
    (hooks / "post-checkout").write_text(f"#!/bin/sh\ntouch {tmp_path}/evil\n")
    (hooks / "post-checkout").chmod(0o755)
    (tmp_path / "config").write_text(f"[init]\ntemplateDir={tmp_path}/templates\n[core]\nhooksPath={hooks}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    monkeypatch.setenv("GIT_TEMPLATE_DIR", str(tmp_path / "templates"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    fetch(tmp_path / "out", git_repository)
    assert not (tmp_path / "evil").exists()
    assert not (tmp_path / "elsewhere").exists()


def dumb(root: Path, password: str | None, seen: list[str]) -> Callable[[Any], None]:
    """Serve the files of a bare repository, as plain web servers do."""

    def handle(handler: Any) -> None:
        seen.append(handler.headers.get("Authorization") or "")
        expected = "Basic " + base64.b64encode(f"ali:{password}".encode()).decode()
        if password is not None and seen[-1] != expected:
            handler.answer(401, WWW_Authenticate='Basic realm="r"')
            return
        path = root / handler.path.partition("?")[0].lstrip("/")
        handler.answer(*((200, path.read_bytes()) if path.is_file() else (404,)))

    return handle


@pytest.fixture
def bare(git_repository: Path, tmp_path: Path, git: Git) -> Path:
    git(tmp_path, "clone", "-q", "--bare", str(git_repository), str(tmp_path / "www" / "repo.git"))
    git(tmp_path / "www" / "repo.git", "update-server-info")
    return tmp_path / "www"


LOGIN = {"usernameSecret": {"name": "s", "key": "user"}, "passwordSecret": {"name": "s", "key": "password"}}


def test_a_password_is_given_to_its_host(bare: Path, tmp_path: Path, serve: Any, git: Git) -> None:
    seen: list[str] = []
    server = serve(dumb(bare, "s3cr3t-pw", seen))
    target = fetch(tmp_path / "out", server.url + "/repo.git", context(user=b"ali", password=b"s3cr3t-pw\n"), **LOGIN)
    assert (target / "file").read_text() == "two\n"
    assert "s3cr3t" not in "".join(p.read_text(errors="replace") for p in (target / ".git").glob("*") if p.is_file())


def test_a_password_in_the_url_stays_out_of_the_clone(bare: Path, tmp_path: Path, serve: Any, git: Git) -> None:
    server = serve(dumb(bare, "s3cr3t-pw", []))
    target = fetch(tmp_path / "out", server.url.replace("//", "//ali:s3cr3t-pw@") + "/repo.git")
    assert git(target, "remote", "get-url", "origin") == server.url + "/repo.git"


def test_a_wrong_password_is_final_and_not_told(bare: Path, tmp_path: Path, serve: Any) -> None:
    server = serve(dumb(bare, "right", []))
    with pytest.raises(TransferRefused) as caught:
        fetch(tmp_path / "out", server.url + "/repo.git", context(user=b"ali", password=b"s3cr3t-pw"), **LOGIN)
    assert "s3cr3t" not in str(caught.value) + caught.value.hint
    assert not (tmp_path / "out").exists()


def test_without_a_password_git_does_not_ask(bare: Path, tmp_path: Path, serve: Any) -> None:
    with pytest.raises(TransferRefused):
        fetch(tmp_path / "out", serve(dumb(bare, "right", [])).url + "/repo.git")


@pytest.fixture
def with_submodule(bare: Path, tmp_path: Path, serve: Any, git: Git) -> tuple[str, list[str], list[str]]:
    """(URL of a repository whose submodule is on another host, what that host saw, what its own host saw)."""
    there: list[str] = []
    here: list[str] = []
    other = serve(dumb(bare, None, there))
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q", "-b", "main")
    git(outer, "submodule", "--quiet", "add", str(tmp_path / "repository"), "sub")
    git(outer, "config", "-f", ".gitmodules", "submodule.sub.url", other.url + "/repo.git")
    git(outer, "commit", "-qam", "outer")
    git(tmp_path, "clone", "-q", "--bare", str(outer), str(tmp_path / "www" / "outer.git"))
    git(tmp_path / "www" / "outer.git", "update-server-info")
    return serve(dumb(bare, "s3cr3t-pw", here)).url + "/outer.git", there, here


def test_submodules_come_along_and_see_no_password(
    with_submodule: tuple[str, list[str], list[str]], tmp_path: Path
) -> None:
    url, there, here = with_submodule
    target = fetch(tmp_path / "out", url, context(user=b"ali", password=b"s3cr3t-pw"), **LOGIN)
    assert (target / "sub" / "file").read_text() == "two\n"
    assert any(here)
    assert there
    assert not any(there)


def test_submodules_can_be_left_out(with_submodule: tuple[str, list[str], list[str]], tmp_path: Path) -> None:
    url, there, _ = with_submodule
    options = {**LOGIN, "disableSubmodules": True}
    target = fetch(tmp_path / "out", url, context(user=b"ali", password=b"s3cr3t-pw"), **options)
    assert list((target / "sub").iterdir()) == []
    assert there == []


def test_a_submodule_may_not_name_a_path_of_this_machine(git_repository: Path, tmp_path: Path, git: Git) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q", "-b", "main")
    git(outer, "submodule", "--quiet", "add", str(git_repository), "sub")
    git(outer, "commit", "-qm", "outer")
    with pytest.raises(TransferRefused, match="not allowed"):
        fetch(tmp_path / "out", outer)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_in_trouble_may_recover(tmp_path: Path, serve: Any, status: int) -> None:
    with pytest.raises(TransferTrouble):
        fetch(tmp_path / "out", serve(lambda handler: handler.answer(status)).url + "/repo.git")
    with pytest.raises(TransferTrouble):
        fetch(tmp_path / "out", "http://127.0.0.1:1/repo.git")


def test_an_unknown_ssh_host_is_not_trusted_and_a_key_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for ssh notes how it is called, and what the key file holds."""
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text(
        f'#!/bin/sh\necho "$@" >>{tmp_path}/calls\nwhile [ $# -gt 0 ]; do '
        f'if [ "$1" = -i ]; then cat "$2" >{tmp_path}/key;'
        f' stat -c %a "$2" >{tmp_path}/mode; echo "$2" >{tmp_path}/where; fi; shift; done\n'
        "echo 'Host key verification failed.' >&2; exit 255\n"
    )
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{ssh.parent}:{os.environ['PATH']}")
    with pytest.raises(TransferRefused):
        fetch(
            tmp_path / "out",
            "git@example.invalid:some/repo.git",
            context(key=b"PRIVATE KEY"),
            sshPrivateKeySecret={"name": "s", "key": "key"},
        )
    called = (tmp_path / "calls").read_text()
    assert "StrictHostKeyChecking=yes" in called
    assert "BatchMode=yes" in called
    assert (tmp_path / "key").read_text() == "PRIVATE KEY\n"
    assert (tmp_path / "mode").read_text() == "600\n"
    assert not Path((tmp_path / "where").read_text().strip()).exists()
    with pytest.raises(TransferRefused):
        fetch(tmp_path / "out", "ssh://git@example.invalid/repo.git", insecureIgnoreHostKey=True)
    assert "StrictHostKeyChecking=no" in (tmp_path / "calls").read_text()


def test_a_stopped_step_stops_git(git_repository: Path, tmp_path: Path) -> None:
    with pytest.raises(TransferCancelled):
        fetch(tmp_path / "out", git_repository, Context(cancelled=lambda: True))
    assert not (tmp_path / "out").exists()


def test_a_target_that_is_taken_stays(git_repository: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("mine")
    with pytest.raises(StoreTrouble):
        fetch(tmp_path / "out", git_repository)
    assert (tmp_path / "out" / "mine").read_text() == "mine"


def test_what_git_cannot_do_is_named(tmp_path: Path) -> None:
    artifact = Artifact(name="code", git={"repo": "x"})
    with pytest.raises(LocationUnsupported):
        GitDriver().save(tmp_path, artifact, Context())
    with pytest.raises(LocationUnsupported):
        GitDriver().list(artifact, Context())
    with pytest.raises(LocationUnsupported):
        GitDriver().delete(artifact, Context())
