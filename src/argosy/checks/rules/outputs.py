"""Rules on inputs and outputs: where artifacts lie, where output parameters come from.

Source: Argo docs: walk-through/output-parameters.md, walk-through/artifacts.md, conditional-artifacts-parameters.md.
"""

from __future__ import annotations

import posixpath

from argosy.checks.artifact_locations import ENOUGH
from argosy.checks.finding import Path, Rule
from argosy.checks.report import Report
from argosy.checks.rules.names import NAME_INVALID, name_problem
from argosy.checks.survey import Place, Subject
from argosy.model.manifest import Artifact, ArtifactLocation, Parameter, ValueFrom
from argosy.syntax.diagnostics import did_you_mean

PATH_MISSING = Rule(
    id="artifact-path-missing",
    meaning="An artifact of a template that does work has no path.",
    bad="outputs: {artifacts: [{name: model}]}",
    fix="say where the file or folder lies in the container: path: /tmp/model",
)
PATH_INVALID = Rule(
    id="artifact-path-invalid",
    meaning="An artifact's path leaves its own folder through '..'.",
    bad="path: /tmp/../../etc/passwd",
    fix="write the path without '..'",
)
PATH_MISPLACED = Rule(
    id="artifact-path-misplaced",
    meaning="An artifact of a steps or DAG template has a path; only a template that does work has files.",
    bad="dag template with inputs: {artifacts: [{name: a, path: /a}]}",
    fix="remove path; pass the artifact on with from",
)
INPUT_FROM = Rule(
    id="input-from",
    meaning="An input artifact says where it comes from; its caller does that.",
    bad='inputs: {artifacts: [{name: a, from: "{{...}}"}]}',
    fix="move from to the caller's arguments",
)
LOCATION_INVALID = Rule(
    id="artifact-location-invalid",
    meaning="A location of an artifact lacks what its store needs.",
    bad="git: {revision: main}",
    fix="add the field that is named",
)
OUTPUT_SOURCE = Rule(
    id="output-source",
    meaning="An output parameter has no source, several, or one that its kind of template cannot have.",
    bad="outputs: {parameters: [{name: x}]}",
    fix="use valueFrom.path in containers, .parameter or .expression in steps and DAGs, .jsonPath in resources",
)
NAMED_INVALID = Rule(
    id="named-data-invalid",
    meaning="Data that an artifact names is of a kind that does not exist there, or cannot be named there.",
    bad="inputs: {artifacts: [{name: a, path: /a, named: {kind: datset, ref: mnist}}]}",
    fix="inputs take a dataset, model, tag or run; outputs of templates that do work become a dataset, model or tag",
)
RULES = (PATH_MISSING, PATH_INVALID, PATH_MISPLACED, INPUT_FROM, LOCATION_INVALID, OUTPUT_SOURCE, NAMED_INVALID)
_NAMED_INPUTS = ("dataset", "model", "tag", "run", "operation", "path")
_NAMED_OUTPUTS = ("dataset", "model", "tag")


def check_place(subject: Subject, place: Place, report: Report) -> None:
    """What the template takes and gives."""
    template = place.template
    if template.inputs is not None:
        for index, artifact in enumerate(template.inputs.artifacts):
            path = (*place.path, "inputs", "artifacts", index)
            label = f"{place.label}.inputs.artifacts.{artifact.name}"
            _check_path(place, artifact, path, label, report)
            _check_location(artifact, path, label, report)
            if artifact.from_:
                report.add(INPUT_FROM, (*path, "from"), f"{label}.from not valid in inputs")
            _check_named(artifact, _NAMED_INPUTS, path, label, report)
    if template.outputs is not None:
        for index, artifact in enumerate(template.outputs.artifacts):
            path = (*place.path, "outputs", "artifacts", index)
            label = f"{place.label}.outputs.artifacts.{artifact.name}"
            _check_path(place, artifact, path, label, report)
            _check_named(artifact, _NAMED_OUTPUTS if place.is_leaf else (), path, label, report)
            _check_global_name(artifact.global_name, path, label, report)
        for index, parameter in enumerate(template.outputs.parameters):
            path = (*place.path, "outputs", "parameters", index)
            label = f"{place.label}.outputs.parameters.{parameter.name}"
            _check_parameter(place, parameter, path, label, report)
            _check_global_name(parameter.global_name, path, label, report)
    if template.archive_location is not None:
        label = f"{place.label}.archiveLocation"
        _check_location(template.archive_location, (*place.path, "archiveLocation"), label, report)


def _check_named(artifact: Artifact, kinds: tuple[str, ...], path: Path, label: str, report: Report) -> None:
    """The kind of the data that the artifact names, and that it is in no place of its own."""
    named = artifact.named
    if named is None:
        return
    where = (*path, "named")
    if not kinds:
        report.add(NAMED_INVALID, where, f"{label}.named: name it at the template that does the work")
    elif named.kind not in kinds:
        near = did_you_mean(named.kind, kinds)
        hint = f"did you mean {near}?" if near else f"one of {', '.join(kinds)}"
        report.add(NAMED_INVALID, (*where, "kind"), f"{label}.named.kind: '{named.kind}' cannot be used: {hint}")
    elif not named.ref:
        report.add(NAMED_INVALID, (*where, "ref"), f"{label}.named.ref is required")
    elif any(getattr(artifact, store) is not None for store in (*ENOUGH, "raw")):
        report.add(NAMED_INVALID, where, f"{label}: named data is in the local store, so it has no other location")


def _check_global_name(name: str, path: Path, label: str, report: Report) -> None:
    problem = name_problem(name, parameter=True) if name and "{{" not in name else ""
    if problem:
        report.add(NAME_INVALID, (*path, "globalName"), f"{label}.globalName: '{name}' is invalid: {problem}")


def _check_path(place: Place, artifact: Artifact, path: Path, label: str, report: Report) -> None:
    if not place.is_leaf:
        if artifact.path and place.kind:
            message = f"{label}.path only valid in container/script templates"
            report.add(PATH_MISPLACED, (*path, "path"), message)
    elif not artifact.path:
        report.add(PATH_MISSING, path, f"{label}: Artifact '{artifact.name}' did not specify a path")
    elif _leaves_its_folder(artifact.path):
        message = f"{label}: Artifact '{artifact.name}' attempted to use a path containing '..'"
        report.add(PATH_INVALID, (*path, "path"), f"{message}. Directory traversal is not permitted")


def _leaves_its_folder(path: str) -> bool:
    """Whether the parts after a `..` climb out of the folder that stands before it."""
    if "/../" in path:
        safe = path.split("/../", 1)[0]
    elif path.endswith("/.."):
        safe = path[:-3]
    else:
        return False
    cleaned = posixpath.normpath(path)
    return bool(safe) and not (cleaned.startswith(f"{safe}/") and len(cleaned) > len(safe) + 1)


def _check_location(artifact: ArtifactLocation, path: Path, label: str, report: Report) -> None:
    if artifact.git is not None and not artifact.git.get("repo"):
        report.add(LOCATION_INVALID, (*path, "git"), f"{label}.git.repo is required")
    if artifact.hdfs is not None:
        problem = _hdfs_problem(artifact.hdfs, f"{label}.hdfs")
        if problem:
            report.add(LOCATION_INVALID, (*path, "hdfs"), problem)


def _hdfs_problem(hdfs: dict[str, object], label: str) -> str:
    """The first thing that is missing of an HDFS location, or ""."""
    where = str(hdfs.get("path") or "")
    for_kerberos = ("krbServicePrincipalName", "krbConfigConfigMap")
    for_keytab = (*for_kerberos, "krbUsername", "krbRealm")
    if not hdfs.get("addresses"):
        return f"{label}.addresses is required"
    if not where:
        return f"{label}.path is required"
    if not where.startswith("/") and "{{" not in where:
        return f"{label}.path must be a absolute file path"
    if not any(hdfs.get(key) for key in ("hdfsUser", "krbCCacheSecret", "krbKeytabSecret")):
        return f"either {label}.hdfsUser, {label}.krbCCacheSecret or {label}.krbKeytabSecret is required"
    for secret, needed in (("krbKeytabSecret", for_keytab), ("krbCCacheSecret", for_kerberos)):
        missing = [key for key in needed if not hdfs.get(key)]
        if hdfs.get(secret) and missing:
            return f"{', '.join(f'{label}.{key}' for key in missing)} required with {label}.{secret}"
    return ""


def _sources(source: ValueFrom) -> list[str]:
    named = {
        "path": source.path,
        "jqFilter": source.jq_filter,
        "jsonPath": source.json_path,
        "parameter": source.parameter,
        "expression": source.expression,
        "supplied": source.supplied is not None,
    }
    return [key for key, value in named.items() if value]


def _check_parameter(place: Place, parameter: Parameter, path: Path, label: str, report: Report) -> None:
    source = parameter.value_from
    if source is None:
        if parameter.value is None:
            report.add(OUTPUT_SOURCE, path, f"{label} does not have valueFrom or value specified")
        return
    if parameter.value is not None:
        report.add(OUTPUT_SOURCE, path, f"{label} has both valueFrom and value specified, choose one")
        return
    sources = _sources(source)
    where = (*path, "valueFrom")
    choice = "choose one of: path, jqFilter, jsonPath, parameter, expression, supplied"
    if not sources:
        report.add(OUTPUT_SOURCE, where, f"{label}: valueFrom type unspecified. {choice}")
    elif len(sources) > 1:
        message = f"{label}: multiple valueFrom types specified ({', '.join(sources)}). {choice}"
        report.add(OUTPUT_SOURCE, where, message)
    else:
        problem = _kind_problem(place.kind, sources[0])
        if problem:
            report.add(OUTPUT_SOURCE, where, f"{label}{problem} must be specified for {place.kind} templates")


def _kind_problem(kind: str, source: str) -> str:
    if kind in ("Container", "ContainerSet", "Script") and source != "path":
        return ".path"
    if kind == "Resource" and source not in ("jqFilter", "jsonPath"):
        return ".jqFilter or jsonPath"
    if kind in ("DAG", "Steps") and source not in ("parameter", "expression"):
        return ".parameter or expression"
    return ""
