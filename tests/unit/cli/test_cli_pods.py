"""A Pod of Kubernetes on the command line: linted, listed, converted, run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_samples import Argosy

POD = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: words}
data: {word: said}
---
apiVersion: v1
kind: Pod
metadata: {name: teller}
spec:
  restartPolicy: Never
  containers:
  - name: main
    image: none
    command: [sh, -c, 'echo "$WORD"']
    env: [{name: WORD, valueFrom: {configMapKeyRef: {name: words, key: word}}}]
"""


@pytest.fixture
def pod(folder: Path) -> str:
    (folder / "pod.yaml").write_text(POD)
    return "pod.yaml"


def test_a_pod_is_run_as_a_workflow(argosy: Argosy, pod: str) -> None:
    assert argosy("lint", "-q", pod).out == ""
    assert "teller-* takes nothing" in argosy("params", pod).err
    done = argosy("run", pod, "-q", "-o", "json")
    assert done.code == 0, done.err
    made = json.loads(done.out)
    assert made["metadata"]["name"].startswith("teller-")
    assert argosy("logs", made["metadata"]["name"]).out == "said\n"


def test_its_manifest_lints(argosy: Argosy, pod: str, folder: Path) -> None:
    (folder / "converted.yaml").write_text(argosy("convert", pod).out)
    assert argosy("lint", "-q", "converted.yaml").out == ""


def test_mistakes_are_shown_in_the_pod(argosy: Argosy, folder: Path) -> None:
    (folder / "pod.yaml").write_text(POD.replace("image: none", "imag: none").replace("restartPolicy", "restartPolcy"))
    done = argosy("lint", "pod.yaml")
    assert done.code == 3
    assert "pod.yaml:10:3: error: a Pod's spec has no field `restartPolcy` [field-unknown]" in done.out
    assert "pod.yaml:13:5: error: a container has no field `imag` [field-unknown]" in done.out
    assert "did you mean `restartPolicy`?" in done.out
