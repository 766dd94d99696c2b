"""Rules on names: which there must be, which characters they may have, that they differ.

Source: what Argo's validator demands of names of templates, steps, tasks, parameters, artifacts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from argosy.checks.finding import Path, Rule
from argosy.checks.report import Report
from argosy.checks.survey import Place, Subject
from argosy.model.manifest import CronWorkflow, Workflow, WorkflowTemplate

NAME_MISSING = Rule(
    id="name-missing",
    meaning="A template, step, task, parameter or artifact has no name.",
    bad="templates: [{container: {image: alpine}}]",
    fix="give it a name",
)
NAME_INVALID = Rule(
    id="name-invalid",
    meaning="A name has characters that it may not have, or is too long.",
    bad="templates: [{name: my_template}]",
    fix="use letters, digits and '-'; parameters and artifacts may have '_' too",
)
NAME_DUPLICATE = Rule(
    id="name-duplicate",
    meaning="Two things of one list have the same name.",
    bad="parameters: [{name: x}, {name: x}]",
    fix="give each a name of its own",
)
NAME_TOO_LONG = Rule(
    id="name-too-long",
    meaning="The document's name is longer than a label of Kubernetes can be (63; 52 for a CronWorkflow).",
    bad="metadata: {name: a-name-of-more-than-63-characters-...}",
    fix="choose a shorter name",
)
RULES = (NAME_MISSING, NAME_INVALID, NAME_DUPLICATE, NAME_TOO_LONG)

_FIELD_NAME = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]*")
_PARAMETER_NAME = re.compile(r"[-a-zA-Z0-9_]+")
_TAG = re.compile(r"\{\{(?!\s*item\b)[^{}]*\}\}")
_MOST_CHARACTERS = 128
_LONGEST_NAME = 63
_LONGEST_CRON_NAME = 52


def name_problem(name: str, *, parameter: bool = False) -> str:
    """What is wrong with a name, or ""."""
    if parameter:
        if _PARAMETER_NAME.fullmatch(name):
            return ""
        return "Parameter/Artifact name must consist of letters, digits, '_' or '-', such as my_param_1"
    if len(name) > _MOST_CHARACTERS:
        return f"must be no more than {_MOST_CHARACTERS} characters"
    if _FIELD_NAME.fullmatch(name):
        return ""
    return "name must consist of letters, digits or '-', and start with a letter or a digit, such as My-name1-2"


def filled(name: str) -> str:
    """A name with a letter in place of each tag that is filled in before the name counts."""
    return _TAG.sub("x", name) if "{{" in name else name


def check_names(report: Report, names: Sequence[str], path: Path, label: str, *, parameter: bool = False) -> None:
    """Each name of one list: there, allowed, and not there before."""
    seen: dict[str, int] = {}
    for index, name in enumerate(names):
        where = (*path, index, "name")
        if not name:
            report.add(NAME_MISSING, where, f"{label}[{index}].name is required")
            continue
        problem = name_problem(name, parameter=parameter)
        if problem:
            report.add(NAME_INVALID, where, f"{label}[{index}].name: '{name}' is invalid: {problem}")
        elif name in seen:
            first = f"{label}[{seen[name]}] has it already"
            report.add(NAME_DUPLICATE, where, f"{label}[{index}].name '{name}' is not unique", why=first)
        seen.setdefault(name, index)


def check_document(subject: Subject, report: Report) -> None:
    """The document's own name, and the names of its templates and arguments."""
    document = subject.document
    name = document.metadata.name
    longest = _LONGEST_CRON_NAME if isinstance(document, CronWorkflow) else _LONGEST_NAME
    if len(name) > longest:
        message = f'{_spoken(document)} name "{name}" must not be more than {longest} characters long'
        report.add(NAME_TOO_LONG, ("metadata", "name"), f"{message} (currently {len(name)})")
    path = subject.home.path
    check_names(report, [t.name for t in subject.spec.templates], (*path, "templates"), "spec.templates")
    arguments = subject.spec.arguments
    if arguments is not None:
        for key, values in (("parameters", arguments.parameters), ("artifacts", arguments.artifacts)):
            label = f"spec.arguments.{key}"
            check_names(report, [v.name for v in values], (*path, "arguments", key), label, parameter=True)


def _spoken(document: Workflow | WorkflowTemplate | CronWorkflow) -> str:
    words = {
        "WorkflowTemplate": "workflow template",
        "ClusterWorkflowTemplate": "cluster workflow template",
        "CronWorkflow": "cron workflow",
    }
    return words.get(document.kind, "workflow")


def check_place(subject: Subject, place: Place, report: Report) -> None:
    """The names of inputs, outputs, steps, tasks and their arguments."""
    template = place.template
    for word, side in (("inputs", template.inputs), ("outputs", template.outputs)):
        if side is None:
            continue
        for key, values in (("parameters", side.parameters), ("artifacts", side.artifacts)):
            path = (*place.path, word, key)
            label = f"{place.label}.{word}.{key}"
            # Tags in names of inputs are never filled in.
            given = [value.name if word == "inputs" else filled(value.name) for value in values]
            check_names(report, given, path, label, parameter=True)
    _check_calls(place, report)
    for call in place.calls:
        arguments = call.call.arguments
        if arguments is None:
            continue
        for key, values in (("parameters", arguments.parameters), ("artifacts", arguments.artifacts)):
            path = (*call.path, "arguments", key)
            given = [filled(value.name) for value in values]
            check_names(report, given, path, f"{call.label}.arguments.{key}", parameter=True)


def _check_calls(place: Place, report: Report) -> None:
    """Names of steps differ across all groups of the template; tags in them are filled in before they count."""
    seen: set[str] = set()
    steps = place.kind == "Steps"
    for call in place.calls:
        name = call.call.name
        label = f"{place.label}.steps[{call.group}]" if steps else f"{place.label}.tasks[{call.index}]"
        where = (*call.path, "name")
        if not name:
            report.add(NAME_MISSING, where, f"{label}.name is required")
            continue
        problem = name_problem(filled(name) if steps else name)
        if problem:
            report.add(NAME_INVALID, where, f"{label}.name '{name}' is invalid: {problem}")
        elif name in seen:
            report.add(NAME_DUPLICATE, where, f"{label}.name '{name}' is not unique")
        seen.add(name)
