"""Calls of Linux that Python has no names for: namespaces, mounts, capabilities.

Each raises OSError. It knows numbers, not what a sandbox is.
"""

from __future__ import annotations

import ctypes
import os
from fcntl import ioctl

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC = 1, 2, 4, 8, 4096, 16384
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID, CLONE_PARENT = 0x00020000, 0x10000000, 0x20000000, 0x00008000
# What a new process is to tell its parent by.
SIGCHLD = 17
CAPABILITIES = {
    "CAP_SYS_MODULE": 16,
    "CAP_SYS_RAWIO": 17,
    "CAP_SYS_ADMIN": 21,
    "CAP_SYS_BOOT": 22,
    "CAP_SYS_TIME": 25,
    "CAP_MKNOD": 27,
}

_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 24, 38
_CAPABILITY_VERSION = 0x20080522
_NS_GET_USERNS = 0xB701
_MNT_DETACH = 2
_MOUNT_SETATTR = 442
_AT_FDCWD = -100
# By machine: the first calls of Linux have another number on each, those of today the same.
_CLONE = {"x86_64": 56, "aarch64": 220, "riscv64": 220}

_libc = ctypes.PyDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)
# struct mount_attr: what to set, what to clear, propagation, a user namespace; 64 bits each.
_READ_ONLY = (ctypes.c_uint64 * 4)(MS_RDONLY, 0, 0, 0)
_READ_ONLY_BYTES = ctypes.c_size_t(ctypes.sizeof(_READ_ONLY))


def _check(result: int, what: bytes = b"") -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), os.fsdecode(what) or None)
    return result


def mount(source: bytes, target: bytes, kind: bytes | None, flags: int, data: bytes | None = None) -> None:
    """mount(2)."""
    _check(_libc.mount(source, target, kind, flags, data), target)


def make_read_only(target: bytes) -> None:
    """Let nothing be written through a mount; what else is true of it stays. Linux 5.12."""
    _check(_libc.syscall(_MOUNT_SETATTR, _AT_FDCWD, target, 0, _READ_ONLY, _READ_ONLY_BYTES), target)


def unmount(target: bytes) -> None:
    """Take away a mount with all that is in it, now or as soon as nobody uses it."""
    _check(_libc.umount2(target, _MNT_DETACH), target)


def make_root(folder: bytes) -> None:
    """Let a mount be the root folder, and the one before be nowhere."""
    os.chdir(folder)
    _check(_libc.pivot_root(b".", b"."), folder)
    unmount(b".")
    os.chdir("/")


def clone(flags: int) -> int:
    """Fork with flags: a process id, and 0 in the new process. OSError too where the number is not known."""
    number = _CLONE.get(os.uname().machine)
    if number is None:
        raise OSError(f"how a process is made on {os.uname().machine} is not known")
    return _check(_libc.syscall(number, ctypes.c_ulong(flags | SIGCHLD), 0, 0, 0, 0))


def enter(mounts: int) -> None:
    """Be in a mount namespace, and with all rights in the user namespace that it belongs to."""
    owner = ioctl(mounts, _NS_GET_USERNS)
    if os.fstat(owner).st_ino != os.stat("/proc/self/ns/user").st_ino:
        _check(_libc.setns(owner, CLONE_NEWUSER))
    os.close(owner)
    _check(_libc.setns(mounts, CLONE_NEWNS))


def die_with_parent(number: int) -> None:
    """Have this process get a signal when its parent ends."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0))


class Loss:
    """Capabilities that a process is to have no more, and no program that it starts; None: any at all."""

    def __init__(self, capabilities: tuple[int, ...] | None) -> None:
        self._bounds = capabilities or ()
        self._header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
        # Effective, permitted and inheritable ones, the first 32; then the others.
        self._sets = (ctypes.c_uint32 * 6)()
        if capabilities is not None:
            _check(_libc.capget(self._header, self._sets))
            for one in capabilities:
                for place in range(3):
                    self._sets[place + 3 * (one // 32)] &= ~(1 << one % 32)

    def suffer(self) -> None:
        """Have them no more. No later program gets any by its file's own rights either."""
        for one in self._bounds:
            _check(_libc.prctl(_PR_CAPBSET_DROP, one, 0, 0, 0))
        _check(_libc.capset(self._header, self._sets))
        _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
