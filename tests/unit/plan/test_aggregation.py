"""A loop's outputs are those of the iterations that succeeded, in order."""

import pytest

from argosy.errors import ExpressionError
from argosy.model.manifest import Outputs, Parameter
from argosy.model.status import Node, NodeType, Phase
from argosy.plan.aggregation import gather


def node(index: int, phase: Phase = Phase.SUCCEEDED, result: str | None = None, **values: str) -> Node:
    parameters = tuple(Parameter(name=name, value=value) for name, value in values.items())
    return Node(
        id=str(index),
        name=f"x({index})",
        display_name=f"x({index})",
        type=NodeType.POD,
        phase=phase,
        outputs=Outputs(parameters=parameters, result=result),
    )


def test_failed_iterations_are_left_out() -> None:
    nodes = [
        node(0, result="1", p="a"),
        node(1, Phase.FAILED, result="2", p="b"),
        node(2, result='{"k":1}', p="c"),
    ]
    assert gather(nodes) == {
        "result": '[1,{"k":1}]',
        "parameters": '[{"p":"a"},{"p":"c"}]',
        "parameters.p": '["a","c"]',
    }


def test_values_are_decoded_only_when_all_are_lists_or_mappings() -> None:
    assert gather([node(0, p="[1]"), node(1, p="{}")])["parameters.p"] == "[[1],{}]"
    assert gather([node(0, p="[1]"), node(1, p="2")])["parameters.p"] == '["[1]","2"]'


def test_a_result_that_is_not_json_is_an_error() -> None:
    with pytest.raises(ExpressionError, match="not JSON"):
        gather([node(0, result="hello")])
