"""Logins to image registries out of Secrets (`imagePullSecrets`), in a file that a container engine pulls with.

It knows how such Secrets are written and where podman and docker look for logins; not which run asks, nor when an
image is pulled. A login is only ever in a file that nobody else can read, never on a command line.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import msgspec

from argosy.errors import InvalidFile

DOCKER_HUB = "docker.io"
# What the docker client calls its own registry.
DOCKERS_OWN = "https://index.docker.io/v1/"
_HUB_NAMES = ("index.docker.io", "registry-1.docker.io", "registry.hub.docker.com")
# Kubernetes: types kubernetes.io/dockerconfigjson and kubernetes.io/dockercfg.
_CONFIG_KEY, _OLD_CONFIG_KEY = ".dockerconfigjson", ".dockercfg"
_FILES = {"podman": "auth.json", "docker": "config.json"}

Logins = dict[str, dict[str, str]]


def logins_of(name: str, values: Mapping[str, bytes]) -> Logins:
    """The logins of a Secret by registry: a configuration of docker's, or the keys url, username and password.

    Raises InvalidFile when it holds neither.
    """
    if _CONFIG_KEY in values:
        return _of_config(name, _decoded(name, values[_CONFIG_KEY]).get("auths"))
    if _OLD_CONFIG_KEY in values:
        return _of_config(name, _decoded(name, values[_OLD_CONFIG_KEY]))
    if not {"username", "password"} <= values.keys():
        raise InvalidFile(
            f"The secret {name} holds no login to a registry",
            hint=f"argosy secrets set {name} url=REGISTRY username=NAME --key password --from-stdin",
        )
    user, password = (values[key].decode("utf-8", "replace").strip("\r\n") for key in ("username", "password"))
    return {registry_name(values.get("url", b"").decode("utf-8", "replace")): _entry(user, password)}


def registry_name(text: str) -> str:
    """A registry as it stands in front of an image's name; `docker.io` for the usual one and for none."""
    name = re.sub(r"^[a-z]+://", "", text.strip()).rstrip("/")
    name = re.sub(r"/v[12]$", "", name)
    return DOCKER_HUB if not name or name in _HUB_NAMES else name


def write_logins(engine: str, folder: Path, logins: Logins) -> None:
    """Put the logins, and those that this person has beside them, into a folder where the engine looks for them.

    engine: podman or docker. The folder and its files are readable by nobody else.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    own = _own_configuration(engine)
    auths = cast("dict[str, Any]", own.get("auths") or {})
    if engine == "docker":
        logins = {DOCKERS_OWN if name == DOCKER_HUB else name: one for name, one in logins.items()}
        # A store of its own would be asked instead of the file.
        own.pop("credsStore", None)
        contexts = _docker_folder() / "contexts"
        if contexts.is_dir() and not (folder / "contexts").is_symlink():
            (folder / "contexts").symlink_to(contexts.absolute())
    helpers = cast("dict[str, Any]", own.get("credHelpers") or {})
    own["credHelpers"] = {name: one for name, one in helpers.items() if name not in logins}
    own["auths"] = {**auths, **logins}
    path = folder / _FILES[engine]
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(own))
    partial.replace(path)


def options_of(engine: str, folder: Path | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What makes an engine pull with the logins of a folder: words before its command, and words after it."""
    if folder is None:
        return (), ()
    if engine == "docker":
        return ("--config", str(folder)), ()
    return (), ("--authfile", str(folder / _FILES[engine]))


def _of_config(name: str, given: Any) -> Logins:
    if not isinstance(given, dict):
        raise InvalidFile(f"The secret {name} is no configuration of docker: it has no `auths`")
    found: Logins = {}
    for registry, one in cast("dict[str, Any]", given).items():
        fields = cast("dict[str, Any]", one) if isinstance(one, dict) else {}
        if isinstance(fields.get("auth"), str) and fields["auth"]:
            _check_auth(name, registry, fields["auth"])
            entry = {"auth": str(fields["auth"])}
        elif isinstance(fields.get("username"), str) and isinstance(fields.get("password"), str):
            entry = _entry(fields["username"], fields["password"])
        else:
            raise InvalidFile(f"The secret {name} has no user and password for the registry {registry}")
        if isinstance(fields.get("identitytoken"), str):
            entry["identitytoken"] = fields["identitytoken"]
        found[registry_name(registry)] = entry
    return found


def _check_auth(name: str, registry: str, text: str) -> None:
    try:
        right = b":" in base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        right = False
    if not right:
        raise InvalidFile(f"The secret {name}: `auth` of {registry} is not USER:PASSWORD in base64")


def _entry(user: str, password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def _decoded(name: str, data: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(data)
    except msgspec.DecodeError:
        found = None
    if not isinstance(found, dict):
        raise InvalidFile(f"The secret {name} is no configuration of docker: it is not a JSON object")
    return cast("dict[str, Any]", found)


# -- the person's own


def _docker_folder() -> Path:
    return Path(os.environ.get("DOCKER_CONFIG") or "~/.docker").expanduser()


def _own_files(engine: str) -> Iterable[Path]:
    """Where the engine looks for logins otherwise (containers-auth.json(5)), the ones that count first."""
    if engine == "podman":
        if given := os.environ.get("REGISTRY_AUTH_FILE"):
            yield Path(given)
            return
        runtime = os.environ.get("XDG_RUNTIME_DIR")
        yield Path(runtime, "containers/auth.json") if runtime else Path(f"/run/containers/{os.geteuid()}/auth.json")
        yield Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "containers/auth.json"
    yield _docker_folder() / "config.json"


def _own_configuration(engine: str) -> dict[str, Any]:
    """What this person has configured. A file that cannot be read says nothing, as to the engine."""
    for path in _own_files(engine):
        try:
            found = msgspec.json.decode(path.read_bytes())
        except (OSError, msgspec.DecodeError):
            continue
        if isinstance(found, dict):
            return cast("dict[str, Any]", found)
    return {}
