"""A Python program loaded as a module, by its file or its name.

It knows files, packages and `sys.modules`; not what is in the program.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


class LoadingOver(BaseException):
    """Raised by `run` while its program is loaded for its definitions: what stands above it is all that is needed.

    Its argument is the workflow that was to be run. It is no Exception, so that a program's `except Exception` lets it
    pass.
    """


_loading: list[str] = []


def is_loading() -> bool:
    """Whether a program is being loaded for what it defines, and not run."""
    return bool(_loading)


def module_name(file: Path) -> tuple[Path, str]:
    """The folder that must be on the path for a file to be imported, and the module's name from there."""
    parts = [file.stem] if file.stem != "__init__" else []
    folder = file.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    return folder, ".".join(parts)


def load(file: Path) -> ModuleType:
    """The module of a file; once loaded it is the same one. Whatever the program raises is raised."""
    file = file.resolve()
    folder, name = module_name(file)
    known = sys.modules.get(name)
    if known is not None and _is_of(known, file):
        return known
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no Python file", path=str(file))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    _loading.append(name)
    try:
        spec.loader.exec_module(module)
    except LoadingOver as over:
        _name_what_runs(module, over.args)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        _loading.pop()
    return module


def _name_what_runs(module: ModuleType, workflows: tuple[Any, ...]) -> None:
    """Let a workflow that was made where it is run be one of the program's: `run(create_workflow())`."""
    for one in workflows:
        if not any(one is known for known in list(vars(module).values())):
            setattr(module, one.function.__name__, one)


def _is_of(module: ModuleType, file: Path) -> bool:
    there = getattr(module, "__file__", None)
    return isinstance(there, str) and Path(there).resolve() == file


def load_target(target: str, root: Path) -> object:
    """What `FILE.py:NAME` (below root) or `MODULE:NAME` names. Raises AttributeError or ImportError."""
    where, _, name = target.rpartition(":")
    module = load(root / where) if where.endswith(".py") else importlib.import_module(where)
    value: object = module
    for part in name.split("."):
        value = getattr(value, part)
    return value
