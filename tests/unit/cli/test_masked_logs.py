"""What the command line shows of a log has no secrets in it: of variables, of all of a Secret, of a volume."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_samples import Argosy

from argosy.project.home import Home
from argosy.project.step_files import StepLogs
from argosy.runners.local.runtimes.sandbox import SandboxRuntime

WORD = "correct-horse-battery"
KEY = "first-line-of-it\nsecond-line-of-it"
WORKFLOW = """\
apiVersion: v1
kind: Secret
metadata: {name: login}
stringData:
  word: correct-horse-battery
  key: |
    first-line-of-it
    second-line-of-it
---
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: leaky}
spec:
  entrypoint: main
  volumes: [{name: s, secret: {secretName: login}}, {name: o, secret: {secretName: none, optional: true}}]
  templates:
  - name: env
    script:
      image: none
      command: [sh]
      env: [{name: word, valueFrom: {secretKeyRef: {name: login, key: word}}}]
      source: &say |
        echo "word $word"; printf '%s' "$word" | base64; echo "$word" | base64
        echo "key $key" >&2; printf '%s' "$key" | base64
        exit 1
  - name: from
    script: {image: none, command: [sh], envFrom: [{secretRef: {name: login}}], source: *say}
  - name: volume
    script:
      image: none
      command: [sh]
      volumeMounts: [{name: s, mountPath: /s}, {name: o, mountPath: /o}]
      source: "cd /s; cat word key; base64 word key; base64 key; exit 1"
  - name: plain
    container: {image: none, command: [echo, correct-horse-battery]}
"""
FORBIDDEN = [
    WORD,
    *KEY.splitlines(),
    "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5",
    "Zmlyc3QtbGluZS1vZi1pdApzZWNvbmQtbGluZS1vZi1p",
]


def _without_secrets(text: str) -> None:
    assert "***" in text
    assert [value for value in FORBIDDEN if value in text] == []


@pytest.mark.parametrize(("step", "runtime"), [("env", "process"), ("from", "process"), ("volume", "sandbox")])
def test_logs_and_tails_are_masked(argosy: Argosy, folder: Path, step: str, runtime: str) -> None:
    if runtime == "sandbox" and (trouble := SandboxRuntime().trouble()):
        pytest.skip(trouble)
    (folder / "leaky.yaml").write_text(WORKFLOW.replace("entrypoint: main", f"entrypoint: {step}"))
    ran = argosy("run", "leaky.yaml", "--runtime", runtime)
    assert ran.code == 1
    assert "    | " in ran.err
    for shown in (
        ran.err,
        argosy("logs", "leaky").out,
        argosy("logs", "leaky", "-f").out,
        argosy("logs", "leaky", "--tail", "3").out,
        argosy("watch", "leaky").err,
        argosy("why", "leaky", "leaky").out,
    ):
        _without_secrets(shown)


def test_only_steps_with_secrets_are_masked(argosy: Argosy, folder: Path) -> None:
    (folder / "leaky.yaml").write_text(WORKFLOW.replace("entrypoint: main", "entrypoint: plain"))
    assert argosy("run", "leaky.yaml", "-q").code == 0
    assert argosy("logs", "leaky").out == WORD + "\n"


def test_a_log_can_be_read_when_the_secret_is_gone(argosy: Argosy, folder: Path) -> None:
    (folder / "leaky.yaml").write_text(WORKFLOW.replace("entrypoint: main", "entrypoint: env"))
    argosy("run", "leaky.yaml", "-q")
    assert argosy("secrets", "delete", "login").code == 0
    _without_secrets(argosy("logs", "leaky").out)
    _without_secrets(argosy("why", "leaky", "leaky").out)


def test_a_reader_goes_on_where_it_stopped(tmp_path: Path) -> None:
    log = tmp_path / "main.log"
    logs = StepLogs(Home(folder=tmp_path))
    reader = logs.reader(log)
    assert list(reader.lines(to_end=False)) == []
    log.write_bytes(b"one\ntw")
    assert [line.data for line in reader.lines(to_end=False)] == [b"one\n"]
    with log.open("ab") as file:
        file.write(b"o\nthree")
    assert [line.data for line in reader.lines(to_end=False)] == [b"two\n"]
    assert [line.data for line in reader.lines(to_end=True)] == [b"three"]
    assert list(reader.lines(to_end=True)) == []
    assert logs.tail(log, 2) == ["two", "three"]
    assert logs.tail(tmp_path / "none.log", 2) == []
