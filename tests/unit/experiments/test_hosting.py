"""Host templates made ready to run: what they get, and that doing it again changes nothing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from argosy.experiments.hosting import Setting, hosted
from argosy.model.host_templates import CODE_ARTIFACT, CODE_FOLDER, HOST, read_rule, templates_in
from argosy.model.manifest import Template, Workflow
from argosy.project.hosting import Leaves, leaves_of
from argosy.project.needs import Surroundings

ON_HOST = {"annotations": {"argosy.dev/host": "true"}}
PLAIN = Setting(code="sha256:a")
ENGINE = Setting(image="python:3.11", code="sha256:a", nothing="sha256:empty")


def workflow(*templates: dict[str, Any], **spec: Any) -> Workflow:
    document = {"kind": "Workflow", "metadata": {}, "spec": {"templates": templates, **spec}}
    return msgspec.convert(document, Workflow)


def made(setting: Setting, defaults: Template | None = None, **template: Any) -> Template:
    given = {"name": "a", "metadata": ON_HOST, "container": {"command": ["python"]}, **template}
    (found,) = hosted(workflow(given), setting, defaults).spec.templates
    return found


def test_on_the_host_the_code_is_the_working_folder() -> None:
    found = made(PLAIN)
    assert found.container is not None
    assert found.container.image == HOST
    assert found.container.working_dir == ""
    assert found.inputs is not None
    assert [(one.name, one.path, one.digest) for one in found.inputs.artifacts] == [(CODE_ARTIFACT, ".", "sha256:a")]


def test_the_code_may_go_elsewhere_or_nowhere() -> None:
    there = made(PLAIN, metadata={"annotations": {"argosy.dev/host": "true", "argosy.dev/code-dest": "src/"}})
    assert there.inputs is not None
    assert there.inputs.artifacts[0].path == "src"
    nowhere = made(PLAIN, metadata={"annotations": {"argosy.dev/host": "true", "argosy.dev/code-dest": "none"}})
    assert nowhere.inputs is None
    of_all = made(Setting(code="sha256:a", dest="lib"))
    assert of_all.inputs is not None
    assert of_all.inputs.artifacts[0].path == "lib"


def test_a_template_that_wants_its_image_keeps_it_everywhere() -> None:
    wanted: dict[str, Any] = {
        "metadata": {"annotations": {HOST: "image"}},
        "container": {"command": ["sh"], "image": "mine:1"},
    }
    for setting in (PLAIN, ENGINE):
        (found,) = hosted(workflow({"name": "a", **wanted}), setting, None).spec.templates
        assert found.container is not None
        assert found.container.image == "mine:1"
        assert found.inputs is not None
        assert found.inputs.artifacts[0].digest == "sha256:a"
    assert leaves_of(workflow({"name": "a", **wanted}), Surroundings()) == Leaves(
        hosts=(), others=("a",), images=("mine:1",), coded=("a",)
    )


def test_other_inputs_are_laid_over_the_code() -> None:
    found = made(PLAIN, inputs={"artifacts": [{"name": "data", "path": "data.csv"}]})
    assert found.inputs is not None
    assert [one.name for one in found.inputs.artifacts] == [CODE_ARTIFACT, "data"]


def test_in_a_container_all_that_is_relative_is_below_the_code() -> None:
    found = made(
        ENGINE,
        inputs={"artifacts": [{"name": "d", "path": "data.csv"}, {"name": "e", "path": "/e"}]},
        container={"command": ["python"], "workingDir": "part"},
    )
    assert found.container is not None
    assert found.container.image == "python:3.11"
    assert found.container.working_dir == f"{CODE_FOLDER}/part"
    assert found.inputs is not None
    assert [one.path for one in found.inputs.artifacts] == [CODE_FOLDER, f"{CODE_FOLDER}/data.csv", "/e"]


def test_a_container_without_code_has_a_working_folder_all_the_same() -> None:
    found = made(Setting(image="python:3.11", nothing="sha256:empty"))
    assert found.inputs is not None
    assert [(one.path, one.digest) for one in found.inputs.artifacts] == [(CODE_FOLDER, "sha256:empty")]


def test_an_image_that_the_file_names_is_used_in_containers_only() -> None:
    template = {"container": {"command": ["python"], "image": "own:1"}}
    on_host, inside = made(PLAIN, **template), made(ENGINE, **template)
    assert on_host.container is not None
    assert on_host.container.image == HOST
    assert inside.container is not None
    assert inside.container.image == "own:1"


@pytest.mark.parametrize("image", ["", "own:1"])
def test_another_runtime_later_is_as_if_it_had_been_the_first(image: str) -> None:
    given = workflow(
        {
            "name": "a",
            "metadata": ON_HOST,
            "script": {"image": image, "command": ["python"], "source": "1", "workingDir": "sub"},
            "inputs": {"artifacts": [{"name": "d", "path": "d"}]},
        }
    )
    other = Setting(code="sha256:b")
    for first in (PLAIN, ENGINE, other):
        for second in (PLAIN, ENGINE, other):
            assert hosted(hosted(given, first, None), second, None) == hosted(given, second, None)


def test_templates_written_in_place_and_defaults_count() -> None:
    inline = {"metadata": ON_HOST, "container": {"command": ["x"]}}
    given = workflow(
        {"name": "s", "steps": [[{"name": "a", "inline": inline}]]},
        {"name": "d", "dag": {"tasks": [{"name": "b", "inline": inline}]}},
        {"name": "c", "container": {"image": "i", "command": ["x"]}},
    )
    found = list(templates_in(hosted(given, PLAIN, None).spec))
    assert sorted(one.container.image for one in found if one.container is not None) == [HOST, HOST, "i"]
    defaults = msgspec.convert({"metadata": ON_HOST}, Template)
    found = list(templates_in(hosted(given, PLAIN, defaults).spec))
    assert sorted(one.container.image for one in found if one.container is not None) == [HOST, HOST, HOST]


def test_a_workflow_without_host_templates_is_left_as_it_is() -> None:
    given = workflow({"name": "a", "container": {"image": "i"}}, {"name": "s", "steps": [[{"name": "a"}]]})
    assert hosted(given, PLAIN, None) is given


def test_rules_as_texts() -> None:
    rule = read_rule("include binary figures/*.png")
    assert rule is not None
    assert (rule.include, rule.kind, rule.pattern) == (True, "binary", "figures/*.png")
    rule = read_rule("exclude my data.csv")
    assert rule is not None
    assert (rule.include, rule.kind, rule.pattern) == (False, "", "my data.csv")
    assert read_rule("data.csv") is None
    assert read_rule("exclude") is None
