"""Named inputs of a manifest are found wherever they stand, looked up once each, and stay what they were."""

import msgspec
import pytest
import yaml

from argosy.catalog.resolution import Question, resolve
from argosy.catalog.uses import Use
from argosy.errors import InvalidFile
from argosy.model.manifest import Workflow

MANIFEST = """
kind: Workflow
metadata: {name: w}
spec:
  entrypoint: main
  arguments:
    artifacts: [{name: given, named: {kind: tag, ref: "prep:latest"}}]
  templates:
  - name: main
    dag:
      tasks:
      - name: fit
        template: fit
        arguments: {artifacts: [{name: d, named: {kind: dataset, ref: "{{workflow.parameters.data}}"}}]}
      - name: inlined
        inline:
          inputs: {artifacts: [{name: i, path: /i, named: {kind: run, ref: prepare}}]}
          container: {image: x}
  - name: fit
    inputs: {artifacts: [{name: d, path: /d}, {name: o, path: /o, optional: true, named: {kind: model, ref: none}}]}
    container: {image: x}
    outputs: {artifacts: [{name: out, path: /out, named: {kind: dataset, ref: clean}}]}
"""


def workflow(text: str = MANIFEST) -> Workflow:
    return msgspec.convert(yaml.safe_load(text), Workflow, strict=False)


def found(question: Question) -> Use | None:
    if question.optional:
        return None
    kind, asked = question.named.kind, question.asked
    return Use(place=question.place, kind=kind, asked=asked, found=f"{asked}@1", digest=f"digest of {asked}")


def test_every_place_is_found_and_outputs_are_left() -> None:
    resolved, uses = resolve(workflow(), found, {"data": "mnist"})
    assert {(one.place, one.asked) for one in uses} == {
        ("arguments/given", "prep:latest"),
        ("main/fit/d", "mnist"),
        ("main/inlined/i", "prepare"),
    }
    fit = resolved.spec.templates[1]
    assert fit.inputs is not None
    assert fit.outputs is not None
    assert fit.inputs.artifacts[1].named is None
    assert fit.outputs.artifacts[0].digest == ""
    dag = resolved.spec.templates[0].dag
    assert dag is not None
    assert dag.tasks[0].arguments is not None
    given = dag.tasks[0].arguments.artifacts[0]
    assert given.digest == "digest of mnist"
    assert given.named is not None
    assert (given.named.ref, given.named.asked, given.named.found) == (
        "{{workflow.parameters.data}}",
        "mnist",
        "mnist@1",
    )


def test_a_manifest_that_names_nothing_is_the_very_same() -> None:
    plain = workflow(
        "{kind: Workflow, metadata: {}, spec: {entrypoint: a, templates: [{name: a, container: {image: x}}]}}"
    )
    resolved, uses = resolve(plain, found, {})
    assert resolved is plain
    assert uses == []


def test_what_was_found_before_is_handed_back_unless_the_name_changed() -> None:
    resolved, _ = resolve(workflow(), found, {"data": "mnist"})
    asked: dict[str, str] = {}

    def again(question: Question) -> Use | None:
        asked[question.asked] = question.digest
        return found(question)

    resolve(resolved, again, {"data": "other"})
    assert asked["prep:latest"] == "digest of prep:latest"
    assert asked["other"] == ""


def test_a_name_that_only_the_run_could_tell_is_refused() -> None:
    late = MANIFEST.replace("{{workflow.parameters.data}}", "{{inputs.parameters.x}}")
    with pytest.raises(InvalidFile, match="only the run itself can tell"):
        resolve(workflow(late), found, {})
