"""Where a project keeps its runs: the home folder, and what lies where in it.

It knows folders only.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from argosy.errors import EnvironmentTrouble

HOME = ".argosy"
CONFIGURATION = "argosy.toml"


class Home(msgspec.Struct, frozen=True):
    """A home folder, which may not be there yet."""

    folder: Path

    @property
    def record(self) -> Path:
        return self.folder / "argosy.db"

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def claims(self) -> Path:
        return self.folder / "claims"

    def run(self, uid: str) -> Path:
        """The folder of a run's own files."""
        return self.folder / "runs" / uid

    def make(self) -> None:
        """Make the folder, for its owner only, and keep it out of version control. Raises EnvironmentTrouble."""
        if (self.folder / ".gitignore").exists():
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            (self.folder / ".gitignore").write_text("*\n")
        except OSError as error:
            raise EnvironmentTrouble(
                f"The home folder {self.folder} cannot be made: {error.strerror or error}",
                hint="choose another one with --home or ARGOSY_HOME",
            ) from error


# Not .dstack itself: a person's home may have one.
SIGNS = (CONFIGURATION, HOME, ".git", ".dstack/workflows.yaml", ".dstack/workflows", ".gradient/workflows")


def project_folder(folder: Path) -> Path:
    """The nearest folder upwards with argosy.toml, .argosy, .git, dstack's or Gradient's files; else the folder."""
    for one in (folder, *folder.parents):
        if any((one / sign).exists() for sign in SIGNS):
            return one
    return folder


def find_home(given: Path | None, folder: Path) -> Home:
    """The home: the one given, else ARGOSY_HOME, else .argosy beside the project around `folder`."""
    if given is None and os.environ.get("ARGOSY_HOME"):
        given = Path(os.environ["ARGOSY_HOME"])
    found = given if given is not None else project_folder(folder) / HOME
    return Home(found.expanduser().absolute())
