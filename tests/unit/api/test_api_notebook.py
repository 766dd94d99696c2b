"""Workflows in the cells of a notebook."""

from __future__ import annotations

import subprocess
import sys

import pytest

from argosy.dsl.cells import file_of, module_text, write_module
from argosy.dsl.places import code_root

CELLS = """
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()

def cell(text):
    done = shell.run_cell(text, store_history=True)
    done.raise_error()
    return done.result

cell("from argosy import Local, for_loop, run, step, workflow")
cell("%time base = 10")
cell("print('only once')\\nbase = 10")
cell("@step\\ndef double(x: int) -> int:\\n    print('doubling', x)\\n    return 2 * x + base")
cell("@workflow\\ndef many(xs: list[int] = [1, 2]) -> list[int]:\\n    return for_loop(lambda x: double(x), xs)")
done = cell("done = run(many, on=Local(quiet=True))\\ndone")
print(done.result, done.logs("double").split())
cell("@step\\ndef double(x: int) -> int:\\n    return 3 * x")
cell("@workflow\\ndef many(xs: list[int] = [1, 2]) -> list[int]:\\n    return for_loop(lambda x: double(x), xs)")
print(cell("run(many, on=Local(quiet=True))").result)
"""


def test_steps_defined_in_cells_run(tmp_path):
    pytest.importorskip("IPython")
    (tmp_path / "argosy.toml").touch()
    (tmp_path / "cells.py").write_text(CELLS)
    command = [sys.executable, "cells.py"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "[12, 14] ['doubling', '1', 'doubling', '2']" in said.stdout
    assert "[3, 6]" in said.stdout
    assert said.stdout.count("only once") == 1
    assert len(list(tmp_path.glob("notebook_cells_*.py"))) == 1


def test_only_what_functions_need_is_written_down():
    text = module_text(
        [
            "import os\nlarge = load_it()\nlimit = 3\nhalf = limit / 2",
            "!ls\n%matplotlib inline",
            "def f():\n    return half",
            "this is no python",
            "def f():\n    return half + 1",
        ]
    )
    assert text == "import os\nlimit = 3\nhalf = limit / 2\n\ndef f():\n    return half + 1\n"


def test_the_same_cells_are_the_same_file(tmp_path):
    first = write_module(["x = 1", "def f():\n    return x"], tmp_path)
    assert write_module(["x = 1", "def f():\n    return x", "f()"], tmp_path) == first
    second = write_module(["x = 2", "def f():\n    return x"], tmp_path)
    assert second != first
    assert not first.exists()


def test_a_cell_whose_file_is_nowhere_is_of_the_working_folder(tmp_path, monkeypatch):
    """A kernel of Jupyter calls the file of a cell by a name in a folder for temporary files."""
    (tmp_path / "argosy.toml").touch()
    monkeypatch.chdir(tmp_path)
    cell = tmp_path.parent / "ipykernel_1" / "2.py"
    assert code_root(cell) == tmp_path
    assert file_of(cell, tmp_path) == tmp_path / "notebook"
    written = write_module(["def f():\n    return 1"], tmp_path)
    assert file_of(cell, tmp_path) == written


def test_a_run_is_followed_in_one_output(tmp_path):
    """The live tree of a notebook: what is displayed once is drawn over."""
    pytest.importorskip("IPython")
    program = tmp_path / "follow.py"
    program.write_text(
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "from argosy.api.tree import NotebookTree\n"
        "shell = InteractiveShell.instance()\n"
        "drawn = []\n"
        "publish = lambda data, **more: drawn.append((data['text/plain'], more.get('update', False)))\n"
        "shell.display_pub.publish = publish\n"
        "tree = NotebookTree('one')\n"
        "tree.show({})\n"
        "tree.show({})\n"
        "tree.end({})\n"
        "print(drawn)\n"
    )
    said = subprocess.run([sys.executable, program], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    assert said.stdout.strip().endswith("[('one', False), ('one  Running', True), ('one  ', True)]")
