"""Reuse of outcomes by a run: what decides them here put together, and why an outcome was not used again.

It knows the home and the runtime; what a key is made of is the runner's matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from argosy.checks.texts import structs
from argosy.errors import UsageError
from argosy.model.host_templates import HOST_IMAGE
from argosy.model.manifest import DAGTask, Template, Workflow, WorkflowStep

if TYPE_CHECKING:
    from argosy.project.needs import Surroundings
    from argosy.project.project import Project
    from argosy.project.submission import RunOptions
    from argosy.record.database import Database
    from argosy.runners.local.context import RunContext
    from argosy.runners.local.reusing import Reusing
    from argosy.runners.local.runtimes.runtime import Runtime

EVERY_STEP = "*"


def reusing_of(project: Project, context: RunContext, runtime: Runtime, options: RunOptions) -> Reusing | None:
    """The reuse that a run was asked to make of earlier outcomes; None if it was not."""
    if not options.cache:
        return None
    from argosy.record.reuse import Reuse
    from argosy.runners.local.reuse_key import Decisive
    from argosy.runners.local.reusing import Reusing
    from argosy.runners.local.runtimes.choose import ENGINES
    from argosy.secrets.vault import Vault

    vault = Vault(project.catalog)
    environment = options.environment.digest if options.environment is not None else ""

    def interpreter(template: Template) -> str:
        given = template.metadata.annotations if template.metadata is not None else {}
        return environment if HOST_IMAGE in given and runtime.name not in ENGINES else ""

    decisive = Decisive(
        runtime=runtime.name,
        image_mark=runtime.image_mark,
        interpreter=interpreter,
        secret_version=lambda name: str(vault.version(name) or ""),
    )
    return Reusing(Reuse(project.journal.database), context, decisive, anyway=options.refresh)


def check_names(wanted: Iterable[str], workflow: Workflow, surroundings: Surroundings) -> None:
    """Raises UsageError for a step to be refreshed that no template, step or task of the workflow is called."""
    names = [one for one in wanted if one != EVERY_STEP]
    if not names:
        return
    known: dict[str, None] = {}
    for document in (workflow, *surroundings.templates.values()):
        for _, struct in structs(document):
            if isinstance(struct, (Template, WorkflowStep, DAGTask)) and struct.name:
                known[struct.name] = None
    for name in names:
        # Of a loop, one member may be meant; of nested steps, a way to one.
        plain = name.partition("(")[0].rpartition(".")[2]
        if plain not in known and name not in known:
            from argosy.syntax.diagnostics import did_you_mean

            near = did_you_mean(plain, known)
            hint = f"did you mean {near}?" if near else f"its steps and templates: {', '.join(list(known)[:20])}"
            raise UsageError(f"There is no step {name!r} to be refreshed", hint=hint)


CHANGED = {
    "runtime": "it ran on another runtime",
    "image": "the image{at} changed",
    "command": "the command{at} changed",
    "script": "the script{at} changed",
    "code": "the code changed",
    "interpreter": "the interpreter or its packages changed",
    "outputs": "the outputs that it declares changed",
    "settings": "the settings{at} changed",
    "folder": "the working folder{at} changed",
    "needs": "the order of its containers changed",
    "mounts": "the volume mounts{at} changed",
    "volume": "the volume {what} changed",
    "config-map": "the ConfigMap {what} changed",
    "parameter": "the parameter {what} changed",
    "artifact": "the input data {what} changed",
    "place": "the place of the input {what} changed",
    "variable": "the environment variable {what}{at} changed",
    "host": "the environment variable {what} of this machine changed",
    "secret": "the secret {what} has a new version",
}


def differences(database: Database, key: str, run: str, asked_at: float) -> tuple[str, ...]:
    """What differed when a step's key was not found: a line that names what it is compared with, then each difference.

    run: uid of the step's run. asked_at: when it was looked up, in seconds since the epoch, whole ones do. () when
    nothing is known of the key any more.
    """
    from argosy.record.reuse import Reuse

    kept = Reuse(database)
    parts = kept.parts(key)
    if parts is None:
        return ()
    earlier = kept.nearest(key, run, asked_at + 1.0)
    if earlier is None:
        return ("no earlier outcome of its template is kept",)
    before = earlier.parts
    changed = [
        name for name in (*parts, *(one for one in before if one not in parts)) if parts.get(name) != before.get(name)
    ]
    said = dict.fromkeys(_said(name, name in parts, name in before) for name in changed)
    return (f"compared with {earlier.run}{earlier.place}:", *said)


def _said(name: str, now: bool, before: bool) -> str:
    """One difference in words."""
    head, _, what = name.partition(":")
    word, _, container = head.partition("@")
    text = CHANGED[word].format(what=what, at=f" of the container {container}" if container else "")
    if now and not before:
        return text.replace(" changed", " is new").replace(" has a new version", " is new")
    if before and not now:
        return text.replace(" changed", " is gone").replace(" has a new version", " is gone")
    return text
