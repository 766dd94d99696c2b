"""What only looks: lint, plan, templates, artifacts, shell, check, prune, doctor; and apply."""

from __future__ import annotations

import json
from pathlib import Path

from cli_samples import DIAMOND, HELLO, Argosy

MAKING = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: make-}
spec:
  entrypoint: main
  templates:
  - name: main
    outputs: {artifacts: [{name: result, path: result.txt, archive: {none: {}}}]}
    container: {image: none, command: [sh, -c], args: ["echo made > result.txt"]}
"""


def test_lint(argosy: Argosy, hello: str, folder: Path) -> None:
    good = argosy("lint", hello)
    assert (good.code, good.out) == (0, "")
    assert good.err == "1 file, 1 document: nothing to complain about\n"
    (folder / "bad.yaml").write_text(HELLO.replace("template", "tempalte"))
    bad = argosy("lint", ".")
    assert bad.code == 3
    assert "did you mean `templates`?" in bad.out
    document = json.loads(argosy("lint", ".", "-o", "json").out)
    assert (document["schema"], document["ok"]) == ("argosy.lint/v1", False)
    assert {finding["severity"] for file in document["files"] for finding in file["findings"]} >= {"error"}
    (folder / "Makefile.yaml").write_text("all\n")
    both = argosy("lint", ".")
    assert "Makefile.yaml:1:1: error: this is no format that is known" in both.out
    assert "did you mean `templates`?" in both.out
    assert argosy("lint", "none.yaml").code == 4
    assert argosy("lint").code == 2
    assert not (folder / ".argosy").exists()


def test_lint_finds_templates_of_other_files_and_of_the_catalog(argosy: Argosy, folder: Path) -> None:
    template = HELLO.replace("kind: Workflow", "kind: WorkflowTemplate").replace("generateName: hello-", "name: t")
    calling = "\n".join(
        [
            "apiVersion: argoproj.io/v1alpha1",
            "kind: Workflow",
            "metadata: {generateName: x-}",
            "spec: {workflowTemplateRef: {name: t}}",
            "",
        ]
    )
    (folder / "t.yaml").write_text(template)
    (folder / "w.yaml").write_text(calling)
    assert "warning" in argosy("lint", "w.yaml").out
    assert "warning" not in argosy("lint", "w.yaml", "t.yaml").out
    argosy("apply", "t.yaml")
    assert "warning" not in argosy("lint", "w.yaml").out


def test_plan(argosy: Argosy, diamond: str, folder: Path) -> None:
    answer = argosy("plan", diamond)
    assert answer.code == 0
    assert "▶ a  say" in answer.out
    assert "? s  decided when it comes to it" in answer.out
    assert "4 steps would run, and the run would be succeeded" in answer.err
    failing = json.loads(argosy("plan", diamond, "--assume", "b=Failed", "-o", "json").out)["runs"][0]
    assert failing["phase"] == "Failed"
    nodes = {node["displayName"]: node for node in failing["nodes"]}
    assert nodes["c"]["phase"] == "Omitted"
    assert nodes["b"]["template"]["container"]["env"] == [{"name": "CODE", "value": "1"}]
    assert "▶ s" in argosy("plan", diamond, "--assume", "a.result=no").out
    assert argosy("plan", diamond, "--assume", "b=Sleeping").code == 2
    assert argosy("plan", diamond, "--assume", "b").code == 2
    assert not (folder / ".argosy").exists()


def test_plan_of_a_loop_over_what_only_a_run_can_tell(argosy: Argosy, folder: Path) -> None:
    looping = DIAMOND.replace('when: "{{tasks.a.outputs.result}} == no"', 'withParam: "{{tasks.a.outputs.result}}"')
    (folder / "loop.yaml").write_text(looping)
    assert "s(0:unknown)" in argosy("plan", "loop.yaml").out
    assert "s(1:y)" in argosy("plan", "loop.yaml", "--assume", 'a.result=["x","y"]').out


def test_plan_of_a_loop_without_end_is_left_off(argosy: Argosy, folder: Path) -> None:
    endless = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: wide-}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: s, template: leaf, withSequence: {count: 20100}}
  - name: leaf
    container: {image: none, command: ["true"]}
"""
    (folder / "wide.yaml").write_text(endless)
    answer = argosy("plan", "wide.yaml")
    assert "it goes on after 2" in answer.err
    assert "and more" in answer.out


def test_apply_all_or_nothing(argosy: Argosy, folder: Path) -> None:
    (folder / "one.yaml").write_text("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {key: hidden}\n")
    (folder / "two.yaml").write_text(HELLO)
    assert argosy("apply", "-f", ".").code == 2
    assert argosy("templates", "--all", "-o", "name").out == ""
    assert argosy("apply", "-f", "one.yaml").out == "Secret s created\n"
    assert argosy("apply", "one.yaml", "-o", "name").out == "secret/s\n"
    assert json.loads(argosy("apply", "one.yaml", "-o", "json").out)["objects"][0]["outcome"] == "unchanged"
    shown = argosy("templates", "secret/s", "--kind", "Secret")
    assert "hidden" not in shown.out
    assert "key: '********'" in shown.out
    assert argosy("templates").err != ""
    assert argosy("delete", "secret/s").code == 0
    assert argosy("delete", "secret/s").code == 4
    assert argosy("delete", "pod/s").code == 2
    assert argosy("apply").code == 2


def test_artifacts(argosy: Argosy, folder: Path) -> None:
    (folder / "make.yaml").write_text(MAKING)
    assert argosy("run", "make.yaml", "-q", "--name", "m").code == 0
    assert "5 B" in argosy("artifacts", "m").out
    document = json.loads(argosy("artifacts", "m", "-o", "json").out)
    assert document["artifacts"][0]["sizeBytes"] == 5
    assert argosy("artifacts", "m", "--get", "result", "-d", "out/r.txt").out == "out/r.txt\n"
    assert (folder / "out" / "r.txt").read_text() == "made\n"
    assert argosy("artifacts", "m", "--get", "result", "-d", "out/r.txt").code == 2
    assert "did you mean result?" in argosy("artifacts", "m", "--get", "resutl").err


def test_check_tells_damage(argosy: Argosy, folder: Path) -> None:
    (folder / "make.yaml").write_text(MAKING)
    argosy("run", "make.yaml", "-q", "--name", "m")
    assert argosy("check", "--read-data").code == 0
    (stored,) = (folder / ".argosy" / "store" / "objects").glob("*/*")
    stored.chmod(0o644)
    stored.write_text("MADE\n")
    assert argosy("check").code == 0
    damaged = argosy("check", "--read-data")
    assert damaged.code == 1
    assert "damaged object: sha256:" in damaged.out
    # What is damaged is put aside, so that the same content can be stored anew.
    assert not stored.exists()
    lost = argosy("check", "-o", "json")
    assert lost.code == 1
    assert json.loads(lost.out)["lost"][0].startswith("m: ")


def test_prune(argosy: Argosy, folder: Path) -> None:
    due = MAKING.replace("spec:\n", "spec:\n  ttlStrategy: {secondsAfterCompletion: 0}\n")
    (folder / "due.yaml").write_text(due)
    (folder / "gc.yaml").write_text(
        MAKING.replace(
            "spec:\n", "spec:\n  podGC: {strategy: OnPodCompletion}\n  artifactGC: {strategy: OnWorkflowCompletion}\n"
        )
    )
    argosy("run", "due.yaml", "-q", "--name", "due")
    argosy("run", "gc.yaml", "-q", "--name", "gc")
    would = argosy("prune", "--dry-run")
    assert "run due" in would.out
    assert "artifact gc: result" in would.out
    assert argosy("list", "-o", "name").out == "gc\ndue\n"
    done = json.loads(argosy("prune", "-o", "json").out)
    assert (done["runs"], done["artifacts"]) == (["due"], ["gc: result"])
    assert argosy("list", "-o", "name").out == "gc\n"
    (attempt,) = (folder / ".argosy" / "runs").glob("*/steps/*")
    assert sorted(path.name for path in attempt.iterdir()) == ["attempt.json", "main.log"]
    assert argosy("prune", "--older-than", "0s").code == 0
    assert argosy("list", "-o", "name").out == ""
    assert list((folder / ".argosy" / "runs").iterdir()) == []


def test_shell_without_a_terminal(argosy: Argosy, folder: Path, capfd: object) -> None:
    import subprocess
    import sys

    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {key: hidden}\n---\n"
    using = MAKING.replace(
        "image: none,", "image: none, env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: s, key: key}}}],"
    )
    (folder / "make.yaml").write_text(secret + using)
    argosy("run", "make.yaml", "-q", "--name", "m")
    printed = argosy("shell", "m", "m")
    assert printed.out.startswith("cd ")
    assert "hidden" not in printed.out
    assert "TOKEN" in printed.err
    again = subprocess.run(argosy("shell", "m", "m", "--print").out, shell=True, check=False)
    assert again.returncode == 0
    inside = subprocess.run(
        [sys.executable, "-m", "argosy.cli.main", "shell", "m", "m", "--", "sh", "-c", "cat result.txt; echo $TOKEN"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert inside.stdout == "made\nhidden\n"
    assert argosy("shell", "m", "m", "-c", "other").code == 4


def test_doctor(argosy: Argosy, folder: Path) -> None:
    answer = argosy("doctor", "-o", "json")
    assert answer.code == 0
    looks = {one["what"]: one["state"] for one in json.loads(answer.out)["looks"]}
    assert looks["runtime process"] == "ok"
    assert looks["locks"] == "ok"
    assert not (folder / ".argosy").exists()
    (folder / "argosy.toml").write_text("[rnu]\n")
    broken = argosy("doctor")
    assert broken.code == 5
    assert "did you mean 'run'?" in broken.out
