"""Snapshots of code: which files are kept, with git and without, and that they come out as they went in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from argosy.artifacts.store import Store
from argosy.experiments.code_files import decide, fits, is_text
from argosy.experiments.provenance import Snapshot
from argosy.experiments.snapshot import files_of, take, written_besides
from argosy.model.host_templates import CodeRule, CodeRules


class Folder:
    """A project with a store beside it."""

    def __init__(self, root: Path) -> None:
        self.project = root / "project"
        self.project.mkdir()
        self.home = self.project / ".argosy"
        self.home.mkdir()
        (self.home / "argosy.db").write_text("not code")
        self.store = Store.open(self.home / "store")

    def write(self, path: str, content: str | bytes = "text\n") -> Path:
        place = self.project / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
        return place

    def git(self, *words: str) -> None:
        identity = ("-c", "user.email=a@example.com", "-c", "user.name=A")
        subprocess.run(["git", *identity, *words], cwd=self.project, check=True, capture_output=True)

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", "a commit")

    def take(self, *rules: CodeRule, **limits: int) -> Snapshot:
        return take(self.store, self.project, CodeRules(rules=rules, **limits), self.home)

    def paths(self, snapshot: Snapshot) -> list[str]:
        return list(files_of(self.store, snapshot.digest))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def repository(folder: Folder) -> Folder:
    folder.git("init", "-q", "-b", "main")
    folder.write(".gitignore", ".argosy\nignored/\n")
    folder.write("train.py", "print(1)\n")
    folder.write("table.bin", b"\0" * 10)
    folder.commit()
    return folder


def test_without_git_text_is_kept_and_the_rest_is_told(folder: Folder) -> None:
    folder.write("train.py")
    folder.write("src/model.py")
    folder.write("weights.bin", b"\0\1")
    folder.write("large.csv", "x" * 2000)
    snapshot = folder.take(largest_bytes=1000)
    assert folder.paths(snapshot) == ["src/model.py", "train.py"]
    assert snapshot.commit == ""
    assert snapshot.files == 2
    assert "weights.bin (binary)" in snapshot.told()
    assert "large.csv (too large)" in snapshot.told()


def test_folders_that_are_no_code_are_left_out(folder: Folder) -> None:
    for path in (".venv/a.py", ".hidden/a.py", "env/lib/a.py", "__pycache__/a.py", "big/a.py", "other/a.py"):
        folder.write(path)
    folder.write("env/pyvenv.cfg")
    folder.write("big/.guild-nocopy")
    folder.write("other/.argosy-nocopy")
    folder.write("a.py")
    assert folder.paths(folder.take()) == ["a.py"]


def test_the_limit_on_their_number_leaves_out_what_is_deep(folder: Folder) -> None:
    for number in range(3):
        folder.write(f"{number}.py")
        folder.write(f"deep/{number}.py")
    snapshot = folder.take(most_files=4)
    assert folder.paths(snapshot) == ["0.py", "1.py", "2.py", "deep/0.py"]
    assert "(too many)" in snapshot.told()


def test_git_tells_what_is_tracked_and_what_is_ignored(repository: Folder) -> None:
    repository.write("ignored/data.csv")
    repository.write("new.py")
    repository.write("new.bin", b"\0")
    snapshot = repository.take()
    assert repository.paths(snapshot) == [".gitignore", "new.py", "table.bin", "train.py"]
    assert (snapshot.branch, snapshot.dirty, snapshot.untracked) == ("main", True, 1)
    assert len(snapshot.commit) == 40


def test_a_clean_working_tree_is_its_commit(repository: Folder) -> None:
    snapshot = repository.take()
    assert not snapshot.dirty
    assert snapshot.difference is None


def test_the_difference_is_kept_staged_and_not(repository: Folder) -> None:
    repository.write("train.py", "print(2)\n")
    repository.write("table.bin", b"\0" * 11)
    repository.git("add", "train.py")
    snapshot = repository.take()
    assert snapshot.difference is not None
    text = repository.store.read_bytes(snapshot.difference.digest, 10_000).decode()
    assert "+print(2)" in text
    assert "table.bin" in text


def test_a_removed_file_is_not_there(repository: Folder) -> None:
    (repository.project / "train.py").unlink()
    assert repository.paths(repository.take()) == [".gitignore", "table.bin"]


def test_a_remote_is_kept_without_its_password(repository: Folder) -> None:
    repository.git("remote", "add", "origin", "https://me:hunter2@example.com/a.git")
    snapshot = repository.take()
    assert "example.com/a.git" in snapshot.remote
    assert "hunter2" not in snapshot.remote


def test_a_folder_below_the_repository_keeps_itself_only(repository: Folder) -> None:
    repository.write("part/a.py")
    repository.commit()
    snapshot = take(repository.store, repository.project, CodeRules(root="part"), repository.home)
    assert repository.paths(snapshot) == ["a.py"]


def test_a_submodule_is_kept_with_its_files(repository: Folder, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=other, check=True)
    (other / "lib.py").write_text("x = 1\n")
    words = ["git", "-c", "user.email=a@example.com", "-c", "user.name=A"]
    subprocess.run([*words, "add", "."], cwd=other, check=True)
    subprocess.run([*words, "commit", "-qm", "a"], cwd=other, check=True)
    repository.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other), "vendor")
    assert "vendor/lib.py" in repository.paths(repository.take())


def test_what_git_cannot_tell_is_said(folder: Folder) -> None:
    folder.write("a.py")
    (folder.project / ".git").write_text("gitdir: nowhere\n")
    snapshot = folder.take()
    assert folder.paths(snapshot) == ["a.py"]
    assert "git was not asked" in snapshot.told()


def test_only_what_changed_is_read_again(repository: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    old = (1_600_000_000, 1_600_000_000)
    for path in repository.project.glob("*.*"):
        os.utime(path, old)
    # Times of inodes cannot be set: pretend that the clock has gone on.
    monkeypatch.setattr("time.time_ns", lambda: 4_000_000_000_000_000_000)
    first = repository.take()
    read: list[str] = []
    put = Store.put
    monkeypatch.setattr(Store, "put", lambda self, path, **more: read.append(path.name) or put(self, path, **more))
    repository.write("train.py", "print(3)\n")
    second = repository.take()
    assert read == ["train.py"]
    assert first.digest != second.digest
    assert repository.paths(first) == repository.paths(second)


def test_an_index_of_a_store_that_is_gone_is_not_believed(repository: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 4_000_000_000_000_000_000)
    snapshot = repository.take()
    for path in (repository.home / "store" / "objects").rglob("*"):
        if path.is_file():
            path.unlink()
    again = repository.take()
    assert again.digest == snapshot.digest
    assert all(repository.store.has(one.digest) for one in files_of(repository.store, again.digest).values())


def test_modes_and_links_come_out_as_they_went_in(folder: Folder, tmp_path: Path) -> None:
    folder.write("run.sh").chmod(0o700)
    folder.write("a.py").chmod(0o600)
    (folder.project / "link").symlink_to("a.py")
    snapshot = folder.take()
    target = tmp_path / "out"
    folder.store.materialize(snapshot.digest, target)
    assert (target / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (target / "a.py").stat().st_mode & 0o777 == 0o644
    assert os.readlink(target / "link") == "a.py"
    assert written_besides(folder.store, snapshot.digest, target) == []
    (target / "model.bin").write_bytes(b"\0")
    (target / "a.py").write_text("text?")
    assert written_besides(folder.store, snapshot.digest, target) == ["a.py", "model.bin"]


def test_a_name_that_is_no_text_is_kept(folder: Folder) -> None:
    name = os.fsdecode(b"caf\xe9.py")
    folder.write(name)
    assert folder.paths(folder.take()) == [name]


def test_the_last_rule_that_fits_counts(folder: Folder) -> None:
    for path in ("a.py", "b.txt", "data/c.py", "data/d.bin", "data/keep/e.py"):
        folder.write(path, b"\0" if path.endswith("bin") else "text\n")
    rules = (
        CodeRule(include=False, pattern="*.txt"),
        CodeRule(include=False, pattern="data", kind="dir"),
        CodeRule(include=True, pattern="data/keep", kind="dir"),
        CodeRule(include=True, pattern="*", kind="binary"),
    )
    snapshot = folder.take(*rules)
    assert folder.paths(snapshot) == ["a.py", "data/d.bin", "data/keep/e.py"]
    assert snapshot.told() == ""


def test_hidden_files_are_kept_only_when_tracked_or_asked_for(folder: Folder) -> None:
    folder.write(".env", "TOKEN=1")
    folder.write("a.py")
    assert folder.paths(folder.take()) == ["a.py"]
    assert folder.paths(folder.take(CodeRule(include=True, pattern="*"))) == ["a.py"]
    assert folder.paths(folder.take(CodeRule(include=True, pattern=".env"))) == [".env", "a.py"]


def test_a_rule_opens_a_hidden_folder_but_never_the_home(folder: Folder) -> None:
    folder.write(".config/a.py")
    rules = (CodeRule(include=True, pattern=".*", kind="dir"),)
    assert folder.paths(folder.take(*rules)) == [".config/a.py"]


def test_rules_hold_for_tracked_files_too(repository: Folder) -> None:
    assert repository.paths(repository.take(CodeRule(include=False, pattern="*", kind="binary"))) == [
        ".gitignore",
        "train.py",
    ]


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.py", "a/b.py", True),
        ("a/*.py", "a/b.py", True),
        ("a/*.py", "a/b/c.py", False),
        ("a/**/*.py", "a/b/c.py", True),
        ("a/**/*.py", "a/c.py", True),
        ("**/c.py", "c.py", True),
        ("/a.py", "b/a.py", False),
        ("[!a].py", "b.py", True),
        ("[!a].py", "a.py", False),
        ("?.py", "ab.py", False),
        ("a.b", "axb", False),
    ],
)
def test_patterns(pattern: str, path: str, expected: bool) -> None:
    assert fits(pattern, path) is expected


def test_no_rule_says_nothing() -> None:
    assert decide((), "a", lambda: "text") is None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", True),
        (b"a\0b", False),
        ("é".encode(), True),
        ("plain é text".encode("latin-1"), True),
        (b"\x80\x01\x02", False),
    ],
)
def test_text_is_told_from_binary(data: bytes, expected: bool) -> None:
    assert is_text(data) is expected
