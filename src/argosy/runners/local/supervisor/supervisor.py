"""The program that starts a run's processes, reaps them and writes each exit down, apart from the driver.

It knows processes, a socket and one file. It does not know what a workflow, a template or a container is.

Run as `python -I -S supervisor.py FOLDER RUN_UID LINGER_SECONDS SOCKET_FD LOCK_FD`: only the standard library, and
little of it, so that it is up quickly. SOCKET_FD is the starting driver's end of a socket pair; a later driver
connects to `FOLDER/socket`. LOCK_FD is an flock-ed file that is held as long as this process lives, which is how a
driver knows that it does. Of this program only this file is read anew by each start; its parts are beside it. They use
the private, quick C modules: `socket` would cost 9 ms, `signal` 6 ms, `json` 8 ms.

In: frames (four bytes of length, little-endian, then a marshal-ed list of tuples):
    ("base", key, environment)                          a shared environment
    ("run", id, program, argv, base key, overrides, directory, stdout, stderr, shield, engine_kill, mask, shell, fork,
     width)
        mask: None, or the texts that its outputs are to be written without, and those of them that line ends may break
        shell: (), or bubblewrap and the options that all sandboxes have: then a zygote makes what argv asks for, if it
        can; see `zygotes`
        fork: None, or how a warm interpreter is started (program, argv, folder, overrides) and the function in it that
        is called instead of starting the program; see `forks`
        width: 0, or how many of the processes that have one may run at once; it waits until there is room, in order
    ("kill", id, signal, grace_seconds or None)         signal now, SIGKILL after the grace
    ("hello",)                                          answered when all that came earlier is done
    ("leave",)                                          exit as soon as no driver is connected and nothing runs
Out, JSON lines to `FOLDER/exits.jsonl`, and the last two to the driver:
    {"started": id}                                     before the process is made
    {"pid": 1, "of": id, "ticks": 2}                    soon after; ticks: when, in clock ticks since boot
    {"exit": id, "code": 0, "signal": 0, "at": 1.5, "message": ""}
    {"hello": pid}                                      not in the file

An exit is in the file before it is sent. The file is not synced: it survives the death of any process, and after a
power loss the attempts that ran are lost anyway. An id is started once, however often it is asked for.

The outputs of a step with a mask go through a child of their own, forked so that the texts stay in memory; the exit of
the step is told once that child has written everything down.

When a step's process ends, what is left of its group and every orphan that carries its id in the environment is
killed, as the end of a container's first process ends the container.
"""

from __future__ import annotations

import gc
import os
import sys
from _socket import AF_UNIX, SOCK_STREAM, socket

PACKAGES = os.path.abspath(f"{__file__}/../../../../..")


def main() -> None:
    folder, run_uid, linger_seconds, socket_fd, lock_fd = sys.argv[1:]
    sys.path.append(PACKAGES)
    from argosy.runners.local.supervisor.serving import Supervisor

    gc.disable()
    for fd in (int(socket_fd), int(lock_fd)):
        os.set_inheritable(fd, False)
    driver = socket(AF_UNIX, SOCK_STREAM, 0, int(socket_fd))
    Supervisor(folder, run_uid, float(linger_seconds), driver, int(lock_fd)).serve()
    os.unlink(f"{folder}/socket")
    os._exit(0)


if __name__ == "__main__":
    main()
