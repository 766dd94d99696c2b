"""How a step's process finds its function.

It knows files, modules and the cells of notebooks.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from argosy.dsl.places import code_root, project_folder
from argosy.dsl.trouble import Place, TraceError


def target_of(function: Callable[..., Any]) -> str:
    """How a step's process finds a function: FILE.py:NAME below the code's root, or MODULE:NAME. Raises TraceError."""
    name = function.__qualname__
    place = Place(function.__code__.co_filename, function.__code__.co_firstlineno)
    if "<locals>" in name or "<lambda>" in name:
        raise TraceError(
            f"{function.__name__} is a step, and its process could not find it within another function",
            hint="define it at the top of its file",
            place=place,
        )
    file = _file_of(function)
    if file is None:
        raise TraceError(
            f"{function.__name__} is a step, and its process could not find it: it was not read from a file",
            hint="put it into a .py file",
            place=place,
        )
    root = code_root(file)
    if file.is_relative_to(root):
        return f"{file.relative_to(root).as_posix()}:{name}"
    return f"{function.__module__}:{name}"


def _file_of(function: Callable[..., Any]) -> Path | None:
    module = sys.modules.get(function.__module__)
    cells: object = getattr(module, "In", None)
    if function.__module__ == "__main__" and isinstance(cells, list):
        # The name under which IPython keeps what was entered.
        from argosy.dsl.cells import write_module

        return write_module(cast("list[str]", cells), project_folder(Path.cwd().resolve()))
    found = getattr(module, "__file__", None) or function.__code__.co_filename
    file = Path(found).absolute()
    return file.resolve() if file.is_file() else None
