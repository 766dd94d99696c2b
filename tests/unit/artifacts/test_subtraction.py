"""A stored folder without what was there before."""

from __future__ import annotations

from pathlib import Path

from argosy.artifacts.store import Store
from argosy.artifacts.subtraction import without


def _folder(root: Path, files: dict[str, str]) -> Path:
    for path, content in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
    return root


def _left(store: Store, digest: str, target: Path) -> list[str]:
    store.sync()
    store.materialize(digest, target)
    return sorted(path.relative_to(target).as_posix() for path in target.rglob("*"))


def test_what_is_the_same_at_the_same_path_goes(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    before = {"a": "1", "b/c": "2", "b/d": "3", "e/f": "4"}
    code = store.put(_folder(tmp_path / "code", before))
    work = _folder(tmp_path / "work", {**before, "b/d": "changed", "b/a": "1", "g": "new"})
    (work / "empty").mkdir()
    (work / "__pycache__").mkdir()
    (work / "__pycache__" / "x.pyc").write_text("x")
    left = without(store, store.put(work), {".": code})
    assert _left(store, left, tmp_path / "out") == ["b", "b/a", "b/d", "empty", "g"]
    assert store.size(left) == len("changed") + len("1") + len("new")


def test_inputs_at_paths_of_their_own(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    data = store.put(_folder(tmp_path / "data", {"x": "1", "y": "2"}))
    program = _folder(tmp_path / "one", {"run.sh": "3"}) / "run.sh"
    program.chmod(0o755)
    single = store.put(program)
    work = _folder(tmp_path / "work", {"in/data/x": "1", "in/data/y": "else", "run.sh": "3", "drop/a": "5", "x": "1"})
    left = without(store, store.put(work), {"in/data": data, "run.sh": single}, ["drop"])
    assert _left(store, left, tmp_path / "out") == ["in", "in/data", "in/data/y", "x"]


def test_links_are_told_by_what_they_point_at(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    code, work = tmp_path / "code", tmp_path / "work"
    for folder, target in ((code, "a"), (work, "b")):
        folder.mkdir()
        (folder / "same").symlink_to("x")
        (folder / "other").symlink_to(target)
    left = without(store, store.put(work), {".": store.put(code)})
    assert _left(store, left, tmp_path / "out") == ["other"]
