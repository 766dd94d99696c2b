"""What git knows of a folder: the commit, the branch, the remote, which files are tracked, which are neither that nor
ignored, and how they differ from the commit.

It knows the program `git` and its output; not which files a run keeps. Nothing is changed, not even the index.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import msgspec

from argosy.artifacts.redaction import redact

SECONDS = 120.0
# git would read another repository than the folder's own by these, as in a hook.
_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
_SUBMODULE = "160000"
_LIST = ("ls-files", "-z", "-t", "-s", "-c", "-o", "--exclude-standard", "--exclude=.argosy/")
_STATUS = ("status", "--porcelain=v2", "--branch", "-z", "--untracked-files=no", "--", ".")
_REMOTES = ("config", "-z", "--get-regexp", r"^remote\..*\.url$")
_DIFFERENCE = ("diff", "HEAD", "--no-color", "--no-ext-diff", "--no-textconv", "--relative", "--", ".")


class GitTrouble(Exception):
    """git is not installed, or refuses this folder; the message is what it said."""


class GitFolder(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of a working tree. commit: "" before the first one. remote: its url without credentials.

    changed: whether tracked files differ from the commit. tracked, untracked: paths below the folder; tracked files may
    have been removed. repositories: folders below that are repositories of their own.
    """

    commit: str = ""
    branch: str = ""
    remote: str = ""
    changed: bool = False
    tracked: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()


def is_in_git(folder: Path) -> bool:
    """Whether the folder or one above it looks like a working tree; nothing is started to tell."""
    return any((one / ".git").exists() for one in (folder, *folder.parents))


def look(folder: Path) -> GitFolder:
    """What git knows of a folder in a working tree. Raises GitTrouble."""
    # All at once: most of their time is starting.
    started = [_start(folder, one) for one in (_LIST, _STATUS, _REMOTES)]
    answers = [_ended(one) for one in started]
    listed, status = (_checked(one) for one in answers[:2])
    remotes = answers[2].output
    tracked, untracked, repositories = _files(folder, listed)
    commit, branch, changed = _state(status)
    return GitFolder(
        commit=commit,
        branch=branch,
        remote=_remote(remotes),
        changed=changed,
        tracked=tuple(tracked),
        untracked=tuple(untracked),
        repositories=tuple(repositories),
    )


def difference(folder: Path) -> str:
    """How the tracked files differ from the commit, staged or not, as git tells it. Raises GitTrouble."""
    return _answer(folder, _DIFFERENCE)


def _start(folder: Path, words: tuple[str, ...]) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        return subprocess.Popen(
            ("git", "-c", "core.quotePath=false", *words),
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except FileNotFoundError:
        raise GitTrouble("git is not installed") from None
    except OSError as error:
        raise GitTrouble(f"git cannot be started: {error.strerror or error}") from error


class _Ended(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one call of git."""

    output: str
    code: int
    said: str


def _ended(process: subprocess.Popen[bytes]) -> _Ended:
    try:
        output, said = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return _Ended(output="", code=1, said=f"git took longer than {SECONDS:g} s")
    words = said.decode("utf-8", "replace").strip().splitlines()
    return _Ended(
        output=output.decode("utf-8", "surrogateescape"), code=process.returncode, said=words[0] if words else ""
    )


def _checked(ended: _Ended) -> str:
    if ended.code:
        raise GitTrouble(ended.said or f"git ended with {ended.code}")
    return ended.output


def _answer(folder: Path, words: tuple[str, ...]) -> str:
    return _checked(_ended(_start(folder, words)))


def _files(folder: Path, listed: str) -> tuple[dict[str, None], list[str], list[str]]:
    tracked: dict[str, None] = {}
    untracked: list[str] = []
    repositories: list[str] = []
    for line in listed.split("\0"):
        mark, _, rest = line.partition(" ")
        if mark == "?":
            (repositories if rest.endswith("/") else untracked).append(rest.rstrip("/"))
        elif rest:
            mode, _, path = rest.partition("\t")
            if not mode.startswith(_SUBMODULE):
                tracked[path] = None
            elif (folder / path / ".git").exists():
                inside = _answer(folder / path, _LIST)
                below = _files(folder / path, inside)
                tracked.update((f"{path}/{one}", None) for one in below[0])
                untracked += [f"{path}/{one}" for one in below[1]]
                repositories += [f"{path}/{one}" for one in below[2]]
    return tracked, untracked, repositories


def _state(status: str) -> tuple[str, str, bool]:
    commit, branch, changed = "", "", False
    for line in status.split("\0"):
        if line.startswith("# branch.oid "):
            commit = line.removeprefix("# branch.oid ")
        elif line.startswith("# branch.head "):
            branch = line.removeprefix("# branch.head ")
        elif line and not line.startswith("#"):
            changed = True
    return ("" if commit == "(initial)" else commit), ("" if branch == "(detached)" else branch), changed


def _remote(remotes: str) -> str:
    """The url of origin, or of the only remote."""
    found: dict[str, str] = {}
    for line in remotes.split("\0"):
        key, _, url = line.partition("\n")
        if key:
            found[key.removeprefix("remote.").removesuffix(".url")] = url
    chosen = found.get("origin") or (next(iter(found.values())) if len(found) == 1 else "")
    return redact(chosen)
