"""Packing: the same content gives the same bytes, and what is packed unpacks to what it was."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path
from typing import Literal

import pytest

from argosy.artifacts.archives import pack, safe_extract
from argosy.artifacts.troubles import ArchiveRefused, StoreTrouble

Kind = Literal["tar.gz", "zip", "none"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    (tree / "sub" / "empty").mkdir(parents=True)
    (tree / "run").write_text("#!/bin/sh\n")
    (tree / "run").chmod(0o755)
    (tree / "sub" / "l").symlink_to("../run")
    (tree / ("n" * 150)).write_text("long name")
    (tree / "ü").write_bytes(b"x" * 300_000)
    return tree


def listing(top: Path) -> list[tuple[str, int, object]]:
    paths = sorted(top.rglob("*"))
    return [
        (str(p.relative_to(top)), p.lstat().st_mode, os.readlink(p) if p.is_symlink() else p.is_dir() or p.read_bytes())
        for p in paths
    ]


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
@pytest.mark.parametrize("level", [None, 0, 1, 9])
def test_a_folder_comes_back(tree: Path, tmp_path: Path, kind: Kind, level: int | None) -> None:
    pack(tree, tmp_path / "packed", kind, compression_level=level)
    safe_extract(tmp_path / "packed", tmp_path / "out", unwrap=True)
    assert listing(tmp_path / "out") == listing(tree)


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_a_file_comes_back(tree: Path, tmp_path: Path, kind: Kind) -> None:
    pack(tree / "run", tmp_path / "packed", kind)
    safe_extract(tmp_path / "packed", tmp_path / "out", unwrap=True)
    assert (tmp_path / "out").read_text() == "#!/bin/sh\n"
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_times_owners_and_order_leave_no_trace(tree: Path, tmp_path: Path, kind: Kind) -> None:
    other = tmp_path / "elsewhere" / "tree"
    other.mkdir(parents=True)
    for child in sorted(tree.iterdir(), reverse=True):
        if child.is_dir():
            shutil.copytree(child, other / child.name, symlinks=True)
        else:
            shutil.copy(child, other / child.name)
        os.utime(other / child.name, (1, 1))
    pack(tree, tmp_path / "one", kind)
    pack(other, tmp_path / "two", kind)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_none_copies(tree: Path, tmp_path: Path) -> None:
    pack(tree, tmp_path / "folder", "none")
    pack(tree / "run", tmp_path / "file", "none")
    assert listing(tmp_path / "folder") == listing(tree)
    assert (tmp_path / "file").read_text() == "#!/bin/sh\n"


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_pipes_and_sockets_are_refused_by_name(tree: Path, tmp_path: Path, kind: Kind) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tree / "socket"))
    with pytest.raises(ArchiveRefused, match="socket"):
        pack(tree, tmp_path / "packed", kind)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tree"]


def test_what_cannot_be_is_named(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(ArchiveRefused, match="compression level 10"):
        pack(tree, tmp_path / "packed", "tar.gz", compression_level=10)
    with pytest.raises(StoreTrouble, match="missing"):
        pack(tmp_path / "missing", tmp_path / "packed", "zip")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tree"]
