"""`argosy secrets` on the command line, and steps that get what it keeps."""

from __future__ import annotations

import io
import json
import sqlite3
import sys
from pathlib import Path

import pytest
from cli_samples import HELLO, Argosy

from argosy.artifacts.places import memory_folder
from argosy.record import database as module
from argosy.record.database import Database
from argosy.record.schema import MIGRATIONS

READING = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: reader}
spec:
  entrypoint: main
  templates:
  - name: main
    container:
      image: none
      command: [sh, -c]
      args: ['test "$TOKEN" = "the value" && test "$user" = me && echo "$TOKEN" && printf "%s" "$TOKEN" > told']
      env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: hub, key: value}}}]
      envFrom: [{secretRef: {name: hub}}]
    outputs: {parameters: [{name: told, valueFrom: {path: told}}]}
"""


def from_stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_set_use_list_delete(argosy: Argosy, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert argosy("secrets", "list").out == ""
    assert not (folder / ".argosy").exists()
    from_stdin(monkeypatch, b"the value\n")
    made = argosy("secrets", "set", "hub", "--from-stdin")
    assert (made.code, made.out, made.err) == (0, "", "secret hub created\n")
    changed = argosy("secrets", "set", "hub", "user=me")
    assert "the value of user is short" in changed.err
    (folder / "reader.yaml").write_text(READING)
    ran = argosy("run", "reader.yaml", "-q", "-o", "json")
    assert ran.code == 0, ran.err
    (node,) = json.loads(ran.out)["status"]["nodes"].values()
    assert node["outputs"]["parameters"][0]["value"] == "***"
    assert node["message"].startswith("secrets are hidden in the output told")
    assert argosy("logs", "reader").out == "***\n"
    (attempt,) = folder.glob(".argosy/runs/*/steps/*/attempt.json")
    assert json.loads(attempt.read_text())["secrets"] == {"hub": 2}
    listed = json.loads(argosy("secrets", "list", "-o", "json").out)
    assert listed["schema"] == "argosy.secrets/v1"
    assert [(one["name"], one["keys"], one["version"]) for one in listed["secrets"]] == [("hub", ["value", "user"], 2)]
    assert argosy("secrets", "list").out.splitlines()[1].split()[:2] == ["hub", "value,"]
    assert argosy("secrets", "list", "-o", "name").out == "hub\n"
    assert argosy("secrets", "delete", "hub", "user").err == "deleted user of secret hub\n"
    assert argosy("secrets", "delete", "hub", "user").code == 4
    assert argosy("secrets", "delete", "hub").code == 0
    assert argosy("secrets", "delete", "hub").code == 4


def test_files_and_keys(argosy: Argosy, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "id.pem").write_bytes(b"\xff\0 not text")
    from_stdin(monkeypatch, b"from stdin")
    arguments = ("--from-file", "id.pem", "--from-file", "other=id.pem", "--from-stdin", "--key", "last")
    assert argosy("secrets", "set", "s", "given=on the line", *arguments).code == 0
    (one,) = json.loads(argosy("secrets", "list", "-o", "json").out)["secrets"]
    assert one["keys"] == ["given", "id.pem", "other", "last"]
    assert argosy("secrets", "set", "s", "--from-file", "none.pem").code == 4


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("s",), "No value"),
        (("s", "hunter2hunter2"), "without a key"),
        (("s", "=hunter2hunter2"), "without a key"),
        (("s", "a b=hunter2hunter2"), "no name of a key"),
        (("../s", "a=hunter2hunter2"), "no name of a Secret"),
        (("s", "--key", "k", "a=hunter2hunter2"), "--key names the key"),
    ],
)
def test_wrong_usage_repeats_no_value(argosy: Argosy, arguments: tuple[str, ...], word: str) -> None:
    answer = argosy("secrets", "set", *arguments)
    assert answer.code == 2
    assert word in answer.err
    assert "hunter2" not in answer.err + answer.out


def test_a_secret_of_apply_is_the_same_thing(argosy: Argosy, folder: Path) -> None:
    (folder / "s.yaml").write_text(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: hub}\nstringData: {value: the value}\n"
    )
    assert argosy("apply", "s.yaml").out == "Secret hub created\n"
    assert argosy("secrets", "set", "hub", "user=me").err.endswith("secret hub configured\n")
    (folder / "reader.yaml").write_text(READING)
    assert argosy("run", "reader.yaml", "-q").code == 0
    assert argosy("apply", "s.yaml").out == "Secret hub configured\n"
    assert argosy("secrets", "delete", "hub").code == 0


def test_without_its_key_a_run_says_so(argosy: Argosy, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    argosy("secrets", "set", "hub", "value=the value", "user=me")
    monkeypatch.setenv("ARGOSY_KEY_FILE", str(folder / "another.key"))
    (folder / "reader.yaml").write_text(READING)
    ran = argosy("run", "reader.yaml", "-q")
    assert ran.code == 1
    assert "key that it was sealed with is not here" in argosy("get", "reader").out
    assert argosy("secrets", "list", "-o", "name").out == "hub\n"
    looks = {one["what"]: one for one in json.loads(argosy("doctor", "-o", "json").out)["looks"]}
    assert str(folder / "another.key") in looks["secrets"]["text"]


def test_a_changed_secret_runs_a_cached_step_again(argosy: Argosy, folder: Path) -> None:
    (folder / "reader.yaml").write_text(READING.replace('test "$TOKEN" = "the value" && ', ""))
    argosy("secrets", "set", "hub", "value=the value", "user=me")
    assert argosy("run", "reader.yaml", "-q", "--cache", "--name", "one").code == 0
    assert argosy("run", "reader.yaml", "-q", "--cache", "--name", "two").code == 0
    argosy("secrets", "set", "hub", "value=another value")
    assert argosy("run", "reader.yaml", "-q", "--cache", "--name", "three").code == 0
    began = {name: len(list(folder.glob(f".argosy/runs/*/steps/{name}*"))) for name in ("one", "two", "three")}
    assert began == {"one": 1, "two": 0, "three": 1}


def test_an_older_home_is_sealed_when_it_is_opened(
    argosy: Argosy, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = folder / ".argosy"
    home.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(module, "MIGRATIONS", MIGRATIONS[:1])
        with Database.open(home / "argosy.db") as old:
            clear = '{"kind":"Secret","metadata":{"name":"hub"},"stringData":{"value":"the value","user":"me-too"}}'
            old.execute("INSERT INTO objects VALUES ('Secret', 'default', 'hub', 'u', 1, 1, 1, ?)", (clear.encode(),))
            old.execute("INSERT INTO runs (name, uid, namespace, created_at) VALUES ('r', 'u', 'default', 1)")
            source = f"kind: Secret\nstringData:\n  value: the value\n---\n{HELLO}"
            old.execute("INSERT INTO generations VALUES (1, 1, 1, x'7b7d', ?, x'7b7d', NULL)", (source,))
    assert any(b"the value" in path.read_bytes() for path in home.iterdir())
    assert argosy("secrets", "list", "-o", "name").out == "hub\n"
    assert [path.name for path in home.iterdir() if path.is_file() and b"the value" in path.read_bytes()] == []
    with sqlite3.connect(home / "argosy.db") as record:
        (kept,) = record.execute("SELECT source FROM generations").fetchone()
    assert kept.endswith(HELLO)
    (folder / "reader.yaml").write_text(READING.replace("= me ", "= me-too "))
    assert argosy("run", "reader.yaml", "-q").code == 0


NEVER = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: never}
spec:
  entrypoint: main
  volumes: [{name: v, secret: {secretName: hub}}]
  templates:
  - name: main
    container:
      image: none
      command: ["true"]
      volumeMounts: [{name: v, mountPath: /v}]
"""


def test_a_step_that_never_began_leaves_no_files(argosy: Argosy, folder: Path) -> None:
    argosy("secrets", "set", "hub", "value=the value")
    (folder / "never.yaml").write_text(NEVER)
    # A plain process cannot have a folder at an absolute path: it is refused when its volume is made already.
    assert argosy("run", "never.yaml", "-q", "--runtime", "process").code == 1
    uid = json.loads(argosy("get", "never", "-o", "json").out)["metadata"]["uid"]
    memory = memory_folder()
    assert memory is not None
    assert not (memory / uid).exists()
    (memory / uid).mkdir()
    assert argosy("delete", "never").code == 0
    assert not (memory / uid).exists()
