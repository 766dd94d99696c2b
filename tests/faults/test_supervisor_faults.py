"""The supervisor under blows: its driver dies, it dies itself, both do; nothing is left alive."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from argosy.errors import EnvironmentTrouble
from argosy.runners.local.leftovers import processes_of
from argosy.runners.local.supervision import Exit, Spawn, Supervision, read_lines

ESCAPING = "trap '' TERM; setsid sh -c 'trap \"\" TERM; echo $$ > escaped; sleep 300' & sleep 300"


@pytest.fixture
def run_uid(tmp_path: Path) -> str:
    return f"faults-{os.getpid()}-{tmp_path.name}"


def sh(folder: Path, id: str, script: str) -> Spawn:
    log = str(folder / f"{id}.log")
    environment = {"PATH": os.environ["PATH"]}
    return Spawn(
        id=id, argv=("/bin/sh", "-c", script), directory=str(folder), stdout=log, stderr=log, environment=environment
    )


def supervisor_pid(supervision: Supervision) -> int:
    folder = str(supervision._folder).encode()  # pyright: ignore[reportPrivateUsage]
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            argv = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if len(argv) > 4 and argv[3].endswith(b"supervisor.py") and argv[4] == folder:
            return int(path.parent.name)
    pytest.fail("there is no supervisor")


def forget(supervision: Supervision) -> None:
    """End the connection as the death of the driver does: without a word."""
    supervision._disconnect()  # pyright: ignore[reportPrivateUsage]


def all_exits(supervision: Supervision) -> dict[str, Exit]:
    exits: dict[str, Exit] = {}
    while found := supervision.wait(30):
        exits |= {exit.id: exit for exit in found}
        if not supervision.is_busy():
            break
    return exits


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 20
    while not (path.exists() and path.read_text().strip()):
        assert time.monotonic() < deadline, f"{path} never appeared"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_exits_that_came_while_nobody_watched_are_told_to_the_next_driver(tmp_path: Path, run_uid: str):
    first = Supervision.connect_or_start(tmp_path / "s", run_uid)
    first.spawn([sh(tmp_path, "quick", "exit 3"), sh(tmp_path, "slow", "while [ ! -e go ]; do sleep 0.01; done")])
    first.close()
    second = Supervision.connect_or_start(tmp_path / "s", run_uid)
    (tmp_path / "go").touch()
    exits = all_exits(second)
    second.close()
    assert {id: exit.code for id, exit in exits.items()} == {"quick": 3, "slow": 0}


DRIVER = """
import os, sys
from pathlib import Path
from argosy.runners.local.supervision import Spawn, Supervision
folder = Path(sys.argv[1])
s = Supervision.connect_or_start(folder / "s", sys.argv[2])
s.spawn([Spawn(id=f"n{i}", argv=("/bin/sh", "-c", f"echo {i} >> all; sleep 0.05; exit {i % 5}"), directory=sys.argv[1],
               stdout="/dev/null", stderr="/dev/null", environment=dict(PATH=os.environ["PATH"])) for i in range(40)])
os.kill(os.getpid(), 9)
"""


def test_what_a_killed_driver_asked_for_is_done_once(tmp_path: Path, run_uid: str):
    subprocess.run([sys.executable, "-c", DRIVER, str(tmp_path), run_uid], check=False)
    second = Supervision.connect_or_start(tmp_path / "s", run_uid)
    again = [sh(tmp_path, f"n{i}", f"echo {i} >> all; exit {i % 5}") for i in range(40)]
    second.spawn(again)
    exits = all_exits(second)
    second.close()
    assert {id: exit.code for id, exit in exits.items()} == {f"n{i}": i % 5 for i in range(40)}
    assert sorted((tmp_path / "all").read_text().split(), key=int) == [str(i) for i in range(40)]


def test_a_killed_supervisor_makes_its_steps_lost_and_leaves_nothing_alive(tmp_path: Path, run_uid: str):
    supervision = Supervision.connect_or_start(tmp_path / "s", run_uid)
    supervision.spawn([sh(tmp_path, "done", "exit 7"), sh(tmp_path, "tree", ESCAPING)])
    assert [exit.id for exit in supervision.wait(20)] == ["done"]
    wait_for(tmp_path / "escaped")
    os.kill(supervisor_pid(supervision), signal.SIGKILL)
    (lost,) = supervision.wait(20)
    assert (lost.id, lost.lost) == ("tree", True)
    assert processes_of(run_uid) == []
    supervision.spawn([sh(tmp_path, "tree", "exit 0"), sh(tmp_path, "next", "exit 4")])
    assert [(exit.id, exit.code) for exit in supervision.wait(20)] == [("next", 4)]
    supervision.close()


def test_driver_and_supervisor_killed_together(tmp_path: Path, run_uid: str):
    first = Supervision.connect_or_start(tmp_path / "s", run_uid)
    first.spawn([sh(tmp_path, "tree", ESCAPING), sh(tmp_path, "done", "exit 7")])
    wait_for(tmp_path / "escaped")
    assert first.wait(20)
    os.kill(supervisor_pid(first), signal.SIGKILL)
    forget(first)
    second = Supervision.connect_or_start(tmp_path / "s", run_uid)
    known = second.known()
    assert processes_of(run_uid) == []
    assert known["tree"] is not None
    assert known["tree"].lost
    assert known["done"] is not None
    assert known["done"].code == 7
    second.close()
    third = Supervision.connect_or_start(tmp_path / "s", run_uid)
    assert third.known() == known
    third.close()


def test_a_tree_that_ignores_TERM_and_left_its_group_is_gone_after_the_grace(tmp_path: Path, run_uid: str):
    supervision = Supervision.connect_or_start(tmp_path / "s", run_uid)
    supervision.spawn([sh(tmp_path, "tree", ESCAPING)])
    wait_for(tmp_path / "escaped")
    escaped = int((tmp_path / "escaped").read_text())
    supervision.kill("tree", signal.SIGTERM, 0.1)
    (ended,) = supervision.wait(20)
    assert (ended.code, ended.signal) == (137, 9)
    deadline = time.monotonic() + 10
    while not is_gone(escaped):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert processes_of(run_uid) == []
    supervision.close()


def test_a_daemon_that_a_step_leaves_behind_ends_with_it(tmp_path: Path, run_uid: str):
    supervision = Supervision.connect_or_start(tmp_path / "s", run_uid)
    script = "setsid sh -c 'echo $$ > escaped; exec sleep 300' & while [ ! -s escaped ]; do sleep 0.01; done"
    bare = "env -i /usr/bin/setsid /bin/sh -c 'echo $$ > bare; exec /bin/sleep 300' & while [ ! -s bare ]; do :; done"
    supervision.spawn([sh(tmp_path, "one", script), sh(tmp_path, "two", bare)])
    assert len(all_exits(supervision)) == 2
    deadline = time.monotonic() + 10
    while not all(is_gone(int((tmp_path / name).read_text())) for name in ("escaped", "bare")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    supervision.close()


def test_TERM_to_the_supervisor_takes_its_steps_along(tmp_path: Path, run_uid: str):
    supervision = Supervision.connect_or_start(tmp_path / "s", run_uid)
    supervision.spawn([sh(tmp_path, "long", "echo > up; sleep 300"), sh(tmp_path, "quick", "true")])
    assert [exit.id for exit in supervision.wait(20)] == ["quick"]
    os.kill(supervisor_pid(supervision), signal.SIGTERM)
    (ended,) = supervision.wait(20)
    assert (ended.id, ended.code, ended.lost) == ("long", 137, False)
    assert processes_of(run_uid) == []
    supervision.close()


def test_a_line_cut_short_by_a_crash_is_passed_over(tmp_path: Path, run_uid: str):
    folder = tmp_path / "s"
    folder.mkdir()
    (folder / "exits.jsonl").write_text(
        '{"exit": "a", "code": 5, "signal": 0, "at": 1.5, "message": ""}\n{"exit": "b", "co'
    )
    supervision = Supervision.connect_or_start(folder, run_uid)
    supervision.spawn([sh(tmp_path, "b", "exit 6"), sh(tmp_path, "a", "exit 9")])
    assert {id: exit.code for id, exit in all_exits(supervision).items()} == {"a": 5, "b": 6}
    supervision.close()
    assert {line.exit: line.code for line in read_lines(folder) if line.exit} == {"a": 5, "b": 6}


def test_the_supervisor_ends_when_it_is_not_needed(tmp_path: Path, run_uid: str):
    supervision = Supervision.connect_or_start(tmp_path / "s", run_uid)
    supervision.spawn([sh(tmp_path, "a", "exit 0")])
    assert all_exits(supervision)
    pid = supervisor_pid(supervision)
    supervision.close()
    assert is_gone(pid)
    supervision.close()


def test_a_folder_with_a_path_longer_than_a_socket_may_have(tmp_path: Path, run_uid: str):
    folder = tmp_path / ("d" * 120) / "s"
    first = Supervision.connect_or_start(folder, run_uid)
    first.spawn([sh(tmp_path, "a", "while [ ! -e go ]; do sleep 0.01; done; exit 2")])
    forget(first)
    second = Supervision.connect_or_start(folder, run_uid)
    (tmp_path / "go").touch()
    assert [exit.code for exit in second.wait(20)] == [2]
    second.close()


def test_exits_are_told_while_the_disk_is_full_and_written_when_it_is_not(tmp_path: Path, run_uid: str):
    folder = tmp_path / "s"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        supervision = Supervision.connect_or_start(folder, run_uid)
        supervision.spawn([sh(tmp_path, "before", "exit 1")])
        assert supervision.wait(20)
        with open(folder / "filler", "wb", buffering=0) as filler, contextlib.suppress(OSError):
            while filler.write(b"x" * 512):
                pass
        supervision.spawn([sh(tmp_path, f"during{number}", "exit 2") for number in range(60)])
        assert len(all_exits(supervision)) == 60
        (folder / "filler").unlink()
        supervision.spawn([sh(tmp_path, "after", "exit 3")])
        assert supervision.wait(20)
        supervision.close()
        codes = {line.exit: line.code for line in read_lines(folder) if line.exit}
        assert codes == {"before": 1, "after": 3} | {f"during{number}": 2 for number in range(60)}
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_driver_that_another_one_has_replaced_touches_nothing(tmp_path: Path, run_uid: str, monkeypatch):
    monkeypatch.setattr("argosy.runners.local.supervision.DEATH_SECONDS", 0.05)
    first = Supervision.connect_or_start(tmp_path / "s", run_uid)
    first.spawn([sh(tmp_path, "a", "while [ ! -e go ]; do sleep 0.01; done; exit 2")])
    second = Supervision.connect_or_start(tmp_path / "s", run_uid)
    with pytest.raises(EnvironmentTrouble, match="taken over"):
        first.wait(20)
    (tmp_path / "go").touch()
    assert [(exit.code, exit.lost) for exit in second.wait(20)] == [(2, False)]
    second.close()
