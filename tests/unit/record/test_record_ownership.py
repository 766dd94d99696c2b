"""A process of this machine is known to live or to be gone; of others nothing is known."""

import os
import platform
import subprocess
import sys

import msgspec
import pytest

from argosy.record.ownership import Owner, liveness, this_process

linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")


@linux
def test_this_process_lives() -> None:
    me = this_process()
    assert (me.pid, me.host) == (os.getpid(), platform.node())
    assert me == this_process()
    assert liveness(me) is True


@linux
def test_a_process_that_ended_is_gone_even_before_it_is_collected() -> None:
    script = (
        "from argosy.record.ownership import *; import msgspec; print(msgspec.json.encode(this_process()).decode())"
    )
    with subprocess.Popen([sys.executable, "-c", script + "; input()"], stdin=-1, stdout=-1, text=True) as child:
        assert child.stdout is not None
        owner = msgspec.json.decode(child.stdout.readline(), type=Owner)
        assert liveness(owner) is True
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert liveness(owner) is False
    assert liveness(owner) is False


@linux
def test_a_number_used_again_is_another_process() -> None:
    me = this_process()
    assert liveness(msgspec.structs.replace(me, start_ticks=me.start_ticks - 1)) is False


@pytest.mark.parametrize("change", [{"host": "elsewhere"}, {"boot_id": "earlier"}, {"boot_id": ""}])
def test_nothing_is_known_of_other_machines_boots_and_namespaces(change: dict[str, str]) -> None:
    assert liveness(msgspec.structs.replace(this_process(), **change)) is None
