"""Rules on arguments: that each input is supplied, that each argument has a value of a kind that is allowed there.

Source: Argo docs: walk-through/parameters.md; the order in which values win is Argo's (default, argument, ConfigMap).
"""

from __future__ import annotations

from argosy.checks.artifact_locations import has_location
from argosy.checks.finding import Path, Rule
from argosy.checks.report import Report
from argosy.checks.survey import Place, Subject, Target
from argosy.model.manifest import Arguments, CronWorkflow, Inputs, LifecycleHook, Parameter

ARGUMENT_NOT_SUPPLIED = Rule(
    id="argument-not-supplied",
    meaning="A template takes a parameter or an artifact that its caller does not give.",
    bad="{name: a, template: takes-message}",
    fix="add it to the arguments, or give the input a default",
)
ARGUMENT_WITHOUT_VALUE = Rule(
    id="argument-without-value",
    meaning="An argument has no value.",
    bad="arguments: {parameters: [{name: x}]}",
    fix="give it value or valueFrom",
)
ARGUMENT_SOURCE = Rule(
    id="argument-source",
    meaning="An argument takes its value from a place that only an output can.",
    bad="arguments: {parameters: [{name: x, valueFrom: {path: /tmp/x}}]}",
    fix="use value, or valueFrom with configMapKeyRef or supplied",
)
ENUM_EMPTY = Rule(
    id="enum-empty",
    meaning="A parameter may have none of no values.",
    bad="{name: x, enum: []}",
    fix="list the values, or remove enum",
)
ENUM_MISMATCH = Rule(
    id="enum-mismatch",
    meaning="A parameter's value is not one of those it may have.",
    bad="{name: x, value: c, enum: [a, b]}",
    fix="choose one of the list",
)
ARTIFACT_WITHOUT_SOURCE = Rule(
    id="artifact-without-source",
    meaning="An artifact is passed, but not where it comes from.",
    bad="arguments: {artifacts: [{name: a}]}",
    fix="add from, or a location such as s3 or raw",
)
ARTIFACT_TWO_SOURCES = Rule(
    id="artifact-two-sources",
    meaning="An artifact has both from and fromExpression.",
    bad='{name: a, from: "{{inputs.artifacts.x}}", fromExpression: "..."}',
    fix="keep one",
)
ARGUMENT_UNKNOWN = Rule(
    id="argument-unknown",
    severity="warning",
    meaning="An argument is passed that the template does not take; it has no effect.",
    bad="arguments: {parameters: [{name: mesage, value: hi}]}",
    fix="correct the name, or remove it",
)
RULES = (
    ARGUMENT_NOT_SUPPLIED,
    ARGUMENT_WITHOUT_VALUE,
    ARGUMENT_SOURCE,
    ENUM_EMPTY,
    ENUM_MISMATCH,
    ARTIFACT_WITHOUT_SOURCE,
    ARTIFACT_TWO_SOURCES,
    ARGUMENT_UNKNOWN,
)

_NO_ARGUMENTS = Arguments()


def check_document(subject: Subject, report: Report) -> None:
    """The workflow's own arguments, and the inputs of what it begins and ends with."""
    path = subject.home.path
    # Nobody can give a value later to a workflow that the clock starts.
    optional = not subject.options.require_arguments and not isinstance(subject.document, CronWorkflow)
    arguments = subject.arguments
    _check_values(report, arguments, (*path, "arguments"), "spec.arguments.", optional)
    spec = subject.spec
    home = subject.templates_home
    if home is None or subject.standalone:
        return
    entrypoint = spec.entrypoint or home.spec.entrypoint
    for key, name in (("entrypoint", entrypoint), ("onExit", spec.on_exit or home.spec.on_exit)):
        if name:
            target = subject.by_name(name, home)
            _check_supplied(report, target, arguments, (*path, key), f"spec.{key}", optional)
    for event, hook in spec.hooks.items():
        _check_hook(subject, report, hook, (*path, "hooks", event), f"hooks.{event}")


def _check_hook(subject: Subject, report: Report, hook: LifecycleHook, path: Path, label: str) -> None:
    target = subject.resolve(hook, subject.templates_home or subject.home)
    # A hook of the workflow sees the workflow's own arguments where it has none of its own.
    _check_supplied(report, target, hook.arguments or subject.arguments, path, label, False)


def check_place(subject: Subject, place: Place, report: Report) -> None:
    """The arguments of each call, and whether they are all that the template takes."""
    for call in place.calls:
        arguments = call.call.arguments or _NO_ARGUMENTS
        path = (*call.path, "arguments")
        _check_values(report, arguments, path, f"{call.label}.arguments.", False)
        _check_supplied(report, call.target, arguments, call.path, call.label, False)
        if call.call.inline is None:
            _check_unknown(report, call.target, arguments, path, call.label)
        for event, hook in call.call.hooks.items():
            target = subject.resolve(hook, place.home)
            hook_path, label = (*call.path, "hooks", event), f"{call.label}.hooks.{event}"
            _check_supplied(report, target, hook.arguments or _NO_ARGUMENTS, hook_path, label, False)


def _check_values(report: Report, arguments: Arguments, path: Path, label: str, optional: bool) -> None:
    for index, parameter in enumerate(arguments.parameters):
        where = (*path, "parameters", index)
        name = f"{label}{parameter.name}"
        if parameter.value_from is None and parameter.value is None and not optional:
            report.add(ARGUMENT_WITHOUT_VALUE, where, f"{name}.value or {name}.valueFrom is required")
        _check_source(report, parameter, where, name)
        _check_enum(report, parameter, where, name, optional)
    for index, artifact in enumerate(arguments.artifacts):
        where = (*path, "artifacts", index)
        name = f"{label}{artifact.name}"
        if artifact.from_ and artifact.from_expression:
            message = f"{name} shouldn't have both `from` and `fromExpression` in Artifact"
            report.add(ARTIFACT_TWO_SOURCES, where, message)
        elif not artifact.from_ and not has_location(artifact):
            message = f"{name}.from, artifact location, or key is required"
            report.add(ARTIFACT_WITHOUT_SOURCE, where, message)


def _check_source(report: Report, parameter: Parameter, path: Path, name: str) -> None:
    source = parameter.value_from
    if source is None:
        return
    allowed = source.config_map_key_ref is not None or source.event or source.supplied is not None
    if not allowed or source.path or source.json_path or source.parameter or source.expression:
        message = f"{name}.valueFrom only allows: default, configMapKeyRef and supplied"
        report.add(ARGUMENT_SOURCE, (*path, "valueFrom"), message)


def _check_enum(report: Report, parameter: Parameter, path: Path, name: str, optional: bool) -> None:
    if parameter.enum is None:
        return
    if not parameter.enum:
        report.add(ENUM_EMPTY, (*path, "enum"), f"{name}.enum should contain at least one value")
    elif parameter.value is None:
        if not optional and parameter.value_from is not None:
            report.add(ARGUMENT_WITHOUT_VALUE, path, f"{name}.value is required")
    elif parameter.value not in parameter.enum and "{{" not in parameter.value:
        message = f"{name}.value should be present in {name}.enum list"
        report.add(ENUM_MISMATCH, (*path, "value"), message, hint=report.suggest(parameter.value, parameter.enum))


def _check_supplied(
    report: Report, target: Target, arguments: Arguments, path: Path, label: str, optional: bool
) -> None:
    template = target.template
    if template is None or template.inputs is None:
        return
    given = {parameter.name: parameter for parameter in arguments.parameters}
    for parameter in template.inputs.parameters:
        if not _is_supplied(parameter, given.get(parameter.name), optional):
            message = f"{label} templates.{template.name} inputs.parameters.{parameter.name} was not supplied"
            hint = report.suggest(parameter.name, set(given) - {p.name for p in template.inputs.parameters})
            report.add(ARGUMENT_NOT_SUPPLIED, path, message, hint=hint)
    artifacts = {artifact.name for artifact in arguments.artifacts}
    for artifact in template.inputs.artifacts:
        if not artifact.optional and not has_location(artifact) and artifact.name not in artifacts:
            message = f"{label} templates.{template.name} inputs.artifacts.{artifact.name} was not supplied"
            report.add(ARGUMENT_NOT_SUPPLIED, path, message)


def _is_supplied(parameter: Parameter, argument: Parameter | None, optional: bool) -> bool:
    value = parameter.value if parameter.value is not None else parameter.default
    source = parameter.value_from
    if argument is not None:
        if optional and argument.value is None and argument.value_from is None:
            return True
        value = argument.value
        source = None if value is not None else argument.value_from
        if source is not None and source.supplied is not None:
            return True
    return value is not None or (source is not None and source.config_map_key_ref is not None)


def _check_unknown(report: Report, target: Target, arguments: Arguments, path: Path, label: str) -> None:
    if target.template is None:
        return
    inputs = target.template.inputs or Inputs()
    sides = (
        ("parameters", arguments.parameters, inputs.parameters),
        ("artifacts", arguments.artifacts, inputs.artifacts),
    )
    for key, passed, taken in sides:
        names = {item.name for item in taken}
        for index, item in enumerate(passed):
            if item.name and item.name not in names:
                message = f"{label}.arguments.{item.name}: template '{target.template.name}' takes no such {key[:-1]}"
                report.add(ARGUMENT_UNKNOWN, (*path, key, index), message, hint=report.suggest(item.name, names))
