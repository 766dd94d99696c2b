"""--cache and --refresh: what is used again, what is not, and what `why` says of it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from cli_samples import Argosy

# Each step notes that it ran. make gives an artifact, use takes it.
WORKFLOW = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: reuse-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: text, value: one}, {name: code, value: "0"}]}
  templates:
  - name: main
    dag:
      tasks:
      - {name: make, template: make, arguments: {parameters: [{name: text, value: "{{workflow.parameters.text}}"}]}}
      - name: use
        template: use
        depends: make
        arguments: {artifacts: [{name: data, from: "{{tasks.make.outputs.artifacts.data}}"}]}
  - name: make
    inputs: {parameters: [{name: text}]}
    outputs: {artifacts: [{name: data, path: data}], parameters: [{name: size, valueFrom: {path: size}}]}
    container:
      image: none
      command: [sh, -c]
      args: ["echo make >> NOTES; mkdir data; echo $TEXT | cut -c1 > data/file; echo 7 > size"]
      env: [{name: TEXT, value: "{{inputs.parameters.text}}"}]
  - name: use
    inputs: {artifacts: [{name: data, path: given}]}
    script:
      image: none
      command: [sh]
      source: |
        echo use >> NOTES
        cat given/file
        exit {{workflow.parameters.code}}
"""

# One step that depends on all kinds of things.
VARIED = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: varied-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: lr, value: "0.1"}]}
  volumes:
  - {name: settings, configMap: {name: settings}}
  templates:
  - name: main
    steps:
    - - name: train
        template: train
        arguments:
          parameters: [{name: lr, value: "{{workflow.parameters.lr}}"}]
          artifacts: [{name: table, raw: {data: rows}}]
  - name: train
    metadata: {annotations: {argosy.dev/reuse-environment: "ARGOSY_TEST_SEED, ARGOSY_TEST_OTHER"}}
    inputs: {parameters: [{name: lr}], artifacts: [{name: table, path: table}]}
    container:
      image: first
      command: [sh, -c]
      args: ["echo trained"]
      env:
      - {name: DEPTH, value: "3"}
      - {name: MODE, valueFrom: {configMapKeyRef: {name: modes, key: mode}}}
      - {name: TOKEN, valueFrom: {secretKeyRef: {name: hub, key: token}}}
"""
DOCUMENTS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: modes}
data: {mode: fast}
---
apiVersion: v1
kind: Secret
metadata: {name: hub}
stringData: {token: canary-4711-token}
"""


@pytest.fixture
def notes(folder: Path) -> Path:
    (folder / "workflow.yaml").write_text(WORKFLOW.replace("NOTES", str(folder / "notes")))
    return folder / "notes"


def ran(notes: Path) -> list[str]:
    """The steps that ran since the last call."""
    found = notes.read_text().split() if notes.exists() else []
    notes.unlink(missing_ok=True)
    return found


def run(argosy: Argosy, *arguments: str, code: int = 0) -> dict[str, Any]:
    """The nodes of a run, by display name."""
    answer = argosy("run", "workflow.yaml", "-q", "-o", "json", *arguments)
    assert answer.code == code, answer.err
    return {one["displayName"]: one for one in json.loads(answer.out)["status"]["nodes"].values()}


def hits(nodes: dict[str, Any]) -> set[str]:
    return {name for name, one in nodes.items() if one.get("memoizationStatus", {}).get("hit")}


# -- what is used again


def test_nothing_is_reused_unless_asked_for(argosy: Argosy, notes: Path) -> None:
    run(argosy)
    assert ran(notes) == ["make", "use"]
    nodes = run(argosy)
    assert ran(notes) == ["make", "use"]
    assert not any("memoizationStatus" in one for one in nodes.values())


def test_an_identical_run_reuses_everything(argosy: Argosy, notes: Path, folder: Path) -> None:
    run(argosy, "--cache", "--name", "first")
    assert ran(notes) == ["make", "use"]
    nodes = run(argosy, "--cache", "--name", "second")
    assert ran(notes) == []
    assert hits(nodes) == {"make", "use"}
    status = nodes["make"]["memoizationStatus"]
    assert (status["fromRun"], status["fromNode"]) == ("first", "first.make")
    assert nodes["make"]["outputs"]["parameters"][0]["value"] == "7"
    assert nodes["make"]["outputs"]["artifacts"][0]["digest"]
    # Nothing ran: there is no folder of a step, and no supervisor was there.
    uid = json.loads(argosy("get", "second", "-o", "json").out)["metadata"]["uid"]
    assert list((folder / ".argosy" / "runs" / uid).iterdir()) == []


def test_every_view_marks_what_was_reused(argosy: Argosy, notes: Path) -> None:
    run(argosy, "--cache", "--name", "first")
    answer = argosy("run", "workflow.yaml", "--cache", "--name", "second")
    assert "reused    make  from first" in answer.err
    assert "2 of 2 steps reused" in answer.err
    assert argosy("get", "second").out.count("reused from first") == 2
    assert "2/2 (2 reused)" in argosy("list").out
    assert [one["reused"] for one in json.loads(argosy("list", "-o", "json").out)["runs"]] == [2, 0]
    assert "reused    use  from first" in argosy("watch", "second").err
    why = argosy("why", "second", "use").out
    assert "reused: everything that decides it was the same in first.use of run first" in why


def test_only_what_changed_and_what_it_changes_runs(argosy: Argosy, notes: Path) -> None:
    run(argosy, "--cache", "--name", "first")
    ran(notes)
    # The artifact of make is made of the first letter only: use need not run.
    assert hits(run(argosy, "--cache", "-p", "text=other", "--name", "second")) == {"use"}
    assert ran(notes) == ["make"]
    why = argosy("why", "second", "make").out
    assert "compared with first.make:" in why
    assert "the parameter text changed" in why
    assert "the environment variable TEXT changed" in why
    assert "the command" not in why
    assert not hits(run(argosy, "--cache", "-p", "text=two", "--name", "third"))
    assert ran(notes) == ["make", "use"]
    assert "the input data data changed" in argosy("why", "third", "use").out


def test_the_same_step_of_another_file_is_the_same(argosy: Argosy, notes: Path, folder: Path) -> None:
    run(argosy, "--cache", "--name", "first")
    ran(notes)
    text = (folder / "workflow.yaml").read_text()
    for before, after in (
        ("template: make", "template: prepare"),
        ("- name: make\n", "- name: prepare\n"),
        ("name: make, ", "name: begin, "),
        ("tasks.make", "tasks.begin"),
        ("depends: make", "depends: begin"),
        ("reuse-", "other-"),
        (
            "\n  - name: use\n",
            "\n  - name: use\n    metadata: {labels: {a: b}}\n    timeout: 1h\n    retryStrategy: {limit: 2}\n",
        ),
    ):
        assert before in text
        text = text.replace(before, after)
    (folder / "workflow.yaml").write_text(text)
    nodes = run(argosy, "--cache")
    assert hits(nodes) == {"begin", "use(0)"}
    assert ran(notes) == []


def test_argosy_toml_turns_it_on_and_the_command_line_off(argosy: Argosy, notes: Path, folder: Path) -> None:
    (folder / "argosy.toml").write_text('[run]\nruntime = "process"\ncache = true\n')
    run(argosy)
    assert hits(run(argosy)) == {"make", "use"}
    ran(notes)
    run(argosy, "--no-cache")
    assert ran(notes) == ["make", "use"]
    (folder / "argosy.toml").write_text('[run]\ncache = "yes"\n')
    assert argosy("run", "workflow.yaml").code == 3


# -- refreshing


def test_refresh_runs_everything_and_keeps_the_new_outcomes(argosy: Argosy, notes: Path) -> None:
    run(argosy, "--cache", "--name", "first")
    ran(notes)
    assert not hits(run(argosy, "--refresh", "--name", "second"))
    assert ran(notes) == ["make", "use"]
    assert "not reused: asked to be run anyway" in argosy("why", "second", "use").out
    assert run(argosy, "--cache")["use"]["memoizationStatus"]["fromRun"] == "second"


def test_refresh_of_one_step(argosy: Argosy, notes: Path) -> None:
    run(argosy, "--cache")
    ran(notes)
    assert hits(run(argosy, "--refresh", "use")) == {"make"}
    assert ran(notes) == ["use"]


def test_refresh_before_the_file(argosy: Argosy, notes: Path) -> None:
    run(argosy, "--cache")
    ran(notes)
    assert argosy("run", "-q", "--refresh", "workflow.yaml").code == 0
    assert ran(notes) == ["make", "use"]


def test_refresh_of_what_is_not_there(argosy: Argosy, notes: Path) -> None:
    answer = argosy("run", "workflow.yaml", "--refresh", "mak")
    assert answer.code == 2
    assert "did you mean make?" in answer.err
    answer = argosy("run", "workflow.yaml", "--refresh", "--no-cache")
    assert answer.code == 2
    assert "leave one out" in answer.err


# -- what is never used again


def test_a_failing_step_is_never_kept(argosy: Argosy, notes: Path) -> None:
    for _ in range(2):
        nodes = run(argosy, "--cache", "-p", "code=3", code=1)
        assert nodes["use"]["phase"] == "Failed"
        assert "use" in ran(notes)


def damage(folder: Path, digest: str) -> None:
    """Flip a bit of a file of a stored folder."""
    tree = digest.partition(":")[2].removesuffix(".tree")
    listing = (folder / ".argosy" / "store" / "trees" / tree[:2] / tree[2:]).read_text()
    for path in (folder / ".argosy" / "store" / "objects").glob("*/*"):
        if path.parent.name + path.name in listing:
            data = bytearray(path.read_bytes())
            data[0] ^= 1
            path.chmod(0o644)
            path.write_bytes(data)


def test_a_damaged_artifact_is_not_used_and_made_again(argosy: Argosy, notes: Path, folder: Path) -> None:
    nodes = run(argosy, "--cache", "--name", "first")
    ran(notes)
    damage(folder, nodes["make"]["outputs"]["artifacts"][0]["digest"])
    assert hits(run(argosy, "--cache", "--name", "second")) == {"use"}
    assert ran(notes) == ["make"]
    assert "not reused: an artifact of first.make is lost" in argosy("why", "second", "make").out
    assert hits(run(argosy, "--cache", "--refresh", "use")) == {"make"}
    assert ran(notes) == ["use"]


def test_an_artifact_that_is_gone_is_made_again(argosy: Argosy, notes: Path, folder: Path) -> None:
    run(argosy, "--cache")
    ran(notes)
    shutil.rmtree(folder / ".argosy" / "store" / "trees")
    run(argosy, "--cache")
    assert ran(notes) == ["make"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            (
                "\n  - name: use\n",
                '\n  - name: use\n    podSpecPatch: "containers: [{name: main, workingDir: /tmp}]"\n',
            ),
            "a podSpecPatch changes it",
        ),
        (
            (
                "inputs: {artifacts: [{name: data, path: given}]}",
                "inputs: {artifacts: [{name: data, path: given}, LOCATED]}",
            ),
            "comes from http, and is only known once it is fetched",
        ),
        (
            ("      image: none\n      command: [sh]\n", "      image: none\n      command: [sh]\n      MOUNTS\n"),
            "it may write to the volume shared, which other steps may read",
        ),
    ],
)
def test_what_is_not_certain_is_run(
    argosy: Argosy, notes: Path, folder: Path, change: tuple[str, str], reason: str
) -> None:
    text = (folder / "workflow.yaml").read_text().replace(*change)
    text = text.replace("LOCATED", '{name: far, optional: true, path: far, http: {url: "http://127.0.0.1:1/"}}')
    text = text.replace("MOUNTS", f"volumeMounts: [{{name: shared, mountPath: {folder}}}]")
    volumes = f"  volumes: [{{name: shared, hostPath: {{path: {folder}}}}}]\n  templates:\n"
    (folder / "workflow.yaml").write_text(text.replace("  templates:\n", volumes))
    for name in ("first", "second"):
        argosy("run", "workflow.yaml", "-q", "--cache", "--name", name)
    assert reason in argosy("why", "second", "use").out
    assert "reused from first" in argosy("get", "second").out


def test_containers_of_a_set_keep_their_outputs(argosy: Argosy, folder: Path) -> None:
    (folder / "workflow.yaml").write_text(
        """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: set-}
spec:
  entrypoint: main
  templates:
  - name: main
    containerSet:
      containers:
      - {name: main, image: none, command: [sh, -c, "echo out"], dependencies: [before]}
      - {name: before, image: none, command: [sh, -c, "echo before"]}
"""
    )
    before = run(argosy, "--cache")
    after = run(argosy, "--cache")
    assert [one["phase"] for one in after.values()] == ["Succeeded"] * 3
    assert len(hits(after)) == 1
    for name in ("main", "before"):
        assert after[name].get("outputs") == before[name].get("outputs")


def test_a_data_template_is_reused_by_what_it_lists(argosy: Argosy, folder: Path, notes: Path) -> None:
    made = run(argosy)["make"]["outputs"]["artifacts"][0]["digest"]
    (folder / "workflow.yaml").write_text(
        f"""\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{generateName: data-}}
spec:
  entrypoint: listed
  templates:
  - name: listed
    data:
      source: {{artifactPaths: {{name: data, digest: "{made}"}}}}
      transformation: [{{expression: "filter(data, {{true}})"}}]
"""
    )
    before, after = run(argosy, "--cache"), run(argosy, "--cache")
    assert (len(hits(before)), len(hits(after))) == (0, 1)
    assert [one["outputs"]["result"] for one in after.values()] == ['["file"]']


# -- running again


def test_resubmit_and_retry(argosy: Argosy, notes: Path) -> None:
    run(argosy, "--cache", "--name", "first")
    ran(notes)
    assert argosy("resubmit", "first", "-q", "--name", "again").code == 0
    assert ran(notes) == []
    assert argosy("resubmit", "first", "-q", "--refresh").code == 0
    assert ran(notes) == ["make", "use"]
    assert argosy("resubmit", "first", "-q", "--no-cache").code == 0
    assert ran(notes) == ["make", "use"]
    # What a person wants run again is not taken from the cache.
    assert argosy("retry", "again", "--from", "use").code == 0
    assert ran(notes) == ["use"]


def test_a_failed_run_goes_on_from_what_another_did(argosy: Argosy, notes: Path) -> None:
    run(argosy, "--cache", "-p", "code=3", code=1)
    ran(notes)
    assert hits(run(argosy, "--cache")) == {"make"}
    assert ran(notes) == ["use"]


def test_prune_forgets_what_a_deleted_run_stored(argosy: Argosy, notes: Path) -> None:
    run(argosy, "--cache", "--name", "first")
    ran(notes)
    assert argosy("delete", "first", "--yes").code == 0
    assert argosy("prune").code == 0
    assert not hits(run(argosy, "--cache", "--name", "second"))
    assert ran(notes) == ["make", "use"]
    assert "no earlier outcome of its template is kept" in argosy("why", "second", "make").out


# -- what differs


@pytest.fixture
def varied(argosy: Argosy, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ARGOSY_TEST_SEED", "1")
    monkeypatch.setenv("ARGOSY_KEY_FILE", str(folder / "key"))
    (folder / "documents.yaml").write_text(DOCUMENTS)
    (folder / "workflow.yaml").write_text(VARIED)
    assert argosy("apply", "-f", "documents.yaml").code == 0
    assert not hits(run(argosy, "--cache", "--name", "first"))
    assert hits(run(argosy, "--cache")) == {"train"}
    return folder


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("image: first", "image: second", "the image changed"),
        ("echo trained", "echo learned", "the command changed"),
        ('value: "0.1"', 'value: "0.2"', "the parameter lr changed"),
        ("data: rows", "data: columns", "the input data table changed"),
        ("path: table", "path: tables", "the place of the input table changed"),
        ('value: "3"', 'value: "4"', "the environment variable DEPTH changed"),
        ("name: DEPTH", "name: WIDTH", "the environment variable WIDTH is new"),
        ("      image: first", "      image: first\n      workingDir: /tmp", "the working folder is new"),
        ("ARGOSY_TEST_OTHER", "ARGOSY_KEY_FILE", "the environment variable ARGOSY_KEY_FILE of this machine is new"),
        ("    container:", "    outputs: {parameters: [{name: x, value: y}]}\n    container:", "the outputs that it"),
        ("mode: fast", "mode: slow", "the environment variable MODE changed"),
        ("canary-4711", "canary-4712", "the secret hub has a new version"),
    ],
)
def test_why_names_each_part_that_changed(argosy: Argosy, varied: Path, before: str, after: str, said: str) -> None:
    for name in ("workflow.yaml", "documents.yaml"):
        text = (varied / name).read_text()
        (varied / name).write_text(text.replace(before, after))
    assert argosy("apply", "-f", "documents.yaml").code == 0
    assert not hits(run(argosy, "--cache", "--name", "changed"))
    lines = [line.strip() for line in argosy("why", "changed", "train").out.splitlines()]
    differing = lines[lines.index("compared with first[0].train:") + 1 :]
    assert differing[0].startswith(said), differing
    assert "canary" not in "".join(lines)


def test_a_variable_of_this_machine_that_the_template_names(
    argosy: Argosy, varied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARGOSY_TEST_SEED", "2")
    assert not hits(run(argosy, "--cache", "--name", "changed"))
    why = json.loads(argosy("why", "changed", "train", "-o", "json").out)
    said = [one["text"] for one in why["reasons"] if one["kind"] == "differs"]
    assert said[1:] == ["the environment variable ARGOSY_TEST_SEED of this machine changed"]


def test_no_secret_is_in_the_record(argosy: Argosy, varied: Path) -> None:
    with sqlite3.connect(varied / ".argosy" / "argosy.db") as database:
        kept = database.execute("SELECT key, parts, outcome FROM reuse").fetchall()
    database.close()
    assert kept
    assert b"canary" not in repr(kept).encode()


def test_what_differs_by_nature_is_not_reused(argosy: Argosy, folder: Path, notes: Path) -> None:
    text = (folder / "workflow.yaml").read_text()
    (folder / "workflow.yaml").write_text(text.replace("cat given/file", "echo {{workflow.name}}"))
    run(argosy, "--cache", "--name", "first")
    assert hits(run(argosy, "--cache", "--name", "second")) == {"make"}
    assert "the script changed" in argosy("why", "second", "use").out


def test_a_reused_step_has_the_metrics_of_the_one_that_ran(argosy: Argosy, folder: Path, notes: Path) -> None:
    text = (folder / "workflow.yaml").read_text()
    (folder / "workflow.yaml").write_text(text.replace("cat given/file", 'echo "loss: 0.5"; echo "loss: 0.25"'))
    run(argosy, "--cache", "--name", "first")
    assert hits(run(argosy, "--cache", "--name", "second")) == {"make", "use"}
    with sqlite3.connect(folder / ".argosy" / "argosy.db") as database:
        query = "SELECT m.name, m.step, m.source, m.count, m.last FROM run_metrics m JOIN runs r ON r.id = m.run"
        first, second = (
            sorted(database.execute(f"{query} WHERE r.name = ?", (name,)).fetchall()) for name in ("first", "second")
        )
        histories = database.execute("SELECT count(*), count(DISTINCT points) FROM metric_histories").fetchone()
    database.close()
    assert first == second
    assert ("loss", "use", "output", 2, 0.25) in second
    assert histories == (2, 1)
