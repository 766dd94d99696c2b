"""Argo's examples run in containers to the phase that they should reach, or are refused with the reason."""

from __future__ import annotations

import json
from pathlib import Path

import argo_examples
import pytest
import runtimes_here

RUN = [file for file in argo_examples.files() if not argo_examples.reason_not_to_run(file)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if trouble := runtimes_here.trouble("podman"):
        pytest.skip(trouble)
    folder = tmp_path_factory.mktemp("examples")
    (folder / "objects.yaml").write_text(argo_examples.OBJECTS)
    templates = argo_examples.EXAMPLES / "cluster-workflow-template" / "clustertemplates.yaml"
    for file in (str(folder / "objects.yaml"), str(templates)):
        applied = argo_examples.argosy(folder, "apply", "-f", file)
        assert applied.returncode == 0, applied.stderr
    return folder


@pytest.mark.parametrize("file", RUN, ids=[file.name for file in RUN])
def test_example(file: Path, home: Path) -> None:
    done = argo_examples.argosy(home, "run", str(file), "--runtime", "podman", "-o", "json")
    if file.name in argo_examples.REFUSED:
        assert done.returncode == 3
        assert argo_examples.REFUSED[file.name] in done.stderr
        return
    decoder, rest, phases = json.JSONDecoder(), done.stdout.strip(), []
    while rest:
        run, end = decoder.raw_decode(rest)
        phases.append(run["status"]["phase"])
        rest = rest[end:].strip()
    assert phases, done.stderr
    allowed = argo_examples.PHASES.get(file.name, ("Succeeded",))
    assert set(phases) <= set(allowed), done.stderr[-1500:]


def test_every_exception_is_an_example() -> None:
    names = {file.name for file in argo_examples.files()}
    for table in (argo_examples.NOT_RUN, argo_examples.SLOW, argo_examples.REFUSED, argo_examples.PHASES):
        assert set(table) <= names
