"""A checked spec to a Workflow: one template and one task of a DAG for each job, and what the run takes.

It knows how a job's data stands in a manifest, not how a spec is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from argosy.dialects.gradient.actions import Action
from argosy.dialects.gradient.filling import as_text, filled
from argosy.dialects.gradient.given import SECRET_KEY, Tag, Values, event_parameter, secret_of
from argosy.dialects.gradient.instances import Instance
from argosy.dialects.gradient.schema import EVENT, FOLDERS, Data, Job, Reference, Spec
from argosy.dialects.translated import Parts
from argosy.errors import InvalidFile
from argosy.model.inputs import Input, Signature
from argosy.model.manifest import (
    Arguments,
    Artifact,
    ContainerFields,
    DAGTask,
    DAGTemplate,
    EnvVar,
    EnvVarSource,
    Inputs,
    KeySelector,
    NamedData,
    ObjectMeta,
    Outputs,
    Parameter,
    RawArtifact,
    Resources,
    Template,
    ValueFrom,
    Volume,
    VolumeMount,
    Workflow,
    WorkflowSpec,
)

INPUTS, OUTPUTS = "/inputs", "/outputs"
# On the workflow: the format that it was written in, the hash of its text, and the branches whose pushes start it.
FORMAT = "argosy.dev/format"
SPEC_HASH = "argosy.dev/spec-sha256"
PUSHES = "argosy.dev/on-push"
# Variables of every job, unless it has its own.
PROJECT_ID, API_KEY = "PROJECT_ID", "PAPERSPACE_API_KEY"
_OUTPUTS_VOLUME = "outputs"
_LONGEST = 60


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """A job whose action and values are known. machine: what it asks of this one."""

    job: Job
    action: Action
    values: Values
    machine: Instance | None = None


class Lowered(msgspec.Struct, frozen=True, kw_only=True):
    """What a spec became. origins: for the parts of the manifest, where in the file they came from."""

    workflow: Workflow
    signature: Signature
    origins: dict[Parts, Parts]


def lowered(spec: Spec, jobs: list[Ready], *, stem: str, digest: str, project: str = "") -> Lowered:
    """The workflow of a spec. stem: what its file is called; digest: the hash of its text. Raises InvalidFile.

    project: what jobs are told as the id of their project; "" for nothing.
    """
    return _Lowering(spec, jobs, project).workflow(stem, digest)


class Names:
    """Names as a manifest may have them: each word's own, as like it as can be."""

    def __init__(self, allowed: str, taken: tuple[str, ...] = (), *, before_digit: str = "") -> None:
        """allowed: characters, as in a pattern. before_digit: what goes before a name that would begin with one."""
        self._before_digit = before_digit
        self._foreign = re.compile(rf"[^{allowed}]+")
        self._given: dict[str, str] = {}
        self._taken = set(taken)

    def of(self, word: str) -> str:
        """The name for a word, always the same."""
        if word not in self._given:
            plain = self._foreign.sub("-", word).strip("-")[:_LONGEST] or "unnamed"
            if plain[0].isdigit():
                plain = f"{self._before_digit}{plain}"
            name, number = plain, 2
            while name in self._taken:
                name, number = f"{plain}-{number}", number + 1
            self._taken.add(name)
            self._given[word] = name
        return self._given[word]


_DATA_NAME = "A-Za-z0-9_-"


class _Lowering:
    """One call of `lowered`."""

    def __init__(self, spec: Spec, jobs: list[Ready], project: str) -> None:
        self.spec, self.jobs, self.project = spec, jobs, project
        self.names = Names("A-Za-z0-9-", before_digit="job-")
        for name in spec.jobs:
            self.names.of(name)
        self.parameters = Names(_DATA_NAME, tuple(event_parameter(word) for word in ("url", "ref")))
        self.outputs = {name: Names(_DATA_NAME) for name in spec.jobs}
        self.origins: dict[Parts, Parts] = {}

    def workflow(self, stem: str, digest: str) -> Lowered:
        entry = self.names.of("\0main") if "main" in self.spec.jobs else "main"
        tasks: list[DAGTask] = []
        templates: list[Template] = []
        for index, ready in enumerate(self.jobs):
            name = ready.job.name
            self.origins[("spec", "templates", 0, "dag", "tasks", index)] = ("jobs", name)
            self.origins[("spec", "templates", index + 1)] = ("jobs", name)
            template, arguments = _JobLowering(self, ready, ("spec", "templates", index + 1)).made()
            templates.append(template)
            needs = tuple(self.names.of(one) for one in dict.fromkeys(ready.job.needed))
            tasks.append(DAGTask(name=template.name, template=template.name, dependencies=needs, arguments=arguments))
        self.origins[("spec", "templates", 0)] = ("jobs",)
        parameters, inputs = self._takes()
        registries: dict[str, Parts] = {}
        for ready in self.jobs:
            for one, place in _registries(ready):
                registries.setdefault(one, place)
        for index, place in enumerate(registries.values()):
            self.origins[("spec", "imagePullSecrets", index)] = place
        workflow = Workflow(
            kind="Workflow",
            api_version="argoproj.io/v1alpha1",
            metadata=ObjectMeta(
                generate_name=f"{_stem(stem)}-",
                annotations={
                    FORMAT: "gradient",
                    SPEC_HASH: digest,
                    **({PUSHES: ",".join(self.spec.branches)} if self.spec.branches else {}),
                },
            ),
            spec=WorkflowSpec(
                entrypoint=entry,
                arguments=Arguments(parameters=tuple(parameters)) if parameters else None,
                templates=(Template(name=entry, dag=DAGTemplate(tasks=tuple(tasks))), *templates),
                image_pull_secrets=[{"name": one} for one in registries] or None,
            ),
        )
        return Lowered(workflow=workflow, signature=Signature(inputs=tuple(inputs)), origins=self.origins)

    def _takes(self) -> tuple[list[Parameter], list[Input]]:
        """The workflow's arguments, and the same as inputs for people."""
        parameters: list[Parameter] = []
        inputs: list[Input] = []
        for name, data in self.spec.inputs.items():
            default = (data.ref or None) if data.type == "dataset" else data.value
            self._take(parameters, inputs, self.parameters.of(name), data, default, (name,))
        for word in ("url", "ref"):
            if (user := self._user_of_event(word)) is not None:
                name, path = event_parameter(word), ("spec", "arguments", "parameters", len(parameters))
                given = self.spec.event.get(word)
                self._take(parameters, inputs, name, Data(type="string"), given, (f"{EVENT}{word}",))
                self.origins[path] = (*EVENT.strip(".").split("."), word) if given is not None else user
        return parameters, inputs

    def _take(
        self,
        parameters: list[Parameter],
        inputs: list[Input],
        name: str,
        data: Data,
        default: str | None,
        written: tuple[str, ...],
    ) -> None:
        path = ("spec", "arguments", "parameters", len(parameters))
        event = written[0].startswith(EVENT)
        self.origins[path] = ("inputs", written[0])
        parameters.append(Parameter(name=name, value=default))
        kind = "dataset" if data.type == "dataset" else "text" if default and "\n" in default else "string"
        inputs.append(
            Input(
                name=name,
                type=kind,
                default=default,
                required=default is None,
                path=path,
                aliases=tuple(one for one in written if one != name),
                hint="of the push that starts the run: --event push --ref BRANCH" if event else "",
            )
        )

    def _user_of_event(self, word: str) -> Parts | None:
        """Where the event's url or ref is used first."""
        tag = f"{{{{workflow.parameters.{event_parameter(word)}}}}}"
        for ready in self.jobs:
            for name, value in ready.values.items():
                if isinstance(value, Tag) and value.text == tag:
                    written = ready.job.with_ is not None and name in ready.job.with_.values
                    return ("jobs", ready.job.name, "with", name) if written else ("jobs", ready.job.name)
        return None


class _JobLowering:
    """One job."""

    def __init__(self, whole: _Lowering, ready: Ready, path: Parts) -> None:
        self.whole, self.ready, self.job = whole, ready, ready.job
        self.path = path
        self.template = _template(ready, whole.names.of(self.job.name))
        self.artifacts: list[Artifact] = list((self.template.inputs or Inputs()).artifacts)
        self.given_artifacts: list[Artifact] = []

    def made(self) -> tuple[Template, Arguments | None]:
        """The template, and what its task passes to it."""
        names = Names(_DATA_NAME, tuple(one.name for one in self.artifacts))
        for name, given in self.job.inputs.items():
            if not self.ready.action.closed or name in self.ready.action.inputs:
                self._input(name, names.of(name), given)
        changed: dict[str, Any] = {}
        if self.artifacts:
            changed["inputs"] = Inputs(artifacts=tuple(self.artifacts))
        outputs = self._outputs()
        if outputs is not None:
            changed["outputs"] = outputs
        template = msgspec.structs.replace(self.template, **changed, **self._container())
        return template, Arguments(artifacts=tuple(self.given_artifacts)) if self.given_artifacts else None

    # -- inputs

    def _input(self, name: str, own: str, given: Data | Reference) -> None:
        place = f"{INPUTS}/{name}"
        data, source = self._source(given)
        if data.type == "string":
            # A file that holds the text.
            text = as_text(given.value or "") if isinstance(given, Data) else source
            self._at_artifact(name)
            self.artifacts.append(Artifact(name=own, path=place, read_only=True))
            self.given_artifacts.append(Artifact(name=own, raw=RawArtifact(data=text)))
            return
        self._at_artifact(name)
        if data.type == "dataset" and not (isinstance(given, Reference) and given.job):
            named = NamedData(kind="dataset", ref=source)
            self.artifacts.append(Artifact(name=own, path=place, named=named, read_only=True))
            return
        self.artifacts.append(Artifact(name=own, path=place, read_only=True))
        self.given_artifacts.append(Artifact(name=own, from_=source))

    def _at_artifact(self, name: str) -> None:
        self.whole.origins[(*self.path, "inputs", "artifacts", len(self.artifacts))] = (
            "jobs",
            self.job.name,
            "inputs",
            name,
        )

    def _source(self, given: Data | Reference) -> tuple[Data, str]:
        """What an input is, and the text or the tag that brings it."""
        whole = self.whole
        if isinstance(given, Data):
            return given, as_text(given.ref)
        if not given.job:
            return whole.spec.inputs[given.name], f"{{{{workflow.parameters.{whole.parameters.of(given.name)}}}}}"
        data = whole.spec.jobs[given.job].outputs[given.name]
        kind = "parameters" if data.type == "string" else "artifacts"
        output = whole.outputs[given.job].of(given.name)
        return data, f"{{{{tasks.{whole.names.of(given.job)}.outputs.{kind}.{output}}}}}"

    # -- outputs

    def _outputs(self) -> Outputs | None:
        own = self.template.outputs or Outputs()
        artifacts, parameters = list(own.artifacts), list(own.parameters)
        names = self.whole.outputs[self.job.name]
        for name, data in self.job.outputs.items():
            output, place = names.of(name), f"{OUTPUTS}/{name}"
            here = ("jobs", self.job.name, "outputs", name)
            if data.type == "string":
                self.whole.origins[(*self.path, "outputs", "parameters", len(parameters))] = here
                slot = self.ready.action.outputs.get(name)
                if slot is not None and slot.value:
                    text = filled({"value": slot.value}, self.ready.values, self.job_name)["value"]
                    parameters.append(Parameter(name=output, value=text))
                else:
                    parameters.append(Parameter(name=output, value_from=ValueFrom(path=place)))
                continue
            self.whole.origins[(*self.path, "outputs", "artifacts", len(artifacts))] = here
            named = None
            if data.type == "dataset":
                named = NamedData(kind="dataset", ref=as_text(data.ref), existing=True)
            artifacts.append(Artifact(name=output, path=place, named=named))
        if not artifacts and not parameters:
            return None
        return Outputs(parameters=tuple(parameters), artifacts=tuple(artifacts))

    @property
    def job_name(self) -> str:
        return self.whole.names.of(self.job.name)

    # -- the container

    def _container(self) -> dict[str, Any]:
        """What changes of the container: variables, the folders of outputs, what it asks of the machine."""
        template = self.template
        kind = "container" if template.container is not None else "script" if template.script is not None else ""
        if not kind:
            return {}
        main: ContainerFields = getattr(template, kind)
        self.whole.origins[(*self.path, kind)] = ("jobs", self.job.name, "with")
        own = {one.name for one in main.env}
        env = tuple(_variable(name, value) for name, value in self.job.env.items() if name not in own)
        own.update(self.job.env)
        usual = tuple(one for one in self._service() if one.name not in own)
        mounts, volumes = self._mounts()
        resources = main.resources
        if self.ready.machine is not None and resources is None:
            asked = self.ready.machine.requests()
            resources = Resources(requests=asked, limits={k: v for k, v in asked.items() if k.endswith("/gpu")})
        replaced = msgspec.structs.replace(
            main, env=(*env, *main.env, *usual), volume_mounts=(*main.volume_mounts, *mounts), resources=resources
        )
        for index, variable in enumerate(env):
            self.whole.origins[(*self.path, kind, "env", index)] = ("jobs", self.job.name, "env", variable.name)
        return {kind: replaced, "volumes": (*template.volumes, *volumes)}

    def _service(self) -> list[EnvVar]:
        """What the service set in every job: the project, and a key for its API, where there is such a secret."""
        if not self.whole.project:
            return []
        key = KeySelector(name=API_KEY, key=SECRET_KEY, optional=True)
        return [
            EnvVar(name=PROJECT_ID, value=as_text(self.whole.project)),
            EnvVar(name=API_KEY, value_from=EnvVarSource(secret_key_ref=key)),
        ]

    def _mounts(self) -> tuple[list[VolumeMount], list[Volume]]:
        """One volume at /outputs, with a folder in it for each output that is one."""
        if not self.job.outputs:
            return [], []
        mounts = [VolumeMount(name=_OUTPUTS_VOLUME, mount_path=OUTPUTS)]
        mounts += [
            VolumeMount(name=_OUTPUTS_VOLUME, mount_path=f"{OUTPUTS}/{name}", sub_path=name)
            for name, data in self.job.outputs.items()
            if data.type in FOLDERS
        ]
        return mounts, [Volume(name=_OUTPUTS_VOLUME, empty_dir={})]


def _template(ready: Ready, name: str) -> Template:
    made = filled(ready.action.template, ready.values, name)
    try:
        template = msgspec.convert(made, Template, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidFile(f"the template of {ready.job.uses} is not right: {error}") from error
    return msgspec.structs.replace(template, name=name)


def _variable(name: str, value: str) -> EnvVar:
    secret = secret_of(value)
    if secret is not None:
        return EnvVar(name=name, value_from=EnvVarSource(secret_key_ref=secret))
    return EnvVar(name=name, value=as_text(value))


def _registries(ready: Ready) -> Iterator[tuple[str, Parts]]:
    """The secrets that its image is pulled with, and where they are named."""
    job = ("jobs", ready.job.name)
    for one in ready.job.registries:
        yield one, (*job, "resources", "container-registries")
    for name, field in ready.action.with_.items():
        given = ready.values.get(name)
        if field.type == "registry" and isinstance(given, str):
            yield given, (*job, "with", name)


def _stem(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].strip("-") or "workflow"
