"""Properties of the store and of archives, over trees and bytes that hypothesis makes up."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.artifacts.archives import Limits, pack, safe_extract
from argosy.artifacts.redaction import redact
from argosy.artifacts.store import Store
from argosy.artifacts.trees import Entry, decode_tree, encode_tree, parse_digest
from argosy.artifacts.troubles import ArchiveRefused, StoreTrouble

NAMES = (
    st.binary(min_size=1, max_size=12)
    .filter(lambda n: n not in (b".", b"..") and not {0, 47} & set(n))
    .map(os.fsdecode)
)
# Names that an archive may carry: a drive or a way up between backslashes is refused on purpose.
PLAIN_NAMES = st.text("abcÄß .-_'\"$\n", min_size=1, max_size=12).filter(lambda n: n not in (".", ".."))


def trees(names: st.SearchStrategy[str]) -> st.SearchStrategy[object]:
    """A file is bytes and whether it is executable, a link is text, a folder is a mapping."""
    leaves = st.tuples(st.binary(max_size=200), st.booleans()) | st.sampled_from([".", "a", "./b"])
    below = st.recursive(leaves, lambda inner: st.dictionaries(names, inner, max_size=4), max_leaves=12)
    return st.dictionaries(names, below, max_size=5)


def write(tree: object, place: Path) -> None:
    match tree:
        case dict():
            place.mkdir()
            for name, below in tree.items():  # type: ignore[misc]
                write(below, place / str(name))
        case (bytes(data), bool(executable)):
            place.write_bytes(data)
            place.chmod(0o755 if executable else 0o644)
        case _:
            place.symlink_to(str(tree))


def read(place: Path) -> object:
    if place.is_symlink():
        return os.readlink(place)
    if place.is_dir():
        return {child.name: read(child) for child in place.iterdir()}
    return (place.read_bytes(), bool(place.stat().st_mode & 0o100))


@settings(deadline=None, max_examples=60)
@given(tree=trees(NAMES))
def test_every_tree_comes_back_from_the_store(tree: object) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(tree, folder / "in")
        store = Store.open(folder / "store")
        digest = store.put(folder / "in")
        store.materialize(digest, folder / "out")
        assert read(folder / "out") == tree
        store.materialize(digest, folder / "ro", writable=False)
        assert read(folder / "ro") == tree
        assert store.put(folder / "out") == digest
        assert store.prune([digest], grace_seconds=-1) == 0
        assert store.check(read_data=True).sound
        store.prune([], grace_seconds=-1)
        assert store.check(read_data=True).objects == 0


@settings(deadline=None, max_examples=60)
@given(tree=trees(PLAIN_NAMES), zipped=st.booleans())
def test_every_tree_comes_back_from_an_archive(tree: object, zipped: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(tree, folder / "in")
        pack(folder / "in", folder / "packed", "zip" if zipped else "tar.gz")
        safe_extract(folder / "packed", folder / "out", unwrap=True)
        assert read(folder / "out") == tree


@settings(deadline=None, max_examples=150)
@given(data=st.data(), zipped=st.booleans())
def test_damaged_archives_are_refused_or_unpacked_and_never_anything_else(data: st.DataObject, zipped: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write({"a": (b"x" * 50, True), "d": {"l": "../a", "f": (b"", False)}}, folder / "in")
        pack(folder / "in", folder / "packed", "zip" if zipped else "tar.gz", compression_level=0)
        damaged = bytearray((folder / "packed").read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            place = data.draw(st.integers(0, len(damaged) - 1))
            damaged[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        (folder / "packed").write_bytes(damaged)
        try:
            safe_extract(folder / "packed", folder / "deep" / "out", limits=Limits(max_bytes=1 << 20))
        except (ArchiveRefused, StoreTrouble):
            assert not (folder / "deep").exists() or list((folder / "deep").iterdir()) == []
        assert {p.name for p in folder.iterdir()} <= {"in", "packed", "deep"}


ENTRIES = st.builds(
    Entry, NAMES, st.integers(0, 0o777), st.sampled_from(["file", "link", "tree"]), st.text(max_size=9), st.integers(0)
)


@given(entries=st.lists(ENTRIES, unique_by=lambda entry: entry.name))
def test_trees_have_one_form_whatever_the_order(entries: list[Entry]) -> None:
    data = encode_tree(entries)
    assert encode_tree(list(reversed(entries))) == data
    assert {entry.name: entry for entry in decode_tree(data)} == {entry.name: entry for entry in entries}


@given(data=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_what_is_no_tree_is_a_value_error(data: bytes) -> None:
    try:
        decode_tree(data)
    except ValueError:
        return
    assert data.strip().startswith(b"[")


@given(text=st.text(max_size=90))
def test_what_is_no_digest_is_refused(text: str) -> None:
    with pytest.raises(StoreTrouble, match="not a digest"):
        parse_digest(text)


@given(before=st.text(max_size=20), after=st.text(max_size=20), secret=st.text("abc/+=@:& %", min_size=4, max_size=12))
def test_a_known_secret_never_survives(before: str, after: str, secret: str) -> None:
    hidden = redact(f"{before}\n{secret}\n{after}", [secret])
    if len(secret.strip()) >= 3 and secret.strip() not in before + after:
        assert secret.strip() not in hidden


@given(password=st.text("abcXYZ019-._~!$&'()*+,;=:@%", min_size=1, max_size=20), path=st.text("ab/?=", max_size=10))
def test_a_password_in_a_url_never_survives(password: str, path: str) -> None:
    hidden = redact(f"see https://user:{password}Q@host.example/{path} there")
    assert f"{password}Q" not in hidden
    assert hidden.startswith("see https://***@")
