"""The way of a function's step to what it imports: once, whatever it was before, and from a folder that is whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from argosy.experiments.function_package import ARTIFACT, IN_CONTAINER, package_below, with_package
from argosy.model.host_templates import FUNCTION
from argosy.model.manifest import Container, EnvVar, Metadata, Template

PLAIN = Template(
    name="one",
    metadata=Metadata(annotations={FUNCTION: "a.py:f"}),
    container=Container(env=(EnvVar(name="PYTHONPATH", value="mine"), EnvVar(name="A", value="1"))),
)


def path_of(template: Template) -> str:
    assert template.container is not None
    return next(one.value or "" for one in template.container.env if one.name == "PYTHONPATH")


def test_it_comes_first_and_only_once(tmp_path: Path) -> None:
    folder = str(package_below(tmp_path))
    on_host = with_package(PLAIN, folder, "")
    contained = with_package(on_host, folder, "tree:sha256:00")
    assert path_of(on_host) == f"{folder}:mine"
    assert path_of(contained) == f"{IN_CONTAINER}:mine"
    assert contained.inputs is not None
    assert [(one.name, one.path) for one in contained.inputs.artifacts] == [(ARTIFACT, IN_CONTAINER)]
    assert with_package(contained, folder, "tree:sha256:00") == contained
    assert path_of(with_package(contained, "", "")) == "mine"
    assert with_package(contained, folder, "").container == on_host.container


def test_templates_that_call_no_function_stay(tmp_path: Path) -> None:
    other = Template(name="one", container=Container())
    assert with_package(other, str(tmp_path), "") is other


def test_the_folder_is_all_that_a_step_needs(tmp_path: Path) -> None:
    folder = package_below(tmp_path)
    assert package_below(tmp_path) == folder
    code = "import sys; sys.path.insert(0, sys.argv[1]); import argosy.dsl.inside, argosy.dsl.warm, argosy as a"
    code += "; a.step; a.workflow; a.when; print(a.__file__)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(folder)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(folder / "argosy" / "__init__.py")
