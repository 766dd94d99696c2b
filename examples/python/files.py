"""Files, folders and records: a Path is an artifact, a Dir a folder of them, other fields are parameters."""

from pathlib import Path
from typing import NamedTuple

from argosy import Dir, step, workflow


class Corpus(NamedTuple):
    texts: Dir
    count: int


@step
def write(names: list[str]) -> Corpus:
    folder = Path("texts")
    folder.mkdir()
    for name in names:
        (folder / f"{name}.txt").write_text(f"{name} " * len(name))
    return Corpus(Dir(folder), len(names))


@step
def count_words(corpus: Corpus) -> dict[str, int]:
    return {one.stem: len(one.read_text().split()) for one in sorted(corpus.texts.iterdir())}


@step
def first_line(text: Path) -> str:
    return text.read_text().splitlines()[0]


class Told(NamedTuple):
    words: dict[str, int]
    line: str


@workflow
def files(names: list[str] = ["ada", "grace"]) -> Told:
    corpus = write(names)
    return Told(count_words(corpus), first_line(corpus.texts / "ada.txt"))
