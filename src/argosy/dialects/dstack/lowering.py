"""A workflow of dstack as a Workflow of the model: itself and the ones it runs first as tasks of one DAG.

It knows what each of dstack's words is in ours; reading them was `definitions`' matter, the shell is `script`'s.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import msgspec

from argosy.dialects.dstack import script
from argosy.dialects.dstack.definitions import Definition, Definitions
from argosy.dialects.dstack.dependencies import RUN_FIRST, TAG
from argosy.dialects.dstack.interpolation import Scope, no_variable, variable_in
from argosy.dialects.dstack.naming import artifact_names, artifacts_of, as_parameter, template_names, unused
from argosy.dialects.dstack.providers import Provider
from argosy.dialects.dstack.requests import requests_of, shared_memory_of
from argosy.dialects.dstack.shell import DEPENDENCIES
from argosy.dialects.dstack.variables import GLOBAL, Variable
from argosy.model.host_templates import APP, ENVIRONMENTS, HOST, IN_IMAGE, KEPT_LIVE, PORTS
from argosy.model.inputs import Input, Signature
from argosy.model.manifest import (
    Arguments,
    Artifact,
    Container,
    DAGTask,
    DAGTemplate,
    Inputs,
    Metadata,
    NamedData,
    ObjectMeta,
    Outputs,
    Parameter,
    ScriptTemplate,
    Template,
    VolumeMount,
    Workflow,
    WorkflowSpec,
)
from argosy.model.metric_rules import METRICS
from argosy.syntax.diagnostics import did_you_mean

# On a workflow, acted on elsewhere: its own name; the names of those that it runs first; what a bare tag is of.
WORKFLOW = "argosy.dev/workflow"
RUNS_TOO = "argosy.dev/runs-workflows"
TAG_OF = "argosy.dev/tag-of"
# Argo's own.
DESCRIPTION = "workflows.argoproj.io/description"
ERA = "argosy.dev/dstack-dialect"
ARGUMENTS = "run-args"
_READS_ARGUMENTS = re.compile(r"\$\{\{\s*run\.args\s*\}\}")


class Lowered(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow, what it takes, and where in the files its templates are from."""

    workflow: Workflow
    signature: Signature
    templates: tuple[Definition, ...]


def lower(definitions: Definitions, main: Definition, *, reuse: bool = False) -> Lowered | None:
    """The workflow; None behind problems, which are at its definitions.

    reuse: what it would run first is taken from the latest run instead.
    """
    lowering = _Lowering(definitions, main, reuse=reuse)
    return lowering.made() if lowering.understood else None


def involved(definitions: Definitions, main: Definition) -> list[Definition]:
    """The workflow and all that it runs first, those that come first in front."""
    found: list[Definition] = []
    _visit(definitions, main, [], found)
    return found


def _visit(definitions: Definitions, one: Definition, way: list[Definition], found: list[Definition]) -> None:
    if one in way:
        circle = way[way.index(one) :]
        if not any(known.rule == "dstack-circle" for each in circle for known in each.problems.found):
            message = (
                f"workflows depend on one another in a circle: {' -> '.join(each.name for each in (*circle, one))}"
            )
            one.problems.add("dstack-circle", message, one.raw.place, hint="remove one of these dependencies")
        return
    if one in found:
        return
    for dependency in one.keys.deps if one.keys is not None else ():
        if dependency.kind != RUN_FIRST:
            continue
        first = definitions.workflows.get(dependency.workflow)
        if first is None:
            _unknown_workflow(definitions, one, dependency.workflow)
            continue
        _visit(definitions, first, [*way, one], found)
    found.append(one)


def _unknown_workflow(definitions: Definitions, one: Definition, name: str) -> None:
    near = did_you_mean(name, definitions.workflows)
    hint = f"did you mean {near}?" if near else f"there are {', '.join(definitions.workflows)}"
    message = f"{one.name} depends on the workflow {name!r}, which there is not"
    if all(message != known.message for known in one.problems.found):
        one.problems.add("dstack-dependency", message, one.problems.within(one.raw, name), hint=hint)


class _Lowering:
    """One call of `lower`."""

    def __init__(self, definitions: Definitions, main: Definition, *, reuse: bool) -> None:
        self.definitions = definitions
        self.main = main
        self.reuse = reuse
        self.all = involved(definitions, main)
        self.tasks = [main] if reuse else self.all
        self.understood = all(one.keys is not None for one in self.all)
        self.names = template_names(self.all)
        self.inputs: dict[str, Input] = {}
        # By workflow, then by variable: the parameter that it is.
        self.parameters: dict[str, dict[str, str]] = {}

    def made(self) -> Lowered | None:
        self._declare()
        templates = [self._template(one) for one in self.tasks]
        if any(found.severity == "error" for one in self.all for found in one.problems.found):
            return None
        entry = unused("dag", self.names.values())
        dag = Template(name=entry, dag=DAGTemplate(tasks=tuple(self._task(one) for one in self.tasks)))
        parameters = tuple(Parameter(name=one.name, value=one.default) for one in self.inputs.values())
        workflow = Workflow(
            kind="Workflow",
            api_version="argoproj.io/v1alpha1",
            metadata=ObjectMeta(annotations=self._annotations()),
            spec=WorkflowSpec(
                entrypoint=entry,
                arguments=Arguments(parameters=parameters) if parameters else None,
                templates=(dag, *templates),
            ),
        )
        signature = Signature(
            inputs=tuple(self.inputs.values()), as_options=True, rest=ARGUMENTS if ARGUMENTS in self.inputs else ""
        )
        return Lowered(workflow=workflow, signature=signature, templates=tuple(self.tasks))

    def _annotations(self) -> dict[str, str]:
        found = {WORKFLOW: self.main.name, TAG_OF: self.main.name, ERA: self.main.file.era}
        if self.main.keys is not None and self.main.keys.help:
            found[DESCRIPTION] = self.main.keys.help
        first = [one.name for one in self.tasks if one is not self.main]
        return found | ({RUNS_TOO: ",".join(first)} if first else {})

    # -- variables

    def _declare(self) -> None:
        """Make an input of every variable: by its own name for the workflow itself and the global ones."""
        for one in reversed(self.tasks):
            own = _extra(one) | self.definitions.variables.get(one.name, {})
            shared = self.definitions.variables.get(GLOBAL, {})
            passed, given = self._passed(one)
            own |= given
            self.parameters[one.name] = passed | {
                name: self._input(one, variable, is_global=name not in own)
                for name, variable in (shared | own).items()
                if name not in passed
            }
        if any(_READS_ARGUMENTS.search(one.file.source.written(one.raw.place)) for one in self.tasks):
            self.inputs[ARGUMENTS] = Input(
                name=ARGUMENTS,
                default="",
                visibility="hidden",
                aliases=("run.args",),
                hint="what else stands on the command line",
            )

    def _passed(self, one: Definition) -> tuple[dict[str, str], dict[str, Variable]]:
        """What those which run a workflow first pass on to it: parameters that are their own, and values."""
        found: dict[str, str] = {}
        given: dict[str, Variable] = {}
        for other in self.tasks:
            for dependency in other.keys.deps if other.keys is not None else ():
                if dependency.kind != RUN_FIRST or dependency.workflow != one.name:
                    continue
                known = self.parameters.get(other.name, {})
                for name, text in dependency.params.items():
                    variable = variable_in(text)
                    if not variable:
                        place = f"{other.file.source.span(other.raw.place)} {name}"
                        given[name] = Variable(name=name, default=text, place=place)
                    elif variable in known:
                        found[name] = known[variable]
                    else:
                        not_passed(other, variable, known)
        return found, given

    def _input(self, one: Definition, variable: Variable, *, is_global: bool) -> str:
        is_main = one is self.main or is_global
        plain = as_parameter(variable.name if is_main else f"{one.name}-{variable.name}")
        known = self.inputs.get(plain)
        if known is not None and known.place == variable.place:
            return plain
        name = unused(plain, self.inputs)
        aliases = [] if variable.name == name else [variable.name]
        if not is_main:
            aliases.append(f"{one.name}.{variable.name}")
        taken = {each for given in self.inputs.values() for each in (given.name, *given.aliases)}
        self.inputs[name] = Input(
            name=name,
            default=variable.default,
            aliases=tuple(each for each in aliases if each not in taken),
            hint="" if is_main else f"of {one.name}, which runs first",
            place=variable.place,
        )
        return name

    def _scope(self, one: Definition) -> Scope:
        tags = {name: f"workflow.parameters.{given}" for name, given in self.parameters[one.name].items()}
        tags["run.name"] = "workflow.name"
        if one.file.era == "A0":
            tags |= {"run_name": "workflow.name", "job_name": "workflow.name"} | tags
        if ARGUMENTS in self.inputs:
            tags["run.args"] = f"workflow.parameters.{ARGUMENTS}"

        def unknown(name: str, written: str) -> None:
            message, hint = no_variable(one.name, name, written, tags)
            if all(message != known.message for known in one.problems.found):
                one.problems.add("dstack-variable", message, one.problems.within(one.raw, written), hint=hint)

        return Scope(tags, unknown, dollars=one.file.era == "A0")

    # -- templates and tasks

    def _template(self, one: Definition) -> Template:
        keys, provider = one.keys, one.provider
        assert keys is not None
        assert provider is not None
        scope = self._scope(one)
        inputs = self._input_artifacts(one, scope)
        outputs = tuple(Artifact(name=name, path=scope.text(path)) for name, path in artifact_names(one).items())
        staged = any(artifact.path.startswith(DEPENDENCIES) for artifact in inputs)
        env = script.environment_of(one, scope, self.parameters[one.name])
        shared: dict[str, Any] = {
            "image": scope.text(one.image) if provider.in_image else script.image_of(one, scope),
            "env": env,
            "env_from": script.SECRETS,
            "resources": requests_of(one, scope),
        }
        volume = shared_memory_of(one)
        if volume is not None and provider.in_image:
            shared["volume_mounts"] = (VolumeMount(name=volume.name, mount_path="/dev/shm"),)
        has_script = not provider.in_image or bool(one.commands or keys.setup)
        annotations = _annotations_of(one, provider) if has_script else {}
        if live := [name for name, kept in artifacts_of(one).items() if kept.mount]:
            annotations[KEPT_LIVE] = ",".join(live)
        if ports := script.ports_of(one):
            annotations[PORTS] = ",".join(scope.text(each) for each in ports)
        made = Template(
            name=self.names[one.name],
            metadata=Metadata(annotations=annotations) if annotations else None,
            inputs=Inputs(artifacts=inputs) if inputs else None,
            outputs=Outputs(artifacts=outputs) if outputs else None,
            volumes=(volume,) if volume is not None and provider.in_image else (),
        )
        if not has_script:
            # The image's own program, which gets no code either.
            return msgspec.structs.replace(made, container=Container(**shared))
        source = script.source_of(one, scope, self.parameters[one.name], staged=staged)
        return msgspec.structs.replace(
            made, script=ScriptTemplate(command=script.interpreter_of(one), source=source, **shared)
        )

    def _input_artifacts(self, one: Definition, scope: Scope) -> tuple[Artifact, ...]:
        """What the workflow is given of others, at the paths where they left it."""
        found: list[Artifact] = []
        for upstream in involved(self.definitions, one)[:-1]:
            upstream_scope = self._scope(upstream) if upstream.name in self.parameters else scope
            for name, path in artifact_names(upstream).items():
                named = None
                if self.reuse:
                    step = f"{self.names[upstream.name]}/{name}"
                    named = NamedData(kind="run", ref=upstream.name, artifact=step)
                given = f"{self.names[upstream.name]}-{name}"
                found.append(Artifact(name=given, path=upstream_scope.text(path), named=named))
        assert one.keys is not None
        for number, dependency in enumerate(one.keys.deps):
            if dependency.kind == RUN_FIRST:
                continue
            if dependency.workflow and "$" not in dependency.workflow:
                self._tell_of_strangers(one, dependency.workflow)
            if dependency.kind == TAG:
                text = f"{dependency.workflow}:{dependency.tag}" if dependency.workflow else dependency.tag
                kind, ref = "tag", scope.text(text)
            else:
                kind, ref = "run", scope.text(dependency.workflow)
            found.append(
                Artifact(
                    name=f"dependency-{number}",
                    path=f"{DEPENDENCIES}/{number}",
                    named=NamedData(kind=kind, ref=ref),
                )
            )
            found += self._absolute(dependency.workflow, kind, ref, number)
        return (*found, *self._runs(one, scope))

    def _tell_of_strangers(self, one: Definition, workflow: str) -> None:
        """A run of a workflow that is in no file may still be there; it is more likely misspelt."""
        if workflow in self.definitions.workflows:
            return
        near = did_you_mean(workflow, self.definitions.workflows)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(self.definitions.workflows)}"
        message = f"{one.name} takes what the workflow {workflow!r} left, which is in no file here"
        if all(message != known.message for known in one.problems.found):
            place = one.problems.within(one.raw, workflow)
            one.problems.add("dstack-dependency", message, place, severity="warning", hint=hint)

    def _absolute(self, workflow: str, kind: str, ref: str, number: int) -> list[Artifact]:
        """Artifacts with absolute paths: these are known only where the workflow stands in these files.

        A bare tag may be of any of them: what it does not hold is left out when the run is made.
        """
        known = self.definitions.workflows
        upstream = [known[workflow]] if workflow in known else [] if workflow else known.values()
        paths = {name: path for one in upstream for name, path in artifact_names(one).items() if path.startswith("/")}
        return [
            Artifact(
                name=f"dependency-{number}-{name}",
                path=path,
                optional=True,
                named=NamedData(kind=kind, ref=ref, artifact=name),
            )
            for name, path in paths.items()
        ]

    def _runs(self, one: Definition, scope: Scope) -> list[Artifact]:
        """The runs that TensorBoard is to show."""
        runs: tuple[str, ...] = getattr(one.keys, "runs", ())
        logdir = str(getattr(one.keys, "logdir", ""))
        return [
            Artifact(
                name=f"run-{number}",
                path=f"runs/{scope.text(run)}",
                named=NamedData(kind="run", ref=scope.text(run), path=scope.text(logdir)),
            )
            for number, run in enumerate(runs)
        ]

    def _task(self, one: Definition) -> DAGTask:
        name = self.names[one.name]
        if self.reuse:
            return DAGTask(name=name, template=name)
        upstream = involved(self.definitions, one)[:-1]
        artifacts = tuple(
            Artifact(
                name=f"{self.names[first.name]}-{artifact}",
                from_="{{tasks." + f"{self.names[first.name]}.outputs.artifacts.{artifact}" + "}}",
            )
            for first in upstream
            for artifact in artifact_names(first)
        )
        return DAGTask(
            name=name,
            template=name,
            dependencies=tuple(self.names[first.name] for first in upstream),
            arguments=Arguments(artifacts=artifacts) if artifacts else None,
        )


def not_passed(one: Definition, name: str, known: Collection[str]) -> None:
    """Note that a workflow passes on a variable which it has not."""
    near = did_you_mean(name, known)
    hint = f"did you mean {near}?" if near else f"it has {', '.join(known) or 'none'}"
    message = f"{one.name} passes on the variable {name!r}, which it has not"
    if all(message != told.message for told in one.problems.found):
        one.problems.add("dstack-dependency", message, one.problems.within(one.raw, name), hint=hint)


def _annotations_of(one: Definition, provider: Provider) -> dict[str, str]:
    found = {HOST: IN_IMAGE if provider.in_image else "true"}
    found |= {APP: "true"} if script.serves(one) else {}
    found |= {} if provider.measures else {METRICS: "false"}
    return found | ({ENVIRONMENTS: "true"} if script.makes_environment(one) else {})


def _extra(one: Definition) -> dict[str, Variable]:
    """What a workflow says to its custom provider: variables, as if they stood in variables.yaml."""
    place = one.file.source.span(one.raw.place)
    where = f"{place.file}:{place.line}"
    return {name: Variable(name=name, default=value, place=f"{where} {name}") for name, value in one.extra.items()}
