"""Argo's own validator tests: the same outcome, and where it refuses, the same mistake found."""

import json
from pathlib import Path

import pytest

from argosy.checks.catalog import DocumentCatalog, Options
from argosy.checks.check import check
from argosy.dialects import argo

CASES_FILE = Path(__file__).parents[3] / "shared" / "conformance" / "argo" / "validate" / "cases.json"
CASES = json.loads(CASES_FILE.read_text(encoding="utf-8"))

# Where our words differ from Argo's: the rule that finds the same mistake.
SAME_MISTAKE = {
    # Ours stands at the call within the template; Argo's message tells the whole way there.
    "TestNestedTemplateRefWithError/nestedTemplateRefWithError": "argument-not-supplied",
    # A field that must be there is missed when the file is read, before any rule looks.
    "TestInvalidMetricHelp/invalidMetricHelp": "field-missing",
    "TestInitContainerHasName/testInitContainerHasName": "field-missing",
}


def options_of(case: dict[str, str]) -> Options:
    """Argo asks for values of a workflow's arguments unless it only lints or looks at a template by itself."""
    lint = "Lint: true" in case["options"]
    submitted = case["call"] == "validate" or "Submit: true" in case["options"]
    return Options(missing_references="error", require_arguments=submitted and not lint)


def errors_of(case: dict[str, object]) -> list[tuple[str, str]]:
    """What reading and checking refuse, as (rule, message)."""
    templates = [
        document.value
        for text in case["templates"]
        for document in argo.load(text, "template.yaml", strict=False).documents
    ]
    loaded = argo.load(case["manifest"], "case.yaml", strict=False)
    found = [(d.rule, d.message) for d in loaded.diagnostics if d.severity == "error"]
    for document in loaded.documents:
        findings = check(document.value, DocumentCatalog(templates), options=options_of(case))
        found += [(finding.rule, finding.message) for finding in findings if finding.severity == "error"]
    return found


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_same_outcome_and_same_mistake(case):
    errors = errors_of(case)
    assert bool(errors) == (case["expect"] == "error"), errors
    if case["expect"] == "error" and case["id"] in SAME_MISTAKE:
        assert SAME_MISTAKE[case["id"]] in [rule for rule, _ in errors]
    elif case["expect"] == "error":
        for words in case["contains"]:
            assert any(words in message for _, message in errors), errors


def test_the_map_names_only_cases_that_there_are():
    assert set(SAME_MISTAKE) <= {case["id"] for case in CASES}
