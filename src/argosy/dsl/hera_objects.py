"""Workflows of programs written for Hera: found by their classes, and kept from any cluster while a program is read.

Hera itself is never imported here; it is looked for in `sys.modules` and patched when the program has imported it.
What Hera would send to a server is noted instead, and answered as a server would that has run it.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import json
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial, wraps
from types import ModuleType
from typing import Any, cast

KINDS = ("Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow")
PACKAGE = "hera.workflows"
NOWHERE = "http://argosy.invalid"
NAMESPACE = "default"
Manifest = dict[str, Any]


def is_imported() -> bool:
    """Whether the program has imported Hera."""
    return PACKAGE in sys.modules


def is_workflow(value: object) -> bool:
    """Whether an object is one of Hera's workflows or templates; those of its models are none."""
    return any(
        one.__name__ in KINDS and one.__module__.startswith(f"{PACKAGE}.") and ".models" not in one.__module__
        for one in type(value).__mro__
    )


def manifest_of(workflow: object) -> Manifest:
    """The manifest, as Hera makes it."""
    made = cast(Any, workflow).to_dict()
    # Through JSON: values of enumerations and the like become what they are sent as.
    return cast(Manifest, json.loads(json.dumps(made, default=_plain)))


def uses_of(workflow: object) -> list[object]:
    """The workflows that a workflow's resource templates make, which are not there to be run by themselves."""
    templates = cast("list[object]", getattr(workflow, "templates", None) or [])
    manifests = [cast("object", vars(one).get("manifest")) for one in templates if hasattr(one, "__dict__")]
    several = [
        one for given in manifests for one in (cast("list[object]", given) if isinstance(given, list) else [given])
    ]
    return [one for one in several if is_workflow(one)]


def name_of(manifest: Manifest) -> str:
    """The name in a manifest, or the one that names are generated from, without its dash."""
    metadata = cast("Manifest", manifest.get("metadata") or {})
    return str(metadata.get("name") or str(metadata.get("generateName") or "").rstrip("-"))


def _plain(value: Any) -> Any:
    return value.value if hasattr(value, "value") else str(value)


class Made:
    """What a program created, each with its manifest as it was then. notes: what else it asked a server for.

    written: what it wrote out as YAML.
    """

    def __init__(self) -> None:
        self._all: list[tuple[object | None, Manifest]] = []
        self._answers: dict[str, Manifest] = {}
        self.notes: list[str] = []
        self.written: list[tuple[object | None, Manifest]] = []

    def all(self) -> list[tuple[object | None, Manifest]]:
        return list(self._all)

    def add(self, workflow: object | None, manifest: Manifest) -> Manifest:
        """Notes a workflow unless the very same is there; gives it as a server would give it back."""
        if not any(known is workflow and same == manifest for known, same in self._all):
            self._all.append((workflow, manifest))
        metadata = cast("Manifest", manifest.get("metadata") or {})
        name = str(metadata.get("name") or f"{metadata.get('generateName', 'workflow-')}{len(self._all)}")
        answer = {**manifest, "metadata": {"namespace": NAMESPACE, **metadata, "name": name}}
        if manifest.get("kind") == "Workflow":
            answer["status"] = {"phase": "Succeeded"}
        self._answers[name] = answer
        return answer

    def answer(self, method: str, url: str, body: Manifest) -> Manifest:
        """What a server would say to a request."""
        sent = next((cast("Manifest", body[key]) for key in body if key.lower() in _SENT and body[key]), None)
        if sent is not None and "/lint" in url:
            return sent
        if sent is not None and method in ("post", "put"):
            return self.add(None, {"apiVersion": "argoproj.io/v1alpha1", "kind": _kind_of(url), **sent})
        name = url.partition("?")[0].rstrip("/").rpartition("/")[2]
        if name in self._answers:
            return self._answers[name]
        self.notes.append(f"{method.upper()} {url} is not sent anywhere")
        return {"metadata": {"name": name, "namespace": NAMESPACE}, "items": [], "spec": {}, "status": {}}


_SENT = ("workflow", "template", "cronworkflow")


def _kind_of(url: str) -> str:
    words = {
        "cluster-workflow-templates": "ClusterWorkflowTemplate",
        "workflow-templates": "WorkflowTemplate",
        "cron-workflows": "CronWorkflow",
    }
    return next((kind for word, kind in words.items() if word in url), "Workflow")


class _Response:
    """An answer as `requests` and `httpx` have it."""

    ok = True
    is_success = True
    status_code = 200
    content = b""

    def __init__(self, body: Manifest) -> None:
        self._body = body
        self.text = json.dumps(body)

    def json(self) -> Manifest:
        return self._body


@contextmanager
def kept_from_clusters() -> Generator[Made]:
    """While it lasts, what programs create with Hera is noted and nothing is sent."""
    made = Made()
    finder = _Finder(made)
    sys.meta_path.insert(0, finder)
    if PACKAGE in sys.modules:
        _patch(sys.modules[PACKAGE], made)
    try:
        yield made
    finally:
        sys.meta_path.remove(finder)


class _Finder(importlib.abc.MetaPathFinder):
    """Sees Hera being imported, and patches it when that is done."""

    def __init__(self, made: Made) -> None:
        self._made = made

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != PACKAGE:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return spec
        execute = cast("Callable[[ModuleType], None]", spec.loader.exec_module)

        def exec_module(module: ModuleType) -> None:
            execute(module)
            _patch(module, self._made)

        cast(Any, spec.loader).exec_module = exec_module
        return spec


def _patch(package: ModuleType, made: Made) -> None:
    for kind in KINDS:
        one: Any = getattr(package, kind, None)
        for name in ("create", "update", "wait", "lint") if one is not None else ():
            if name in vars(one):
                setattr(one, name, _noting(vars(one)[name], made, keep=name != "lint"))
            if f"async_{name}" in vars(one):
                setattr(one, f"async_{name}", _later(_noting(vars(one)[f"async_{name}"], made, keep=name != "lint")))
        if one is not None and "to_yaml" in vars(one):
            one.to_yaml = _writing(one.to_yaml, made)
    for name in ("WorkflowsService", "AsyncWorkflowsService"):
        service: Any = getattr(package, name, None)
        if service is not None:
            _patch_service(service, made, is_async=name.startswith("Async"))


class _Requests:
    """What Hera uses of `requests`."""

    def __init__(self, request: Callable[..., _Response]) -> None:
        for method in ("get", "post", "put", "delete", "patch"):
            setattr(self, method, partial(request, self, method))


def _noting(method: Any, made: Made, *, keep: bool) -> Callable[..., Any]:
    @wraps(method)
    def noted(self: Any, *_: object, **__: object) -> Any:
        model = self.build()
        if keep:
            answer = made.add(self, manifest_of(self))
            return type(model)(**answer)
        return model

    return noted


def _writing(method: Any, made: Made) -> Callable[..., Any]:
    @wraps(method)
    def written(self: Any, *words: Any, **named: Any) -> Any:
        made.written.append((self, manifest_of(self)))
        return method(self, *words, **named)

    return written


def _later(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    async def noted(*words: Any, **named: Any) -> Any:
        return method(*words, **named)

    return noted


def _patch_service(service: Any, made: Made, *, is_async: bool) -> None:
    begin = service.__init__

    @wraps(begin)
    def init(self: Any, *words: Any, **named: Any) -> None:
        begin(self, *words, **named)
        self.host = self.host or NOWHERE
        self.namespace = self.namespace or NAMESPACE

    def request(self: Any, method: str, **given: Any) -> _Response:
        data = given.get("data")
        body = cast("Manifest", json.loads(data) if data else {})
        return _Response(made.answer(method.lower(), str(given.get("url", "")), body))

    service.__init__ = init
    if "_request" in vars(service):
        service._request = _later(request) if is_async else request
    else:
        # Hera 5 calls the package `requests` itself.
        cast(Any, sys.modules[service.__module__]).requests = _Requests(request)
