"""What a dstack workflow may say, as typed values, after its spellings were made one (`canonical`).

It knows keys and their types for each provider, not what a provider does.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

# Numbers and booleans of the file are texts here.
AnyString = Annotated[str, "any-string"]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a dstack file."""


class Gpu(Part, frozen=True, kw_only=True):
    count: AnyString = "1"
    name: AnyString = ""
    memory: AnyString = ""


class Resources(Part, frozen=True, kw_only=True):
    """What a workflow asks of a machine, in dstack's units."""

    cpu: AnyString | None = None
    memory: AnyString | None = None
    gpu: Gpu | None = None
    shm_size: AnyString | None = None
    interruptible: bool = False
    local: bool = False
    remote: bool = False


class KeptPath(Part, frozen=True, kw_only=True):
    """An artifact. mount: whether dstack would have saved it while the job runs."""

    path: str
    mount: bool = False


class Dependency(Part, frozen=True, kw_only=True):
    """What a workflow needs of others. kind: run-first, latest or tag. params: values for its variables."""

    kind: str
    workflow: str = ""
    tag: str = ""
    mount: bool = False
    params: dict[str, AnyString] = {}


class Parameter(Part, frozen=True, kw_only=True):
    """What the files of January 2022 had for variables."""

    name: str = ""
    id: str = ""
    default: AnyString = ""


class Keys(Part, frozen=True, kw_only=True):
    """What every workflow may say."""

    name: str
    provider: str = ""
    help: AnyString = ""
    deps: tuple[Dependency, ...] = ()
    artifacts: tuple[KeptPath, ...] = ()
    env: dict[str, AnyString] = {}
    resources: Resources | None = None
    working_dir: str = ""
    setup: tuple[str, ...] = ()
    requirements: str = ""
    version: AnyString = ""
    triggers: Any = None
    ports: int = 0
    port_numbers: tuple[AnyString, ...] = ()
    cache: tuple[KeptPath, ...] = ()
    ssh: bool = False
    params: tuple[Parameter, ...] = ()


class PythonKeys(Keys, frozen=True, kw_only=True):
    """args: words; args_text: one text, as a shell has it."""

    file: str
    args: tuple[AnyString, ...] = ()
    args_text: AnyString = ""


class TorchrunKeys(PythonKeys, frozen=True, kw_only=True):
    nodes: AnyString = "1"
    nproc: AnyString = ""


class BashKeys(Keys, frozen=True, kw_only=True):
    commands: tuple[str, ...]


class DockerKeys(Keys, frozen=True, kw_only=True):
    image: str
    commands: tuple[str, ...] = ()
    entrypoint: str = ""


class AppKeys(Keys, frozen=True, kw_only=True):
    """An editor or notebook in the browser."""


class StreamlitKeys(Keys, frozen=True, kw_only=True):
    target: str
    args: tuple[AnyString, ...] = ()
    args_text: AnyString = ""


class FastapiKeys(Keys, frozen=True, kw_only=True):
    app: str
    uvicorn: AnyString = ""


class TensorboardKeys(Keys, frozen=True, kw_only=True):
    runs: tuple[AnyString, ...]
    logdir: str = ""


class CurlKeys(Keys, frozen=True, kw_only=True):
    url: str
    output: str


class CustomProvider(Part, frozen=True, kw_only=True):
    """An entry of providers.yaml."""

    name: str
    image: str = ""
    commands: tuple[str, ...] = ()
    artifacts: tuple[KeptPath, ...] = ()
    help: AnyString = ""


# What these are called in messages.
WORDS = {
    "Keys": "this workflow",
    "PythonKeys": "a workflow of this provider",
    "TorchrunKeys": "a workflow of this provider",
    "BashKeys": "a workflow of this provider",
    "DockerKeys": "a workflow of this provider",
    "AppKeys": "a workflow of this provider",
    "StreamlitKeys": "a workflow of this provider",
    "FastapiKeys": "a workflow of this provider",
    "TensorboardKeys": "a workflow of this provider",
    "CurlKeys": "a workflow of this provider",
    "CustomProvider": "a provider",
    "KeptPath": "an artifact",
    "Gpu": "`gpu`",
    "Parameter": "an item of `params`",
    "Resources": "`resources`",
    "Dependency": "a dependency",
}
