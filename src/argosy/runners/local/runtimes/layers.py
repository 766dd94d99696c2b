"""What a sandbox's file system is made of: host folders, and files and folders laid over them, as bubblewrap options.

It knows where things come from and how to make room for a mount point; not what a step is.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable

from argosy.errors import EnvironmentTrouble

# Folders without which hardly a program starts.
NEEDED = frozenset({"/", "/usr", "/usr/bin", "/usr/lib", "/bin", "/lib", "/lib64", "/etc", "/dev", "/proc", "/sys"})
NOT_BOUND = frozenset({"dev", "proc", "run", "tmp", "lost+found"})
# Where containers keep their file systems. Mounts come and go there, and bubblewrap fails when one goes while it binds
# a folder above it. Beside one of these, folders are bound one by one.
STORES = ("/var/lib/containers", "/var/lib/containerd", "/var/lib/docker", "/var/lib/kubelet")
# What the system's own programs write about themselves: nothing for a step, and each folder costs time.
SYSTEMS_OWN = frozenset(
    {"/var/backups", "/var/log", "/var/mail", "/var/spool", "/var/tmp"}
    | {f"/var/lib/{name}" for name in ("PackageKit", "apt", "cni", "dbus", "man-db", "pam", "polkit-1", "private")}
    | {f"/var/lib/{name}" for name in ("sgml-base", "shells.state", "swcatalog", "systemd", "ucf", "vim", "xml-core")}
)
# What of /proc changes the machine. Only root could write there.
OF_THE_MACHINE = ("/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus")
# Of /run, where namespaces, sockets and containers' mounts are, only the disks that people plugged in.
DISKS = "/run/media"


class HostLayers:
    """The host's root folder, entry by entry, as it was when this was made."""

    def __init__(self, stores: Iterable[str] = STORES) -> None:
        """stores: folders that are not to be there."""
        self.folders: list[str] = []
        self.links: dict[str, str] = {}
        for entry in sorted(os.scandir("/"), key=lambda entry: entry.name):
            if entry.name in NOT_BOUND:
                continue
            if entry.is_symlink():
                self.links[entry.path] = os.readlink(entry.path)
            elif entry.is_dir() and _has_entries(entry.path):
                self.folders.append(entry.path)
        if os.path.isdir(DISKS) and _has_entries(DISKS):
            self.folders.append(DISKS)
        self._divide(stores)
        # The top folders of which only parts are there.
        self.divided = {"/run", *("/" + path.split("/", 2)[1] for path in self.folders if path.count("/") > 1)}
        self._take_links("/run")
        empty = ("--dir", "/run") if "/var" in self.folders else ("--dir", "/run", "--dir", "/var/tmp")
        self.options = (*_root_options(self.folders, self.links), *empty, *_resolver())

    def _divide(self, stores: Iterable[str]) -> None:
        """In place of a folder that has a store somewhere in it, have what is beside the store."""
        for store in stores:
            if not os.path.isdir(store) or os.path.islink(store):
                continue
            while (above := next((one for one in self.folders if store.startswith(one + "/")), "")) != "":
                self.folders.remove(above)
                self._take_links(above)
                self.folders += _parts(above)
            if store in self.folders:
                self.folders.remove(store)

    def _take_links(self, folder: str) -> None:
        try:
            with os.scandir(folder) as entries:
                self.links |= {entry.path: os.readlink(entry.path) for entry in entries if entry.is_symlink()}
        except OSError:
            return


def _parts(folder: str) -> list[str]:
    """The folders in a folder that may be of use to a step; files beside them are left out."""
    with os.scandir(folder) as entries:
        found = [one.path for one in entries if one.is_dir(follow_symlinks=False) and one.path not in SYSTEMS_OWN]
    return sorted(path for path in found if _has_entries(path))


def _resolver() -> tuple[str, ...]:
    """The file with the name servers, where that is a link into /run."""
    path = os.path.realpath("/etc/resolv.conf")
    return ("--ro-bind-try", path, path) if path.startswith("/run/") else ()


def _has_entries(folder: str) -> bool:
    """False for an empty folder too: it need not be bound, and can be written to when it is not."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except OSError:
        return False


def _root_options(folders: list[str], links: dict[str, str]) -> tuple[str, ...]:
    options = ["--tmpfs", "/"]
    for path, target in links.items():
        options += ("--symlink", target, path)
    for path in folders:
        options += ("--ro-bind", path, path)
    options += ("--dev-bind", "/dev", "/dev", "--tmpfs", "/dev/shm", "--proc", "/proc")
    if os.geteuid() == 0:
        for path in OF_THE_MACHINE:
            options += ("--ro-bind-try", path, path)
    return tuple(options)


class Layers:
    """One sandbox's file system. Add layers from the outside in."""

    def __init__(self, host: HostLayers, root: str = "") -> None:
        """root: a folder of the host to be the root folder, so that what is made there outlives the sandbox."""
        self._host = host
        self._root = root
        self._options: list[str] = []
        # Where each mount comes from, and whether it is read-only; a source of "" is a folder made for the sandbox.
        self._opened: dict[str, str] = {}
        self._sources: dict[str, tuple[str, bool]] = {folder: (folder, True) for folder in host.folders}

    def options(self) -> list[str]:
        """The options of bubblewrap that build it all."""
        if not self._root:
            return [*self._host.options, *self._options]
        # In place of the empty root folder that the host's layers begin with.
        return ["--bind", self._root, "/", *self._without_made_links([*self._host.options[2:], *self._options])]

    def _without_made_links(self, options: list[str]) -> list[str]:
        """A root folder that was used before has its links, and bubblewrap makes none again."""
        made = [
            place
            for place, word in enumerate(options)
            if word == "--symlink" and os.path.islink(self._root + options[place + 2])
        ]
        for place in reversed(made):
            del options[place : place + 3]
        return options

    def open_for(self, paths: Iterable[str]) -> None:
        """Make room for files or folders of the step's own at these paths, kept below the root given at the start.

        What is there on this machine is not there for the step; what is beside it is, read-only. Raises
        EnvironmentTrouble for folders without which nothing runs.
        """
        wanted: dict[str, set[str]] = {}
        for path in paths:
            target = self._real(path)
            if target in NEEDED:
                raise EnvironmentTrouble(
                    f"A step cannot have {path} for its own in a sandbox: it holds what programs need.",
                    hint="Use --runtime podman, or another path.",
                )
            folder, name = posixpath.split(target)
            self._link(path, target)
            wanted.setdefault(folder, set()).add(name)
        for folder, names in sorted(wanted.items()):
            self._open_folder(folder, names)

    def _link(self, path: str, target: str) -> None:
        """Where a path goes through a link of the host, leave one below the root, so that it is found again."""
        folder, real = posixpath.dirname(posixpath.normpath(path)), posixpath.dirname(target)
        place = self._root + folder
        if folder == real or posixpath.dirname(folder) == "/" or os.path.lexists(place):
            return
        os.makedirs(posixpath.dirname(place), exist_ok=True)
        os.symlink(real, place)

    def _open_folder(self, folder: str, names: set[str]) -> None:
        """Let these names be made in a folder. Folders that this machine does not have are the step's to make."""
        owner = self._owner(folder)
        if owner is None:
            for name in names:
                if posixpath.join(folder, name) in self._sources:
                    self._own_folder(posixpath.join(folder, name))
            if os.path.isdir(folder):
                os.makedirs(self._root + folder, exist_ok=True)
            return
        if not self._sources[owner][1]:
            return
        nearest = folder
        while not os.path.isdir(self._below(owner, nearest)):
            nearest = posixpath.dirname(nearest)
        source = self._below(owner, nearest)
        if nearest == folder:
            for name in [name for name in names if os.path.isdir(posixpath.join(source, name))]:
                self._own_folder(posixpath.join(folder, name))
                names = names - {name}
            if not names:
                return
        os.makedirs(self._root + nearest, exist_ok=True)
        self._mount(self._root + nearest, nearest, read_only=False)
        self._lay_entries(nearest, source, without=names if nearest == folder else set())

    def _own_folder(self, path: str) -> None:
        """An empty folder of the step's own, in place of one of the host's."""
        os.makedirs(self._root + path, exist_ok=True)
        self._mount(self._root + path, path, read_only=False)

    def add(self, source: str, target: str, *, read_only: bool) -> None:
        """Lay `source` over `target`; the mount point need not exist."""
        target = self._real(target)
        self._make_room(target, os.path.isdir(source))
        self._mount(source, target, read_only)

    def add_memory(self, source: str, target: str, size_bytes: int) -> None:
        """Lay an empty folder in memory over `target`, of at most so many bytes; 0 for what is usual.

        source: a folder of the host that stands for it where what is at a path is looked up.
        """
        target = self._real(target)
        self._make_room(target, is_folder=True)
        size = ("--size", str(size_bytes)) if size_bytes else ()
        self._options += ("--perms", "0777", *size, "--tmpfs", target)
        self._sources[target] = (source, False)

    def add_existing(self, source: str, target: str) -> None:
        """Lay a folder, writable, over one that is there already, named without symbolic links."""
        self._mount(source, target, read_only=False)

    def options_for_folder(self, path: str) -> list[str]:
        """The further options that make sure that a folder is there: a working directory."""
        path = self._real(path)
        before = len(self._options)
        self._make_room(path, is_folder=True)
        owner = self._owner(path)
        if owner is None or not os.path.isdir(self._below(owner, path)):
            self._options += ("--dir", path)
        return self._options[before:]

    def source_of(self, path: str) -> str | None:
        """Where on the host the file at `path` is; None if it is nowhere."""
        path = self._real(path)
        owner = self._owner(path)
        if owner is None:
            return None
        source = self._opened.get(owner) or self._sources[owner][0]
        return posixpath.normpath(posixpath.join(source, posixpath.relpath(path, owner)))

    def _mount(self, source: str, target: str, read_only: bool) -> None:
        self._options += ("--ro-bind" if read_only else "--bind", source, target)
        self._sources[target] = (source, read_only)

    def _real(self, path: str) -> str:
        """`path` without the host's symbolic links on its way: bubblewrap makes no mount point through one."""
        path = posixpath.normpath(path)
        top = "/" + path.split("/", 2)[1]
        if top not in self._sources and top not in self._host.links and top not in self._host.divided:
            return path
        folder, name = posixpath.split(path)
        return posixpath.join(os.path.realpath(folder), name) if folder != "/" else path

    def _owner(self, path: str) -> str | None:
        """The innermost mount that `path` is in, or is."""
        while path != "/":
            if path in self._sources:
                return path
            path = posixpath.dirname(path)
        return None

    def _below(self, owner: str, path: str) -> str:
        source = self._sources[owner][0]
        return source if path == owner else posixpath.join(source, posixpath.relpath(path, owner))

    def _make_room(self, target: str, is_folder: bool) -> None:
        """Where a mount point cannot be made because it would be in a read-only folder, open that folder up.

        An opened folder is an empty one with each entry of the original laid into it, so that there is room for more.
        """
        owner = self._owner(target)
        while owner is not None and owner != target:
            source, read_only = self._sources[owner]
            if not source or not read_only or _fits(self._below(owner, target), is_folder):
                return
            self._open_up(owner, source, without=posixpath.relpath(target, owner).split("/")[0], target=target)
            owner = self._owner(target)

    def _open_up(self, folder: str, source: str, without: str, target: str) -> None:
        is_last = posixpath.join(folder, without) == target
        self._options += ("--tmpfs", folder)
        self._sources[folder] = ("", False)
        self._opened[folder] = source
        self._lay_entries(folder, source, without={without} if is_last else set())

    def _lay_entries(self, folder: str, source: str, without: set[str]) -> None:
        with os.scandir(source) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                path = posixpath.join(folder, entry.name)
                if entry.name in without:
                    continue
                if entry.is_symlink():
                    self._options += ("--symlink", os.readlink(entry.path), path)
                else:
                    self._mount(entry.path, path, read_only=True)


def _fits(path: str, is_folder: bool) -> bool:
    """True if a mount can be laid over what is at `path` already."""
    return os.path.isdir(path) if is_folder else os.path.isfile(path)
