"""A program loaded ahead for many steps, if loading it once is the same as loading it in each of them.

It is not when loading does what each step must do by itself: draw or seed random numbers, print, look at the
environment or the clock, start threads, open files. Then only the libraries that it imports are loaded ahead. It knows
modules and what they did when they were loaded; not steps.
"""

from __future__ import annotations

import ast
import importlib
import os
import random
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

from argosy.dsl.loading import load

# Calls while a module is loaded, by the end of their name, whose outcome a step must have for its own.
OWN_CALLS = re.compile(
    r"(seed\w*|\w*rng|random|Random\w*|RandomState|Generator|uuid\d?|time|time_ns|perf_counter|monotonic|now|today"
    r"|utcnow|getpid|getcwd|mkdtemp|mkstemp|\w*Temporary\w*|urandom|token_\w+|getenv|key|PRNGKey)"
)
# Of a Mersenne Twister that numpy has seeded from the system and that nobody has used.
FRESH_FIRST, FRESH_POSITION = 0x80000000, 624
LONGEST_LIST = 100_000
_LIBRARY = os.path.dirname(os.__file__)


class _Asked(os.environ.__class__):
    """The environment, while it is written down whether the program looks at it."""

    root = ""
    by = ""

    def __getitem__(self, key: str) -> str:
        self._note()
        return super().__getitem__(key)

    def __iter__(self) -> Iterator[str]:
        self._note()
        return super().__iter__()

    def _note(self) -> None:
        frame = sys._getframe(2)  # pyright: ignore[reportPrivateUsage] - what logging uses
        while frame is not None and frame.f_code.co_filename.startswith(("<frozen", _LIBRARY)):
            # What a library does when it is imported is not the program's own doing.
            if "importlib" in frame.f_code.co_filename or "site-packages" in frame.f_code.co_filename:
                return
            frame = frame.f_back
        if frame is not None and frame.f_code.co_filename.startswith(_Asked.root):
            _Asked.by = frame.f_code.co_filename


def load_program(where: str, root: Path) -> str:
    """Load the program; why that does not do for all steps, or "". Raises nothing that the program raises."""
    before = _Before()
    usual, caches = os.environ.__class__, sys.dont_write_bytecode
    _Asked.root = f"{root.resolve()}/"
    os.environ.__class__ = _Asked
    sys.dont_write_bytecode = True
    try:
        load(root / where) if where.endswith(".py") else importlib.import_module(where)
    except BaseException as error:
        return f"it cannot be loaded ({type(error).__name__})"
    finally:
        os.environ.__class__ = usual
        sys.dont_write_bytecode = caches
    return _looked_at_environment(root) or before.difference() or _own_calls(_loaded_from(root), root)


def _looked_at_environment(root: Path) -> str:
    return f"{os.path.relpath(_Asked.by, root.resolve())} looks at the environment" if _Asked.by else ""


class _Before:
    """What a process had before it loaded a program."""

    def __init__(self) -> None:
        self._numbers = random.getstate()
        self._folder = os.getcwd()
        self._files = _open_files()
        self._written = _written()

    def difference(self) -> str:
        """What loading did that each step must do by itself; "" for nothing."""
        if random.getstate() != self._numbers or not _numpy_is_fresh():
            return "it draws or seeds random numbers"
        if _written() != self._written:
            return "it prints"
        if has_threads():
            return "it starts threads"
        if os.getcwd() != self._folder:
            return "it changes the working folder"
        return "it opens files" if _open_files() - self._files else ""


def _open_files() -> set[str]:
    """Files and sockets that are open. Devices are the libraries' (GPUs, random numbers)."""
    found: set[str] = set()
    try:
        for name in os.listdir("/proc/self/fd"):
            try:
                target = os.readlink(f"/proc/self/fd/{name}")
            except OSError:
                continue  # the one that listed them
            if not target.startswith(("/dev/", "/proc/", "anon_inode:")):
                found.add(f"{name} {target}")
    except OSError:
        pass
    return found


def _written() -> tuple[int, int]:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return os.fstat(1).st_size, os.fstat(2).st_size


def has_threads() -> bool:
    """Whether there are threads of Python, which a fork would lack. Those of numerical libraries restart themselves."""
    threading = sys.modules.get("threading")
    return threading is not None and threading.active_count() > 1


def _numpy_is_fresh() -> bool:
    numpy = sys.modules.get("numpy.random")
    if numpy is None:
        return True
    _, numbers, position, *_ = numpy.get_state()
    return int(numbers[0]) == FRESH_FIRST and int(position) == FRESH_POSITION


def _loaded_from(root: Path) -> list[ModuleType]:
    above = f"{root.resolve()}/"
    return [module for module in list(sys.modules.values()) if _file_of(module).startswith(above)]


def _file_of(module: ModuleType) -> str:
    found = getattr(module, "__file__", None)
    return found if isinstance(found, str) else ""


def _own_calls(modules: Iterable[ModuleType], root: Path) -> str:
    for module in modules:
        file = _file_of(module)
        try:
            with open(file, "rb") as source:
                tree = ast.parse(source.read())
        except (OSError, SyntaxError, ValueError):
            return f"the source of {module.__name__} cannot be read"
        for line, name in calls_at_load(tree.body):
            if OWN_CALLS.fullmatch(name):
                return f"{os.path.relpath(file, root.resolve())}:{line} calls {name}"
    return ""


def calls_at_load(nodes: Sequence[ast.AST]) -> Iterator[tuple[int, str]]:
    """Line and last name of the calls that are made while a module is loaded: not those in bodies of functions."""
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            waiting += [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
            continue
        if isinstance(node, ast.Lambda) or _is_main_guard(node):
            continue
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, (ast.Name, ast.Attribute)):
                yield node.lineno, called.id if isinstance(called, ast.Name) else called.attr
        waiting += ast.iter_child_nodes(node)


def _is_main_guard(node: ast.AST) -> bool:
    test = node.test if isinstance(node, ast.If) else None
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def libraries(root: Path) -> list[str]:
    """The modules that are loaded and are not the program's own, in the order in which they were loaded."""
    own = {module.__name__ for module in _loaded_from(root)}
    found = [name for name in list(sys.modules) if name not in own and name != "__main__" and " " not in name]
    if sum(map(len, found)) > LONGEST_LIST:
        found = [name for name in found if "." not in name]
    return found


def load_modules(names: Iterable[str]) -> None:
    """Load libraries, as far as they can be loaded by themselves."""
    for name in names:
        try:
            importlib.import_module(name)
        except BaseException:
            continue


def tidy() -> None:
    """Leave nothing in buffers that every fork would write again."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
