"""The Secrets that a workflow's images are pulled with, as files for container engines; gone when the run is over.

It knows workflows and where Secrets are asked for; what stands in such a file is the runtimes' matter.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from argosy.artifacts.places import memory_folder
from argosy.checks.catalog import Catalog
from argosy.checks.finding import Finding
from argosy.model.manifest import Secret, Workflow
from argosy.project.catalog_face import Documents
from argosy.runners.local.environment import secret_bytes
from argosy.runners.local.runtimes.choose import ENGINES
from argosy.runners.local.runtimes.registries import Logins, logins_of, write_logins

Ask = Callable[[str], Secret | None]
_FOLDER = "registries"


def pull_secrets(workflow: Workflow) -> list[str]:
    """The names of the Secrets that images are pulled with."""
    given: Any = workflow.spec.image_pull_secrets
    if not isinstance(given, list | tuple):
        return []
    found = [cast("dict[str, Any]", one).get("name") for one in cast("list[Any]", given) if isinstance(one, dict)]
    return list(dict.fromkeys(one for one in found if isinstance(one, str) and one))


def asked_of(catalog: Catalog) -> Ask:
    """What gives a Secret with its values; the project's own documents show none unless they are opened."""
    return catalog.opened_secret if isinstance(catalog, Documents) else catalog.secret


def missing(workflow: Workflow, secret: Ask) -> list[Finding]:
    """A warning for each that is not there: a cluster goes on without it, too."""
    return [
        Finding(
            rule="pull-secret",
            severity="warning",
            path=("spec", "imagePullSecrets", index),
            message=f"there is no secret {name}: images are pulled with the container engine's own login",
            hint=f"argosy secrets set {name} url=REGISTRY username=NAME --key password --from-stdin",
        )
        for index, name in enumerate(pull_secrets(workflow))
        if secret(name) is None
    ]


@contextlib.contextmanager
def logins_for_now(workflow: Workflow, runtime: str, secret: Ask) -> Generator[Mapping[str, Path], None, None]:
    """Folders with the logins, by engine, as long as the block goes on. Raises InvalidFile for a Secret without any."""
    logins = _logins(workflow, secret) if runtime in ("auto", *ENGINES) else {}
    if not logins:
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix=f"{_FOLDER}-", dir=memory_folder()) as folder:
        yield _written(Path(folder), ENGINES if runtime == "auto" else (runtime,), logins)


@contextlib.contextmanager
def logins_for_run(
    workflow: Workflow, runtime: str, secret: Ask, uid: str, folder: Path
) -> Generator[Mapping[str, Path], None, None]:
    """The same for a run that is driven. uid, folder: the run's.

    They are in memory where there is such a place. Raises InvalidFile.
    """
    logins = _logins(workflow, secret) if runtime in ENGINES else {}
    if not logins:
        yield {}
        return
    memory = memory_folder()
    place = memory / uid / _FOLDER if memory is not None else folder / _FOLDER
    try:
        yield _written(place, (runtime,), logins)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _logins(workflow: Workflow, secret: Ask) -> Logins:
    """All logins by registry; the first Secret that has one counts."""
    found: Logins = {}
    for name in pull_secrets(workflow):
        one = secret(name)
        if one is not None:
            found = {**logins_of(name, secret_bytes(one)), **found}
    return found


def _written(folder: Path, engines: Iterable[str], logins: Logins) -> dict[str, Path]:
    places = {engine: folder / engine for engine in engines}
    for engine, place in places.items():
        write_logins(engine, place, logins)
    return places
