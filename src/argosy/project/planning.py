"""A dry run of a workflow as it would be submitted: the same checks, the same values, no run.

It knows how a submission and a simulation go together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from argosy.checks.catalog import Catalog, DocumentCatalog
from argosy.errors import ExpressionError, InvalidFile
from argosy.plan.plan import Plan
from argosy.project.simulation import Assumption, Dry, simulate
from argosy.project.sources import Candidate, Source, placed
from argosy.project.submission import Refused, Wanted, checked, filled_in, identity_of, merged_with_template

if TYPE_CHECKING:
    from argosy.model.manifest import KeySelector, Workflow
    from argosy.project.project import Project


def dry_run(
    project: Project,
    source: Source,
    candidate: Candidate,
    wanted: Wanted,
    assumptions: Mapping[str, Assumption],
) -> Dry:
    """What the workflow would do. Raises InvalidFile with findings at their places, UsageError."""
    catalog: Catalog = DocumentCatalog(source.others, project.documents_if_any)
    if source.parameters:
        wanted = msgspec.structs.replace(wanted, parameters=dict(source.parameters) | dict(wanted.parameters))
    try:
        workflow = filled_in(candidate.workflow, wanted, catalog)
        checked(workflow, catalog)
    except Refused as refused:
        errors = [one for one in placed(refused.findings, candidate) if one.severity == "error"]
        raise InvalidFile(refused.message, diagnostics=tuple(errors)) from None
    identity = identity_of(workflow, wanted.name)
    merged = merged_with_template(workflow, catalog)
    merged = msgspec.structs.replace(merged, metadata=msgspec.structs.replace(merged.metadata, name=identity.name))
    merged = _with_data(project, merged)

    def read_config_map(selector: KeySelector) -> str | None:
        found = catalog.config_map(selector.name)
        return found.data.get(selector.key) if found is not None else None

    def new_plan() -> Plan:
        return Plan(merged, identity, read_template=catalog.workflow_template, read_config_map=read_config_map)

    try:
        return simulate(new_plan, identity, assumptions)
    except ExpressionError as error:
        raise InvalidFile(error.message, hint=error.hint) from error


def _with_data(project: Project, workflow: Workflow) -> Workflow:
    """The workflow with the data that it names. Raises NotFound for what is not there."""
    from argosy.project.needs import Surroundings
    from argosy.project.resolving import looked_up, names_data

    if not names_data(workflow, Surroundings()):
        return workflow
    return looked_up(project, workflow, Surroundings())[0]
