"""Sandboxes that a zygote makes: what becomes of them when it dies, and what it leaves to bubblewrap."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from runtime_bench import Bench, made, open_files

from argosy.artifacts.redaction import Spellings
from argosy.runners.local.runtimes.runtime import Mount, StepSpec

MAKER = "tr '\\0' '\\n' < /proc/1/cmdline | grep -o -m1 'zygote\\|bwrap'"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(made("sandbox"), tmp_path)
    yield bench
    bench.close()


def noting(bench: Bench, id: str, more: str = "") -> StepSpec:
    """A step that writes down that it runs."""
    mounts = (Mount(source=str(bench.folder / "shared"), target="/shared"),)
    return bench.sh(id, f"echo {id} >> /shared/notes; {more}", mounts=mounts)


def notes(bench: Bench) -> list[str]:
    path = bench.folder / "shared" / "notes"
    return sorted(path.read_text().split()) if path.exists() else []


def test_many_sandboxes_leak_nothing(bench: Bench) -> None:
    assert bench.run(noting(bench, "a")).code == 0
    (zygote,) = bench.zygotes()
    pids = (os.getpid(), bench.supervisor_pid(), zygote)
    before = [open_files(pid) for pid in pids]
    bench.runner.start([noting(bench, f"n{number}") for number in range(300)])
    assert {exit.code for exit in bench.wait_all(300).values()} == {0}
    assert bench.zygotes() == [zygote]
    assert [open_files(pid) for pid in pids] == before
    assert len(notes(bench)) == 301


def test_steps_outlive_their_zygote_and_the_next_has_another(bench: Bench) -> None:
    waits = "trap 'exit 9' TERM; while [ ! -e /shared/go ]; do sleep 0.01; done; exit 6"
    bench.runner.start([noting(bench, name, waits) for name in ("a", "b")])
    bench.wait_for(bench.folder / "shared" / "notes")
    while len(notes(bench)) < 2:
        time.sleep(0.005)
    (zygote,) = bench.zygotes()
    os.kill(zygote, signal.SIGKILL)
    assert bench.run(noting(bench, "c")).code == 0
    assert bench.run(noting(bench, "d", MAKER)).code == 0
    assert bench.log.read_text() == "zygote\n"
    assert zygote not in bench.zygotes()
    bench.runner.stop("b", 30)
    assert bench.wait_all()["b"].code == 9
    (bench.folder / "shared" / "go").touch()
    assert bench.wait_all()["a"].code == 6
    assert notes(bench) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("pause_seconds", [0.0, 0.001, 0.004])
def test_zygotes_killed_at_any_moment(bench: Bench, pause_seconds: float) -> None:
    ids = [f"n{number}" for number in range(120)]
    bench.runner.start([noting(bench, id) for id in ids])
    ended: dict[str, int] = {}
    killed = 0
    while len(ended) < len(ids):
        for pid in bench.zygotes():
            time.sleep(pause_seconds)
            os.kill(pid, signal.SIGKILL)
            killed += 1
        ended |= {exit.id: exit.code for exit in bench.runner.wait(0.01)}
    assert killed
    assert set(ended.values()) == {0}
    assert notes(bench) == sorted(ids)


@pytest.mark.parametrize("count", range(4))
def test_the_supervisor_killed_with_sandboxes_in_the_making(bench: Bench, count: int) -> None:
    """Whatever had begun is dead before it is called lost; whatever had not never begins."""
    bench.runner.start([noting(bench, f"n{number}", "sleep 300") for number in range(12)])
    while len(notes(bench)) < 3 * count:
        time.sleep(0.001)
    os.kill(bench.supervisor_pid(), signal.SIGKILL)
    ended = bench.wait_all(12)
    assert all(exit.lost for exit in ended.values())
    assert bench.leftovers() == []
    before = notes(bench)
    time.sleep(0.1)
    assert notes(bench) == before


def test_what_is_not_in_the_runs_folder_is_left_to_bubblewrap(bench: Bench, tmp_path_factory) -> None:
    volume = tmp_path_factory.mktemp("volume")
    mounts = (Mount(source=str(volume), target="/volume"),)
    assert bench.output(f"echo kept > /volume/file; {MAKER}", mounts=mounts) == "bwrap\n"
    assert (volume / "file").read_text() == "kept\n"


def test_what_a_zygote_does_not_know_is_left_to_bubblewrap(bench: Bench) -> None:
    assert bench.output(f"{MAKER}; grep -c eth0 /proc/net/dev; true", network="none") == "bwrap\n0\n"


def test_a_link_that_a_step_left_leads_nowhere(bench: Bench, tmp_path_factory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert bench.output(f"ln -s {elsewhere} /tmp/link; mkdir /tmp/folder; {MAKER}") == "zygote\n"
    bench.log.unlink()
    for number, target in enumerate(("/tmp/link/here", "/tmp/folder/here")):
        mounts = (Mount(source=str(bench.folder / "shared"), target=target),)
        ended = bench.run(bench.sh(f"mounts{number}", MAKER, mounts=mounts))
        assert (ended.code == 0) == (target == "/tmp/folder/here"), bench.log.read_text()
    assert bench.log.read_text().endswith("zygote\n")
    assert list(elsewhere.iterdir()) == []


def test_a_step_with_secrets_is_left_to_bubblewrap(bench: Bench) -> None:
    """What a zygote was told is in the memory of all that it makes later."""
    hidden = Spellings(texts=(b"the-very-secret",), broken=())
    spec = bench.sh("a", f"echo it is $KEY; {MAKER}", environment={"KEY": "the-very-secret"}, hidden=hidden)
    assert bench.run(spec).code == 0
    assert bench.log.read_text() == "it is ***\nbwrap\n"


def test_nothing_of_the_driver_is_in_the_first_process(bench: Bench) -> None:
    look = (
        "tr '\\0' '\\n' < /proc/1/environ | grep -c -v '^LC_\\|^LANG'; ls -l /proc/1/fd | grep -c 'socket\\|lock'; true"
    )
    assert bench.output(look) == "0\n0\n"


WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: someone}
spec:
  entrypoint: main
  templates:
    - name: main
      steps:
        - - {name: first, template: look}
        - - {name: second, template: look}
    - name: look
      script:
        image: alpine
        command: [sh]
        source: |
          MAKER; id -u; grep CapEff /proc/self/status; echo x > /new && echo wrote; touch /usr/new || echo kept
"""


def test_a_user_without_rights_has_zygotes_too(tmp_path: Path) -> None:
    made("sandbox")
    file = tmp_path / "workflow.yaml"
    file.write_text(WORKFLOW.replace("MAKER", MAKER))
    user = ("bwrap", "--dev-bind", "/", "/", "--unshare-user", "--uid", "1234", "--gid", "1234")
    argosy = (*user, sys.executable, "-m", "argosy")
    options = ("--home", str(tmp_path / "home"))
    done = subprocess.run([*argosy, "run", str(file), "--runtime", "sandbox", *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    logs = subprocess.run([*argosy, "logs", "someone", *options], capture_output=True, text=True, check=True).stdout
    for step, maker in (("first", "bwrap"), ("second", "zygote")):
        lines = [line.partition(step)[2].strip(" :|]") for line in logs.splitlines() if step in line]
        assert lines[:4] == [maker, "1234", "CapEff:\t0000000000000000", "wrote"], logs
        assert lines[-1] == "kept", logs
