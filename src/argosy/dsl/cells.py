"""The cells of a notebook as a module: a step's process finds its functions in a file, and cells are in none.

It knows which definitions functions need, transitively; not what they do. Nothing else of a cell is written down, so a
step does not repeat what the notebook did.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

HEAD = "# Written by argosy: the definitions of a notebook's cells, for the processes of its steps.\n"
PREFIX = "notebook_cells_"
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Assignment = ast.Assign | ast.AnnAssign


def write_module(cells: Iterable[str], folder: Path) -> Path:
    """The file of a module with the definitions in these cells, written into the folder unless it is there."""
    text = HEAD + module_text(cells)
    path = folder / f"{PREFIX}{hashlib.sha256(text.encode()).hexdigest()[:12]}.py"
    if not path.exists():
        for old in folder.glob(f"{PREFIX}*.py"):
            old.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")
    return path


def file_of(program: Path, folder: Path) -> Path:
    """The file that a workflow was written in: of one from cells, the module that was written of them."""
    return program if program.is_file() else next(folder.glob(f"{PREFIX}*.py"), folder / "notebook")


def module_text(cells: Iterable[str]) -> str:
    """The imports, functions and classes of cells, and the assignments that these need; of each name the last one."""
    statements = [one for cell in cells for one in _statements(cell)]
    imports = [one for one in statements if isinstance(one, (ast.Import, ast.ImportFrom))]
    definitions = {one.name: one for one in statements if isinstance(one, Definition)}
    assignments = {name: one for one in statements if isinstance(one, Assignment) for name in _assigned(one)}
    needed = _needed(definitions.values(), assignments)
    kept = {id(one) for one in (*definitions.values(), *needed)}
    future = [one for one in imports if isinstance(one, ast.ImportFrom) and one.module == "__future__"]
    others = [one for one in imports if one not in future]
    body = [*future, *others, *(one for one in statements if id(one) in kept)]
    return ast.unparse(ast.Module(body=list(body), type_ignores=[])) + "\n"


def _statements(cell: str) -> list[ast.stmt]:
    """The statements of a cell without its magics; none for a cell that is no Python."""
    lines = ["" if line.lstrip().startswith(("%", "!")) else line for line in cell.splitlines()]
    try:
        return ast.parse("\n".join(lines)).body
    except SyntaxError:
        return []


def _assigned(statement: Assignment) -> Iterator[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    for target in targets:
        for node in ast.walk(target):
            if isinstance(node, ast.Name):
                yield node.id


def _needed(definitions: Iterable[ast.stmt], assignments: dict[str, Assignment]) -> list[Assignment]:
    """The assignments that definitions refer to, and those that these refer to."""
    waiting: list[ast.stmt] = list(definitions)
    found: dict[int, Assignment] = {}
    while waiting:
        for node in ast.walk(waiting.pop()):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                one = assignments.get(node.id)
                if one is not None and id(one) not in found:
                    found[id(one)] = one
                    waiting.append(one)
    return list(found.values())
