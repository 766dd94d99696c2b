"""Tags in texts and in JSON: what is replaced, what stays, what is an error."""

import json

import pytest

from argosy.errors import ExpressionError
from argosy.expressions.tags import references, substitute_json, substitute_text

SCOPE: dict[str, object] = {
    "inputs.parameters.city": "Oslo",
    "inputs.parameters.count": "3",
    "inputs.parameters.x-y": "dashed",
    "inputs.parameters": '[{"name":"city","value":"Oslo"}]',
    "item": "city",
    "steps.made.outputs.result": "7",
    "steps.gone.outputs.result": None,
    "workflow.name": "tour",
}


def put(text: str, scope: dict[str, object] = SCOPE, *, allow: bool = True, strict: tuple[str, ...] = ()) -> str:
    whole = substitute_json(json.dumps({"v": text}), scope, allow_unresolved=allow, strict_prefixes=strict)
    there = json.loads(whole)["v"]
    assert substitute_text(text, scope, allow_unresolved=allow, strict_prefixes=strict) == there
    return there


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("{{workflow.name}}", "tour"),
        ("{{ workflow.name }}", "tour"),
        ("a{{workflow.name}}b{{inputs.parameters.city}}c", "atourbOsloc"),
        ("{{unknown.name}}", "{{unknown.name}}"),
        ("{{ if .Go }}{{end}}", "{{ if .Go }}{{end}}"),
        ("{{inputs.parameters.{{item}}}}", "Oslo"),
        ("{{ inputs.parameters.{{ item }} }}", "Oslo"),
        ("{{inputs.parameters.{{nothing}}}}", "{{inputs.parameters.{{nothing}}}}"),
        ("{{inputs.parameters.no-{{item}}}}", "{{inputs.parameters.no-city}}"),
        ("an open {{ brace", "an open {{ brace"),
        ("shut }} {{workflow.name}} }}", "shut }} tour }}"),
        ("{{=workflow.name + '!'}}", "tour!"),
        ('{{=workflow.name + "!"}}', "tour!"),
        ("{{=asInt(inputs.parameters.count) * 2}}", "6"),
        ("{{=inputs.parameters['x-y']}}", "dashed"),
        ("{{='back\\\\slash \\n'}}", "back\\slash \n"),
        ("{{=1 +\n 1}}", "2"),
        ("{{=true}} {{=1.5}} {{=[1, 'a']}}", 'true 1.5 [1,"a"]'),
        ("{{={a: {b: '}}'}}}}", '{"a":{"b":"}}"}}'),
        ("{{=toJson({a: '<&>'})}}", '{"a":"\\u003c\\u0026\\u003e"}'),
        ("{{='<'}}", "<"),
        ("{{=steps.gone.outputs.result ?? 'none'}}", "none"),
        ("{{=steps.gone.outputs.result}}", "{{=steps.gone.outputs.result}}"),
        ("{{=missing.thing}}", "{{=missing.thing}}"),
        ("{{=missing.thing ?? 'x'}}", "{{=missing.thing ?? 'x'}}"),
        ("{{=retries ?? 'x'}}", "{{=retries ?? 'x'}}"),
        ("{{=asInt(lastRetry.exitCode) > 1}}", "{{=asInt(lastRetry.exitCode) > 1}}"),
        ("{{=workflow.status == 'Failed' ? 'bad' : 'good'}}", "{{=workflow.status == 'Failed' ? 'bad' : 'good'}}"),
    ],
)
def test_what_becomes_of_a_text(text: str, expected: str) -> None:
    assert put(text) == expected


def test_three_levels_of_names() -> None:
    scope: dict[str, object] = {"C": "c", "B c": "b", "A b": "end"}
    assert put("{{A {{B {{C}}}}}}", scope) == "end"


@pytest.mark.parametrize(
    "value",
    [
        "{{workflow.name}}",
        "{{=workflow.name}}",
        '"',
        "\\",
        "\n\t\r\0",
        "{{",
        "}}",
        "\u2028",
        "</script>",
        "é😀",
        '{"a":1}',
    ],
)
def test_a_value_arrives_as_it_is_and_is_not_read_again(value: str) -> None:
    scope: dict[str, object] = {"v": value, "workflow.name": "never"}
    assert put("<{{v}}|{{=v}}>", scope) == f"<{value}|{value}>"


def test_an_unknown_name_is_an_error_when_nothing_may_stay() -> None:
    with pytest.raises(ExpressionError, match=r"^failed to resolve \{\{no\.such\}\}$"):
        put("{{no.such}}", allow=False)
    with pytest.raises(ExpressionError, match="nope is missing"):
        put("{{=nope}}", allow=False)


def test_names_with_a_strict_prefix_must_be_known() -> None:
    strict = ("steps.", "tasks.")
    assert put("{{steps.made.outputs.result}} {{other}}", strict=strict) == "7 {{other}}"
    with pytest.raises(ExpressionError, match=r"failed to resolve \{\{steps\.x\.outputs\.result\}\}"):
        put("{{steps.x.outputs.result}}", strict=strict)
    with pytest.raises(ExpressionError, match=r"tasks\.b\.outputs\.result is missing"):
        put("{{=tasks.b.outputs.result + 'x'}}", strict=strict)
    assert put("{{stepsister}}", strict=strict) == "{{stepsister}}"
    assert put("{{steps.x.outputs.artifacts.a}}", strict=strict) == "{{steps.x.outputs.artifacts.a}}"


def test_an_absent_optional_output_is_named() -> None:
    with pytest.raises(ExpressionError, match="absent optional output"):
        put("{{steps.gone.outputs.result}}")


def test_only_texts_fit_into_text() -> None:
    scope: dict[str, object] = {"inputs.artifacts.a": object()}
    with pytest.raises(ExpressionError, match="to a string"):
        put("{{inputs.artifacts.a}}", scope)
    with pytest.raises(ExpressionError, match="cannot be written as JSON"):
        put("{{=inputs.artifacts.a}}", scope)


def test_a_hyphen_that_subtracts_is_told_and_not_left_lying() -> None:
    with pytest.raises(ExpressionError) as caught:
        put("{{=inputs.parameters.x-y}}")
    assert "inputs.parameters['x-y']" in caught.value.hint


def test_the_first_word_alone_can_be_strict() -> None:
    with pytest.raises(ExpressionError, match="tasks is missing"):
        put("{{=tasks.b.outputs.result ?? 'x'}}", strict=("tasks.",))


@pytest.mark.parametrize("text", ["{{=1 +}}", "{{=nofunction(1)}}", "{{='a' + 1}}", "{{=asInt('x')}}"])
def test_a_mistake_in_an_expression_is_not_left_lying(text: str) -> None:
    with pytest.raises(ExpressionError, match="failed to evaluate expression"):
        put(text)


def test_a_tag_does_not_reach_beyond_its_json_string() -> None:
    source = '{"a":"{{","b":"}}","c":"{{workflow.name}}"}'
    assert json.loads(substitute_json(source, SCOPE, allow_unresolved=True)) == {"a": "{{", "b": "}}", "c": "tour"}


def test_references_tell_names_and_places() -> None:
    text = "a {{ x.y }} {{=steps['b-c'].outputs.result + string(n)}} {{p.{{q}}}}"
    found = references(text)
    assert [(tag.text, tag.expression, tag.names) for tag in found] == [
        ("x.y", False, ("x.y",)),
        ("steps['b-c'].outputs.result + string(n)", True, ("steps.b-c.outputs.result", "n")),
        ("p.{{q}}", False, ()),
        ("q", False, ("q",)),
    ]
    assert text[found[0].start : found[0].end] == "{{ x.y }}"
    assert text[found[3].start : found[3].end] == "{{q}}"


def test_references_tell_what_cannot_be_parsed() -> None:
    (tag,) = references("{{=1 +}}")
    assert (tag.names, tag.problem) == ((), "unexpected end of expression")
