"""Every workflow among Argo's examples is planned to an end when its leaves succeed and people resume what waits."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from simulator import Outcome, Simulation

from argosy.dialects import argo
from argosy.errors import ExpressionError
from argosy.model.events import Resumed
from argosy.model.manifest import ConfigMap, Document, Outputs, Parameter, Workflow, WorkflowTemplate
from argosy.plan.actions import Start

EXAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "conformance" / "argo" / "examples"

# What leaves print, by the words in the names of their templates.
PRINTED = {
    "flip": "heads",
    "gen-number-list": "[1, 2]",
    "split": '["a", "b"]',
    "gen-odd": "[1]",
    "output-list": "[1]",
    "odd-or-even": '{"num": 2, "evenness": "even"}',
}
# What their output parameters are, by the names of these; all else is a list of one.
GIVEN = {"count": "3"}

# These name templates or ConfigMaps that no file of the examples has, and say so.
MISSING = {
    "cluster-workflow-template/mixed-cluster-namespaced-wftmpl-steps": "'workflow-template-print-message' not found",
    "workflow-template/retry-with-steps": "'workflow-template-random-fail-template' not found",
    "workflow-template/dag": "'workflow-template-print-message' not found",
    "global-parameters-from-configmap": "ConfigMap 'simple-parameters' has no key 'msg'",
    "global-parameters-from-configmap-referenced-as-local-variable": "ConfigMap 'simple-parameters' has no key 'msg'",
    "workflow-template/workflow-template-ref-with-entrypoint-arg-passing": "workflow-template-print-message",
}


def documents() -> list[tuple[str, Document]]:
    found: list[tuple[str, Document]] = []
    for file in sorted(EXAMPLES.rglob("*.yaml")):
        loaded = argo.load(file.read_text(), str(file), strict=False)
        found.extend((str(file.relative_to(EXAMPLES).with_suffix("")), one.value) for one in loaded.documents)
    return found


DOCUMENTS = documents()
STORED = {one.metadata.name: one for _, one in DOCUMENTS if isinstance(one, WorkflowTemplate)}
CONFIG_MAPS = {one.metadata.name: one.data for _, one in DOCUMENTS if isinstance(one, ConfigMap)}
WORKFLOWS = [(name, one) for name, one in DOCUMENTS if isinstance(one, Workflow)]


def leaf(start: Start) -> Outcome:
    """A success that gives everything that was declared."""
    outputs = start.template.outputs or Outputs()
    printed = next((text for word, text in PRINTED.items() if word in start.template.name), "1")
    values = {
        one.name: GIVEN.get(one.name, printed if printed.startswith("[") else "[1]") for one in outputs.parameters
    }
    return Outcome(result=printed, parameters=values)


class Everything(dict[str, int]):
    """A semaphore's limit, whatever its name."""

    def get(self, key: str, default: Any = None) -> Any:
        return 2


def simulated(name: str, workflow: Workflow) -> Simulation:
    named = msgspec.structs.replace(workflow.metadata, name=workflow.metadata.name or name.rpartition("/")[2])
    answer = (Parameter(name="message", value="hello"), Parameter(name="approve", value="YES"))
    return Simulation(
        msgspec.structs.replace(workflow, metadata=named),
        leaf,
        stored=STORED,
        config_maps=CONFIG_MAPS,
        limits=Everything(),
        at=[(1000.0 * (n + 1), lambda moment: Resumed(at=moment, parameters=answer)) for n in range(3)],
    )


@pytest.mark.parametrize(("name", "workflow"), WORKFLOWS, ids=[name for name, _ in WORKFLOWS])
def test_example_is_planned_to_its_end(name: str, workflow: Workflow) -> None:
    if name in MISSING:
        assert MISSING[name] in trouble(name, workflow)
        return
    run = simulated(name, workflow).run()
    assert run.phase == "Succeeded", f"{run.message}\n{run.tree()}"
    assert all(node.phase.fulfilled for node in run.plan.nodes.values()), run.tree()


def trouble(name: str, workflow: Workflow) -> str:
    """What is said of a workflow that refers to what is not there."""
    try:
        return simulated(name, workflow).run().tree()
    except (ExpressionError, KeyError) as problem:
        return str(problem)


def test_all_that_are_said_to_miss_something_are_there() -> None:
    assert {name for name, _ in WORKFLOWS} >= set(MISSING)
