"""Specs read in tests: the workflow that one becomes, and what is wrong with one."""

from __future__ import annotations

from textwrap import dedent

from argosy.dialects.gradient.load import Setting, load
from argosy.model.inputs import Signature
from argosy.model.manifest import Template, Workflow
from argosy.syntax.diagnostics import Diagnostic

MACHINE = "defaults: {resources: {instance-type: C4}}\n"
JOB = "uses: container@v1, with: {image: alpine}"


def found(text: str, *, setting: Setting | None = None, strict: bool = True) -> tuple[Diagnostic, ...]:
    """Everything that is said of a spec."""
    return load(dedent(text), "spec.yaml", setting=setting, strict=strict).diagnostics


def errors(text: str, *, setting: Setting | None = None) -> list[Diagnostic]:
    return [one for one in found(text, setting=setting) if one.severity == "error"]


def the_error(text: str, *, setting: Setting | None = None) -> Diagnostic:
    """The only error of a spec."""
    all = errors(text, setting=setting)
    assert len(all) == 1, [one.message for one in all]
    return all[0]


def warnings(text: str) -> list[str]:
    return [one.message for one in found(text) if one.severity == "warning"]


def read(text: str, *, setting: Setting | None = None) -> tuple[Workflow, Signature]:
    """What a spec without errors becomes."""
    loaded = load(dedent(text), "my spec.yaml", setting=setting).checked()
    document = loaded.documents[0]
    assert isinstance(document.value, Workflow)
    assert document.signature is not None
    return document.value, document.signature


def template(workflow: Workflow, name: str) -> Template:
    return next(one for one in workflow.spec.templates if one.name == name)


def place(one: Diagnostic) -> tuple[int, int]:
    assert one.span is not None
    return one.span.line, one.span.column
