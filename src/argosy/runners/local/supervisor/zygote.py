"""The program that keeps a sandbox open in which there is what all sandboxes of a run have, and makes theirs from it.

bubblewrap makes the open sandbox: the host's folders, read-only, in a user namespace where that is needed. What it
would do again for each step, with the mounts of the whole host in its way, is done here for a third of the cost: a
process in mount and pid namespaces of its own, a new root folder, what is open laid into it, and the rest forgotten.
Whatever a command line has that is not known here is left to bubblewrap.

Run as `python -I -S zygote.py FD RUN_FOLDER BWRAP OPTION...` with a locale for its environment. FD is one end
of a pair of sockets that keep messages apart. It says `ready` once. In come marshal-ed pairs (argv, environment): what
bubblewrap would be called with; and four descriptors: the two logs, one from which a byte comes when the program may
start, and one that is held until it has. Out goes the id of a process, the caller's own child, or 0: bubblewrap must do
it.

The process is the init of its pid namespace: it starts the program, waits for it, and ends with its exit code, or 128
and the number of the signal; with it everything in the namespace ends. It ends when the supervisor does.
"""

from __future__ import annotations

import gc
import marshal
import os
import sys
from _socket import AF_UNIX, CMSG_SPACE, SOCK_SEQPACKET, socket

PACKAGES = os.path.abspath(f"{__file__}/../../../../..")
TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal

    from argosy.runners.local.supervisor.sandboxes import Maker
else:
    import _signal as signal

MESSAGE_BYTES = 1 << 18
DESCRIPTORS = 4
MSG_CMSG_CLOEXEC = 0x40000000


def serve(caller: socket, maker: Maker) -> None:
    """Make what is asked for, until nobody asks any more. Each process begins as a copy of this one: keep it small."""
    while True:
        data, messages, _, _ = caller.recvmsg(MESSAGE_BYTES, CMSG_SPACE(4 * DESCRIPTORS), MSG_CMSG_CLOEXEC)
        if not data:
            return
        rights = messages[0][2]
        fds = [int.from_bytes(rights[at : at + 4], sys.byteorder) for at in range(0, 4 * DESCRIPTORS, 4)]
        argv, environment = marshal.loads(data)
        caller.send(b"%d" % maker.make(argv, environment, *fds))
        for fd in fds:
            os.close(fd)


def main() -> None:
    fd, run_folder, *shell = sys.argv[1:]
    sys.path.append(PACKAGES)
    from argosy.runners.local.supervisor import kernel
    from argosy.runners.local.supervisor.command_line import NotRead
    from argosy.runners.local.supervisor.sandboxes import Maker, enter_open_sandbox

    gc.disable()
    os.set_inheritable(int(fd), False)
    caller = socket(AF_UNIX, SOCK_SEQPACKET, 0, int(fd))
    kernel.die_with_parent(signal.SIGKILL)
    run_folders = (run_folder, os.path.realpath(run_folder))
    try:
        enter_open_sandbox(shell, run_folder)
        maker = Maker(run_folders, shell, caller.fileno())
    except (OSError, NotRead) as error:
        sys.exit(f"Sandboxes are left to bubblewrap: {error}")
    caller.send(b"ready")
    serve(caller, maker)


if __name__ == "__main__":
    main()
