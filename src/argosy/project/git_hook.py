"""The hook that lets git run what a push starts.

It knows where a repository keeps hooks and how git tells one of a push; what a push starts is asked of `argosy run`.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

from argosy.errors import EnvironmentTrouble, NotFound, UsageError

_MARK = "# Made by argosy workflows hook; argosy workflows hook --remove takes it away."
# Both kinds of hook read lines of refs: of a push "LOCAL SHA REMOTE SHA", of what was received "OLD NEW REF". Git's
# own variables would point the program that is started to another repository.
_SCRIPT = """#!/bin/sh
{mark}
while read -r first second third fourth; do
  ref={ref}
  case "$ref" in
  refs/heads/*)
    (unset $(git rev-parse --local-env-vars)
     {command} run --event push --ref "$ref" --detach{home}) </dev/null >&2 || true ;;
  esac
done
exit 0
"""


def install(folder: Path, home: Path | None = None) -> Path:
    """Make the hook of the repository around a folder; its path. home: of the runs, where it is not the usual one.

    Raises NotFound, UsageError, EnvironmentTrouble.
    """
    path, bare = _place(folder)
    if path.exists() and not _is_ours(path):
        raise UsageError(
            f"There is a hook of somebody else's at {path}",
            hint='add to it: argosy run --event push --ref "$BRANCH" --detach',
        )
    command = f"{shlex.quote(sys.executable)} -m argosy"
    # A branch that is pushed is the local one; one that is deleted has no local ref.
    where = f" --home {shlex.quote(str(home.absolute()))}" if home is not None else ""
    script = _SCRIPT.format(mark=_MARK, ref="$third" if bare else "$first", command=command, home=where)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.argosy")
        partial.write_text(script)
        partial.chmod(0o755)
        partial.rename(path)
    except OSError as error:
        raise EnvironmentTrouble(f"{path} cannot be written: {error.strerror or error}") from error
    return path


def uninstall(folder: Path) -> Path | None:
    """Remove the hook; its path, None when there is none of ours. Raises NotFound."""
    path, _ = _place(folder)
    if not path.exists() or not _is_ours(path):
        return None
    path.unlink()
    return path


def _place(folder: Path) -> tuple[Path, bool]:
    """Where the hook is, and whether the repository is bare."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "rev-parse", "--is-bare-repository", "--git-path", "hooks"],
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise EnvironmentTrouble("The program git is not installed", hint="Install git.") from None
    if done.returncode != 0:
        raise NotFound(f"{folder} is in no git repository", hint="git init makes one")
    bare, hooks = done.stdout.splitlines()[:2]
    name = "post-receive" if bare == "true" else "pre-push"
    return (folder / hooks / name).resolve(), bare == "true"


def _is_ours(path: Path) -> bool:
    return _MARK in path.read_text(errors="replace")
