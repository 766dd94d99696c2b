"""No false alarm: Argo's own examples and end-to-end workflows lint without an error."""

import functools
from pathlib import Path

import pytest

from argosy.checks.catalog import DocumentCatalog
from argosy.checks.check import check
from argosy.dialects import argo

ARGO = Path(__file__).parents[3] / "shared" / "conformance" / "argo"
FILES = sorted([*(ARGO / "examples").rglob("*.yaml"), *(ARGO / "e2e").rglob("*.yaml")])

# What is refused, rightly, with the rule that refuses it and why.
REFUSED = {
    "k8s-patch-json-workflow.yaml": ("yaml-duplicate-key", "the same annotation key stands twice in one mapping"),
    "github-path-filter-workfloweventbinding.yaml": ("kind-refused", "event bindings need Argo's server"),
    "artifacts-TestMainLog-1.yaml": ("kind-missing", "it holds the name of a file, not a manifest"),
    "functional-TestWhenExpressions.yaml": ("kind-missing", "it holds the name of a file, not a manifest"),
}


@functools.cache
def all_templates() -> DocumentCatalog:
    """The templates of all files: examples refer to one another."""
    documents = []
    for file in FILES:
        documents += [d.value for d in argo.load(file.read_bytes(), file.name).documents]
    return DocumentCatalog(documents)


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(ARGO)) for file in FILES])
def test_no_false_error(file):
    # Some end-to-end workflows have fields that there are not: a controller passes over those.
    loaded = argo.load(file.read_bytes(), file.name, strict="examples" in file.parts)
    errors = [(d.rule, d.message) for d in loaded.diagnostics if d.severity == "error"]
    for document in loaded.documents:
        findings = check(document.value, all_templates())
        errors += [(f.rule, f.message) for f in findings if f.severity == "error"]
    expected = REFUSED.get(file.name)
    if expected is None:
        assert errors == []
    else:
        assert [rule for rule, _ in errors] == [expected[0]]
