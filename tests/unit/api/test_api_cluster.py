"""`run(..., on="argo")`: what is handed to a cluster, with a kubectl that notes it."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from pathlib import Path

import pytest
import yaml

from argosy import Argo, run
from argosy.errors import EnvironmentTrouble, UsageError

KUBECTL = """#!/usr/bin/env python3
import json, sys
from pathlib import Path
notes = Path({notes!r})
said = sys.argv[1:]
with notes.open("a") as file:
    file.write(json.dumps([said, sys.stdin.read() if "-f" in said else ""]) + "\\n")
words = [one for one in said if one not in ("--namespace", "ml")]
if words[0] == "create":
    print(json.dumps({{"metadata": {{"name": "search-abc12"}}}}))
elif words[0] == "get":
    parameters = [{{"name": "accuracy", "value": "0.75"}}]
    nodes = {{"search-abc12": {{"outputs": {{"parameters": parameters}}}}}}
    print(json.dumps({{"status": {{"phase": "Succeeded", "nodes": nodes}}}}))
elif words[0] == "logs":
    print("[pod/search-abc12-train-1/main] training")
    print("[pod/search-abc12-pick-best-2/main] picking")
"""


@pytest.fixture
def kubectl(tmp_path, monkeypatch):
    """Where a kubectl of this test notes what it is told."""
    notes = tmp_path / "notes"
    place = tmp_path / "bin" / "kubectl"
    place.parent.mkdir()
    place.write_text(KUBECTL.format(notes=str(notes)))
    place.chmod(0o755)
    monkeypatch.setenv("PATH", str(place.parent), prepend=":")
    return notes


def _told(notes: Path) -> list[list]:
    return [json.loads(line) for line in notes.read_text().splitlines()]


def test_the_manifest_and_its_code_are_handed_over(kubectl, program):
    submitted = run(program.search, on="argo", namespace="ml", lrs=[0.5])
    (applied, code), (created, workflow) = _told(kubectl)
    assert applied == ["--namespace", "ml", "apply", "-f", "-"]
    assert created == ["--namespace", "ml", "create", "-o", "json", "-f", "-"]
    manifest = yaml.safe_load(workflow)
    assert manifest["spec"]["arguments"]["parameters"] == [{"name": "lrs", "value": "[0.5]"}]
    assert {"name": "argosy-code", "configMap": {"name": yaml.safe_load(code)["metadata"]["name"]}} in manifest["spec"][
        "volumes"
    ]
    steps = [one for one in manifest["spec"]["templates"] if "container" in one]
    assert all(one["container"]["image"].startswith("python:3.") for one in steps)
    assert all(not one.get("metadata", {}).get("annotations") for one in steps)
    archive = base64.b64decode(yaml.safe_load(code)["binaryData"]["code.tar.gz"])
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        names = opened.getnames()
    assert ".argosy-library/argosy/dsl/inside.py" in names
    assert "api_program.py" in names
    assert (submitted.name, submitted.phase) == ("search-abc12", "Succeeded")
    assert submitted.wait().outputs == {"accuracy": "0.75"}
    assert submitted.logs(program.train) == "[pod/search-abc12-train-1/main] training\n"


def test_written_down_instead(tmp_path, program):
    written = run(program.search, on=Argo(write_to=tmp_path / "out.yaml", code_in_image=True, image="mine:1"))
    (manifest,) = yaml.safe_load_all((tmp_path / "out.yaml").read_text())
    train = next(one for one in manifest["spec"]["templates"] if one["name"] == "train")
    assert train["container"]["image"] == "mine:1"
    assert train["container"]["workingDir"] == "/argosy/code"
    assert train["outputs"]["artifacts"][0]["path"] == "/argosy/code/.argosy-step/out/weights"
    with pytest.raises(UsageError, match="written down"):
        _ = written.phase


def test_without_kubectl_it_says_what_to_do(monkeypatch, program):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(EnvironmentTrouble, match="no kubectl") as trouble:
        run(program.search, on="argo")
    assert "--for argo" in trouble.value.hint


def test_files_of_this_machine_need_a_place_there(tmp_path, program):
    with pytest.raises(UsageError, match="text is data of this machine"):
        run(program.counting, on=Argo(write_to=tmp_path / "out.yaml"))
    where = Argo(write_to=tmp_path / "out.yaml", artifacts={"text": "s3://data/lines.txt"}, code_in_image=True)
    run(program.counting, on=where)
    manifest = yaml.safe_load((tmp_path / "out.yaml").read_text())
    entry = manifest["spec"]["templates"][0]
    assert entry["inputs"]["artifacts"] == [{"s3": {"bucket": "data", "key": "lines.txt"}, "name": "text"}]
    assert not manifest["spec"]["arguments"].get("parameters")
