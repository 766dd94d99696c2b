"""Sandboxes made from one that is open: a process in namespaces of its own, with what is open laid into a new root.

It knows command lines of bubblewrap and what bubblewrap does for them, not who asks. It runs in a zygote (see
`zygote.py`), of which each process begins as a copy: what can be done before that is, and what is done in the process
takes the shortest way.
"""

from __future__ import annotations

import os
from itertools import pairwise

from argosy.runners.local.supervisor import kernel
from argosy.runners.local.supervisor.command_line import FOLDER_MODE, Layer, NotRead, read
from argosy.runners.local.supervisor.starting import why_not_started

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, NoReturn

    Call = tuple[Callable[..., object], tuple[Any, ...]]
else:
    import _signal as signal

# In the open sandbox only: the run's folder, and where the new root folder is laid out.
RUN = "/.argosy/run"
ROOT = "/.argosy/root"
FILE_MODE = 0o444
NOT_STARTED = 126


def enter_open_sandbox(shell: Sequence[str], run_folder: str) -> None:
    """Have bubblewrap make it, and be in it when bubblewrap is gone. Raises OSError."""
    heard, said = os.pipe()
    never, ends = os.pipe()
    more = ("--bind", run_folder, RUN, "--dir", ROOT, "--die-with-parent")
    argv = [*shell, *more, "--", "/bin/sh", "-c", "echo $$; read line"]
    actions = [(os.POSIX_SPAWN_DUP2, never, 0), (os.POSIX_SPAWN_DUP2, said, 1)]
    pid = os.posix_spawn(shell[0], argv, {}, file_actions=actions)
    os.close(said)
    os.close(never)
    with open(heard, "rb") as answer:
        inside = answer.readline()
        if not inside:
            raise OSError("bubblewrap made no sandbox that could be kept open")
        mounts = os.open(f"/proc/{int(inside)}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    kernel.enter(mounts)
    os.close(mounts)
    os.close(ends)
    os.waitpid(pid, 0)


class Maker:
    """Makes sandboxes in the open one, in which this process is."""

    def __init__(self, run_folders: tuple[str, ...], shell: Sequence[str], caller: int) -> None:
        """Raises OSError if it cannot make any.

        run_folders: the run's folder under all its names on the host. shell: what the open sandbox was made with.
        caller: a descriptor that no process keeps which is made here.
        """
        self._run_folders = run_folders
        self._caller = caller
        self._common = tuple(shell[1:])
        self._folders = {path for option, path in pairwise(shell) if option in ("--ro-bind", "--ro-bind-try")}
        layers = read(self._common, self.source_of).layers
        self._common_calls = self._calls(layers)
        for layer in layers:
            if layer.option == "--tmpfs" and layer.target != "/":
                # Each sandbox has its own, and this one would be below it.
                kernel.unmount(os.fsencode(layer.target))
        self._losses: dict[tuple[int, ...], kernel.Loss] = {}
        self._may_all = os.geteuid() == 0
        self._try_out()

    def _try_out(self) -> None:
        """Make one in which nothing runs: a kernel may forbid what bubblewrap alone may do."""
        loss = self._loss(())
        pid = kernel.clone(kernel.CLONE_NEWPID | kernel.CLONE_NEWNS)
        if not pid:
            try:
                _lay_out(self._common_calls, loss, 1, 2)
                os._exit(0)
            except BaseException as error:
                _say(f"A sandbox cannot be made from an open one: {error}")
            os._exit(NOT_STARTED)
        if os.waitpid(pid, 0)[1]:
            raise OSError("the kernel lets nobody else make them")

    def source_of(self, path: str, writable: bool) -> str:
        """Where a path of the host is in the open sandbox. Raises NotRead if it is not there for certain."""
        if not writable and (path in self._folders or path == "/dev"):
            return path
        found = "" if writable else path
        for run in self._run_folders:
            if path.startswith(run + "/"):
                found = RUN + path[len(run) :]
        if not found or os.path.realpath(found) != found or not self._is_open(found):
            raise NotRead(path)
        return found

    def _is_open(self, path: str) -> bool:
        folder = path
        while folder not in self._folders and folder not in (RUN, "/"):
            folder = os.path.dirname(folder)
        return folder != "/" and os.path.exists(path)

    def make(
        self, argv: tuple[str, ...], environment: Mapping[str, str], stdout: int, stderr: int, may_start: int, held: int
    ) -> int:
        """Make the sandbox that the command line asks for; the id of its init, or 0: only bubblewrap can.

        The init is a child of the caller's. may_start: it starts the program when it reads a byte from there; without
        one it ends. held: is closed in it when the program has been started.
        """
        try:
            if "\0" in "".join(argv):
                raise NotRead("a NUL character")
            words, calls = argv[1:], self._common_calls
            if words[: len(self._common)] == self._common:
                sandbox = read(words[len(self._common) :], self.source_of)
                calls = calls + self._calls(sandbox.layers)
            else:
                sandbox = read(words, self.source_of)
                calls = self._calls(sandbox.layers)
            loss = self._loss(sandbox.dropped)
            environment = {**environment, "PWD": sandbox.directory}
            pid = kernel.clone(kernel.CLONE_NEWPID | kernel.CLONE_NEWNS | kernel.CLONE_PARENT)
        except (NotRead, OSError):
            return 0
        if pid:
            return pid
        try:
            os.close(self._caller)
            _lay_out(calls, loss, stdout, stderr)
            if os.read(may_start, 1):
                _be_init(_start(sandbox.argv, environment, sandbox.directory), (stdout, stderr, may_start, held))
        except BaseException as error:
            _say(f"The sandbox of this step cannot be made: {error}")
        os._exit(NOT_STARTED)

    def _loss(self, dropped: tuple[int, ...]) -> kernel.Loss:
        if dropped not in self._losses:
            self._losses[dropped] = kernel.Loss(dropped if self._may_all else None)
        return self._losses[dropped]

    def _calls(self, layers: Sequence[Layer]) -> list[Call]:
        """What makes these layers, as calls that need not think any more."""
        calls: list[Call] = []
        for layer in layers:
            source, target = os.fsencode(layer.source), os.fsencode(ROOT + layer.target)
            match layer.option:
                case "--symlink":
                    calls.append((_link, (source, target)))
                case "--dir":
                    calls.append((_make_folder, (target, layer.mode)))
                case "--tmpfs":
                    size = f",size={layer.size_bytes}" if layer.size_bytes else ""
                    calls.append((_mount_memory, (target, f"mode={layer.mode:o}{size}".encode())))
                case "--proc":
                    calls.append((_mount_proc, (target,)))
                case _ if layer.option == "--ro-bind-try" and not os.path.exists(source):
                    pass
                case _:
                    lay = _bind_folder if os.path.isdir(source) else _bind_file
                    read_only = layer.option == "--ro-bind" and source.startswith(os.fsencode(RUN))
                    calls.append((lay, (source, target, read_only)))
        return calls


# In the process that was made


def _lay_out(calls: Sequence[Call], loss: kernel.Loss, stdout: int, stderr: int) -> None:
    """Be alone: with a root folder of its own, and without the rights to change that."""
    os.setsid()
    kernel.die_with_parent(signal.SIGKILL)
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    umask = os.umask(0)
    for call, arguments in calls:
        call(*arguments)
    kernel.make_root(ROOT.encode())
    os.umask(umask)
    loss.suffer()


def _start(argv: tuple[str, ...], environment: Mapping[str, str], directory: str) -> int:
    """Start the program; what is wrong with it is said in the log, with the code that it has for any other step."""
    try:
        os.chdir(directory)
        defaults = (signal.SIGPIPE, signal.SIGXFSZ)
        return os.posix_spawn(argv[0], argv, environment, setsigmask=(), setsigdef=defaults)
    except (OSError, ValueError) as error:
        code, message = why_not_started(error, argv[0], directory, ())
        _say(message)
        os._exit(code)


def _be_init(program: int, fds: Sequence[int]) -> NoReturn:
    """Wait for the program, and for what others leave behind; end with it."""
    for fd in fds:
        os.close(fd)
    while True:
        ended, status = os.waitpid(-1, 0)
        if ended == program:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def _say(message: str) -> None:
    os.write(2, f"{message}\n".encode(errors="surrogateescape"))


def _mount_memory(target: bytes, options: bytes) -> None:
    _make_folder(target)
    kernel.mount(b"tmpfs", target, b"tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, options)


def _mount_proc(target: bytes) -> None:
    _make_folder(target)
    kernel.mount(b"proc", target, b"proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)


def _bind_folder(source: bytes, target: bytes, read_only: bool) -> None:
    _make_folder(target)
    _bind(source, target, read_only)


def _bind_file(source: bytes, target: bytes, read_only: bool) -> None:
    if not os.path.exists(target):
        _make_folder(os.path.dirname(target))
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, FILE_MODE))
    _bind(source, target, read_only)


def _bind(source: bytes, target: bytes, read_only: bool) -> None:
    """Lay what is open over a path, with what is mounted in it. What is open read-only stays so."""
    kernel.mount(source, target, None, kernel.MS_BIND | kernel.MS_REC)
    if read_only:
        kernel.make_read_only(target)


def _link(text: bytes, path: bytes) -> None:
    try:
        os.symlink(text, path)
    except FileNotFoundError:
        _make_folder(os.path.dirname(path))
        os.symlink(text, path)


def _make_folder(path: bytes, mode: int = FOLDER_MODE) -> None:
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        return
    except FileNotFoundError:
        _make_folder(os.path.dirname(path))
        _make_folder(path, mode)
