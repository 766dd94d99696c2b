"""What is settled before a run of a Gradient spec: the push that starts it, and whether all that it names is there.

It knows pushes, contexts and secrets; running is not its matter.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec
from msgspec.structs import replace

from argosy.catalog.resolution import asked_of
from argosy.checks.catalog import DocumentCatalog
from argosy.checks.finding import Finding
from argosy.checks.texts import structs
from argosy.dialects.gradient.given import event_parameter
from argosy.dialects.gradient.lower import PUSHES
from argosy.errors import EnvironmentTrouble, NotFound, UsageError
from argosy.model.inputs import Signature
from argosy.model.manifest import Artifact, ArtifactLocation, EnvVarSource, KeySelector, Metadata, Template, Workflow
from argosy.project.submission import Refused
from argosy.syntax.diagnostics import did_you_mean

if TYPE_CHECKING:
    from argosy.checks.catalog import Catalog
    from argosy.project.project import Project
    from argosy.runners.local.runtimes.host import Images

# On a run: the event that started it, and what it resolved to.
EVENT = "argosy.dev/event"
EVENT_BRANCH = "argosy.dev/event-branch"
EVENT_COMMIT = "argosy.dev/event-commit"
EVENT_URL = "argosy.dev/event-url"
# On a job's template: its args are run as they are, for want of an engine that knows its image.
ARGS_RUN = "argosy.dev/args-run"
_HEADS = "refs/heads/"


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """A push to a branch. url: of the repository, commit: the branch's newest, folder: the repository's."""

    url: str
    branch: str
    commit: str
    folder: Path

    def annotations(self) -> dict[str, str]:
        """What a run keeps of it."""
        return {EVENT: "push", EVENT_BRANCH: self.branch, EVENT_COMMIT: self.commit, EVENT_URL: self.url}


def push_to(folder: Path, ref: str) -> Push:
    """The push to a branch of the repository around a folder, "" for the branch that is checked out.

    Raises NotFound when there is no such repository or branch.
    """
    top = _git(folder, "rev-parse", "--show-toplevel") or _git(folder, "rev-parse", "--absolute-git-dir")
    if top is None:
        raise NotFound(f"{folder} is in no git repository", hint="a push is to a branch of one")
    branch = ref.removeprefix(_HEADS) or _git(folder, "symbolic-ref", "--short", "HEAD") or ""
    if not branch:
        raise UsageError("No branch is checked out", hint="name one with --ref BRANCH")
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{_HEADS}{branch}^{{commit}}")
    if not commit:
        known = (_git(folder, "for-each-ref", "--format=%(refname:lstrip=2)", _HEADS) or "").splitlines()
        near = did_you_mean(branch, known)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(known)}" if known else "there are none yet"
        raise NotFound(f"There is no branch {branch!r}", hint=hint)
    return Push(url=top, branch=branch, commit=commit, folder=Path(top))


def specs_at(push: Push) -> list[tuple[str, bytes]]:
    """The specs of `.gradient/workflows/` as the pushed commit has them, by path."""
    listed = _git(push.folder, "ls-tree", "-r", "--name-only", push.commit, "--", ".gradient/workflows/") or ""
    found: list[tuple[str, bytes]] = []
    for path in listed.splitlines():
        if path.endswith((".yaml", ".yml")):
            found.append((path, _output(push.folder, "show", f"{push.commit}:{path}") or b""))
    return found


def is_started_by(workflow: Workflow, push: Push) -> bool:
    """Whether a push to this branch starts the workflow: `on.github.branches.only` names it, or a pattern it meets."""
    branches = workflow.metadata.annotations.get(PUSHES, "").split(",")
    return any(one and (one == push.branch or fnmatchcase(push.branch, one)) for one in branches)


def started_by(workflow: Workflow, push: Push) -> Workflow:
    """The workflow with the event among what is recorded of it."""
    annotations = {**workflow.metadata.annotations, **push.annotations()}
    return replace(workflow, metadata=replace(workflow.metadata, annotations=annotations))


def values_of(push: Push, takes: Signature) -> dict[str, str]:
    """What the event gives to the inputs that take it."""
    given = {event_parameter("url"): push.url, event_parameter("ref"): push.commit}
    return {name: value for name, value in given.items() if takes.find(name) is not None}


def check(project: Project, workflow: Workflow, takes: Signature, given: Mapping[str, str]) -> None:
    """Raises Refused, with all findings, when the run lacks its event, a secret or a dataset.

    given: values by any name of an input.
    """
    catalog = project.documents_if_any or DocumentCatalog([])
    findings = [
        *_event_findings(takes, given),
        *_secret_findings(workflow, catalog),
        *_dataset_findings(project, workflow, takes, given),
    ]
    if findings:
        raise Refused(findings[0].message, tuple(findings), hint=findings[0].hint)


def check_runtime(workflow: Workflow, runtime: str, reason: str) -> None:
    """Raises Refused when jobs have paths that the run's runtime cannot give them. reason: why it is this one."""
    if runtime not in ("process", "function"):
        return
    chosen = reason.startswith("process, because")
    why = f"the runtime is {reason}" if chosen else "two jobs would clash there"
    hint = "podman, docker and sandbox can" if chosen else "--runtime sandbox or --runtime podman"
    if found := list(_path_findings(workflow, why, hint)):
        raise Refused(found[0].message, tuple(found), hint=found[0].hint)


def with_commands(workflow: Workflow, images: Images | None) -> tuple[Workflow, list[Finding]]:
    """The workflow for a runtime that cannot look into images: args without a command are one, and a note says so.

    images: what the project says of them, None for a runtime that can; then what was made of a run's jobs before is
    undone. Raises Refused for a job with neither.
    """
    made: list[Template] = []
    notes: dict[str, Finding] = {}
    for index, one in enumerate(workflow.spec.templates):
        template = _as_written(one)
        main = template.container
        if main is None or main.command or images is None or not images.trouble(main.image):
            made.append(template)
            continue
        path = ("spec", "templates", index)
        if not main.args:
            found = Finding(
                rule="gradient-runtime",
                severity="error",
                path=path,
                message=f"the job {template.name} has neither command nor args, and {main.image} may run anything",
                why="images are looked into by a container engine only",
                hint=f'say it in argosy.toml ([images."{main.image}"] entrypoint = [...]), or --runtime podman',
            )
            raise Refused(found.message, (found,), hint=found.hint)
        message = f"without a container engine the entrypoint of {main.image} is not known: args are run as they are"
        notes[main.image] = Finding(rule="gradient-runtime", severity="note", path=path, message=message)
        metadata = template.metadata or Metadata()
        metadata = replace(metadata, annotations={**metadata.annotations, ARGS_RUN: "true"})
        made.append(replace(template, metadata=metadata, container=replace(main, command=main.args, args=())))
    return replace(workflow, spec=replace(workflow.spec, templates=tuple(made))), list(notes.values())


def _as_written(template: Template) -> Template:
    """The template of a job with its args where the spec has them."""
    main, metadata = template.container, template.metadata
    if main is None or metadata is None or ARGS_RUN not in metadata.annotations:
        return template
    annotations = {key: value for key, value in metadata.annotations.items() if key != ARGS_RUN}
    left = replace(metadata, annotations=annotations) if annotations or metadata.labels else None
    return replace(template, metadata=left, container=replace(main, command=(), args=main.command))


def _event_findings(takes: Signature, given: Mapping[str, str]) -> Iterator[Finding]:
    for word in ("url", "ref"):
        name = event_parameter(word)
        one = takes.find(name)
        if one is None or not one.required or any(given.get(known) for known in (name, *one.aliases)):
            continue
        yield Finding(
            rule="gradient-context",
            severity="error",
            path=one.path,
            message=f"Github {word} is invalid.",
            why=f"context.event.github.{word} comes from the push that starts a run, and there is none",
            hint=f"--event push --ref BRANCH, or context.event.github.{word}={'URL' if word == 'url' else 'COMMIT'}",
        )


def _dataset_findings(
    project: Project, workflow: Workflow, takes: Signature, given: Mapping[str, str]
) -> Iterator[Finding]:
    """The datasets that are read and are not there, and those of which versions are to be made."""
    defaults = {one.name: one.default for one in takes.inputs if one.default is not None}
    named = {found.name: value for name, value in given.items() if (found := takes.find(name)) is not None}
    scope = {f"workflow.parameters.{name}": value for name, value in {**defaults, **named}.items()}
    told: set[tuple[str, bool]] = set()
    for path, struct in structs(workflow):
        if not isinstance(struct, Artifact) or struct.named is None or struct.named.kind != "dataset":
            continue
        asked, existing = asked_of(struct.named.ref, scope), struct.named.existing
        if "{{" in asked or (asked, existing) in told:
            continue
        told.add((asked, existing))
        try:
            if not existing:
                project.names.version("dataset", asked)
            elif not project.names.exists("dataset", asked):
                whole = asked.partition(":")[0]
                raise NotFound(f"There is no dataset named {whole!r}", hint=f"argosy datasets create {whole} makes it")
        except (NotFound, UsageError) as problem:
            yield Finding(
                rule="gradient-dataset", severity="error", path=tuple(path), message=problem.message, hint=problem.hint
            )


def _path_findings(workflow: Workflow, why: str, hint: str) -> Iterator[Finding]:
    """Jobs with /inputs or /outputs, which plain processes cannot have for their own; the first tells of all."""
    for index, template in enumerate(workflow.spec.templates):
        main = template.container or template.script
        if main is None or not (main.volume_mounts or (template.inputs is not None and template.inputs.artifacts)):
            continue
        yield Finding(
            rule="gradient-runtime",
            severity="error",
            path=("spec", "templates", index),
            message=f"the job {template.name} has /inputs or /outputs, which a plain process cannot have for its own",
            why=why,
            hint=hint,
        )
        return


def _secret_findings(workflow: Workflow, catalog: Catalog) -> Iterator[Finding]:
    for path, name, key in _secrets(workflow):
        secret = catalog.secret(name)
        if secret is not None and (key in secret.data or key in secret.string_data):
            continue
        yield Finding(
            rule="gradient-secret",
            severity="error",
            path=path,
            message=f"there is no secret {name}" if secret is None else f"the secret {name} has no key {key}",
            hint=f"argosy secrets set {name} --from-stdin sets it",
        )


def _secrets(workflow: Workflow) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Every secret that is named, with its key and where."""
    for path, struct in structs(workflow):
        if isinstance(struct, EnvVarSource) and struct.secret_key_ref is not None:
            if struct.secret_key_ref.optional:
                continue
            yield tuple(path), struct.secret_key_ref.name, struct.secret_key_ref.key
        elif isinstance(struct, ArtifactLocation):
            for fields in (struct.git, struct.s3):
                for value in (fields or {}).values():
                    if isinstance(value, dict) and {"name", "key"} <= cast("dict[str, Any]", value).keys():
                        selector = msgspec.convert(value, KeySelector)
                        yield tuple(path), selector.name, selector.key


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints, without blanks around it; None when it says no."""
    found = _output(folder, *arguments)
    return None if found is None else found.decode("utf-8", "replace").strip()


def _output(folder: Path, *arguments: str) -> bytes | None:
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        raise EnvironmentTrouble("The program git is not installed", hint="Install git.") from None
    return done.stdout if done.returncode == 0 else None
