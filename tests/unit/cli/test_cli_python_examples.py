"""The programs of examples/python: each is checked, run, and gives what it says it gives.

With ARGOSY_ARGO_SCHEMA naming Argo's api/jsonschema/schema.json their manifests are held against that too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from cli_samples import Argosy

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "python"
# What each gives with its own inputs; of numbers that are computed only that they are there.
GIVES: dict[str, dict[str, Any]] = {
    "conditions": {"result": "a rather"},
    "exits": {"result": "done"},
    "files": {"words": '{"ada":3,"grace":5}', "line": "ada ada ada "},
    "hello": {"result": "hello world hello world"},
    "loops": {"result": "36.0"},
    "options": {"result": "hello ADA"},
    "parts": {"result": "36"},
    "pipeline": {"accuracy": None},
    "scripts": {"result": "OLLEH"},
    "sketch": {"text": "[2,5,10], counted to 4"},
    "until_good": {"root": None, "error": None},
}


@pytest.fixture
def programs(folder: Path) -> Path:
    """The folder of a project with a copy of the examples, where the runtime is chosen as it is for a user."""
    (folder / "argosy.toml").write_text("")
    for one in EXAMPLES.glob("*.py"):
        shutil.copy(one, folder)
    return folder


def outputs(run: dict[str, Any]) -> dict[str, str]:
    """The workflow's own output parameters."""
    name = run["metadata"]["name"]
    root = next(one for one in run["status"]["nodes"].values() if one["name"] == name)
    return {one["name"]: one["value"] for one in root.get("outputs", {}).get("parameters", [])}


def test_all_examples_are_tried() -> None:
    assert {one.stem for one in EXAMPLES.glob("*.py")} == set(GIVES)


@pytest.mark.parametrize("name", sorted(GIVES))
def test_it_is_in_order_and_gives_what_it_says(programs: Path, argosy: Argosy, name: str) -> None:
    checked = argosy("lint", f"{name}.py")
    assert checked.code == 0, checked.out
    ran = argosy("run", f"{name}.py", "-q", "-o", "json")
    assert ran.code == 0, ran.err
    given = outputs(json.loads(ran.out))
    assert list(given) == list(GIVES[name])
    assert given == {key: value if value is not None else given[key] for key, value in GIVES[name].items()}


def test_inputs_of_the_pipeline_are_used(programs: Path, argosy: Argosy) -> None:
    ran = argosy("run", "pipeline.py", "lrs=[0.5,0.05]", "target=0.95", "rows=200", "--name", "mine", "-o", "json")
    assert ran.code == 0, ran.err
    assert float(outputs(json.loads(ran.out))["accuracy"]) > 0.95
    assert argosy("logs", "mine", "pick-best").out.count("accuracy") == 2
    argosy("artifacts", "mine", "--get", "card")
    assert "the pipeline has succeeded (target 0.95)" in argosy("logs", "mine").out


def test_the_converted_pipeline_gives_the_same(programs: Path, argosy: Argosy) -> None:
    (programs / "converted.yaml").write_text(argosy("convert", "pipeline.py").out)
    ours = argosy("run", "pipeline.py", "-q", "-o", "json")
    theirs = argosy("run", "converted.yaml", "-q", "-o", "json")
    assert theirs.code == ours.code == 0, theirs.err
    assert outputs(json.loads(theirs.out)) == outputs(json.loads(ours.out)) != {}


def test_a_step_that_fails_at_first_is_tried_again(programs: Path, argosy: Argosy) -> None:
    marker = programs / "marker"
    assert argosy("run", "options.py", f"marker={marker}", "--name", "again", "-q").code == 0
    assert marker.exists()
    assert "the first time it does not answer" in argosy("logs", "again").out


def test_exit_handlers_run_after_a_failure(programs: Path, argosy: Argosy) -> None:
    assert argosy("run", "exits.py", "fail=true", "--name", "ended", "-q").code == 1
    said = argosy("logs", "ended").out
    assert "work ended: Failed" in said
    assert "ended ended: Failed (fail=True)" in said


def test_a_program_that_runs_itself_runs_in_an_interpreter_without_argosy(programs: Path, argosy: Argosy) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "env"], check=True)
    (programs / "argosy.toml").write_text('[python]\ninterpreter = "env"\n')
    program = (programs / "hello.py").read_text().replace("import step", "import LocalRunner, run, step")
    (programs / "hello.py").write_text(program + "\nif __name__ == '__main__':\n    run(hello)\n")
    for name in ("hello", "sketch"):
        ran = argosy("run", f"{name}.py", "-q", "-o", "json")
        assert ran.code == 0, ran.err
        assert outputs(json.loads(ran.out)) == GIVES[name]


@pytest.mark.skipif("ARGOSY_ARGO_SCHEMA" not in os.environ, reason="the schema is a file of Argo's, which is not kept")
@pytest.mark.parametrize("name", sorted(GIVES))
def test_the_manifest_is_valid_for_argo(programs: Path, argosy: Argosy, name: str) -> None:
    from jsonschema import Draft202012Validator

    schema = json.loads(Path(os.environ["ARGOSY_ARGO_SCHEMA"]).read_text())
    found = yaml.safe_load(argosy("convert", f"{name}.py").out)
    for template in found["spec"]["templates"]:
        for container in (template.get("container"), template.get("script")):
            if container is not None and "argosy.dev/host" in template["metadata"]["annotations"]:
                # Which image has the project's Python is for the cluster to say.
                container.setdefault("image", "python:3.11")
    kind = {"$ref": "#/definitions/io.argoproj.workflow.v1alpha1.Workflow", "definitions": schema["definitions"]}
    assert [error.message for error in Draft202012Validator(kind).iter_errors(found)] == []
