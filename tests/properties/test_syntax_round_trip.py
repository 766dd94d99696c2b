"""What is written is read back the same: scalars, plain data, whole manifests."""

import json
import math
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.dialects import argo
from argosy.model import manifest
from argosy.syntax.nodes import plain
from argosy.syntax.parse import parse
from argosy.syntax.render import render
from argosy.syntax.scalars import resolve, whole

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
# Words that some reader of YAML takes for something else than text.
WORDS = """y N on << ~ null 1 -1 0x1f 0o17 017 1_000 1e3 .5 .inf 2001-01-01 {{x}} {{=x}} *a &a !a %a @a `a ' | > ? : -
= 0b1 +1 1. \\ " 12:30:45 99999999999999999999 0xfffffffffffffffffff"""
WITH_BLANKS = [
    "",
    "a: b",
    "a #b",
    "- a",
    " a",
    "a ",
    "\ta",
    "a\n",
    "\na",
    " \n a",
    "a\n\n",
    "a\n b\n",
    "a" * 200 + " b",
]
UNUSUAL = ["\r", "a\r\nb", "\x85", "\u2028", "\ufeff", "\0"]
TRICKY = st.sampled_from([*WORDS.split(), *WITH_BLANKS, *UNUSUAL])
WORD = TEXT | TRICKY
NUMBER = st.integers(-(1 << 63), 1 << 70) | st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.recursive(
    st.none() | st.booleans() | NUMBER | WORD,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORD, inner, max_size=4),
    max_leaves=12,
)
PARAMETER = st.builds(
    manifest.Parameter,
    name=WORD,
    value=st.none() | WORD,
    default=st.none() | WORD,
    enum=st.none() | st.lists(WORD, max_size=3).map(tuple),
)
STEP = st.builds(
    manifest.WorkflowStep,
    name=WORD,
    when=WORD,
    with_items=st.none() | st.lists(PLAIN, max_size=3).map(tuple),
    arguments=st.none() | st.builds(manifest.Arguments, parameters=st.lists(PARAMETER, max_size=2).map(tuple)),
)
TEMPLATE = st.builds(
    manifest.Template,
    name=WORD,
    steps=st.none() | st.lists(st.lists(STEP, max_size=2).map(tuple), max_size=2).map(tuple),
    script=st.none() | st.builds(manifest.ScriptTemplate, source=WORD, args=st.lists(WORD, max_size=2).map(tuple)),
    affinity=st.none() | st.dictionaries(WORD, PLAIN, max_size=2),
    active_deadline_seconds=st.none() | st.integers(-5, 1 << 62) | WORD,
    parallelism=st.none() | st.integers(-5, 1 << 62),
    daemon=st.none() | st.booleans(),
)
WORKFLOW = st.builds(
    manifest.Workflow,
    api_version=st.just("argoproj.io/v1alpha1"),
    kind=st.just("Workflow"),
    metadata=st.builds(manifest.ObjectMeta, name=WORD, labels=st.dictionaries(WORD, WORD, max_size=2)),
    spec=st.builds(manifest.WorkflowSpec, entrypoint=WORD, templates=st.lists(TEMPLATE, max_size=2).map(tuple)),
)


# Characters that a file must not hold as they are, and that JSON lets stand.
UNREADABLE = re.compile("[\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]")


def through_float(number: int | float) -> int | float:
    """A number as JSON in Argo's hands has it: what does not fit 64 bits is a float."""
    return number if isinstance(number, int) and number < 1 << 64 else whole(float(number))


def as_argo(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | list | dict):
        return value
    if isinstance(value, list):
        return [as_argo(item) for item in value]
    if isinstance(value, dict):
        return {key: as_argo(item) for key, item in value.items()}
    return through_float(value)


@given(PLAIN.filter(lambda value: isinstance(value, dict | list)))
def test_json_is_read_as_python_reads_it(value: object) -> None:
    readable = [json.dumps(value)]
    if not UNREADABLE.search(json.dumps(value, ensure_ascii=False)):
        readable.append(json.dumps(value, ensure_ascii=False, indent=1))
    for text in readable:
        parsed = parse(text, "a.json")
        assert parsed.diagnostics == ()
        assert [plain(node) for node in parsed.documents] == [as_argo(value)]


@given(WORKFLOW)
def test_a_workflow_reads_back_the_same(workflow: manifest.Workflow) -> None:
    text = argo.dump(workflow)
    loaded = argo.load(text, "a.yaml")
    assert loaded.diagnostics == ()
    again = loaded.documents[0].value
    assert again == workflow
    assert argo.dump(again) == text


@given(st.text(max_size=300) | st.text("[]{},:-&*a!|>'\"\n \t#%?<", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Never an exception; an error has a place within the file."""
    for file in ("a.yaml", "a.json"):
        loaded = argo.load(text, file)
        assert loaded.documents or loaded.diagnostics
        for found in loaded.diagnostics:
            assert found.span is not None
            assert 1 <= found.span.line <= text.count("\n") + text.count("\r") + 1
            assert (found.span.line, found.span.column) < (found.span.end_line, found.span.end_column)


MANIFEST = """apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: a-, labels: {b: c}}
spec:
  entrypoint: main
  arguments: {parameters: [{name: x, value: 3}]}
  templates:
  - name: main
    steps:
    - - {name: a, template: b, withItems: [1, {c: d}], when: "{{item}} == 1"}
      - name: e
        inline: &inline {suspend: {duration: 3}}
  - <<: *inline
    name: f
  - name: b
    script:
      image: g
      source: |-
        print(1)
"""


@given(st.data())
def test_a_damaged_manifest_is_read_or_refused(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(MANIFEST)))
    end = data.draw(st.integers(start, min(len(MANIFEST), start + 30)))
    text = (
        MANIFEST[:start]
        + data.draw(WORD | st.sampled_from(["[", "{", "- ", "null", "\n", "*inline", ": "]))
        + MANIFEST[end:]
    )
    loaded = argo.load(text, "a.yaml")
    assert loaded.documents or not loaded.ok
    for found in loaded.diagnostics:
        assert found.span is not None
        shown = render(found, loaded.source)
        assert "^" in shown or not loaded.source.line(found.span.line).strip()


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    loaded = argo.load(data, "a.yaml")
    assert loaded.documents or loaded.diagnostics


@given(WORD)
def test_a_word_is_a_scalar_of_json(word: str) -> None:
    value = resolve(word)
    assert value is None or isinstance(value, str | bool | int | float)
    if isinstance(value, str):
        assert value == word


@pytest.mark.parametrize("value", [manifest.ConfigMap, manifest.Secret, manifest.PersistentVolumeClaim])
def test_core_kinds_read_back(value: type[manifest.ConfigMap]) -> None:
    made = value(api_version="v1", kind=value.__name__, metadata=manifest.ObjectMeta(name="a"))
    assert argo.load(argo.dump(made), "a.yaml").checked().documents[0].value == made


def test_infinity_cannot_be_written() -> None:
    text = argo.dump(
        manifest.PersistentVolumeClaim(
            api_version="v1", kind="PersistentVolumeClaim", metadata=manifest.ObjectMeta(name="a"), spec={"a": math.inf}
        )
    )
    assert [found.rule for found in argo.load(text, "a.yaml").diagnostics] == ["yaml-number"]


def test_fields_keep_their_names() -> None:
    assert msgspec.to_builtins(manifest.Template(name="a", daemon=True)) == {"name": "a", "daemon": True}
