"""What a workflow in Python becomes: the same each time, whatever its lines, and read back as it was."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from dsl_steps import (
    Model,
    best,
    data,
    heavy,
    note,
    number,
    printed,
    remembered,
    shared,
    texts,
    told,
    train,
    word,
)

from argosy import TraceError, Workflow, for_loop, when, while_loop, workflow
from argosy.checks.catalog import DocumentCatalog
from argosy.checks.check import check
from argosy.dialects import argo
from argosy.dsl.loading import load

PROGRAM = """
from argosy import for_loop, step, when, while_loop, workflow


@step
def first(seed: int) -> int:
    return seed


@step
def second(value: int) -> list[int]:
    return [value]


@workflow
def main(seed: int = 1) -> int:
    one = first(seed)
    for_loop(lambda item: first(item), second(one))
    when(one > 1, lambda: second(one), lambda: second(2))
    return while_loop(lambda value: value < 3, lambda value: first(value + 1), init=one, max_iterations=5)
"""


@workflow(on_exit=told, parallelism=3, timeout="2h", labels={"team": "ml"})
def everything(rates: list[float] = [0.1, 0.2], target: float = 0.9, name: str = "it's {{x}}") -> Model:  # noqa: B006
    files = data()
    models = for_loop(lambda rate: train(files, rate), rates, parallelism=2)
    found = best(models)
    note(name)
    printed(name, 3)
    for_loop(note, texts(3))
    heavy(remembered(1, "a"))
    shared(2)
    return when(
        found.accuracy > target,
        then=lambda: found,
        otherwise=lambda: while_loop(
            lambda model: model.accuracy <= target,
            lambda model: train(model.weights, model.accuracy + 1),
            init=found,
            max_iterations=20,
        ),
    )


def template(name: str, of: Workflow[..., Any] = everything) -> dict[str, Any]:
    return next(one for one in of.manifest()["spec"]["templates"] if one["name"] == name)


def traced_again() -> Workflow[..., Any]:
    return Workflow(everything.function, everything.words)


def test_the_same_manifest_twice() -> None:
    assert json.dumps(traced_again().manifest()) == json.dumps(everything.manifest())


def written(folder: Path, text: str) -> Any:
    folder.mkdir()
    (folder / "moving_program.py").write_text(text)
    sys.modules.pop("moving_program", None)
    try:
        return load(folder / "moving_program.py").main.manifest()
    finally:
        sys.modules.pop("moving_program", None)
        sys.path.remove(str(folder))


def test_lines_make_no_difference(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    before = written(tmp_path / "a", PROGRAM)
    head, first, second, main = PROGRAM.split("\n\n\n")
    moved = "\n\n\n\n\n# moved\n".join(
        (head, second, "x = 1", first, main.replace("\n    when", "\n\n    # why\n    when"))
    )
    after = written(tmp_path / "b", moved)
    assert json.dumps(after).replace("b/moving", "a/moving") == json.dumps(before)


def test_the_manifest_is_in_order_and_read_back_the_same() -> None:
    text = everything.to_yaml()
    assert yaml.safe_load(text) == everything.manifest()
    from_yaml = argo.load(text, "everything.yaml").checked().documents[0].value
    from_json = argo.load(json.dumps(everything.manifest()), "everything.json").checked().documents[0].value
    assert from_yaml == from_json
    assert [one for one in check(from_yaml, DocumentCatalog()) if one.severity == "error"] == []


def test_options_of_a_step() -> None:
    made = template("heavy")
    assert made["retryStrategy"] == {"limit": "3", "retryPolicy": "Always"}
    assert str(made["activeDeadlineSeconds"]) == "5400"
    assert made["metadata"]["labels"] == {"team": "ml"}
    container = made["container"]
    assert container["image"] == "ml:1"
    assert container["resources"] == {
        "requests": {"cpu": "4", "memory": "8Gi"},
        "limits": {"memory": "8Gi", "nvidia.com/gpu": "2"},
    }
    variables = {one["name"]: one for one in container["env"]}
    assert variables["MODE"]["value"] == "fast"
    assert variables["TOKEN"]["valueFrom"] == {"secretKeyRef": {"name": "api", "key": "token"}}
    assert container["volumeMounts"] == [{"name": "my-claim", "mountPath": "/data"}]
    assert everything.manifest()["spec"]["volumes"] == [
        {"name": "my-claim", "persistentVolumeClaim": {"claimName": "my-claim"}}
    ]
    made = template("shared")
    assert made["container"]["resources"]["limits"] == {"memory": "1Gi"}


def test_a_step_is_remembered_by_what_it_is_given() -> None:
    made = template("remembered")["memoize"]
    assert made["maxAge"] == "172800s"
    assert "inputs.parameters" in made["key"]
    assert made["cache"] == {"configMap": {"name": "argosy-remembered"}}


def test_options_of_a_workflow() -> None:
    manifest = everything.manifest()
    spec = manifest["spec"]
    assert manifest["metadata"] == {"generateName": "everything-", "labels": {"team": "ml"}}
    assert spec["parallelism"] == 3
    assert spec["activeDeadlineSeconds"] == 7200
    assert spec["onExit"] in [one["name"] for one in spec["templates"]]
    given = {one["name"]: one["value"] for one in spec["arguments"]["parameters"]}
    assert given == {"rates": "[0.1,0.2]", "target": "0.9", "name": "it's {{x}}"}


def test_a_script_is_given_its_parameters_as_variables() -> None:
    made = template("printed")
    assert made["script"]["source"] == 'echo "$name"'
    variables = {one["name"]: one["value"] for one in made["script"]["env"]}
    # Kubernetes replaces $(NAME) and $$ in the value of a variable.
    assert variables["name"] == "{{=replace(inputs.parameters['name'], '$', '$$')}}"
    assert variables["count"] == "{{inputs.parameters.count}}"


def test_texts_reach_a_function_as_files_and_never_in_its_command() -> None:
    made = template("note")
    (artifact,) = made["inputs"]["artifacts"]
    assert artifact["raw"] == {"data": "{{inputs.parameters.text}}"}
    assert "{{" not in json.dumps(made["container"]["command"])


def test_names_are_those_of_functions() -> None:
    @workflow
    def naming() -> None:
        number()
        number.named("other")()
        number()
        word.after(number())(3)

    tasks = naming.manifest()["spec"]["templates"][0]["dag"]["tasks"]
    assert [one["name"] for one in tasks] == ["number", "other", "number-2", "number-3", "word"]
    assert tasks[-1]["depends"] == "number-3"


def test_a_default_with_braces_is_no_tag() -> None:
    @workflow
    def inner(name: str = "{{workflow.name}}") -> None:
        note(name)

    @workflow
    def outer() -> None:
        inner()

    loaded = argo.load(outer.to_yaml(), "outer.yaml").checked().documents[0].value
    assert [one for one in check(loaded, DocumentCatalog()) if one.severity == "error"] == []
    assert "{{workflow.name}}" not in outer.to_yaml()


def test_a_loop_may_go_as_deep_as_argo_lets_it() -> None:
    def deep(most: int) -> Workflow[..., Any]:
        return workflow(lambda: while_loop(lambda one: one < 3, lambda one: number(one), init=0, max_iterations=most))

    with pytest.raises(TraceError) as caught:
        deep(100).manifest()
    most = int(caught.value.hint.split("max_iterations can be ")[1].split()[0])
    assert deep(most).manifest()
    with pytest.raises(TraceError):
        deep(most + 1).manifest()
