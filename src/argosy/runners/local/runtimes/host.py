"""What the runtimes without images share: the host's environment, PATH, and what `argosy.toml` says of an image.

It knows no process and no namespace.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

import msgspec

from argosy.errors import EnvironmentTrouble
from argosy.runners.local.runtimes.runtime import ANY, ImageMeaning, StepSpec

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What a step may see of the environment that argosy was started in: where programs and certificates are, the
# language, the way to the network, the accelerators. Nothing that could be a secret.
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
PASSED = frozenset(
    (
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "LD_LIBRARY_PATH"),
        *("DYLD_LIBRARY_PATH", "CUDA_HOME", "CUDA_PATH", "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES"),
        *("ROCR_VISIBLE_DEVICES", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        *_PROXIES,
        *(name.upper() for name in _PROXIES),
    )
)


def host_environment(also: Iterable[str] = ()) -> dict[str, str]:
    """The part of this process's environment that steps get; `also` names more variables."""
    names = PASSED.union(also)
    passed = {name: value for name, value in os.environ.items() if name in names or name.startswith("LC_")}
    passed.setdefault("PATH", DEFAULT_PATH)
    return passed


class Programs:
    """Finds programs on a PATH, each once. What is not found is looked for again: it may have been installed."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], str] = {}

    def find(self, name: str, path: str) -> str:
        """The absolute path of a program named without a slash; the name itself if it is nowhere on `path`."""
        if "/" in name:
            return name
        key = (name, path)
        if key not in self._found:
            found = _search(name, path)
            if not found:
                return name
            self._found[key] = found
        return self._found[key]


def _search(name: str, path: str) -> str:
    for folder in path.split(os.pathsep):
        candidate = os.path.join(folder, name)
        if folder and os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    return ""


def is_installed(program: str) -> bool:
    return "/" in Programs().find(program, os.environ.get("PATH", DEFAULT_PATH))


class Images:
    """What images mean on this machine, by name; a name without a tag stands for all its tags."""

    def __init__(self, meanings: Mapping[str, ImageMeaning]) -> None:
        self._meanings = dict(meanings)

    def meaning(self, image: str) -> ImageMeaning | None:
        """The meaning of `image`, of the image without its tag, of any image, or None."""
        if image in self._meanings:
            return self._meanings[image]
        name = image.partition("@")[0]
        repository, colon, tag = name.rpartition(":")
        if colon and "/" not in tag:
            name = repository
        return self._meanings.get(name) or self._meanings.get(ANY)

    def mark(self, image: str) -> str:
        """What tells one meaning of an image from another; "" for one that means nothing here."""
        meaning = self.meaning(image)
        return msgspec.json.encode(meaning, order="deterministic").decode() if meaning is not None else ""

    def trouble(self, image: str) -> str:
        """Why a step without a command cannot run from `image`, or ""."""
        meaning = self.meaning(image)
        if meaning is not None and meaning.entrypoint:
            return ""
        return f"The image {image!r} cannot be looked into without a container engine, so its entrypoint is not known"

    def argv(self, spec: StepSpec, meaning: ImageMeaning | None) -> tuple[str, ...]:
        """The step's command and arguments, the image's where the step has none."""
        if spec.command:
            return spec.command + spec.args
        if meaning is None or not meaning.entrypoint:
            raise EnvironmentTrouble(
                f"{self.trouble(spec.image)}, and step {spec.id!r} gives no command.",
                hint=f'Say in argosy.toml what it means ([images."{spec.image}"] entrypoint = [...]), '
                "add a command to the template, or use --runtime podman.",
            )
        return meaning.entrypoint + (spec.args or meaning.cmd)


def gpu_environment(gpus: tuple[int, ...]) -> dict[str, str]:
    """The variables that tell a process which GPUs are its own; none of them if it was given none to choose."""
    if not gpus:
        return {}
    return {"CUDA_VISIBLE_DEVICES": ",".join(str(index) for index in gpus)}
