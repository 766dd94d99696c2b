"""Which folder is the root of a program's code.

It follows the same signs as the project does; it needs the standard library only.
"""

from __future__ import annotations

import os
from pathlib import Path

SIGNS = ("argosy.toml", ".argosy", ".git", ".dstack/workflows.yaml", ".dstack/workflows", ".gradient/workflows")
# The folder of this whole package.
PACKAGE = Path(__file__).parent.parent
# Set for a program that is loaded by the command line, and for a step: its project's folder.
ROOT_VARIABLE = "ARGOSY_CODE_ROOT"


def code_root(file: Path) -> Path:
    """The project's folder around the working folder when the file is in it, else the one around the file.

    What a notebook calls the file of a cell is nowhere; its code is the working folder's.
    """
    given = os.environ.get(ROOT_VARIABLE)
    if given:
        return Path(given).resolve()
    around = project_folder(Path.cwd().resolve())
    return around if file.is_relative_to(around) or not file.is_file() else project_folder(file.parent)


def project_folder(folder: Path) -> Path:
    """The nearest folder upwards that bears the sign of a project; else the folder itself."""
    for one in (folder, *folder.parents):
        if any((one / sign).exists() for sign in SIGNS):
            return one
    return folder
