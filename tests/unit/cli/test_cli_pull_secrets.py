"""Private images through the command line: pulled from a registry that wants a password, with a Secret."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_samples import Argosy
from private_registry import PASSWORD, USER, private_registry

BASE = "docker.io/library/alpine:latest"
SPEC = """\
defaults: {{resources: {{instance-type: C3{more}}}}}
jobs:
  greet:
    uses: container@v1
    with: {{image: "{image}", command: [echo, from a private image]{with_}}}
"""
FILE = "private.gradient.yaml"
MANIFEST = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{generateName: private-}}
spec:
  entrypoint: main
  imagePullSecrets: [{{name: hub}}]
  templates:
  - {{name: main, container: {{image: "{image}", command: [echo, from a manifest]}}}}
"""


@pytest.fixture
def image(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A private image that this machine does not have, and no login to it."""
    if shutil.which("podman") is None:
        pytest.skip("podman is not installed")
    if subprocess.run(["podman", "image", "exists", BASE], check=False).returncode != 0:
        pytest.skip("the test images are not there: scripts/make-test-images")
    with private_registry(BASE, folder / "image") as address:
        conf = folder / "registries.conf"
        conf.write_text(f'[[registry]]\nlocation = "{address}"\ninsecure = true\n')
        monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", str(conf))
        monkeypatch.setenv("REGISTRY_AUTH_FILE", str(folder / "own-login.json"))
        (folder / "own-login.json").write_text("{}")
        name = f"{address}/team/greeter:1"
        yield name
        subprocess.run(["podman", "untag", name, name], check=False, capture_output=True)


def spec(image: str, *, with_: str = "", more: str = "") -> str:
    Path(FILE).write_text(SPEC.format(image=image, with_=with_, more=more))
    return FILE


def keep_login(argosy: Argosy, image: str, password: str = PASSWORD) -> None:
    Path("password").write_text(password)
    registry = image.partition("/")[0]
    given = ("--from-file", "password=password")
    assert argosy("secrets", "set", "hub", f"url=http://{registry}/v2/", f"username={USER}", *given).code == 0


@pytest.mark.parametrize(
    ("with_", "more"),
    [(", containerRegistry: hub", ""), ("", ", container-registries: [hub]")],
    ids=["with", "resources"],
)
@pytest.mark.parametrize("runtime", ["podman", "auto"])
def test_a_private_image_is_pulled_with_the_secret(
    argosy: Argosy, image: str, runtime: str, with_: str, more: str
) -> None:
    keep_login(argosy, image)
    answer = argosy("run", spec(image, with_=with_, more=more), "--runtime", runtime, "-o", "json")
    assert answer.code == 0, answer.err
    assert "runtime sandbox" not in answer.err
    assert argosy("logs", "@latest").out == "from a private image\n"
    assert subprocess.run(["podman", "image", "exists", image], check=False).returncode == 0
    assert argosy("get", "@latest").out.count(PASSWORD) == 0


def test_nothing_of_the_login_stays(argosy: Argosy, image: str, folder: Path) -> None:
    keep_login(argosy, image)
    assert argosy("run", spec(image, with_=", containerRegistry: hub"), "--runtime", "podman", "-q").code == 0
    hidden = base64.b64encode(f"{USER}:{PASSWORD}".encode())
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in ("password", "secrets.key"):
            data = path.read_bytes()
            assert hidden not in data, path
            assert PASSWORD.encode() not in data, path
    memory = Path("/dev/shm", f"argosy-{os.geteuid()}")
    uid = json.loads(argosy("get", "@latest", "-o", "json").out)["metadata"]["uid"]
    assert not (memory / uid).exists()


def test_a_wrong_password_is_told_by_the_engine(argosy: Argosy, image: str) -> None:
    keep_login(argosy, image, "not the password")
    answer = argosy("run", spec(image, with_=", containerRegistry: hub"), "--runtime", "podman")
    assert answer.code == 1
    assert "nauthorized" in answer.err or "authentication required" in answer.err


def test_without_the_secret_the_engines_own_login_counts(argosy: Argosy, image: str, folder: Path) -> None:
    registry = image.partition("/")[0]
    auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    (folder / "own-login.json").write_text(json.dumps({"auths": {registry: {"auth": auth}}}))
    answer = argosy("run", spec(image, with_=", containerRegistry: hub"), "--runtime", "podman")
    assert answer.code == 0, answer.err
    assert f"{FILE}:5:" in answer.err.partition(": warning: there is no secret hub")[0]
    assert "there is no secret hub: images are pulled with the container engine's own login" in answer.err
    assert "argosy secrets set hub url=REGISTRY" in answer.err


def test_other_logins_of_ones_own_count_beside_the_secret(argosy: Argosy, image: str, folder: Path) -> None:
    registry = image.partition("/")[0]
    auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    (folder / "own-login.json").write_text(json.dumps({"auths": {registry: {"auth": auth}}}))
    keep_login(argosy, "elsewhere.example/x", "of another registry")
    answer = argosy("run", spec(image, with_=", containerRegistry: hub"), "--runtime", "podman")
    assert answer.code == 0, answer.err


def test_a_secret_of_kubectl_for_a_manifest(argosy: Argosy, image: str) -> None:
    registry = image.partition("/")[0]
    config = {"auths": {registry: {"username": USER, "password": PASSWORD}}}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "hub"},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": base64.b64encode(json.dumps(config).encode()).decode()},
    }
    Path("hub.json").write_text(json.dumps(secret))
    assert argosy("apply", "-f", "hub.json").code == 0
    Path("private.yaml").write_text(MANIFEST.format(image=image))
    answer = argosy("run", "private.yaml", "--runtime", "podman")
    assert answer.code == 0, answer.err
    assert argosy("logs", "@latest").out == "from a manifest\n"


def test_a_secret_that_holds_no_login(argosy: Argosy, image: str) -> None:
    assert argosy("secrets", "set", "hub", "token=something long").code == 0
    answer = argosy("run", spec(image, with_=", containerRegistry: hub"), "--runtime", "podman")
    assert answer.code == 3
    assert "The secret hub holds no login to a registry" in answer.err
    assert "argosy secrets set hub url=REGISTRY username=NAME --key password --from-stdin" in answer.err
    assert argosy("list").out == ""


# What Argosy asks of docker: whether it answers, whether it has an image, and to run one.
DOCKER = """\
#!/bin/sh
echo "$*" >> "$CALLS"
case "$1 $2" in
  "info --format") echo 27.0 ;;
  "--config "*)
    test "$(stat -c %a "$2/config.json")" = 600 || exit 1
    cat "$2/config.json"; echo; readlink "$2/contexts" ;;
  *) exit 1 ;;
esac
"""


def test_docker_is_given_a_configuration_with_the_login(
    argosy: Argosy, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "bin").mkdir()
    (folder / "bin/docker").write_text(DOCKER)
    (folder / "bin/docker").chmod(0o755)
    (folder / "docker/contexts").mkdir(parents=True)
    (folder / "docker/config.json").write_text('{"currentContext": "far", "credsStore": "desktop"}')
    monkeypatch.setenv("PATH", f"{folder}/bin:{os.environ['PATH']}")
    monkeypatch.setenv("DOCKER_CONFIG", str(folder / "docker"))
    monkeypatch.setenv("CALLS", str(folder / "calls"))
    keep_login(argosy, "r.example/team/greeter")
    answer = argosy("run", spec("r.example/team/greeter", with_=", containerRegistry: hub"), "--runtime", "docker")
    assert answer.code == 0, answer.err
    config, contexts = argosy("logs", "@latest").out.splitlines()
    auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    auths = {"r.example": {"auth": auth}}
    assert json.loads(config) == {"currentContext": "far", "credHelpers": {}, "auths": auths}
    assert contexts == str(folder / "docker/contexts")
    calls = (folder / "calls").read_text()
    assert " run " in calls
    assert PASSWORD not in calls
    assert auth not in calls


def test_without_an_engine_nothing_is_asked_of_it(argosy: Argosy, folder: Path) -> None:
    answer = argosy("run", spec("x.example/y", with_=", containerRegistry: hub"), "--runtime", "process")
    assert answer.code == 0
    assert "there is no secret hub" not in answer.err
