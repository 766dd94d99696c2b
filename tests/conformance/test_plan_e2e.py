"""Argo's end-to-end cases through the planner: their leaves' commands really run, their time only counts."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from simulator import Outcome, Simulation, workflow_of
from small_machine import SmallMachine

from argosy.model.events import ContainerEnd, Resumed
from argosy.model.manifest import Parameter
from argosy.plan.actions import Start

CASES = Path(__file__).resolve().parents[2].parent / "shared" / "conformance" / "argo" / "e2e"
SIMULATED = {"configmap-or-secret", "workflow-template"}

# What decides these is neither a command nor the planner, and how that end is scripted here.
SCRIPTED: dict[str, Outcome] = {
    # The kernel ends the first container, which asks for more memory than its limit.
    "signals-TestSignaledContainerSet.yaml": Outcome(
        "Failed",
        containers=(
            ContainerEnd(name="one", phase="Failed", message="OOMKilled (exit code 137)"),
            ContainerEnd(name="two", phase="Failed", message="OOMKilled (exit code 137)"),
        ),
    ),
    # The image is always pulled anew, which takes longer than the two seconds that a pod may be active.
    "workflow-TestWorkflowFailedWhenAllPodSetFailedFromPending.yaml": Outcome(seconds=5.0),
    # A script's source lies in /argo/staging, which the executor's own container makes; the case looks at its text.
    "functional-TestScriptAsNonRoot.yaml": Outcome(),
}
# The manifest is refused before it runs: Argo's controller then says that the run failed.
REFUSED = "functional-TestWorkflowTemplateRefWithExitHandlerError.yaml"

# What people supply to the steps that wait for them.
SUPPLIED = (Parameter(name="message", value="hello"),)


def cases() -> list[dict[str, Any]]:
    listed = json.loads((CASES / "expected.json").read_text())
    return [one for one in listed if one["file"] != REFUSED and not set(one["needs"]) - SIMULATED]


def simulated(case: dict[str, Any], machine: Callable[[Start], Outcome]) -> Simulation:
    """The case, with everything that its test makes beforehand. People resume whatever waits for them."""
    text = _text(case["file"])
    objects = "\n---\n".join(_with_kind(one) for one in case["objects"])
    scripted = SCRIPTED.get(case["file"])

    def leaf(start: Start) -> Outcome:
        return scripted or machine(start)

    return Simulation(
        workflow_of(text, _name(text), strict=False),
        leaf,
        templates=objects,
        config_maps=case["configmaps"],
        limits={"Semaphore/my-config/workflow": 1},
        at=[(600.0, lambda moment: Resumed(at=moment, parameters=SUPPLIED))],
    )


def _text(file: str) -> str:
    """The case's manifest; some only name one of the examples."""
    text = (CASES / file).read_text()
    example = text.strip().removeprefix("../../../examples/")
    return (CASES.parent / "examples" / example).read_text() if example != text.strip() else text


def _name(text: str) -> str:
    given = re.search(r"^ +(?:generateName|name): *(\S+?)-?$", text, re.MULTILINE)
    return given.group(1) if given else "wf"


def _with_kind(text: str) -> str:
    return text if "kind:" in text else f"apiVersion: argoproj.io/v1alpha1\nkind: WorkflowTemplate\n{text}"


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["file"].removesuffix(".yaml"))
def test_case_ends_as_it_should(case: dict[str, Any], tmp_path: Path) -> None:
    run = simulated(case, SmallMachine(tmp_path)).run()
    if case["phase"] is not None:
        assert run.phase == case["phase"], f"{run.message}\n{run.tree()}"
    for name, phase in case["nodes"].items():
        found = {str(node.phase) for node in run.plan.nodes.values() if node.display_name == name}
        assert found == {phase}, f"{name}\n{run.tree()}"
    assert all(node.phase.fulfilled for node in run.plan.nodes.values()), run.tree()


def test_no_case_is_left_out_without_a_reason() -> None:
    """A case that is not simulated needs something that is no command: a cluster, a network, a store, a plugin."""
    listed = json.loads((CASES / "expected.json").read_text())
    simulated_files = {one["file"] for one in cases()}
    for one in listed:
        if one["file"] == REFUSED:
            continue
        reasons = set(one["needs"]) & {"kubernetes", "network", "object-store", "executor-plugin"}
        assert (one["file"] in simulated_files) != bool(reasons)
    assert len(simulated_files) == 84
    assert set(SCRIPTED) <= simulated_files


def test_a_template_that_says_nothing_to_run_cannot_run() -> None:
    case = next(one for one in json.loads((CASES / "expected.json").read_text()) if one["file"] == REFUSED)
    assert (case["phase"], simulated(case, lambda start: Outcome()).run().phase) == ("Failed", "Error")
