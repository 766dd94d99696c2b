"""The actions of Gradient that fetch: from an S3 server, and from git over HTTP with a password."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from test_artifact_git import dumb
from test_artifact_s3 import CONTEXT, at

from argosy.artifacts.drivers.s3 import S3Driver


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """Run a spec whose first job gives the volume `files`; what is in it, by path."""
    home = tmp_path / "run"
    home.mkdir()

    def argosy(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if name not in ("ARGOSY_HOME", "HOME")}
        command = [sys.executable, "-m", "argosy", *arguments]
        return subprocess.run(
            command, cwd=home, capture_output=True, text=True, input=text, env=environment | {"HOME": str(home)}
        )

    def files(with_: dict[str, str], uses: str, *, secrets: dict[str, str]) -> dict[str, str] | str:
        for name, value in secrets.items():
            assert argosy("secrets", "set", name, "--from-stdin", text=value).returncode == 0
        job = {"uses": uses, "with": with_, "outputs": {"files": {"type": "volume"}}}
        (home / "spec.yaml").write_text(json.dumps({"jobs": {"fetch": job}}))
        done = argosy("run", "spec.yaml", "--runtime", "process", "-q", "-o", "json")
        status = json.loads(done.stdout)["status"]
        node = next(one for one in status["nodes"].values() if one["displayName"] == "fetch")
        if node["phase"] != "Succeeded":
            return str(node["message"])
        name = json.loads(done.stdout)["metadata"]["name"]
        got = argosy("datasets", "add", f"got-{uuid.uuid4().hex}", "--run", name, "--artifact", "files", "-o", "name")
        assert got.returncode == 0, got.stderr
        there = home / f"there-{uuid.uuid4().hex}"
        assert argosy("datasets", "get", got.stdout.strip(), "-d", str(there)).returncode == 0
        found = [one for one in there.rglob("*") if one.is_file() and ".git" not in one.parts]
        return {str(one.relative_to(there)): one.read_text() for one in found}

    return files


@pytest.mark.parametrize("below", ["", "/", "/two"])
def test_a_download_is_all_below_a_prefix_or_one_object(s3_endpoint: str, tmp_path: Path, run: Any, below: str) -> None:
    key = f"test-{uuid.uuid4().hex}/key"
    (tmp_path / "d" / "sub").mkdir(parents=True)
    (tmp_path / "d" / "two").write_text("2")
    (tmp_path / "d" / "sub" / "three").write_text("3")
    S3Driver().save(tmp_path / "d", at(s3_endpoint, key), CONTEXT)
    with_ = {
        "url": f"s3://bucket/{key}{below}",
        "access-key": "AKIDEXAMPLE",
        "secret-access-key": "secret:S3_SECRET",
        "endpoint": f"http://{s3_endpoint}",
    }
    found = run(with_, "s3-download@v1", secrets={"S3_SECRET": "wJalrXUtnFEMI"})
    assert found == ({"two": "2"} if below == "/two" else {"two": "2", "sub/three": "3"})


def test_a_download_of_nothing_fails(s3_endpoint: str, run: Any) -> None:
    with_ = {
        "url": "s3://bucket/absent",
        "access-key": "secret:AK",
        "secret-access-key": "secret:S3_SECRET",
        "endpoint": f"http://{s3_endpoint}",
        "path": "/outputs/files/below",
    }
    message = run(with_, "s3-download@v1", secrets={"S3_SECRET": "wJalrXUtnFEMI", "AK": "AKIDEXAMPLE"})
    assert "absent" in message
    assert "wJalrXUtnFEMI" not in message


def test_a_private_checkout(git_repository: Path, git: Any, tmp_path: Path, serve: Any, run: Any) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(git_repository), str(tmp_path / "www" / "repo.git"))
    git(tmp_path / "www" / "repo.git", "update-server-info")
    server = serve(dumb(tmp_path / "www", "s3cr3t-pw", []))
    with_ = {"url": f"{server.url}/repo.git", "username": "ali", "password": "secret:GIT_PASSWORD"}
    secrets = {"GIT_PASSWORD": "s3cr3t-pw"}
    assert run(with_, "git-checkout@v1", secrets=secrets) == {"file": "two\n"}
    wrong = run(with_, "git-checkout@v1", secrets={"GIT_PASSWORD": "another-pw"})
    assert isinstance(wrong, str)
    assert "another-pw" not in wrong
    found = run({**with_, "ref": "v1", "path": "/outputs/files/in/it"}, "git-checkout@v1", secrets=secrets)
    assert found == {"in/it/file": "one\n"}
