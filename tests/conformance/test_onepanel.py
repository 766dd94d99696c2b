"""Onepanel's own templates: read, listed, converted and run; the diamond of its documentation in every runtime."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onepanel_templates as onepanel
import pytest
import runtimes_here

from argosy.dialects.onepanel.reader import load

FILES = onepanel.files()
RUN = [file for file in FILES if onepanel.OUTCOMES[file.name][0] != "not run"]
SKETCH = onepanel.TEMPLATES / "feat-withItems__workflow__templates__workspaces__base__template.yaml"
# How many parameters each has, and how many of them a form shows to everybody.
FORMS = {
    "HEAD__sidecars__filesyncer__template.yaml": (0, 0),
    "HEAD__tasks__metrics-writer__template.yaml": (0, 0),
    "HEAD__workflows__hyperparameter-tuning__mnist__template.yaml": (4, 4),
    "HEAD__workflows__maskrcnn-training__template.yaml": (9, 6),
    "HEAD__workflows__tensorflow-mnist-training__template.yaml": (2, 2),
    "feat-when__workflow__templates__workflows__maskrcnn-training__template.v9.yaml": (9, 6),
    SKETCH.name: (6, 4),
}


def named(files: list[Path]) -> Any:
    return pytest.mark.parametrize("file", files, ids=[file.name for file in files])


def works(runtime: str) -> None:
    if trouble := runtimes_here.trouble(runtime):
        pytest.skip(trouble)


def test_every_template_is_in_the_table() -> None:
    assert [file.name for file in FILES] == sorted(onepanel.OUTCOMES)
    assert set(FORMS) == {file.name for file in FILES}


@named(FILES)
def test_read_listed_and_converted(file: Path, tmp_path: Path) -> None:
    linted = onepanel.argosy(tmp_path, "lint", "-o", "json", str(file))
    assert linted.returncode == 0, linted.stdout
    listed = onepanel.argosy(tmp_path, "params", "-o", "json", str(file))
    (form,) = json.loads(listed.stdout)["workflows"]
    inputs = form.get("inputs", [])
    shown = [one for one in inputs if "visibility" not in one]
    assert (len(inputs), len(shown)) == FORMS[file.name]
    assert all("default" in one for one in inputs)
    converted = onepanel.argosy(tmp_path, "convert", str(file))
    (tmp_path / "manifest.yaml").write_text(converted.stdout)
    again = onepanel.argosy(tmp_path, "lint", "-o", "json", "manifest.yaml")
    assert again.returncode == 0, again.stdout


def test_the_sketch_is_read_and_its_mistakes_are_told(tmp_path: Path) -> None:
    done = onepanel.argosy(tmp_path, "lint", "-o", "json", str(SKETCH))
    (linted,) = json.loads(done.stdout)["files"]
    assert [(one["rule"], one["severity"], one["line"]) for one in linted["findings"]] == [
        ("onepanel-sketch", "warning", 19),
        ("onepanel-sketch", "warning", 19),
        ("onepanel-sketch", "warning", 39),
        ("onepanel-sketch", "note", 51),
        ("onepanel-sketch", "note", 81),
        ("onepanel-sketch", "warning", 121),
        ("resource-manifest-key", "warning", 121),
    ]


def test_the_sketch_is_refused_when_it_is_to_run(tmp_path: Path) -> None:
    done = onepanel.argosy(tmp_path, "run", str(SKETCH))
    assert done.returncode == 3
    for kind in ("Service", "VirtualService", "StatefulSet"):
        assert f"the resource is a {kind}, which exists on a cluster only" in done.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    works("sandbox")
    folder = tmp_path_factory.mktemp("onepanel")
    onepanel.make_stand_ins(folder)
    return folder


@named(RUN)
def test_run(file: Path, home: Path) -> None:
    copy = onepanel.with_local_code(file, home)
    done = onepanel.argosy(home, "run", str(copy), "--runtime", "sandbox", "-q", "-o", "json")
    assert done.returncode == 0, done.stderr[-2000:]
    run = json.loads(done.stdout)
    assert run["status"]["phase"] == onepanel.OUTCOMES[file.name][0]
    name = run["metadata"]["name"]
    metrics = json.loads(onepanel.argosy(home, "metrics", name, "-o", "json").stdout)
    if "filesyncer" in file.name:
        said = onepanel.argosy(home, "logs", name).stdout
        assert said.splitlines() == ["server -server-prefix=/sys/filesyncer", "s3: {bucket: here}"]
        return
    accuracy = 0.981 if "metrics-writer" in file.name else 0.75
    assert any(one["name"] == "accuracy" and one["last"] == accuracy for one in metrics["metrics"]), metrics
    kept = home / ".argosy" / "repository" / "artifacts" / "default" / name
    if "metrics-writer" not in file.name:
        assert [path.name for path in kept.rglob("*") if path.is_file()], (
            "outputs have the key that Onepanel gives them"
        )


def test_variants_of_when(home: Path) -> None:
    """Without validation and augmentation the branch without preprocessing trains."""
    (file,) = (one for one in RUN if one.name.startswith("feat-when"))
    copy = onepanel.with_local_code(file, home)
    words = ("val-split=0", "num-augmentation-cycles=0")
    done = onepanel.argosy(home, "run", str(copy), "--runtime", "sandbox", "-q", "-o", "json", *words)
    assert done.returncode == 0, done.stderr[-2000:]
    phases = {one["displayName"]: one["phase"] for one in json.loads(done.stdout)["status"]["nodes"].values()}
    assert (phases["preprocessing"], phases["train-model-pre"], phases["train-model"]) == (
        "Skipped",
        "Skipped",
        "Succeeded",
    )


@pytest.mark.parametrize("runtime", ["process", "function", "sandbox", "podman", "docker"])
def test_the_diamond_of_the_documentation(runtime: str, tmp_path: Path) -> None:
    works(runtime)
    (tmp_path / "diamond.yaml").write_text(onepanel.diamond())
    done = onepanel.argosy(tmp_path, "run", "diamond.yaml", "--runtime", runtime, "-q", "-o", "json")
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    steps = {one["displayName"]: one for one in run["status"]["nodes"].values() if one["type"] == "Pod"}
    assert {name: one["phase"] for name, one in steps.items()} == dict.fromkeys("ABCD", "Succeeded")
    for before, after in ("AB", "AC", "BD", "CD"):
        assert steps[before]["finishedAt"] <= steps[after]["startedAt"]
    for name in steps:
        assert onepanel.argosy(tmp_path, "logs", run["metadata"]["name"], name).stdout == f"{name}\n"


def test_the_example_is_the_diamond() -> None:
    example = Path(__file__).resolve().parents[2] / "examples" / "onepanel" / "diamond.yaml"
    ours, theirs = load(example.read_text(), "diamond.yaml"), load(onepanel.diamond(), "diamond.yaml")
    assert [one.value for one in ours.documents] == [one.value for one in theirs.documents]
