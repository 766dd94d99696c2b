"""The content-addressed store: what goes in comes out, whole or not at all."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from argosy.artifacts.store import Store
from argosy.artifacts.troubles import ArtifactNotFound, StoreTrouble


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def make_tree(folder: Path) -> Path:
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "deep" / "run").write_text("#!/bin/sh\n")
    (folder / "deep" / "run").chmod(0o755)
    (folder / "deep" / "er" / "big").write_bytes(b"x" * 700_000)
    (folder / "empty").mkdir()
    (folder / "link").symlink_to("deep/run")
    (folder / os.fsdecode(b"\xff\xfe")).write_text("odd name")
    return folder


def listing(folder: Path) -> list[tuple[str, int, object]]:
    found: list[tuple[str, int, object]] = []
    for path in sorted(folder.rglob("*"), key=os.fsencode):
        mode = path.lstat().st_mode
        content: object = os.readlink(path) if path.is_symlink() else path.is_dir() or path.read_bytes()
        found.append((str(path.relative_to(folder)), mode, content))
    return found


def test_a_file_is_named_by_its_sha256(store: Store, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"hello")
    digest = store.put(tmp_path / "f")
    assert digest == "sha256:" + hashlib.sha256(b"hello").hexdigest() == store.put_bytes(b"hello")
    assert store.size(digest) == 5
    assert store.read_bytes(digest, 5) == b"hello"


def test_a_big_file_comes_back(store: Store, tmp_path: Path) -> None:
    data = os.urandom(3_000_001)
    (tmp_path / "f").write_bytes(data)
    digest = store.put(tmp_path / "f")
    assert digest == "sha256:" + hashlib.sha256(data).hexdigest()
    store.materialize(digest, tmp_path / "out" / "f")
    assert (tmp_path / "out" / "f").read_bytes() == data


def test_an_executable_stays_one(store: Store, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("#!/bin/sh\n")
    (tmp_path / "f").chmod(0o755)
    digest = store.put(tmp_path / "f")
    store.materialize(digest, tmp_path / "g")
    assert (tmp_path / "g").stat().st_mode & 0o777 == 0o755


def test_a_folder_comes_back_as_it_was(store: Store, tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    digest = store.put(tree)
    assert digest.endswith(".tree")
    assert store.size(digest) == sum(p.stat().st_size for p in tree.rglob("*") if p.is_file() and not p.is_symlink())
    store.materialize(digest, tmp_path / "copy")
    assert listing(tmp_path / "copy") == listing(tree)


def test_two_equal_folders_are_one_object(store: Store, tmp_path: Path) -> None:
    assert store.put(make_tree(tmp_path / "one")) == store.put(make_tree(tmp_path / "two"))


def test_following_links_takes_what_they_point_at(store: Store, tmp_path: Path) -> None:
    make_tree(tmp_path / "tree")
    (tmp_path / "to-tree").symlink_to("tree")
    with pytest.raises(StoreTrouble, match="symbolic link"):
        store.put(tmp_path / "to-tree")
    store.materialize(store.put(tmp_path / "to-tree", follow=True), tmp_path / "copy")
    assert (tmp_path / "copy" / "link").read_text() == "#!/bin/sh\n"
    assert not (tmp_path / "copy" / "link").is_symlink()


def test_links_that_lead_back_are_an_error(store: Store, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "up").symlink_to("..")
    with pytest.raises(StoreTrouble, match="lead back"):
        store.put(tmp_path / "tree", follow=True)


def test_special_files_are_refused_by_name(store: Store, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    os.mkfifo(tmp_path / "tree" / "pipe")
    with pytest.raises(StoreTrouble, match="named pipe"):
        store.put(tmp_path / "tree")


def test_what_is_not_there_is_not_found(store: Store, tmp_path: Path) -> None:
    with pytest.raises(ArtifactNotFound, match="nothing at"):
        store.put(tmp_path / "no")
    with pytest.raises(ArtifactNotFound, match="holds no"):
        store.materialize("sha256:" + "0" * 64, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not store.has("sha256:" + "0" * 64)


@pytest.mark.parametrize("text", ["", "md5:00", "sha256:00", "sha256:" + "0" * 63 + "/", "sha256:" + "0" * 64 + "\n"])
def test_what_is_no_digest_is_refused(store: Store, text: str) -> None:
    with pytest.raises(StoreTrouble, match="not a digest"):
        store.size(text)


def test_reading_has_a_limit(store: Store) -> None:
    with pytest.raises(StoreTrouble, match="more than 3 bytes"):
        store.read_bytes(store.put_bytes(b"four"), 3)


def test_a_mode_is_given_to_the_top_or_to_all(store: Store, tmp_path: Path) -> None:
    digest = store.put(make_tree(tmp_path / "tree"))
    store.materialize(digest, tmp_path / "top", mode=0o750)
    assert (tmp_path / "top").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "top" / "a.txt").stat().st_mode & 0o777 == 0o644
    store.materialize(digest, tmp_path / "all", mode=0o700, recurse_mode=True)
    assert {p.stat().st_mode & 0o777 for p in (tmp_path / "all").rglob("*")} == {0o700}


def test_read_only_files_may_be_links_and_writable_ones_never(store: Store, tmp_path: Path) -> None:
    digest = store.put(make_tree(tmp_path / "tree"))
    store.materialize(digest, tmp_path / "ro", writable=False)
    assert (tmp_path / "ro" / "a.txt").stat().st_nlink == 2
    assert (tmp_path / "ro" / "a.txt").stat().st_mode & 0o222 == 0
    store.materialize(digest, tmp_path / "rw")
    assert (tmp_path / "rw" / "a.txt").stat().st_nlink == 1
    (tmp_path / "rw" / "a.txt").write_text("changed")
    assert store.check(read_data=True).sound


def test_a_place_that_is_taken_is_not_overwritten(store: Store, tmp_path: Path) -> None:
    file, folder = store.put_bytes(b"x"), store.put(make_tree(tmp_path / "tree"))
    (tmp_path / "taken").write_text("mine")
    for digest in (file, folder):
        with pytest.raises(StoreTrouble, match="already"):
            store.materialize(digest, tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    store.materialize(folder, tmp_path / "empty")
    assert (tmp_path / "empty" / "a.txt").read_text() == "a"


def damage(store: Store, digest: str, data: bytes) -> None:
    place = store.root / ("trees" if digest.endswith(".tree") else "objects") / digest[7:9] / digest[9:71]
    place.chmod(0o600)
    place.write_bytes(data)


@pytest.mark.parametrize("writable", [True, False])
def test_damage_is_found_when_read_and_healed_by_a_put(store: Store, tmp_path: Path, writable: bool) -> None:
    digest = store.put_bytes(b"precious")
    damage(store, digest, b"previous")
    with pytest.raises(StoreTrouble, match="damaged"):
        store.materialize(digest, tmp_path / "out", writable=writable)
    assert not (tmp_path / "out").exists()
    assert len(store.check(read_data=False).quarantined) == 1
    assert store.put_bytes(b"precious") == digest
    assert store.read_bytes(digest, 100) == b"precious"


def test_damage_below_a_folder_leaves_no_half_folder(store: Store, tmp_path: Path) -> None:
    digest = store.put(make_tree(tmp_path / "tree"))
    damage(store, store.put_bytes(b"a"), b"b")
    (tmp_path / "out").mkdir()
    with pytest.raises(StoreTrouble, match="damaged"):
        store.materialize(digest, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_check_names_what_is_missing_damaged_and_left_over(store: Store, tmp_path: Path) -> None:
    digest = store.put(make_tree(tmp_path / "tree"))
    assert store.check(read_data=True).sound
    gone, hurt = store.put_bytes(b"a"), store.put_bytes(b"other")
    (store.root / "objects" / gone[7:9] / gone[9:]).unlink()
    damage(store, hurt, b"xxxxx")
    (store.root / "tmp" / "old").write_text("")
    os.utime(store.root / "tmp" / "old", (0, 0))
    report = store.check(read_data=True)
    assert report.missing == (gone,)
    assert report.corrupt == (hurt,)
    assert [Path(p).name for p in report.leftover] == ["old"]
    assert store.has(digest)
    assert store.check(read_data=False).corrupt == ()


def age(store: Store) -> None:
    for path in store.root.rglob("*"):
        if path.is_file():
            os.utime(path, (0, 0))


def test_prune_keeps_what_is_reached_and_what_is_young(store: Store, tmp_path: Path) -> None:
    kept = store.put(make_tree(tmp_path / "tree"))
    doomed = store.put_bytes(b"doomed")
    age(store)
    young = store.put_bytes(b"young")
    assert store.prune([kept]) == len(b"doomed")
    assert store.has(young)
    assert not store.has(doomed)
    assert store.check(read_data=True).sound
    store.materialize(kept, tmp_path / "out")


def test_a_put_of_an_old_object_makes_it_young(store: Store, tmp_path: Path) -> None:
    digest = store.put(make_tree(tmp_path / "tree"))
    age(store)
    assert store.put(tmp_path / "tree") == digest
    assert store.prune([]) == 0


def test_a_young_folder_keeps_its_old_files(store: Store, tmp_path: Path) -> None:
    digest = store.put(make_tree(tmp_path / "tree"))
    age(store)
    place = store.root / "trees" / digest[7:9] / digest[9:71]
    os.utime(place)
    store.prune([])
    store.materialize(digest, tmp_path / "out")


def test_prune_refuses_when_a_kept_folder_is_not_whole(store: Store, tmp_path: Path) -> None:
    digest = store.put(make_tree(tmp_path / "tree"))
    age(store)
    damage(store, digest, b"[]")
    with pytest.raises(StoreTrouble, match="damaged"):
        store.prune([digest])
    assert store.has(store.put_bytes(b"a"))


def test_many_puts_share_a_sync(store: Store, tmp_path: Path) -> None:
    digests = [store.put_bytes(b"%d" % i, sync=False) for i in range(50)]
    other = Store.open(store.root)
    assert not other.has(digests[0])
    assert store.read_bytes(digests[0], 10) == b"0"
    store.materialize(digests[1], tmp_path / "early")
    store.sync()
    assert all(other.has(digest) for digest in digests)
    assert list((store.root / "tmp").iterdir()) == []


def test_two_stores_of_one_root_agree(store: Store) -> None:
    other = Store.open(store.root)
    digest = store.put_bytes(b"same", sync=False)
    assert other.put_bytes(b"same", sync=False) == digest
    other.sync()
    store.sync()
    assert store.read_bytes(digest, 4) == b"same"
    assert list((store.root / "tmp").iterdir()) == []


def test_a_root_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreTrouble, match="open the store at") as caught:
        Store.open(tmp_path / "file" / "store")
    assert caught.value.hint


def test_a_file_with_the_text_of_a_tree_stays_a_file(store: Store, tmp_path: Path) -> None:
    tree = store.put(make_tree(tmp_path / "tree"))
    data = (store.root / "trees" / tree[7:9] / tree[9:71]).read_bytes()
    assert store.put_bytes(data) + ".tree" == tree
    assert store.read_bytes(store.put_bytes(data), 10_000) == data
