"""A volume in memory that containers share leaves nothing behind, whoever is killed while a step uses it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from driven import Folder, await_true, ended, kill

from argosy.artifacts.places import memory_folder
from argosy.runners.local.leftovers import processes_of
from argosy.runners.local.runtimes import choose

WORKFLOW = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: w}
spec:
  entrypoint: main
  volumes:
  - {name: m, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
  - {name: gate, hostPath: {path: GATE}}
  templates:
  - name: main
    retryStrategy: {limit: 2, retryPolicy: Always}
    sidecars:
    - name: beside
      image: none
      command: [sh, -c, "echo told > /m/a; sleep 600"]
      volumeMounts: [{name: m, mountPath: /m}]
    container:
      image: none
      command: [sh, -c, "until test -s /m/a; do sleep 0.1; done; cat /m/a; until test -e /gate/open; do sleep 1; done"]
      volumeMounts: [{name: m, mountPath: /m}, {name: gate, mountPath: /gate}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    if trouble := choose.make("sandbox").trouble():
        pytest.skip(trouble)
    folder = Folder(tmp_path)
    folder.write(WORKFLOW.replace("GATE", str(tmp_path / "gate")))
    return folder


def in_memory(uid: str) -> list[str]:
    above = memory_folder()
    assert above is not None
    return [name for _, _, names in os.walk(above / uid) for name in names]


def killed_meanwhile(folder: Folder, whom: str) -> str:
    """The uid of a run whose driver, or all of it, was killed while its step used the volume."""
    driver = folder.run("a-run", runtime="sandbox")
    await_true(lambda: folder.call("get", "a-run", "-o", "json")[0] == 0, 20)
    uid = folder.uid("a-run")
    await_true(lambda: in_memory(uid) == ["a"], 20)
    victims = processes_of(uid) if whom == "everything" else []
    driver.kill()
    ended(driver)
    for pid in (*(folder.supervisors() if victims else ()), *victims):
        kill(pid)
    return uid


@pytest.mark.parametrize("whom", ["driver", "everything"])
def test_nothing_is_left_in_memory(whom: str, folder: Folder) -> None:
    uid = killed_meanwhile(folder, whom)
    (folder.folder / "gate" / "open").touch()
    code, _, errors = folder.call("resume", "a-run")
    assert code == 0, errors
    assert folder.status("a-run")["phase"] == "Succeeded"
    assert "told" in folder.logs()
    assert in_memory(uid) == []


def test_a_run_that_is_never_resumed_leaves_nothing_when_it_is_deleted(folder: Folder) -> None:
    uid = killed_meanwhile(folder, "everything")
    assert in_memory(uid) == ["a"], "it is there until somebody looks after the run"
    code, _, errors = folder.call("delete", "a-run", "-y")
    assert code == 0, errors
    assert in_memory(uid) == []
