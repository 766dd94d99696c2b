"""Onepanel's own words: parameters as a form shows them, the wrapped file, a cron manifest.

The rest of a template is an Argo spec. Source: onepanelio/core, pkg/common_types.go and db/yaml.
"""

from __future__ import annotations

from msgspec import field

from argosy.model.inputs import InputType, Visibility
from argosy.model.manifest import AnyString, Arguments, CronWorkflowSpec, Parameter, Part, WorkflowSpec
from argosy.syntax.decoders import Older

NODE_POOL = "select.nodepool"
# Widgets of Onepanel's form, and what may be typed into each.
WIDGETS: dict[str, InputType] = {
    "": "string",
    "input.text": "string",
    "input.number": "number",
    "input.radio": "string",
    "input.checkbox": "boolean",
    "input.hidden": "string",
    "select.select": "string",
    NODE_POOL: "string",
    "textarea.textarea": "text",
    "editor.yaml": "text",
    "nodeInfo": "string",
    # No widget: the form shows nothing for it, which is what those who write it want.
    "hidden": "string",
}
NOT_SHOWN = ("input.hidden", "hidden")
WITH_OPTIONS = ("select.select", "input.radio")
VISIBILITIES: tuple[Visibility, ...] = ("public", "protected", "internal", "private")
# What `metadata.kind` of a file can be.
TEMPLATE_KINDS = ("Workflow", "Workspace")
# What a workspace template has and a workflow template has not.
WORKSPACE_FIELDS = ("containers", "ports", "routes")
# Fields of Argo's parameters that Onepanel's server throws away.
DROPPED = {"value_from": "valueFrom", "default": "default", "enum": "enum", "global_name": "globalName"}


class Option(Part, frozen=True, kw_only=True):
    """One of the values that a parameter may have. name: what people read."""

    value: AnyString
    name: AnyString = ""


class OnepanelParameter(Parameter, frozen=True, kw_only=True):
    """A parameter with what the form needs."""

    display_name: AnyString = ""
    hint: AnyString = ""
    required: bool = False
    type: str = ""
    options: tuple[Option, ...] | None = None
    visibility: AnyString | None = None


class OnepanelArguments(Arguments, frozen=True, kw_only=True):
    parameters: tuple[OnepanelParameter, ...] = ()


class OnepanelSpec(WorkflowSpec, frozen=True, kw_only=True):
    """An Argo spec with Onepanel's parameters."""

    arguments: OnepanelArguments | None = None


class OnepanelMetadata(Part, frozen=True, kw_only=True):
    """What the server's own files say of a template."""

    name: str = ""
    kind: str = ""
    version: AnyString = ""
    action: str = ""
    source: str = ""
    description: AnyString = ""
    deprecated: bool = False
    labels: dict[str, AnyString] = field(default_factory=dict[str, str])


class OnepanelFile(Part, frozen=True, kw_only=True):
    """A template: the wrapped form, or a bare spec put into it."""

    spec: OnepanelSpec
    metadata: OnepanelMetadata = OnepanelMetadata()


class OnepanelCron(CronWorkflowSpec, frozen=True, kw_only=True):
    """What Onepanel keeps of a cron workflow."""

    workflow_spec: OnepanelSpec


class OnepanelCronFile(Part, frozen=True, kw_only=True):
    spec: OnepanelCron


WORDS = {
    "Option": "an option",
    "OnepanelParameter": "a parameter",
    "OnepanelArguments": "`arguments`",
    "OnepanelSpec": "a workflow template",
    "OnepanelMetadata": "`metadata` of a workflow template",
    "OnepanelFile": "a workflow template's file",
    "OnepanelCron": "a cron workflow",
}
# As the server writes what it keeps of a cron workflow.
OLDER = {("OnepanelParameter", "displayname"): Older(field="displayName")}
# The fields that the form of a cron workflow asks for.
CRON_FIELDS = (
    "timezone",
    "suspend",
    "concurrencyPolicy",
    "startingDeadlineSeconds",
    "successfulJobsHistoryLimit",
    "failedJobsHistoryLimit",
)
