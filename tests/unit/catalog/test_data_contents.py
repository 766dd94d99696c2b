"""Outputs of a run as one folder: paths kept, folders laid over one another, nothing lost when two disagree."""

from pathlib import Path

from argosy.artifacts.pruning import stored_objects
from argosy.artifacts.store import SMALL_BYTES, Store
from argosy.catalog.contents import Part, combined, content_of, content_of_path
from argosy.record.database import Database


def part(store: Store, folder: Path, step: str, path: str, files: dict[str, str] | str, name: str = "out") -> Part:
    source = folder / f"{step}-{name}"
    if isinstance(files, str):
        source.write_text(files)
    else:
        for inner, text in files.items():
            (source / inner).parent.mkdir(parents=True, exist_ok=True)
            (source / inner).write_text(text)
    return Part(artifact=name, step=step, node=step, path=path, digest=store.put(source))


def laid_out(store: Store, parts: list[Part], target: Path) -> dict[str, str]:
    digest = combined(store, parts)
    store.sync()
    store.materialize(digest, target)
    found = {str(one.relative_to(target)): one.read_text() for one in target.rglob("*") if one.is_file()}
    content = content_of(store, digest)
    assert content.files == len(found)
    assert content.size_bytes == sum(len(text) for text in found.values())
    return found


def test_relative_paths_stay_and_absolute_ones_become_names(store: Store, tmp_path: Path) -> None:
    parts = [
        part(store, tmp_path, "a", "data/train/", {"x": "1"}),
        part(store, tmp_path, "b", "/tmp/model.bin", "net", name="model"),
        part(store, tmp_path, "c", "./log.txt", "said", name="log"),
    ]
    assert laid_out(store, parts, tmp_path / "got") == {"data/train/x": "1", "model": "net", "log.txt": "said"}


def test_folders_at_one_path_are_laid_over_one_another(store: Store, tmp_path: Path) -> None:
    parts = [
        part(store, tmp_path, "a", "out", {"x": "1", "deep/y": "2", "same": "old"}),
        part(store, tmp_path, "b", "out", {"deep/z": "3", "same": "new"}),
        part(store, tmp_path, "c", "out/deep", {"w": "4"}),
    ]
    expected = {"out/x": "1", "out/deep/y": "2", "out/deep/z": "3", "out/deep/w": "4", "out/same": "new"}
    assert laid_out(store, parts, tmp_path / "got") == expected


def test_files_that_disagree_stand_by_their_steps(store: Store, tmp_path: Path) -> None:
    parts = [part(store, tmp_path, f"fit({n})", "/tmp/m", str(n), name="model") for n in range(2)]
    assert laid_out(store, parts, tmp_path / "got") == {"fit(0)/model": "0", "fit(1)/model": "1"}


def test_a_path_cannot_lead_out(store: Store, tmp_path: Path) -> None:
    parts = [part(store, tmp_path, "a", "../../etc", {"x": "1"})]
    assert laid_out(store, parts, tmp_path / "got") == {"out/x": "1"}


def test_the_working_folder_itself_is_the_whole(store: Store, tmp_path: Path) -> None:
    parts = [part(store, tmp_path, "a", ".", {"x": "1"}), part(store, tmp_path, "b", "sub", {"y": "2"})]
    assert laid_out(store, parts, tmp_path / "got") == {"x": "1", "sub/y": "2"}


def test_a_version_that_changes_one_file_stores_one_file(store: Store, database: Database, tmp_path: Path) -> None:
    source = tmp_path / "many"
    for number in range(500):
        (source / f"{number // 50}").mkdir(parents=True, exist_ok=True)
        (source / f"{number // 50}" / f"{number}").write_text(f"file {number}\n" * 20)
    (source / "big").write_bytes(b"x" * (SMALL_BYTES * 4))
    first = content_of_path(store, source, database)
    before = {str(digest): path.stat().st_size for digest, path in stored_objects(store.root)}
    assert first.files == 501
    (source / "3" / "170").write_text("changed\n")
    second = content_of_path(store, source, database)
    new = {str(digest): path.stat().st_size for digest, path in stored_objects(store.root) if str(digest) not in before}
    # The file, and the lists of the two folders that it is in.
    assert [size for name, size in new.items() if not name.endswith(".tree")] == [len("changed\n")]
    assert len(new) == 3
    assert second.files == 501
    store.materialize(first.digest, tmp_path / "first")
    assert (tmp_path / "first" / "3" / "170").read_text() == "file 170\n" * 20
