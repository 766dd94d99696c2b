"""From containers that ended to the end of their attempt: verdict, parameters, result, artifacts, logs.

It knows outputs and where a step left them, not how it ran. Source: the executor's SaveParameters, SaveArtifacts,
CaptureScriptResult and SaveLogs.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import stat
from collections.abc import Callable
from pathlib import Path

import msgspec

from argosy.artifacts.places import remove
from argosy.artifacts.redaction import HIDDEN, Spellings, hidden
from argosy.artifacts.repositories import KEY_FIELD, driver_of, location_key, needs_repository, resolve
from argosy.artifacts.troubles import disk_errors, raise_if_full
from argosy.errors import ArgosyError, EnvironmentTrouble, NotFound, UsageError
from argosy.model.events import AttemptExited
from argosy.model.host_templates import CODE_ARTIFACT
from argosy.model.manifest import ArchiveStrategy, Artifact, ArtifactLocation, Outputs, Parameter, Template
from argosy.model.metric_rules import FILES
from argosy.model.status import Phase
from argosy.plan.actions import Start
from argosy.runners.local.context import RunContext
from argosy.runners.local.pod import Pod, Verdict
from argosy.runners.local.runtimes.places import ENGINES, RELATIVE, ROOT, host_path, is_within
from argosy.runners.local.runtimes.runtime import StepSpec
from argosy.runners.local.shared_places import released
from argosy.runners.local.staging import StagingOptions
from argosy.runners.local.written import is_working_folder, written

# What Argo keeps of a result; a parameter may be as long as the ConfigMap that would hold it.
RESULT_BYTES = 256 << 10
PARAMETER_BYTES = 1 << 20
_MOST_LINKS = 40


def collect(start: Start, pod: Pod, context: RunContext, options: StagingOptions) -> AttemptExited:
    """The end of an attempt, with its outputs; `at` is the caller's to set. May be called again.

    What a failed step left is gathered too. Artifacts are in the store, to be made durable with `Store.sync`.
    Raises nothing that a step can cause: missing outputs make its phase Error. Raises EnvironmentTrouble when the disk
    is full: to be tried again when there is room.
    """
    verdict = pod.verdict()
    template = start.template
    main = next((piece.spec for piece in pod.mains if piece.name == "main"), None)
    logs_wanted = _archives_logs(template, context)
    if main is None or (template.outputs is None and not logs_wanted):
        outputs = None
        if verdict.exit_code is not None or start.capture_result:
            outputs = Outputs(exit_code=_text(verdict.exit_code), result=_result(start, main))
        _tidy(pod, context, options)
        if not logs_wanted:
            return _without_secrets(_exited(start, verdict, outputs, ""), pod)
    collection = _Collection(start, pod, main, context, options)
    try:
        outputs, trouble = collection.outputs(verdict, logs_wanted)
    finally:
        _tidy(pod, context, options)
    return _without_secrets(_exited(start, verdict, outputs, trouble), pod)


def takes_long(start: Start, pod: Pod) -> bool:
    """Whether `collect` may take long, so that it belongs in a thread: artifacts, or an engine to be asked."""
    outputs = start.template.outputs
    return (outputs is not None and bool(outputs.artifacts)) or any(piece.spec.keep for piece in pod.pieces())


def _exited(start: Start, verdict: Verdict, outputs: Outputs | None, trouble: str) -> AttemptExited:
    """The fact. Trouble with outputs counts only when nothing worse happened before."""
    phase, message = verdict.phase, verdict.message
    if trouble and phase == Phase.SUCCEEDED:
        phase, message = Phase.ERROR, trouble
    return AttemptExited(
        at=0.0,
        node=start.node,
        phase=str(phase),
        message=message,
        outputs=outputs,
        containers=verdict.containers,
    )


def _without_secrets(fact: AttemptExited, pod: Pod) -> AttemptExited:
    """The fact as it may be recorded: outputs are kept in the clear, so what a step was given of Secrets is hidden.

    A result is read from what was masked already.
    """
    values = next((piece.spec.hidden for piece in pod.pieces() if piece.spec.hidden is not None), None)
    if values is None:
        return fact
    message, outputs, changed = hidden(fact.message, values), fact.outputs, list[str]()
    if outputs is not None:
        parameters = tuple(_hidden_parameter(one, values, changed) for one in outputs.parameters)
        if HIDDEN in (outputs.result or ""):
            changed.append("result")
        outputs = msgspec.structs.replace(outputs, parameters=parameters)
    if changed and not message:
        message = f"secrets are hidden in the output {', '.join(changed)}: give the Secret itself to steps that need it"
    return msgspec.structs.replace(fact, message=message, outputs=outputs)


def _hidden_parameter(parameter: Parameter, values: Spellings, changed: list[str]) -> Parameter:
    if not isinstance(parameter.value, str):
        return parameter
    text = hidden(parameter.value, values)
    if text == parameter.value:
        return parameter
    changed.append(parameter.name)
    return msgspec.structs.replace(parameter, value=text)


def _text(code: int | None) -> str | None:
    return None if code is None else str(code)


def _result(start: Start, main: StepSpec | None) -> str | None:
    """The end of main's standard output, without one newline at its end; None if nobody asked."""
    if not start.capture_result or main is None:
        return None
    try:
        with open(main.stdout, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - RESULT_BYTES - 1))
            data = file.read(RESULT_BYTES + 1)
    except FileNotFoundError:
        return ""
    data = data.removesuffix(b"\n")[-RESULT_BYTES:]
    return data.decode("utf-8", "replace")


def _archives_logs(template: Template, context: RunContext) -> bool:
    """The template's word counts before the workflow's (Argo docs: configure-archive-logs.md)."""
    place = template.archive_location
    if place is not None and place.archive_logs is not None:
        return place.archive_logs
    return bool(context.workflow.spec.archive_logs)


def _tidy(pod: Pod, context: RunContext, options: StagingOptions) -> None:
    """Let go of kept containers and shared places, and remove files with secrets in them."""
    folder = context.attempt_place(pod.node)
    released(folder)
    kept = [piece.spec.id for piece in pod.pieces() if piece.spec.keep]
    if kept:
        options.release(kept)
    if len(pod.mains) == 1 and not pod.mains[0].spec.mounts and not pod.sidecars and not pod.inits:
        return
    import shutil

    from argosy.runners.local.volumes import secret_folder

    secrets = secret_folder(context, folder)
    shutil.rmtree(secrets, ignore_errors=True)
    with contextlib.suppress(OSError):
        # The run's own, once nothing of any step is in it.
        os.rmdir(os.path.dirname(secrets))


class _Collection:
    """One call of `collect` that has outputs to look for."""

    def __init__(
        self, start: Start, pod: Pod, main: StepSpec | None, context: RunContext, options: StagingOptions
    ) -> None:
        self.start, self.pod, self.main = start, pod, main
        self.context, self.options = context, options
        self.troubles: list[str] = []

    def outputs(self, verdict: Verdict, logs_wanted: bool) -> tuple[Outputs | None, str]:
        declared = self.start.template.outputs or Outputs()
        main = self.main
        parameters: list[Parameter] = []
        artifacts: list[Artifact] = []
        if main is not None:
            self._retrieve(main)
            for parameter in declared.parameters:
                self._try(lambda one=parameter: parameters.append(self._parameter(main, one)))
            for artifact in declared.artifacts:
                self._try(lambda one=artifact: artifacts.extend(self._artifact(main, one)))
        if logs_wanted:
            for piece in self.pod.mains:
                self._try(lambda name=piece.name: artifacts.extend(self._log(name)))
        outputs = Outputs(
            parameters=tuple(parameters),
            artifacts=tuple(artifacts),
            exit_code=_text(verdict.exit_code),
            result=_result(self.start, main),
        )
        return outputs, "; ".join(self.troubles)

    def _try(self, step: Callable[[], None]) -> None:
        """What goes wrong with one output does not keep the others from being gathered."""
        try:
            step()
        except ArgosyError as problem:
            raise_if_full(problem)
            self.troubles.append(f"{problem.message} {problem.hint}".strip())

    def _retrieve(self, main: StepSpec) -> None:
        """Bring out of a container what lies nowhere on the host; what is not there is found missing later."""
        if self.options.runtime == "sandbox":
            self._take_from_beginning(main)
        if self.options.runtime not in ENGINES:
            return
        id = self.pod.last_id("main")
        # A folder comes before what is in it.
        for path in sorted(main.outputs):
            target = Path(host_path(main, path, self.options.runtime))
            if os.path.lexists(target):
                continue
            partial = target.with_name(f".{target.name[:100]}.partial")
            with disk_errors("make", target):
                target.parent.mkdir(parents=True, exist_ok=True)
                remove(partial)
                if self.options.retrieve(id, path, str(partial)):
                    os.rename(partial, target)

    def _take_from_beginning(self, main: StepSpec) -> None:
        """Most images' steps begin in /: what one wrote there without a slash in front is where its folder was."""
        inputs = self.start.template.inputs
        if main.working_dir or (inputs is not None and any(one.name == CODE_ARTIFACT for one in inputs.artifacts)):
            return
        for path in sorted(main.outputs):
            target, beginning = Path(host_path(main, path, "sandbox")), Path(f"{main.folder}/work{path}")
            # No link that the step made may lead either of them to elsewhere on this machine.
            if (
                os.path.lexists(beginning)
                and not os.path.lexists(target)
                and is_within(os.path.realpath(target.parent), os.path.realpath(f"{main.folder}/{ROOT}"))
                and is_within(os.path.realpath(beginning.parent), os.path.realpath(f"{main.folder}/work"))
            ):
                with disk_errors("make", target):
                    target.parent.mkdir(parents=True, exist_ok=True)
                    os.rename(beginning, target)

    # -- parameters

    def _parameter(self, main: StepSpec, declared: Parameter) -> Parameter:
        source = declared.value_from
        if source is None or not source.path:
            return declared
        place = self._find(main, source.path)
        value = None if place is None else _read_text(place, declared.name, source.path)
        if value is None:
            value = source.default
        if value is None:
            raise NotFound(
                f"The output parameter {declared.name!r} cannot be read: there is no file {source.path}.",
                hint="Let the step write it, or give the parameter a valueFrom.default.",
            )
        return msgspec.structs.replace(declared, value=value.removesuffix("\n"), value_from=None)

    # -- artifacts

    def _artifact(self, main: StepSpec, declared: Artifact) -> list[Artifact]:
        place = self._find(main, declared.path) or self._metrics(main, declared)
        if place is None:
            if declared.optional:
                return []
            raise NotFound(
                f"The output artifact {declared.name!r} cannot be saved: the step left nothing at {declared.path}.",
                hint="Mark the artifact `optional: true` if it may.",
            )
        template = self.start.template
        digest = ""
        if is_working_folder(template, declared.path):
            digest = written(template, place, self.context, self.options.runtime)
        return [self._saved(declared, place, digest)]

    def _metrics(self, main: StepSpec, declared: Artifact) -> Path | None:
        """Of an artifact at one of the places of Onepanel's metrics, what the step left at the other.

        Not of a plain process, which would find there what any program of this machine has left.
        """
        if declared.path not in FILES or not declared.optional or self.options.runtime in ("process", "function"):
            return None
        return next((found for path in FILES if (found := self._find(main, path)) is not None), None)

    def _saved(self, declared: Artifact, place: Path, digest: str = "") -> Artifact:
        """The artifact with its location, once its bytes are there: where it says, else in the store.

        digest: what is to be kept is in the store already, and is not all that is at `place`.
        """
        if declared.named is not None:
            check_name(declared)
        else:
            declared = self._located(declared)
        if not _has_location(declared):
            return msgspec.structs.replace(declared, digest=digest or self.context.store.put(place, sync=False))
        from argosy.artifacts.transfer import save_output
        from argosy.runners.local.fetching import transfer_context

        wanted = resolve(declared, self.context.repository)
        driver = driver_of(wanted, self.context.repository)
        scratch = self.context.attempt_folder(self.start.node) / "outputs"
        if digest:
            place = scratch / f".{declared.name[:100]}.written"
            remove(place)
            self.context.store.materialize(digest, place)
        save_output(place, wanted, driver, transfer_context(self.context), scratch=scratch)
        # A key of the default repository stays a key: it may be read where the repository is another one.
        kept = declared if needs_repository(declared) else wanted
        return msgspec.convert(msgspec.to_builtins(kept), Artifact)

    def _located(self, declared: Artifact) -> Artifact:
        """The artifact at the template's archiveLocation, if it has one and the artifact has no place of its own."""
        place = self.start.template.archive_location
        if place is None or _has_location(declared):
            return declared
        kind = next((kind for kind in KEY_FIELD if getattr(place, kind) is not None), "")
        if not kind:
            return declared
        from argosy.artifacts.transfer import file_name

        key = posixpath.join(location_key(place, kind), file_name(declared, declared.name))
        return msgspec.structs.replace(declared, **{kind: {**getattr(place, kind), KEY_FIELD[kind]: key}})

    def _log(self, name: str) -> list[Artifact]:
        from argosy.runners.local.logs import saved_log

        place = saved_log(self.context, self.start.node, name)
        if place is None:
            return []
        log = Artifact(name=f"{name}-logs", path=f"{name}.log")
        if self.start.template.archive_location is not None:
            # Argo saves logs as they are, in a file of their name.
            log = msgspec.structs.replace(log, archive=_AS_IT_IS)
        return [msgspec.structs.replace(self._saved(log, place), path="")]

    # -- the step's files

    def _find(self, main: StepSpec, path: str) -> Path | None:
        """Where on the host is what the step left at `path`; None if there is nothing.

        Links are followed as the step would, so that none leads to a file of this machine that it could not see.
        """
        runtime = self.options.runtime
        for _ in range(_MOST_LINKS):
            place = host_path(main, path, runtime)
            link = _first_link(place, self._trusted(main, place))
            if link is None or runtime == "process":
                return Path(os.path.realpath(place)) if os.path.exists(place) else None
            path = _followed(path, place, link)
        raise EnvironmentTrouble(f"The links at {path} lead around in a circle.", hint="Let the step mend them.")

    def _trusted(self, main: StepSpec, place: str) -> str:
        """The folder of the host above which no step could have put a link."""
        own = [f"{main.folder}/{name}" for name in ("work", "tmp", ROOT, RELATIVE)]
        around = [folder for folder in (*own, *(mount.source for mount in main.mounts)) if is_within(place, folder)]
        return max(around, key=len, default="/")


def _followed(path: str, place: str, link: str) -> str:
    """What `path` means, in the step's words, when the link on the way to its place is followed."""
    below = posixpath.relpath(place, link)
    depth = 0 if below == "." else below.count("/") + 1
    parts = posixpath.normpath(path).split("/")
    folder = "/".join(parts[: len(parts) - depth - 1])
    if path.startswith("/"):
        folder = folder or "/"
    return posixpath.normpath(posixpath.join(folder, os.readlink(link), below))


def check_name(declared: Artifact) -> None:
    """Of named data. Raises UsageError when the name, its tags replaced, is none that a new version could have."""
    from argosy.catalog.refs import checked_kind, parse_ref

    assert declared.named is not None
    ref = parse_ref(checked_kind(declared.named.kind), declared.named.ref)
    if ref.version:
        raise UsageError(f"The output artifact {declared.name!r} names a version, which cannot be made again.")


_AS_IT_IS = ArchiveStrategy(none={})


def _has_location(artifact: ArtifactLocation) -> bool:
    return any(getattr(artifact, kind) is not None for kind in (*KEY_FIELD, "http", "git", "raw", "plugin"))


def _first_link(place: str, trusted: str) -> str | None:
    """The first symbolic link on the way from a folder to a path in it, or None."""
    parts = posixpath.relpath(place, trusted).split("/") if place != trusted else []
    current = trusted
    for part in parts:
        current = f"{current.rstrip('/')}/{part}"
        if os.path.islink(current):
            return current
    return None


def _read_text(place: Path, name: str, path: str) -> str | None:
    """The text of a file; None if there is none. A pipe or a device is never waited for."""
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EnvironmentTrouble(
            f"The output parameter {name!r} cannot be read from {path}: {error.strerror}."
        ) from None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise EnvironmentTrouble(
                f"The output parameter {name!r} is to be read from {path}, which is no file.",
                hint="Write a file there.",
            )
        data = file.read(PARAMETER_BYTES + 1)
    if len(data) > PARAMETER_BYTES:
        raise EnvironmentTrouble(
            f"The output parameter {name!r} is longer than {PARAMETER_BYTES} bytes.",
            hint="Pass it as an artifact instead.",
        )
    return data.decode("utf-8", "replace")
