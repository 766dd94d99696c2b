"""Every manifest that others wrote is read without an error; those that must not are listed, each with its reason."""

import json
from pathlib import Path

import pytest

from argosy.dialects import argo

ARGO = Path(__file__).resolve().parents[3] / "shared" / "conformance" / "argo"
FILES = sorted(path.relative_to(ARGO).as_posix() for path in ARGO.rglob("*.yaml"))
CASES = json.loads((ARGO / "validate" / "cases.json").read_text())

# file -> rules that it must break, and why that is right
REFUSED = {
    "examples/k8s-patch-json-workflow.yaml": {"yaml-duplicate-key"},  # `annotations` stands twice in its metadata
    "examples/workflow-event-binding/github-path-filter-workfloweventbinding.yaml": {"kind-refused"},  # no events here
    "e2e/artifacts-TestMainLog-1.yaml": {"kind-missing"},  # holds the path of an example, not a manifest
    "e2e/functional-TestWhenExpressions.yaml": {"kind-missing"},  # likewise
}
# Argo's end-to-end tests read their manifests loosely; under `strict` these break the rule of unknown fields.
LOOSE = {
    "e2e/db-semaphore-TestSynchronizationWfLevelMutex-1.yaml",
    "e2e/functional-TestDAGLevelMemoize.yaml",
    "e2e/functional-TestTemplateLevelTimeoutWithForbidden.yaml",
    "e2e/functional-TestWorkflowLifecycleHookWithWorkflowTemplate.yaml",
    "e2e/workflow-configmap-substitution-TestDefaultParamValueWhenNotFound.yaml",
    "e2e/workflow-configmap-substitution-TestKeySubstitution.yaml",
    "e2e/workflow-inputs-orverridable-TestArgsValueFromParamsOverrideInputParamsValueFrom.yaml",
    "e2e/workflow-inputs-orverridable-TestArgsValueParamsOverrideInputParamsValueFrom.yaml",
}


def errors(loaded: argo.Loaded) -> set[str]:
    return {found.rule for found in loaded.diagnostics if found.severity == "error"}


def test_the_cases_are_there() -> None:
    assert len(FILES) > 230
    assert set(FILES) >= REFUSED.keys() | LOOSE


@pytest.mark.parametrize("name", FILES)
def test_file_is_read(name: str) -> None:
    loaded = argo.load((ARGO / name).read_text(), name, strict=name not in LOOSE)
    assert errors(loaded) == REFUSED.get(name, set())
    assert loaded.documents or name in REFUSED


@pytest.mark.parametrize("name", sorted(LOOSE))
def test_strict_reading_finds_what_the_test_bed_overlooks(name: str) -> None:
    assert "field-unknown" in errors(argo.load((ARGO / name).read_text(), name))


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_valid_cases_are_read(case: dict[str, object]) -> None:
    """A case that the validator accepts, and the templates that it needs, have no reader's error."""
    texts = [case["manifest"], *case["templates"]] if case["expect"] == "ok" else case["templates"]
    for text in texts:
        assert errors(argo.load(str(text), "case.yaml")) == set()
