"""Workflows in the cells of a notebook."""

from __future__ import annotations

import subprocess
import sys

import pytest

from argosy.dsl.cells import module_text, write_module

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
