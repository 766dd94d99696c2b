"""Whatever stands in a spec: it is read, or what is wrong is told at its place; nothing is raised."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.checks.catalog import DocumentCatalog
from argosy.checks.check import check
from argosy.dialects.gradient.load import load
from argosy.model.manifest import Workflow
from argosy.syntax.diagnostics import Diagnostic

WORDS = st.sampled_from(
    [
        *(
            "a",
            "b",
            "main",
            "",
            "true",
            "on",
            "x y",
            "{{a}}",
            "secret:S",
            "secret:",
            "workflow.inputs.a",
            "a.outputs.b",
        ),
        *("context.event.github.url", "dataset", "volume", "string", "/outputs/a", "s3://b/k", "$A", "C4", "a: b", "ä"),
    ]
)
SCALARS = WORDS | st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False, allow_infinity=False)
ANY: Any = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=6
)


def mapping(**known: Any) -> Any:
    """Some of these keys, with right values or any."""
    return st.fixed_dictionaries({}, optional={name.rstrip("_"): one | ANY for name, one in known.items()})


DATA = mapping(type=st.sampled_from(["dataset", "volume", "string"]), with_=mapping(ref=WORDS, id=WORDS, value=SCALARS))
RESOURCES = st.fixed_dictionaries({}, optional={"instance-type": SCALARS, "container-registries": ANY})
ACTIONS = ["container@v1", "script@v1", "git-checkout@v1", "s3-download@v1", "create-model@v1", "container"]
GIVEN: dict[str, Any] = {
    **dict.fromkeys(("image", "args", "command", "script", "url", "ref", "path", "name", "type", "username"), ANY),
    **dict.fromkeys(("password", "access-key", "secret-access-key", "branch"), SCALARS),
}
NAMED = st.dictionaries(WORDS, DATA | WORDS, max_size=2)
JOB = mapping(
    uses=st.sampled_from(ACTIONS),
    with_=st.fixed_dictionaries({}, optional=GIVEN),
    needs=st.lists(WORDS, max_size=2),
    inputs=NAMED,
    outputs=NAMED,
    env=st.dictionaries(WORDS, SCALARS, max_size=2),
    resources=RESOURCES,
)
BRANCHES = mapping(github=mapping(branches=mapping(only=ANY)))
SPEC = mapping(
    jobs=st.dictionaries(WORDS, JOB, max_size=3),
    defaults=mapping(env=st.dictionaries(WORDS, SCALARS, max_size=2), resources=RESOURCES),
    inputs=NAMED,
    on=BRANCHES,
    context=mapping(event=mapping(github=mapping(url=ANY, ref=ANY))),
)


@given(SPEC | ANY)
@settings(max_examples=400, deadline=None)
def test_nothing_is_raised(spec: Any) -> None:
    text = json.dumps(spec, ensure_ascii=False)
    loaded = load(text, "spec.yaml")
    for one in loaded.diagnostics:
        assert isinstance(one, Diagnostic)
        assert one.message
        assert one.span is not None
        assert 1 <= one.span.line <= text.count("\n") + 1
    assert loaded.ok or not loaded.documents
    for document in loaded.documents:
        assert isinstance(document.value, Workflow)
        names = [template.name for template in document.value.spec.templates]
        assert len(set(names)) == len(names)
        assert document.source_map.span(("spec", "templates", 1, "container", "env", 0)).line >= 1
        # What is accepted here is a manifest that can be run.
        found = check(document.value, DocumentCatalog([]))
        assert not [one.message for one in found if one.severity == "error"]
    assert load(text, "spec.yaml").diagnostics == loaded.diagnostics


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_no_text_is_raised_at(text: str) -> None:
    load(f"jobs:\n  a:\n    uses: script@v1\n    with: {{image: x, script: {text}}}\n", "spec.yaml")
    load(text, ".gradient/workflows/spec.yaml")


NAME = st.text(
    st.characters(
        codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="/${}.\ufeff\ufffe\uffff"
    ),
    min_size=1,
    max_size=6,
)
TYPE = st.sampled_from(["dataset", "volume", "string"])


@st.composite
def right_specs(draw: Any) -> dict[str, Any]:
    """Specs of jobs with any names, each of which takes what those before it give."""
    jobs: dict[str, Any] = {}
    for name in draw(st.lists(NAME, min_size=1, max_size=5, unique=True)):
        needs = draw(st.lists(st.sampled_from(sorted(jobs)), max_size=2, unique=True)) if jobs else []
        given = [f"{one}.outputs.{output}" for one in needs for output in jobs[one]["outputs"]]
        outputs: dict[str, Any] = {}
        for output in draw(st.lists(NAME, max_size=3, unique=True)):
            type = draw(TYPE)
            outputs[output] = {"type": type, **({"with": {"ref": "made"}} if type == "dataset" else {})}
        inputs = draw(st.dictionaries(NAME, st.sampled_from(given), max_size=3)) if given else {}
        jobs[name] = {
            "uses": "script@v1",
            "with": {"image": "x", "script": draw(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=9))},
            "needs": needs,
            "inputs": inputs,
            "outputs": outputs,
        }
    return {"jobs": jobs}


@given(right_specs())
@settings(max_examples=300, deadline=None)
def test_what_is_right_is_accepted_whatever_it_is_called(spec: Any) -> None:
    loaded = load(json.dumps(spec), "spec.yaml")
    assert [one.message for one in loaded.diagnostics if one.severity == "error"] == []
    (document,) = loaded.documents
    assert isinstance(document.value, Workflow)
    assert len(document.value.spec.templates) == len(spec["jobs"]) + 1
    found = check(document.value, DocumentCatalog([]))
    assert [one.message for one in found if one.severity == "error"] == []
