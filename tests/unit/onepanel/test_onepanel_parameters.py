"""Every row of Onepanel's table of parameters, and every error of it."""

from __future__ import annotations

import pytest

from argosy.dialects.argo import Loaded
from argosy.dialects.onepanel.reader import load
from argosy.dialects.onepanel.schema import WIDGETS
from argosy.model.inputs import Choice, Input
from argosy.model.manifest import Workflow

TEMPLATE = """\
entrypoint: main
arguments:
  parameters:
  - {name: one, %s}
templates:
- name: main
  dag: {tasks: [{name: a, template: say}]}
- name: say
  container: {image: alpine, command: [echo]}
"""


def read(fields: str) -> Loaded:
    return load(TEMPLATE % fields, "a.yaml")


def parameter(fields: str) -> Input:
    (document,) = read(fields).checked().documents
    assert document.signature is not None
    (found,) = document.signature.inputs
    return found


def finding(fields: str) -> tuple[str, str, str, int, str]:
    (found,) = read(fields).diagnostics
    assert found.span is not None
    return found.rule, found.severity, found.message, found.span.line, found.hint


def written(fields: str) -> str | None:
    """The value that the manifest has."""
    (document,) = read(fields).checked().documents
    assert isinstance(document.value, Workflow)
    assert document.value.spec.arguments is not None
    (found,) = document.value.spec.arguments.parameters
    assert {name for name in found.__struct_fields__ if getattr(found, name)} <= {"name", "value"}
    return found.value


def test_value() -> None:
    assert parameter("value: a").default == "a"
    assert parameter("value: 10").default == "10"
    assert (
        written("value: 10, displayName: One, hint: h, required: true, type: input.number, visibility: public") == "10"
    )


def test_a_value_that_is_absent_must_be_given() -> None:
    assert written("hint: h") is None
    assert parameter("hint: h").required
    assert parameter("hint: h").default is None


def test_display_name_and_hint() -> None:
    found = parameter("value: a, displayName: The one, hint: Some words")
    assert (found.label, found.hint) == ("The one", "Some words")
    assert parameter("value: a").label == "one"


def test_required() -> None:
    assert not parameter("value: a").required
    assert parameter("value: a, required: true").required
    assert parameter("value: a, required: true").default == "a"
    # What the form would not let pass must be given.
    assert written("value: '', required: true") is None
    assert written("value: ''") == ""


@pytest.mark.parametrize(
    ("widget", "type", "visibility"),
    [
        ("input.text", "string", "public"),
        ("input.number", "number", "public"),
        ("input.checkbox", "boolean", "public"),
        ("input.hidden", "string", "hidden"),
        ("textarea.textarea", "text", "public"),
        ("editor.yaml", "text", "public"),
        ("nodeInfo", "string", "public"),
        ("hidden", "string", "hidden"),
    ],
)
def test_widgets(widget: str, type: str, visibility: str) -> None:
    found = parameter(f"value: '1', type: {widget}")
    assert (found.type, found.visibility, found.choices) == (type, visibility, ())
    assert read(f"value: '1', type: {widget}").diagnostics == ()


def test_every_widget_of_the_table_is_known() -> None:
    with_options = {"select.select", "input.radio"}
    tested = {"input.text", "input.number", "input.checkbox", "input.hidden", "textarea.textarea", "editor.yaml"}
    assert set(WIDGETS) == {"", "select.nodepool", "nodeInfo", "hidden", *with_options, *tested}
    assert len(WIDGETS) == 12


def test_without_a_type_it_is_a_box_for_text() -> None:
    assert parameter("value: a").type == "string"
    assert parameter(r'value: "a\nb"').type == "text"


@pytest.mark.parametrize("widget", ["select.select", "input.radio"])
def test_options(widget: str) -> None:
    found = parameter(f"value: a, type: {widget}, options: [{{name: The a, value: a}}, {{name: Two, value: 2}}]")
    assert found.choices == (Choice(value="a", label="The a"), Choice(value="2", label="Two"))
    assert not found.open_choices


def test_a_node_pool_is_the_default_one() -> None:
    assert parameter("type: select.nodepool").default == "default"
    assert parameter("type: select.nodepool, value: ''").default == "default"
    assert written("type: select.nodepool, value: Standard_NC6") == "Standard_NC6"


@pytest.mark.parametrize("visibility", ["public", "protected", "internal", "private"])
def test_visibility(visibility: str) -> None:
    assert parameter(f"value: a, visibility: {visibility}").visibility == visibility


def test_without_a_visibility_it_is_visible() -> None:
    assert parameter("value: a").visibility == "public"


def test_the_namespace_is_put_in_at_once() -> None:
    assert written("value: 'a/{{ workflow.namespace }}/b'") == "a/default/b"
    assert written("value: 'a/{{workspace.namespace}}/b'") == "a/default/b"
    assert written("value: '{{workflow.name}}'") == "{{workflow.name}}"


def test_error_visibility() -> None:
    rule, severity, message, line, hint = finding("value: a, visibility: pubic")
    assert (rule, severity, line) == ("onepanel-visibility", "error", 4)
    assert message == "invalid visibility 'pubic' for parameter 'one'"
    assert hint == "did you mean `public`?"


@pytest.mark.parametrize("options", ["[{name: a, value: a}]", "[]"])
def test_error_options_of_a_node_pool(options: str) -> None:
    rule, severity, message, _, hint = finding(f"value: default, type: select.nodepool, options: {options}")
    assert (rule, severity, message) == ("onepanel-options", "error", "select.nodepool must not have any options")
    assert "[node-pools.NAME]" in hint


@pytest.mark.parametrize(
    ("fields", "rule", "message", "hint"),
    [
        ("value: a, type: select.selct", "onepanel-widget", "there is no widget `select.selct`", "`select.select`"),
        ("value: a, type: input.txt", "onepanel-widget", "there is no widget `input.txt`", "`input.text`"),
        ("value: a, type: other", "onepanel-widget", "there is no widget `other`", ""),
        (
            "value: a, type: select.select",
            "onepanel-options",
            "select.select has no options to choose from",
            "options:",
        ),
        (
            "value: b, type: select.select, options: [{value: bb}]",
            "onepanel-options",
            "the value of one is none of its options: 'b'",
            "bb",
        ),
        (
            "value: a, options: [{value: a}]",
            "onepanel-options",
            "options have no effect on input.text",
            "select.select",
        ),
        ("value: a, valueFrom: {default: b}", "onepanel-argo-field", "`valueFrom` of the parameter one", "remove it"),
        ("value: a, enum: [a]", "onepanel-argo-field", "`enum` of the parameter one has no effect", "remove it"),
    ],
)
def test_warnings(fields: str, rule: str, message: str, hint: str) -> None:
    found = finding(fields)
    assert found[:2] == (rule, "warning")
    assert found[2].startswith(message)
    assert hint in found[4]


def test_a_name_with_other_characters() -> None:
    (found,) = load(TEMPLATE.replace("name: one", "name: the_one") % "value: a", "a.yaml").diagnostics
    assert (found.rule, found.severity) == ("onepanel-parameter-name", "warning")


def test_unknown_widgets_show_what_onepanel_shows() -> None:
    assert parameter("value: a, type: input.color").visibility == "public"
    assert parameter("value: a, type: color").visibility == "hidden"


def test_a_misspelt_field_is_an_error_with_its_place() -> None:
    loaded = read("value: a, visiblity: public")
    (found,) = loaded.diagnostics
    assert not loaded.ok
    assert (found.rule, found.message) == ("field-unknown", "a parameter has no field `visiblity`")
    assert found.hint == "did you mean `visibility`?"
    assert found.span is not None
    assert (found.span.line, found.span.column) == (4, 27)


def test_a_misspelt_field_is_a_warning_when_reading_is_not_strict() -> None:
    loaded = load(TEMPLATE % "value: a, visiblity: public", "a.yaml", strict=False)
    assert loaded.ok
    assert [one.severity for one in loaded.diagnostics] == ["warning"]
