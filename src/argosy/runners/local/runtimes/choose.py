"""Which runtime a run gets, and why: the one that was asked for, or the best that works here.

It knows the runtimes by name and that containers are preferred; not what a workflow is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from argosy.errors import EnvironmentTrouble, UsageError
from argosy.runners.local.runtimes.host import is_installed
from argosy.runners.local.runtimes.runtime import ImageMeaning, Runtime

ENGINES = ("podman", "docker")
NAMES = ("auto", *ENGINES, "sandbox", "process", "function")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What a project says about runtimes.

    images: what images mean where there is no engine. pass_environment: host variables that steps see besides the
    usual ones (process, sandbox). allow_privileged: whether a container may ask for everything. logins: for each
    engine, the folder with logins to registries that the run's images are pulled with.
    """

    images: Mapping[str, ImageMeaning] = {}
    pass_environment: tuple[str, ...] = ()
    allow_privileged: bool = False
    logins: Mapping[str, Path] = {}


def choose(name: str, images: Iterable[str], options: Options | None = None) -> tuple[Runtime, str]:
    """The runtime that `name` (one of NAMES) stands for, and one sentence on why.

    images: those that the run needs, as far as they are known before it starts. With "auto" a container engine is
    taken if one answers and has all of them or can pull them (it does so now), else the sandbox, else plain processes.
    Raises UsageError for an unknown name, EnvironmentTrouble if the one that was asked for does not work here.
    """
    options = options or Options()
    if name not in NAMES:
        raise UsageError(f"There is no runtime {name!r}.", hint=f"Choose one of {', '.join(NAMES)}.")
    if name == "auto":
        return _best(sorted({image for image in images if image and "{{" not in image}), options)
    runtime = make(name, options)
    if trouble := runtime.trouble():
        raise EnvironmentTrouble(f"The runtime {name} does not work here: {trouble}", hint="argosy doctor tells more.")
    return runtime, f"{name}, as asked for"


def make(name: str, options: Options | None = None) -> Runtime:
    """The runtime of that name, whether it works here or not. Only its own module is imported."""
    options = options or Options()
    if name in ENGINES:
        from argosy.runners.local.runtimes.container import ContainerRuntime

        return ContainerRuntime(name, allow_privileged=options.allow_privileged, logins=options.logins.get(name))
    if name == "sandbox":
        from argosy.runners.local.runtimes.sandbox import SandboxRuntime

        return SandboxRuntime(options.images, options.pass_environment)
    if name == "function":
        from argosy.runners.local.runtimes.function import FunctionRuntime

        return FunctionRuntime(options.images, options.pass_environment)
    from argosy.runners.local.runtimes.process import ProcessRuntime

    return ProcessRuntime(options.images, options.pass_environment)


def _best(images: list[str], options: Options) -> tuple[Runtime, str]:
    reasons: list[str] = []
    for name in ENGINES:
        if not is_installed(name):
            reasons.append(f"{name}: not installed")
            continue
        runtime = make(name, options)
        trouble = _engine_trouble(runtime, images)
        if not trouble:
            return runtime, f"{name}, because it answers and has every image"
        reasons.append(f"{name}: {trouble}")
    sandbox = make("sandbox", options)
    trouble = sandbox.trouble()
    if not trouble:
        return sandbox, f"sandbox, because no container engine can run this ({'; '.join(reasons)})"
    reasons.append(f"sandbox: {trouble}")
    return make("process", options), f"process, because nothing better works here ({'; '.join(reasons)})"


def _engine_trouble(runtime: Runtime, images: list[str]) -> str:
    if trouble := runtime.trouble():
        return trouble
    for image in images:
        if trouble := runtime.fetch(image):
            return f"cannot get the image {image} ({trouble})"
    return ""
