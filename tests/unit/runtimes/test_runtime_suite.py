"""What every runtime that really runs steps must do, the same for each."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from pathlib import Path

import pytest
from runtime_bench import WARM_UP, open_files

from argosy.runners.local.runtimes.places import ENGINES
from argosy.runners.local.runtimes.runtime import Mount

STUBBORN = "trap '' TERM; (setsid sh -c 'trap \"\" TERM; sleep 300' &) ; echo up > {tmp}/up; sleep 300; sleep 300"


@pytest.mark.parametrize("code", [0, 1, 7, 42, 125, 126, 127, 255])
def test_exit_codes(bench, code: int):
    ended = bench.run(bench.sh("a", f"exit {code}"))
    assert (ended.code, ended.lost, ended.refused, ended.message) == (code, False, False, "")
    assert abs(ended.at - time.time()) < 60


def test_a_step_that_a_signal_kills(bench):
    # In a container, as in Kubernetes, the first process is not killed by a signal that it does not handle.
    assert bench.run(bench.sh("a", "sh -c 'kill -TERM $$'; exit $?")).code == 128 + signal.SIGTERM


def test_output_goes_to_the_files(bench):
    out, err = bench.folder / "out", bench.folder / "err"
    ended = bench.run(bench.sh("a", "echo one; echo two >&2; printf three", stdout=str(out), stderr=str(err)))
    assert ended.code == 0
    assert (out.read_text(), err.read_text()) == ("one\nthree", "two\n")


def test_one_log_for_both_streams_is_appended_to(bench):
    bench.log.write_text("before\n")
    assert bench.output("echo one; echo two >&2; echo three") == "before\none\ntwo\nthree\n"


def test_a_container_can_have_a_terminal(bench):
    asked = "if test -t 0; then echo terminal; else echo none; fi"
    said = bench.output(asked, tty=True).split()
    assert said == (["terminal"] if bench.kind in ENGINES else ["none"])
    assert bench.run(bench.sh("without", asked)).code == 0
    assert bench.log.read_text().split() == [*said, "none"]


def test_environment_is_exact(bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("A_SECRET_OF_THE_HOST", "x")
    wanted = {
        "PLAIN": "1",
        "SPACED": " a  b ",
        "LINES": "one\ntwo\n",
        "UNICODE": "żółw 🐢",
        "QUOTES": "'\"`$(x)\\",
        "EMPTY": "",
    }
    script = 'for n in PLAIN SPACED LINES UNICODE QUOTES EMPTY; do eval "printf \'<%s>\' \\"\\$$n\\""; done'
    script += "; env | grep SECRET; :"
    expected = "".join(f"<{value}>" for value in wanted.values())
    assert bench.output(script, environment=wanted) == expected


def test_variables_that_the_engine_uses_itself_reach_the_step(bench):
    wanted = {"PATH": "/bin:/usr/bin:/odd", "HOME": "/odd/home", "TMPDIR": "/odd/tmp", "LD_ODD": "1", "GOODIES": "2"}
    shown = bench.output('echo "$PATH $HOME $TMPDIR $LD_ODD $GOODIES"', environment=wanted)
    assert shown == "/bin:/usr/bin:/odd /odd/home /odd/tmp 1 2\n"


def test_arguments_arrive_as_they_are(bench):
    odd = ("", " ", "a b", "new\nline", "żółw 🐢", "'\"`$(x)\\", "--entrypoint", "-", "--")
    script = 'for a in "$@"; do printf "<%s>" "$a"; done'
    ended = bench.run(bench.spec("a", "sh", "-c", script, args=("zero", *odd)))
    assert ended.code == 0
    assert bench.log.read_text() == "".join(f"<{word}>" for word in odd)


def test_stdin_is_empty(bench):
    assert bench.output("cat; echo end") == "end\n"


def test_working_folder(bench):
    if bench.kind != "podman":
        assert bench.output("pwd; echo x > made") == f"{bench.folder}/work\n"
        assert (bench.folder / "work/made").exists()
    bench.log.write_text("")
    assert bench.run(bench.sh("b", "pwd", working_dir="/etc")).code == 0
    assert bench.log.read_text() == "/etc\n"


def test_a_working_folder_that_is_not_there(bench):
    ended = bench.run(bench.sh("a", "pwd", working_dir="/nowhere/at/all"))
    if bench.kind == "process":
        assert ended.code == 126
        assert "/nowhere/at/all" in ended.message
    else:  # Kubernetes makes it, too
        assert (ended.code, bench.log.read_text()) == (0, "/nowhere/at/all\n")


def test_private_tmp(bench):
    tmp = bench.tmp_of()
    with tempfile.NamedTemporaryFile(dir="/tmp", prefix="argosy-test-") as hosts:
        seen = bench.output(f"ls -A {tmp}; echo mine > {tmp}/mine; echo end")
    assert Path(hosts.name).name not in seen
    assert seen.endswith("end\n")
    assert (bench.folder / "tmp/mine").read_text() == "mine\n"


def test_absolute_mounts(bench):
    source = bench.root / "in,put=1"
    source.mkdir()
    (source / "data").write_text("data")
    output = bench.root / "output"
    output.mkdir()
    mounts = (
        Mount(source=str(source), target="/inputs/raw", read_only=True),
        Mount(source=str(source / "data"), target="/inputs/one/file.txt", read_only=True),
        Mount(source=str(source / "data"), target="/etc/argosy.conf", read_only=True),
        Mount(source=str(source / "data"), target="/usr/share/argosy/deep/data", read_only=True),
        Mount(source=str(output), target="/root/outputs/y"),
    )
    if bench.kind == "process":
        ended = bench.run(bench.sh("a", "true", mounts=mounts))
        assert ended.refused
        assert "sandbox" in ended.message
        return
    script = "cat /inputs/raw/data /inputs/one/file.txt /etc/argosy.conf /usr/share/argosy/deep/data; ls /etc/passwd; "
    script += "(echo > /inputs/raw/new) 2>/dev/null || echo read-only; echo done > /root/outputs/y/result"
    assert bench.output(script, mounts=mounts) == "datadatadatadata/etc/passwd\nread-only\n"
    assert (output / "result").read_text() == "done\n"
    assert not (source / "new").exists()


def test_a_mount_that_is_not_there_is_refused(bench):
    ended = bench.run(bench.sh("a", "true", mounts=(Mount(source=str(bench.root / "absent"), target="/inputs/x"),)))
    assert (ended.code, ended.refused) == (126, True)
    assert "/inputs/x" in ended.message


def test_command_not_found(bench):
    ended = bench.run(bench.spec("a", "no-such-program", "x"))
    assert ended.code == 127
    assert ended.message.startswith("StartError: ")
    assert "no-such-program" in ended.message


def test_command_by_a_path_that_is_not_there(bench):
    ended = bench.run(bench.spec("a", "/no/such/program"))
    assert ended.code == 127
    assert ended.message.startswith("StartError: ")


def test_command_that_cannot_be_executed(bench):
    ended = bench.run(bench.spec("a", "/etc/passwd"))
    assert ended.code == 126
    assert ended.message.startswith("StartError: ")


def test_a_megabyte_in_one_argument_is_a_clear_failure(bench):
    ended = bench.run(bench.spec("a", "echo", "x" * 1_000_000))
    assert ended.code == 126
    assert "longer than the system allows" in ended.message


def test_a_character_that_no_argument_can_hold_is_a_clear_failure(bench):
    ended = bench.run(bench.spec("a", "echo", "one\0two"))
    assert ended.code == 126
    assert "NUL" in ended.message


def test_a_second_start_of_an_id_does_nothing(bench):
    tmp = bench.tmp_of()
    specs = [bench.sh("a", f"echo x >> {tmp}/count; exit 3")] * 2
    bench.runner.start(specs)
    assert bench.wait_all()["a"].code == 3
    bench.runner.start(specs)
    bench.forget()
    assert bench.runner.adopt()["a"].code == 3
    bench.runner.start(specs)
    assert bench.runner.wait(0) == []
    assert (bench.folder / "tmp/count").read_text() == "x\n"


def test_a_gentle_stop_lets_the_step_tidy_up(bench):
    tmp = bench.tmp_of()
    script = f"trap 'echo tidy; exit 9' TERM; echo up > {tmp}/up; while :; do sleep 0.02; done"
    bench.runner.start([bench.sh("a", script)])
    bench.wait_for(bench.folder / "tmp/up")
    bench.runner.stop("a", 60)
    assert bench.wait_all()["a"].code == 9
    assert bench.log.read_text().endswith("tidy\n")
    assert bench.leftovers() == []


def test_stop_kills_the_whole_tree_after_the_grace(bench):
    bench.runner.start([bench.sh("a", STUBBORN.format(tmp=bench.tmp_of()))])
    bench.wait_for(bench.folder / "tmp/up")
    bench.runner.stop("a", 0.2)
    bench.runner.stop("a", 0.3)
    ended = bench.wait_all()["a"]
    assert (ended.code, ended.lost) == (137, False)
    assert bench.leftovers() == []
    bench.runner.stop("a", 0)
    bench.runner.stop("never started", 0)


def test_adoption(bench):
    tmp = bench.tmp_of()
    quick = bench.sh("quick", "exit 5")
    slow = bench.sh("slow", f"echo up > {tmp}/up; while [ ! -e {tmp}/go ]; do sleep 0.02; done; exit 6")
    bench.runner.start([quick, slow])
    bench.wait_for(bench.folder / "tmp/up")
    bench.forget()
    adopted = bench.runner.adopt()
    adopted.pop(WARM_UP, None)
    assert set(adopted) == {"quick", "slow"}
    assert adopted["slow"] is None
    (bench.folder / "tmp/go").touch()
    codes = {id: exit.code for id, exit in adopted.items() if exit is not None}
    while len(codes) < 2:
        codes |= {exit.id: exit.code for exit in bench.runner.wait(5)}
    assert codes == {"quick": 5, "slow": 6}


def test_the_supervisor_killed_means_lost_and_nothing_left_alive(bench):
    bench.runner.start([bench.sh("a", STUBBORN.format(tmp=bench.tmp_of()))])
    bench.wait_for(bench.folder / "tmp/up")
    os.kill(bench.supervisor_pid(), signal.SIGKILL)
    ended = bench.wait_all()["a"]
    assert ended.lost
    assert bench.leftovers() == []
    assert bench.run(bench.sh("b", "exit 4")).code == 4


def test_no_command_and_an_image_that_nobody_knows(bench):
    if bench.kind == "podman":
        ended = bench.run(bench.spec("a", image="localhost/no-such-image:1", pull_policy="Never"))
    else:
        ended = bench.run(bench.spec("a", image="someone/something:1"))
    assert ended.refused
    assert "image" in ended.message


def test_a_thousand_starts_leak_no_descriptor(bench):
    count = 1000 if bench.kind != "podman" else 10
    assert bench.run(bench.sh("first", "true")).code == 0
    pids = (os.getpid(), bench.supervisor_pid())
    before = [open_files(pid) for pid in pids]
    bench.runner.start([bench.spec(f"n{number}", "true") for number in range(count)])
    assert {exit.code for exit in bench.wait_all(count).values()} == {0}
    assert [open_files(pid) for pid in pids] == before
    assert bench.leftovers() == []
