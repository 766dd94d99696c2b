"""How a step is run: its image, what it needs of the machine, retries, time, memory of results, secrets, volumes.

It knows the fields of a template that say so, not what the step does.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypedDict, TypeVar, Unpack

from argosy.dsl.trouble import TraceError

F = TypeVar("F", bound=Callable[..., Any])
ATTRIBUTE = "__argosy_options__"
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
# Argo's schema wants an age of what is remembered, and takes no word for any age: ten years.
ALWAYS = "87600h"
Seconds = str | int | float | datetime.timedelta


@dataclass(frozen=True, slots=True)
class Secret:
    """An entry of a Secret, which reaches a step as an environment variable and is masked in its log."""

    name: str
    key: str


def secret(name: str, key: str = "") -> Secret:
    """The entry `key` of the secret `name`; `secret("name/key")` is the same."""
    if not key:
        name, _, key = name.partition("/")
    if not name or not key:
        raise TraceError("a secret is named by its name and its key", hint='secret("api", "token")')
    return Secret(name, key)


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a step that fails is tried again, and after how long.

    limit: further tries. backoff: the wait before the first of them; it grows by factor up to longest. policy: Argo's
    word for what is tried again (Argo docs: retries.md).
    """

    limit: int
    backoff: Seconds | None = None
    factor: float | None = None
    longest: Seconds | None = None
    policy: str = "Always"

    def manifest(self) -> dict[str, Any]:
        made: dict[str, Any] = {"limit": str(self.limit), "retryPolicy": self.policy}
        backoff: dict[str, Any] = {}
        if self.backoff is not None:
            backoff["duration"] = f"{seconds(self.backoff)}s"
        if self.factor is not None:
            backoff["factor"] = str(int(self.factor) if float(self.factor).is_integer() else self.factor)
        if self.longest is not None:
            backoff["maxDuration"] = f"{seconds(self.longest)}s"
        return made | ({"backoff": backoff} if backoff else {})


def seconds(given: Seconds) -> int:
    """A time such as "1h30m", a number of seconds, or a timedelta. Raises TraceError."""
    if isinstance(given, datetime.timedelta):
        return max(1, round(given.total_seconds()))
    if isinstance(given, str):
        found = _DURATION.fullmatch(given.strip())
        if given.strip().isdigit():
            return int(given)
        if found is None or not any(found.groups()):
            raise TraceError(f"{given!r} is no time", hint='write "90s", "15m", "1h30m" or a number of seconds')
        days, hours, minutes, rest = (int(part or 0) for part in found.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + rest
    return max(1, round(given))


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What `@step(...)`, `run_with(...)` and `.using(...)` say; None and empty mean that they do not say."""

    image: str | None = None
    retry: int | Retry | None = None
    timeout: Seconds | None = None
    cpu: str | float | None = None
    memory: str | None = None
    gpus: int | None = None
    cache: bool | Seconds | None = None
    env: Mapping[str, str | Secret] = field(default_factory=dict[str, str | Secret])
    secrets: Mapping[str, str | Secret] = field(default_factory=dict[str, str | Secret])
    volumes: Mapping[str, str] = field(default_factory=dict[str, str])
    labels: Mapping[str, str] = field(default_factory=dict[str, str])

    def over(self, other: Options) -> Options:
        """These options where they say something, the other ones where they do not; mappings are put together."""
        said: dict[str, Any] = {}
        for one in fields(self):
            mine, theirs = getattr(self, one.name), getattr(other, one.name)
            if isinstance(mine, Mapping):
                said[one.name] = {**theirs, **mine}
            elif mine is None:
                said[one.name] = theirs
        return replace(self, **said)

    def key(self) -> str:
        """A text that is the same for the same options."""
        return repr([(one.name, getattr(self, one.name)) for one in fields(self)])

    def variables(self) -> list[dict[str, Any]]:
        """The environment variables, secrets among them."""
        made: list[dict[str, Any]] = []
        for name, one in self.env.items():
            made.append({"name": name, **_variable(one)})
        for name, one in self.secrets.items():
            made.append({"name": name, **_variable(secret(one) if isinstance(one, str) else one)})
        return made

    def resources(self) -> dict[str, Any]:
        limits: dict[str, str] = {}
        requests: dict[str, str] = {}
        if self.cpu is not None:
            requests["cpu"] = str(self.cpu)
        if self.memory is not None:
            requests["memory"] = limits["memory"] = self.memory
        if self.gpus:
            limits["nvidia.com/gpu"] = str(self.gpus)
        made = {"requests": requests, "limits": limits}
        return {name: one for name, one in made.items() if one}

    def template_fields(self, name: str, *, takes_files: bool, takes_anything: bool) -> dict[str, Any]:
        """The fields of a template beside its container."""
        made: dict[str, Any] = {}
        if self.retry is not None:
            made["retryStrategy"] = (Retry(self.retry) if isinstance(self.retry, int) else self.retry).manifest()
        if self.timeout is not None:
            made["activeDeadlineSeconds"] = str(seconds(self.timeout))
        if self.cache is not None and self.cache is not False:
            made["memoize"] = self._memoize(name, takes_files=takes_files, takes_anything=takes_anything)
        return made

    def _memoize(self, name: str, *, takes_files: bool, takes_anything: bool) -> dict[str, Any]:
        if takes_files:
            raise TraceError(
                f"{name} takes files, and Argo remembers results by parameters alone",
                hint="run with --cache, which looks at the files too, or pass the step something that tells them apart",
            )
        digest = "-{{=sprig.sha256sum(toJson(inputs.parameters))}}" if takes_anything else ""
        age = ALWAYS if self.cache is None or isinstance(self.cache, bool) else f"{seconds(self.cache)}s"
        return {"key": f"{name}{digest}", "cache": {"configMap": {"name": f"argosy-{name}"}}, "maxAge": age}


class OptionWords(TypedDict, total=False):
    """The options as keywords of a call."""

    image: str | None
    retry: int | Retry | None
    timeout: Seconds | None
    cpu: str | float | None
    memory: str | None
    gpus: int | None
    cache: bool | Seconds | None
    env: Mapping[str, str | Secret]
    secrets: Mapping[str, str | Secret]
    volumes: Mapping[str, str]
    labels: Mapping[str, str]


def _variable(one: str | Secret) -> dict[str, Any]:
    if isinstance(one, Secret):
        return {"valueFrom": {"secretKeyRef": {"name": one.name, "key": one.key}}}
    return {"value": one}


@dataclass(frozen=True, slots=True)
class run_with:
    """Options that several steps share: a decorator for steps, and for functions that become steps above it."""

    options: Options

    def __init__(self, **options: Unpack[OptionWords]) -> None:
        object.__setattr__(self, "options", checked("run_with", options))

    def __call__(self, target: F) -> F:
        with_options = getattr(target, "with_options", None)
        if with_options is not None:
            return with_options(self.options)
        known: Options = getattr(target, ATTRIBUTE, Options())
        setattr(target, ATTRIBUTE, known.over(self.options))
        return target


def checked(what: str, given: OptionWords) -> Options:
    """The options of a call. Raises TraceError for one that there is not."""
    names = [one.name for one in fields(Options)]
    for name in given:
        if name not in names:
            raise TraceError(f"{what} has no option {name!r}", hint=f"it has {', '.join(names)}")
    return Options(**given)
