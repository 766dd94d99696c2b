"""Which files belong together, and what a project is called by others."""

from __future__ import annotations

from pathlib import Path

import pytest

from argosy.errors import NotFound, UsageError
from argosy.project.dstack_files import files_of, folder_around, load, load_asked, load_named, repository_of
from argosy.project.files import expanded, read

ONE = "workflows: [{name: %s, provider: bash, commands: ['echo ${{ x }}']}]\n"


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    folder = tmp_path / ".dstack"
    (folder / "workflows").mkdir(parents=True)
    (folder / "workflows.yaml").write_text(ONE % "first")
    (folder / "workflows" / "b.yml").write_text(ONE % "second")
    (folder / "workflows" / "a.yaml").write_text(ONE % "third")
    (folder / "workflows" / "notes.txt").write_text("none")
    (folder / "variables.yaml").write_text("variables: {global: {x: 1}}\n")
    return folder


def test_the_order_of_files(inside: Path) -> None:
    names = [name for name, _ in files_of(inside, inside.parent)]
    assert names == [
        ".dstack/workflows.yaml",
        ".dstack/workflows/a.yaml",
        ".dstack/workflows/b.yml",
        ".dstack/variables.yaml",
    ]


def test_the_nearest_folder_upwards_is_meant(inside: Path) -> None:
    below = inside.parent / "a" / "b"
    below.mkdir(parents=True)
    assert folder_around(below) == inside
    loaded = load_named(below, "second")
    assert loaded is not None
    assert loaded.checked().source.file == str(inside / "workflows" / "b.yml")
    with pytest.raises(NotFound) as problem:
        load_named(below, "secnd")
    assert problem.value.hint == "did you mean second?"


def test_a_file_is_read_with_what_stands_beside_it(inside: Path) -> None:
    for path in (inside / "workflows.yaml", inside / "workflows" / "a.yaml"):
        assert load(path.read_bytes(), str(path)).ok
    (inside / "variables.yaml").unlink()
    assert not load(path.read_bytes(), str(path)).ok


@pytest.mark.parametrize(
    ("address", "repository"),
    [
        ("git@github.com:me/here.git", "me/here"),
        ("https://github.com/me/here", "me/here"),
        ("https://token@host.example/group/me/here.git/", "me/here"),
        ("here", ""),
    ],
)
def test_a_project_is_called_as_its_remote(tmp_path: Path, address: str, repository: str) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text(f'[core]\n\tbare = false\n[remote "origin"]\n\turl = {address}\n')
    assert repository_of(tmp_path) == repository


def test_a_git_configuration_that_is_none(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_bytes(b"\xff[remote\n")
    assert repository_of(tmp_path) == ""


def test_lint_of_a_folder_takes_what_is_dstacks_workflows(tmp_path: Path) -> None:
    """Settings and empty files are no mistakes."""
    inside = tmp_path / ".dstack"
    inside.mkdir()
    for name, text in {"workflows": "workflows: []", "config": "backend: aws", "providers": "", "configs": ""}.items():
        (inside / f"{name}.yaml").write_text(text)
    found = expanded([str(tmp_path)])
    assert [Path(one).stem for one in found] == ["configs", "providers", "workflows"]
    assert [read(one, tolerant=True).diagnostics for one in found] == [(), (), ()]


def test_a_provider_is_a_workflow_with_the_words_behind_it(inside: Path) -> None:
    named = load_asked(inside.parent, "bash", ("-c", "echo ${{ x }}", "-e", "A=1", "more"))
    assert named is not None
    assert named.loaded.checked().source.file == "command line"
    assert named.rest == ("more",)
    with pytest.raises(UsageError) as raised:
        load_named(inside.parent, "bash")
    assert raised.value.hint == "write argosy run bash -c COMMAND"
    # One of the project's own, and one where there is no .dstack at all.
    (inside / "providers.yaml").write_text("providers: [{name: shout, commands: [x]}]\n")
    assert load_named(inside.parent, "shout")
    (inside.parent.parent / "plain").mkdir()
    assert load_asked(inside.parent.parent / "plain", "lab", ()) is not None
    assert load_asked(inside.parent.parent / "plain", "train", ()) is None


def test_a_workflow_that_is_named_like_a_provider_comes_first(inside: Path) -> None:
    (inside / "workflows.yaml").write_text(ONE % "bash")
    loaded = load_named(inside.parent, "bash")
    assert loaded is not None
    assert loaded.source.file.endswith("workflows.yaml")
