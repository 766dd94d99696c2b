"""Logins to registries out of Secrets: how they may be written, and what engines are given."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path

import pytest

from argosy.errors import InvalidFile
from argosy.runners.local.runtimes.registries import logins_of, options_of, registry_name, write_logins

AUTH = base64.b64encode(b"me:pw:x").decode()
LOGIN = {"auth": AUTH}


@pytest.fixture(autouse=True)
def no_own_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "own.json"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"username": "me", "password": "pw:x\n"}, {"docker.io": LOGIN}),
        ({"url": "https://r.example:5000/v2/", "username": "me", "password": "pw:x"}, {"r.example:5000": LOGIN}),
        (
            {".dockerconfigjson": json.dumps({"auths": {"r.example": {"auth": AUTH, "email": "e"}}})},
            {"r.example": LOGIN},
        ),
        (
            {".dockerconfigjson": json.dumps({"auths": {"https://index.docker.io/v1/": LOGIN, "r/team": LOGIN}})},
            {"docker.io": LOGIN, "r/team": LOGIN},
        ),
        ({".dockerconfigjson": json.dumps({"auths": {"r": {"username": "me", "password": "pw:x"}}})}, {"r": LOGIN}),
        ({".dockercfg": json.dumps({"r.example": {"auth": AUTH}})}, {"r.example": LOGIN}),
        (
            {".dockerconfigjson": json.dumps({"auths": {"r": {"auth": AUTH, "identitytoken": "t"}}})},
            {"r": {"auth": AUTH, "identitytoken": "t"}},
        ),
    ],
)
def test_every_form_of_a_login(values: dict[str, str], found: dict[str, dict[str, str]]) -> None:
    assert logins_of("hub", {key: text.encode() for key, text in values.items()}) == found


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "holds no login to a registry"),
        ({"username": "me"}, "holds no login to a registry"),
        ({".dockerconfigjson": "{"}, "not a JSON object"),
        ({".dockerconfigjson": "[]"}, "not a JSON object"),
        ({".dockerconfigjson": "{}"}, "has no `auths`"),
        ({".dockerconfigjson": '{"auths": {"r": {}}}'}, "no user and password for the registry r"),
        ({".dockerconfigjson": '{"auths": {"r": 1}}'}, "no user and password for the registry r"),
        ({".dockerconfigjson": '{"auths": {"r": {"auth": "%"}}}'}, "`auth` of r is not USER:PASSWORD"),
        ({".dockerconfigjson": '{"auths": {"r": {"auth": "eHl6"}}}'}, "`auth` of r is not USER:PASSWORD"),
    ],
)
def test_what_is_no_login(values: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidFile, match=message):
        logins_of("hub", {key: text.encode() for key, text in values.items()})


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("", "docker.io"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("registry-1.docker.io", "docker.io"),
        ("ghcr.io", "ghcr.io"),
        ("https://ghcr.io/team/", "ghcr.io/team"),
        ("localhost:5000/v2", "localhost:5000"),
    ],
)
def test_names_of_registries(written: str, name: str) -> None:
    assert registry_name(written) == name


def test_podman_is_given_a_file_that_nobody_else_reads(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text(json.dumps({"auths": {"a": {"auth": "x"}, "r": {"auth": "y"}}}))
    write_logins("podman", tmp_path / "logins", {"r": LOGIN})
    path = tmp_path / "logins/auth.json"
    assert json.loads(path.read_text())["auths"] == {"a": {"auth": "x"}, "r": LOGIN}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert options_of("podman", path.parent) == ((), ("--authfile", str(path)))


def test_docker_keeps_its_contexts_and_asks_no_store(tmp_path: Path) -> None:
    (tmp_path / "docker/contexts").mkdir(parents=True)
    own = {"currentContext": "far", "credsStore": "desktop", "credHelpers": {"r": "helper", "s": "helper"}}
    (tmp_path / "docker/config.json").write_text(json.dumps(own))
    folder = tmp_path / "logins"
    for _ in range(2):
        write_logins("docker", folder, {"docker.io": LOGIN, "r": LOGIN})
    assert json.loads((folder / "config.json").read_text()) == {
        "currentContext": "far",
        "credHelpers": {"s": "helper"},
        "auths": {"https://index.docker.io/v1/": LOGIN, "r": LOGIN},
    }
    assert (folder / "contexts").resolve() == (tmp_path / "docker/contexts").resolve()
    assert options_of("docker", folder) == (("--config", str(folder)), ())


def test_own_logins_that_cannot_be_read_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text("{")
    write_logins("podman", tmp_path / "logins", {"r": LOGIN})
    assert json.loads((tmp_path / "logins/auth.json").read_text())["auths"] == {"r": LOGIN}


def test_without_logins_nothing_is_said_to_an_engine() -> None:
    assert options_of("podman", None) == options_of("docker", None) == ((), ())
