"""Onepanel's rule for uids: what a template of some name is called in commands and in names of runs.

It knows names only. Source: onepanelio/core, pkg/util/uid.
"""

from __future__ import annotations

import re
from pathlib import PurePath

LONGEST = 30
TOO_LONG = f"Template name must be {LONGEST} characters or less"
_OTHER = re.compile(r"[^a-zA-Z0-9-]+")
# All files of a repository may be called so, each in a folder whose name tells more.
_NO_NAME = ("template", "workflow", "main")


def uid_of(name: str) -> str:
    """The uid of a template's name, of any length: in small letters, a dash for whatever is no letter and no digit."""
    return _OTHER.sub("-", name).lower()


def is_too_long(name: str) -> bool:
    """Whether Onepanel refuses the name."""
    return len(uid_of(name)) > LONGEST


def prefix_of(name: str) -> str:
    """How names of runs begin that come of a template of this name; "" when nothing of it is left."""
    uid = uid_of(name).strip("-")[:LONGEST].strip("-")
    return f"{uid}-" if uid else ""


def name_of_file(file: str) -> str:
    """What a file without a name of its own is called: after itself, or after its folder."""
    path = PurePath(file)
    stem = path.name.split(".")[0]
    if stem.lower() in _NO_NAME:
        return path.parent.name if path.parent.name not in ("", "..") else stem
    return stem if stem != "-" else ""
