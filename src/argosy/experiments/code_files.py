"""Which files of a folder are the code of a run: what git tracks, and of the rest what looks like code.

It knows rules, limits and folders, not where the files are kept. Source of the defaults: Guild's docs (sourcecode).
"""

from __future__ import annotations

import os
import re
import stat
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import msgspec

from argosy.artifacts.troubles import disk_errors
from argosy.experiments.git_folder import GitFolder, GitTrouble, is_in_git, look
from argosy.experiments.provenance import LeftOut
from argosy.model.host_templates import CodeRule, CodeRules

# A folder with one of these in it is left out with all below.
MARKERS = (".guild-nocopy", ".argosy-nocopy")
HOME = ".argosy"
_ENVIRONMENT = "pyvenv.cfg"
_MARKED, _HIDDEN = "marked", "hidden"
_LOOKED_AT_BYTES = 1 << 13
# Of what is left out so many are named.
NAMED = 20

BINARY, LARGE, MANY, REPOSITORY, SPECIAL = (
    "binary",
    "too large",
    "too many",
    "a repository of its own",
    "neither file nor link",
)


class CodeFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the code. path: below the root. target: what a symbolic link points at, else ""."""

    path: str
    executable: bool
    size: int
    target: str = ""
    # What tells that the file is still the one that was hashed: device, inode, times in nanoseconds.
    stamp: tuple[int, ...] = ()


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """The code of a folder. left_out names the first of so many; git: None where there is none.

    trouble: why git did not answer though the folder is in a working tree.
    """

    root: Path
    files: tuple[CodeFile, ...]
    left_out: tuple[LeftOut, ...] = ()
    left_out_count: int = 0
    git: GitFolder | None = None
    trouble: str = ""

    @property
    def size_bytes(self) -> int:
        return sum(one.size for one in self.files)


def list_code(project: Path, rules: CodeRules, home: Path) -> Listing:
    """The code of a project by these rules; home: where runs are kept, never part of it. Raises ArgosyError."""
    root = Path(os.path.normpath(project / rules.root))
    found: GitFolder | None = None
    trouble = ""
    if is_in_git(root):
        try:
            found = look(root)
        except GitTrouble as error:
            trouble = str(error)
        # A folder that git ignores as a whole is as if there were none.
        if found is not None and not found.tracked and not found.untracked:
            found = None
    choice = _Choice(root, rules, home)
    if found is not None:
        choice.from_git(found)
    else:
        choice.from_folder()
    return Listing(
        root=root,
        files=tuple(choice.files[path] for path in sorted(choice.files)),
        left_out=tuple(choice.left_out),
        left_out_count=choice.left_out_count,
        git=found,
        trouble=trouble,
    )


class _Choice:
    """One call of `list_code`."""

    def __init__(self, root: Path, rules: CodeRules, home: Path) -> None:
        self.root, self.rules = root, rules
        self._root = str(root)
        self.home = os.path.realpath(home)
        self.files: dict[str, CodeFile] = {}
        self.left_out: list[LeftOut] = []
        self.left_out_count = 0
        self._counted = 0
        self._closed: dict[str, str] = {"": ""}
        self._includes = any(rule.include for rule in rules.rules)

    def from_git(self, found: GitFolder) -> None:
        for path in found.tracked:
            self._consider(path, tracked=True)
        for path in sorted(found.untracked, key=lambda path: (path.count("/"), path)):
            self._consider(path, tracked=False)
        for path in found.repositories:
            if not self._why_closed(path) and decide(self.rules.rules, path, lambda: "") is not False:
                self._leave_out(path, REPOSITORY)

    def from_folder(self) -> None:
        """From the outside in, so that what is deep is what the limit on their number leaves out."""
        waiting = deque([""])
        while waiting:
            folder = waiting.popleft()
            files, folders = _entries(self.root / folder, f"{folder}/" if folder else "")
            for path in files:
                # In a worktree or a submodule it is a file that only means something where it is.
                if not path.endswith("/.git") and path != ".git":
                    self._consider(path, tracked=False)
            waiting += [one for one in folders if not self._why_closed(one)]
            if self._counted >= self.rules.most_files and self.left_out_count and not self._includes:
                # What is left out is told; how much more there would be is not worth a walk through a folder of data.
                return

    def _consider(self, path: str, *, tracked: bool) -> None:
        """Take a file or leave it."""
        closed = self._why_closed(path.rpartition("/")[0])
        if closed == _MARKED or (closed and not tracked):
            return
        place = f"{self._root}/{path}"
        try:
            status = os.lstat(place)
        except (FileNotFoundError, NotADirectoryError):
            # git knows it and it was removed, or it has just gone.
            return
        is_link = stat.S_ISLNK(status.st_mode)
        hidden = not tracked and path.rpartition("/")[2].startswith(".")
        if hidden and not decide(tuple(one for one in self.rules.rules if "." in one.pattern), path, lambda: "text"):
            # .env, .netrc, .bash_history: what is hidden and nobody put into version control is likelier a secret.
            return
        if not is_link and not stat.S_ISREG(status.st_mode):
            if not tracked:
                self._leave_out(path, SPECIAL)
            return
        content = _Content("" if is_link else place)
        wanted = decide(self.rules.rules, path, content)
        if wanted is None and not tracked and (reason := self._beyond(status.st_size, content)):
            self._leave_out(path, reason)
        elif wanted is not False:
            self._take(path, status)

    def _beyond(self, size: int, content: Callable[[], str]) -> str:
        """The limit that a file is beyond, or "" and it counts."""
        if self._counted >= self.rules.most_files:
            return MANY
        if size > self.rules.largest_bytes:
            return LARGE
        if content() == "binary":
            return BINARY
        self._counted += 1
        return ""

    def _why_closed(self, folder: str) -> str:
        """Why nothing of a folder is taken, or ""."""
        if folder not in self._closed:
            above = self._why_closed(folder.rpartition("/")[0])
            self._closed[folder] = above or self._why_itself_closed(folder)
        return self._closed[folder]

    def _why_itself_closed(self, folder: str) -> str:
        place = self.root / folder
        if any(os.path.lexists(place / marker) for marker in MARKERS) or os.path.realpath(place) == self.home:
            return _MARKED
        name = folder.rpartition("/")[2]
        if name == "__pycache__" or name == HOME:
            return _HIDDEN
        if name.startswith(".") or os.path.lexists(place / _ENVIRONMENT):
            on_folders = tuple(rule for rule in self.rules.rules if rule.kind == "dir")
            return "" if decide(on_folders, f"{folder}/", lambda: "") else _HIDDEN
        return ""

    def _take(self, path: str, status: os.stat_result) -> None:
        is_link = stat.S_ISLNK(status.st_mode)
        self.files[path] = CodeFile(
            path=path,
            executable=not is_link and bool(status.st_mode & 0o100),
            size=0 if is_link else status.st_size,
            target=os.readlink(self.root / path) if is_link else "",
            stamp=(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns),
        )

    def _leave_out(self, path: str, reason: str) -> None:
        self.left_out_count += 1
        if len(self.left_out) < NAMED:
            self.left_out.append(LeftOut(path=path, reason=reason))


class _Content:
    """Whether a file is text or binary, looked at only when somebody asks."""

    def __init__(self, place: str) -> None:
        self._place = place

    def __call__(self) -> str:
        if not self._place:
            return "text"
        with disk_errors("read", self._place), open(self._place, "rb") as file:
            return "text" if is_text(file.read(_LOOKED_AT_BYTES)) else "binary"


def is_text(start: bytes) -> bool:
    """Whether a file that begins so is text: UTF-8 without zero bytes, or with few characters of an older encoding."""
    if b"\0" in start:
        return False
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as error:
        # A character may have been cut in two at the end of what was read.
        if error.start >= len(start) - 3 and len(start) == _LOOKED_AT_BYTES:
            return True
        control = sum(1 for byte in start if byte < 32 and byte not in b"\t\n\r\f\b\x1b")
        strange = sum(1 for byte in start if byte >= 128)
        return control == 0 and strange <= len(start) * 0.3
    return True


def _entries(folder: Path, prefix: str) -> tuple[list[str], list[str]]:
    """The paths of the files and of the folders in a folder, in order; links to folders are files."""
    files: list[str] = []
    folders: list[str] = []
    with disk_errors("read", folder), os.scandir(folder) as found:
        for one in found:
            (folders if one.is_dir(follow_symlinks=False) else files).append(prefix + one.name)
    return sorted(files), sorted(folders)


def decide(rules: tuple[CodeRule, ...], path: str, content: Callable[[], str]) -> bool | None:
    """What the last rule that fits a path says of it, None if none does. content: "text" or "binary"."""
    for rule in reversed(rules):
        if rule.kind in ("text", "binary"):
            if fits(rule.pattern, path) and content() == rule.kind:
                return rule.include
        elif _fits_around(rule, path):
            return rule.include
    return None


def _fits_around(rule: CodeRule, path: str) -> bool:
    """Whether a rule fits the path or a folder above it; a rule on folders fits no file by itself."""
    if rule.kind == "" and fits(rule.pattern, path):
        return True
    while path := path.rpartition("/")[0]:
        if fits(rule.pattern, path):
            return True
    return False


def fits(pattern: str, path: str) -> bool:
    """Whether a pattern fits a path: the whole of it, or its last name when the pattern has no slash."""
    pattern = pattern.removesuffix("/").removeprefix("./")
    if "/" not in pattern and "**" not in pattern:
        path = path.rpartition("/")[2]
    return _regex(pattern.removeprefix("/")).fullmatch(path) is not None


@lru_cache(maxsize=256)
def _regex(pattern: str) -> re.Pattern[str]:
    made = ""
    for part in re.findall(r"\*\*/?|\*|\?|\[!?[^\]]+\]|.", pattern, re.DOTALL):
        if part == "**/":
            made += r"(?:.*/)?"
        elif part == "**":
            made += r".*"
        elif part == "*":
            made += r"[^/]*"
        elif part == "?":
            made += r"[^/]"
        elif len(part) > 1:
            made += "[" + ("^" if part[1] == "!" else "") + part[1:-1].removeprefix("!").replace("\\", "\\\\") + "]"
        else:
            made += re.escape(part)
    return re.compile(made, re.DOTALL)
