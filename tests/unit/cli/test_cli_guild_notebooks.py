"""Operations that are notebooks. What runs them stands in for nbconvert: a module of that name in the project."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_samples import Answer

Argosy = Callable[..., Answer]
RUNNER = """
import contextlib, io, json, sys
assert sys.argv[1:-1] == ["--to", "notebook", "--execute", "--inplace"]
content = json.load(open(sys.argv[-1]))
space = {}
for cell in content["cells"]:
    if cell["cell_type"] == "code":
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec("".join(cell["source"]).replace("%", "#"), space)
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": said.getvalue()}]
json.dump(content, open(sys.argv[-1], "w"))
"""
CELLS = [
    {"cell_type": "markdown", "source": ["lr = 7"]},
    {"cell_type": "code", "source": ["%matplotlib inline\n", "lr = 0.1  # the rate\n", "name = 'a'"], "outputs": []},
    {"cell_type": "code", "source": "if lr == 1:\n    lr = 2\nprint('loss:', lr)\nprint(name)", "outputs": []},
]


@pytest.fixture
def notebook(folder: Path) -> Path:
    (folder / "train.ipynb").write_text(json.dumps({"cells": CELLS, "metadata": {}, "nbformat": 4}))
    return folder


@pytest.mark.parametrize("word", ["notebook", "main"])
def test_a_notebook_runs_with_its_flags(argosy: Argosy, notebook: Path, word: str) -> None:
    (notebook / "nbconvert.py").write_text(RUNNER)
    (notebook / "guild.yml").write_text(f"train: {{{word}: train.ipynb, flags-import: all}}\n")
    assert argosy("lint", "guild.yml").code == 0
    assert "lr  number  0.1" in " ".join(argosy("run", "train", "--help-op").out.split()).replace(
        "lr ", "lr  "
    ).replace("number ", "number  ")
    assert argosy("run", "train", "lr=0.5", "name=it's", "-q").code == 0
    assert argosy("logs", "@latest").out.split("\n")[:2] == ["loss: 0.5", "it's"]
    assert argosy("ls", "@latest").out.split() == ["train.ipynb"]
    made = json.loads(argosy("cat", "@latest", "train.ipynb").out)
    assert made["cells"][1]["source"] == '%matplotlib inline\nlr = 0.5  # the rate\nname = "it\'s"'
    assert made["cells"][0]["source"] == ["lr = 7"]
    assert json.loads((notebook / "train.ipynb").read_text())["cells"] == CELLS
    assert "loss" in argosy("metrics", "@latest").out


def test_without_anything_that_runs_notebooks(argosy: Argosy, notebook: Path) -> None:
    (notebook / "guild.yml").write_text(
        "train: {notebook: train.ipynb, env: {PATH: ''}}\nother: {notebook: no.ipynb}\n"
    )
    for missing in ("nbconvert", "papermill"):
        if __import__("importlib.util").util.find_spec(missing) is not None:
            pytest.skip(f"this Python has {missing}")
    assert argosy("run", "train", "-q").code == 1
    assert "notebooks need nbconvert or papermill: pip install nbconvert ipykernel" in argosy("logs", "@latest").out
    assert argosy("run", "other", "-q").code == 1
    assert "there is no notebook no.ipynb" in argosy("logs", "@latest").out
