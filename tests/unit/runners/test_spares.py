"""Folders of attempts that are made ahead."""

from __future__ import annotations

from pathlib import Path

from argosy.runners.local.spares import LOG, MOST, PARTS, Spares


def test_a_spare_becomes_the_folder_of_an_attempt(tmp_path: Path) -> None:
    spares = Spares(str(tmp_path / "spares"))
    spares.make()
    assert spares.take(str(tmp_path / "attempt"))
    assert sorted(path.name for path in (tmp_path / "attempt").iterdir()) == sorted([*PARTS, LOG])
    assert not spares.take(str(tmp_path / "another"))


def test_a_folder_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    spares = Spares(str(tmp_path / "spares"))
    spares.make()
    (tmp_path / "attempt").mkdir()
    (tmp_path / "attempt" / "kept").touch()
    assert not spares.take(str(tmp_path / "attempt"))
    assert (tmp_path / "attempt" / "kept").exists()


def test_only_a_few_are_made(tmp_path: Path) -> None:
    spares = Spares(str(tmp_path / "spares"))
    for _ in range(MOST + 3):
        spares.make()
    assert len(list((tmp_path / "spares").glob("*/*"))) == MOST


def test_none_is_left_behind(tmp_path: Path) -> None:
    spares = Spares(str(tmp_path / "spares"))
    for _ in range(3):
        spares.make()
    spares.take(str(tmp_path / "attempt"))
    spares.remove()
    assert [path.name for path in tmp_path.iterdir()] == ["attempt"]


def test_nor_is_one_that_is_half_made(tmp_path: Path) -> None:
    spares = Spares(str(tmp_path / "spares"))
    spares.make()
    [own] = (tmp_path / "spares").iterdir()
    (own / "2").mkdir()
    # The next one cannot be made where something is.
    spares.make()
    spares.remove()
    assert list(tmp_path.iterdir()) == []


def test_another_drivers_are_not_touched(tmp_path: Path) -> None:
    (tmp_path / "spares" / "of-another" / "1").mkdir(parents=True)
    spares = Spares(str(tmp_path / "spares"))
    spares.make()
    spares.remove()
    assert (tmp_path / "spares" / "of-another" / "1").is_dir()


def test_a_folder_that_cannot_be_made_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "spares").write_text("a file")
    spares = Spares(str(tmp_path / "spares"))
    spares.make()
    assert not spares.take(str(tmp_path / "attempt"))
    spares.remove()
