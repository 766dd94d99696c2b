"""A sandbox as a command line of bubblewrap describes it, read by somebody else than bubblewrap.

It knows the options that the sandbox runtime writes. Whoever asks has the sandbox made by bubblewrap itself where there
is anything else in it.
"""

from __future__ import annotations

import os

from argosy.runners.local.supervisor.kernel import CAPABILITIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# The options that say what is in the file system, each with the number of its words.
WORDS = {
    "--bind": 2,
    "--ro-bind": 2,
    "--ro-bind-try": 2,
    "--dev-bind": 2,
    "--symlink": 2,
    "--tmpfs": 1,
    "--proc": 1,
    "--dir": 1,
}
FOLDER_MODE = 0o755


class Layer:
    """One thing in a sandbox's file system.

    option: as bubblewrap calls it. source: where it comes from now; for a link, what it says. mode, size_bytes: of a
    folder that is made for it; no size means what is usual.
    """

    def __init__(self, option: str, source: str, target: str, mode: int = FOLDER_MODE, size_bytes: int = 0) -> None:
        self.option = option
        self.source = source
        self.target = target
        self.mode = mode
        self.size_bytes = size_bytes


class Sandbox:
    """What a command line asks for. argv: the program's own."""

    def __init__(
        self, layers: list[Layer], dropped: tuple[int, ...], directory: str = "/", argv: tuple[str, ...] = ()
    ) -> None:
        self.layers = layers
        self.dropped = dropped
        self.directory = directory
        self.argv = argv


class NotRead(Exception):
    """There is something in it that only bubblewrap can do."""


def read(words: tuple[str, ...], source_of: Callable[[str, bool], str]) -> Sandbox:
    """Read the words that follow `bwrap`.

    source_of(path, writable): where a path of the host is now. Raises NotRead, as `source_of` may.
    """
    layers: list[Layer] = []
    dropped: list[int] = []
    writable: dict[str, str] = {}
    directory, mode, size_bytes = "/", FOLDER_MODE, 0
    place = 0
    while place < len(words) and (option := words[place]) != "--":
        count = WORDS.get(option, 0)
        if count:
            source, target = words[place + 1], words[place + count]
            if option.endswith("bind") or option == "--ro-bind-try":
                source = source_of(source, option == "--bind")
            _refuse_links(target, writable)
            if option == "--bind":
                writable[target] = source
            layers.append(Layer(option, source, target, mode, size_bytes))
            mode, size_bytes = FOLDER_MODE, 0
        elif option in ("--unshare-pid", "--die-with-parent"):
            pass
        else:
            count, value = 1, words[place + 1]
            match option:
                case "--perms":
                    mode = int(value, 8)
                case "--size":
                    size_bytes = int(value)
                case "--chdir":
                    directory = value
                case "--cap-drop" if value in CAPABILITIES:
                    dropped.append(CAPABILITIES[value])
                case _:
                    raise NotRead(option)
        place += count + 1
    return Sandbox(layers, tuple(dropped), directory, words[place + 1 :])


def _refuse_links(target: str, writable: Mapping[str, str]) -> None:
    """Where a mount point is below a folder that steps write to, there may be a link of theirs on its way."""
    above = [folder for folder in writable if target.startswith(folder.rstrip("/") + "/")]
    if not above:
        return
    folder = max(above, key=len)
    path = writable[folder]
    for name in target[len(folder) :].strip("/").split("/"):
        path = f"{path}/{name}"
        if os.path.islink(path):
            raise NotRead(path)
