"""What the record keeps of the code and the interpreter that a run's host templates used.

It knows values only: cheap to import, as every verb that shows a run reads them.
"""

from __future__ import annotations

import msgspec


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """Something of a run in the store. The name of the field is what keeps it from being pruned."""

    digest: str


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """A file or folder that is not in a snapshot and may be missed. reason: in two or three words."""

    path: str
    reason: str


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The code of a run. digest: the folder. difference: from the commit, as git tells it, None if there was none.

    folder: where it was taken. commit: "" without git, or before the first one. remote: its url without credentials.
    untracked: how many of the files no version control knew. left_out names the first of left_out_count. dest: where
    it goes in a step's working folder. note: what could not be found out.
    """

    digest: str
    files: int = 0
    size_bytes: int = 0
    taken_at: float = 0.0
    folder: str = ""
    commit: str = ""
    branch: str = ""
    remote: str = ""
    dirty: bool = False
    untracked: int = 0
    difference: Stored | None = None
    left_out: tuple[LeftOut, ...] = ()
    left_out_count: int = 0
    dest: str = ""
    note: str = ""

    def told(self) -> str:
        """One sentence on what is not in it, or ""."""
        words: list[str] = []
        if self.left_out_count:
            reasons: dict[str, list[str]] = {}
            for one in self.left_out:
                reasons.setdefault(one.reason, []).append(one.path)
            parts = [
                f"{', '.join(paths[:3])}{', ...' if len(paths) > 3 else ''} ({why})" for why, paths in reasons.items()
            ]
            what = "1 file is" if self.left_out_count == 1 else f"{self.left_out_count} files are"
            words.append(
                f"{what} not in the snapshot of the code: {'; '.join(parts)}; "
                "rules in [code] of argosy.toml say otherwise"
            )
        if self.note:
            words.append(self.note)
        return "; ".join(words)


class Python(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The interpreter of host templates. folder: comes first on their PATH; `python` in it is the interpreter.

    virtual_env: the virtual environment that it belongs to, or "". package: the folder with what steps that call
    functions import of this program, "" if it has that itself or no step does.
    """

    interpreter: str
    folder: str
    virtual_env: str = ""
    package: str = ""
