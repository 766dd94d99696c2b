"""Python programs as files of workflows: read in a process of their own, with the project's interpreter.

It knows how such a process is started and what it answers; which objects are workflows is for `argosy.dsl.finding`.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn, cast

import msgspec

from argosy.dialects.argo import Loaded, LoadedDocument, load
from argosy.dialects.programs import ProgramMap, path_at, span_of
from argosy.dsl.places import PACKAGE
from argosy.errors import EnvironmentTrouble, InvalidFile, NotFound
from argosy.model.inputs import Signature
from argosy.model.programs import Program, marked
from argosy.project.home import project_folder
from argosy.syntax.diagnostics import Diagnostic, did_you_mean
from argosy.syntax.limits import LARGEST_FILE_BYTES, Limits
from argosy.syntax.span import Source

ENDING = ".py"
RULE = "program"
# A program may import much before it defines a workflow.
SECONDS = 300.0
# Tells the program's process the project's folder.
CODE_ROOT = "ARGOSY_CODE_ROOT"
DEBUG = "ARGOSY_DEBUG"
INTERRUPTED = 130
TOO_OLD = 79
_MEANT = re.compile(r"(?P<file>.+\.py)(?::(?P<name>[^:/]*))?")
_WIDEST = Limits(size_bytes=LARGEST_FILE_BYTES)
# Only this package is to be found besides what the interpreter has, not whatever is installed beside it.
_BEGIN = """
import sys
if sys.version_info < (3, 9):
    sys.exit(%d)
import importlib.util, runpy
if sys.path[0] == "":
    del sys.path[0]
folder = sys.argv[1]
del sys.argv[1]
spec = importlib.util.spec_from_file_location("argosy", folder + "/__init__.py", submodule_search_locations=[folder])
sys.modules["argosy"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["argosy"])
runpy.run_module("argosy.dsl.finding", run_name="__main__", alter_sys=True)
"""


def meant(name: str) -> tuple[str, str] | None:
    """The file and the name in it that a word on a command line means, "" for all; None if it means no program."""
    found = _MEANT.fullmatch(name)
    return (found["file"], found["name"] or "") if found is not None else None


def read(path: str, *, strict: bool = True, tolerant: bool = False) -> Loaded:
    """The workflows of a program, FILE.py or FILE.py:NAME. Raises NotFound, InvalidFile, EnvironmentTrouble.

    tolerant: what the program raises is a finding among others.
    """
    file, name = meant(path) or (path, "")
    try:
        source = Source(Path(file).read_bytes()[:LARGEST_FILE_BYTES].decode("utf-8", "replace"), file)
    except FileNotFoundError:
        raise NotFound(
            f"There is no file {file}", hint="argosy run without a file lists the ones of this folder"
        ) from None
    except IsADirectoryError:
        raise NotFound(f"{file} is a folder", hint="name a file of it") from None
    except OSError as error:
        raise InvalidFile(f"{file} cannot be read: {error.strerror or error}") from error
    try:
        return _loaded(_asked(file, name), file, source, strict)
    except InvalidFile as error:
        if not tolerant or not error.diagnostics:
            raise
        found = tuple(one for one in error.diagnostics if isinstance(one, Diagnostic))
        return Loaded(documents=(), diagnostics=found, source=source)


def _loaded(answer: dict[str, Any], file: str, source: Source, strict: bool) -> Loaded:
    if "error" in answer:
        _fail(answer["error"], file, source)
    found = [cast("dict[str, Any]", one) for one in answer["workflows"]]
    if not found:
        raise InvalidFile(
            f"{file} defines no workflow",
            diagnostics=(_diagnostic("this program defines no workflow", source, file, 1, hint=_NOTHING),),
            hint=_NOTHING,
        )
    made = loaded(found, source, answer["paths"], answer["files"], strict=strict)
    notes = [Diagnostic(rule=RULE, severity="note", message=str(one)) for one in cast("list[str]", answer["notes"])]
    return msgspec.structs.replace(made, diagnostics=(*notes, *made.diagnostics))


def loaded(
    found: Iterable[dict[str, Any]],
    source: Source,
    paths: list[str],
    files: list[str],
    *,
    strict: bool = True,
    folder: Path | None = None,
) -> Loaded:
    """Workflows of a program as documents, each as `argosy.dsl.finding` tells it.

    paths: the folders that its modules were found by. files: those of its own modules. folder: the project's; that of
    the current folder by default.
    """
    project = (folder or project_folder(Path.cwd())).resolve()
    documents: list[LoadedDocument] = []
    diagnostics: list[Diagnostic] = []
    for one in found:
        program = Program(
            file=_in_project(source.file, project),
            name=str(one["name"]),
            kind=str(one["kind"]),
            folders=_below_project(paths, project),
            files=_below_project([source.file, *files], project),
        )
        document = _document(one, source, len(documents), strict, program)
        diagnostics += document.diagnostics
        documents += document.documents
    return Loaded(documents=tuple(documents), diagnostics=tuple(diagnostics), source=source)


def ready(loaded: Loaded) -> Loaded:
    """The documents as they are run and kept: each with a word on its program, and its steps with what they need."""
    documents = tuple(
        msgspec.structs.replace(one, value=marked(one.value, one.program)) if one.program is not None else one
        for one in loaded.documents
    )
    return msgspec.structs.replace(loaded, documents=documents)


_NOTHING = "a workflow is a function with @workflow, or a Workflow of Hera, among the names of the module"


def _below_project(paths: Iterable[str], project: Path) -> tuple[str, ...]:
    """Paths relative to the project's folder, each once; those outside of it are left out."""
    found = [Path(one).resolve() for one in paths]
    return tuple(dict.fromkeys(one.relative_to(project).as_posix() for one in found if one.is_relative_to(project)))


def _asked(file: str, name: str) -> dict[str, Any]:
    """What the program's own process says of it."""
    from argosy.experiments.python_environment import interpreter_of
    from argosy.project.configuration import read_configuration

    configured = read_configuration(project_folder(Path.cwd())).interpreter
    interpreter = interpreter_of(configured, os.environ)
    environment = {**os.environ, CODE_ROOT: str(project_folder(Path.cwd()).resolve())}
    # Not a pipe: processes that the program leaves behind would hold its end open.
    with tempfile.TemporaryFile() as told:
        to = told.fileno()
        command = [interpreter, "-c", _BEGIN % TOO_OLD, str(PACKAGE), "--to", str(to), file, *([name] if name else [])]
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=2, pass_fds=(to,), start_new_session=True, env=environment
            )
        except OSError as error:
            raise EnvironmentTrouble(f"The interpreter {interpreter} does not run: {error.strerror}") from error
        code = _ended(process, file)
        told.seek(0)
        text = told.read()
    if text:
        return json.loads(text)
    if code == TOO_OLD:
        hint = "name another one in argosy.toml: [python] interpreter"
        raise EnvironmentTrouble(f"The interpreter {interpreter} is older than Python 3.9", hint=hint)
    if code in (INTERRUPTED, -signal.SIGINT):
        raise KeyboardInterrupt
    ended = f"signal {-code}" if code < 0 else f"exit code {code}"
    raise InvalidFile(f"The program {file} ended with {ended} while it was read")


def _ended(process: subprocess.Popen[bytes], file: str) -> int:
    """The exit code of the program, once it is over with all that it started. Raises InvalidFile after the limit."""
    over = os.pidfd_open(process.pid)
    try:
        in_time = bool(select.select([over], [], [], SECONDS)[0])
    finally:
        os.close(over)
        # Its number is its own until it is waited for.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if not in_time:
        raise InvalidFile(
            f"{file} was not read after {SECONDS:.0f} seconds",
            hint="what takes long belongs into a step, or under `if __name__ == '__main__':`",
        )
    return process.returncode


def _fail(error: dict[str, Any], file: str, source: Source) -> NoReturn:
    """Raises what went wrong in the program at its own lines."""
    if error["kind"] == "NotThere":
        known = [str(one) for one in error["known"]]
        near = did_you_mean(error["message"], known)
        hint = f"did you mean {file}:{near}?" if near else f"it has {', '.join(known) or 'none'}"
        raise NotFound(f"{file} has no workflow {error['message']!r}", hint=hint)
    frames = cast(
        "list[list[Any]]", error["all_frames" if os.environ.get(DEBUG) and error.get("all_frames") else "frames"]
    )
    message = f"{error['kind']}: {error['message']}" if error["message"] else str(error["kind"])
    if error["kind"] in ("SystemExit", "TraceError"):
        message = str(error["message"])
    related = tuple((span_of(source, _shown(one[0]), *one[1:4]), f"called by {one[4]}") for one in frames[:-1])
    last: list[Any] = frames[-1] if frames else [file, 1, 0, 0, ""]
    found = Diagnostic(
        rule=RULE,
        severity="error",
        message=message,
        span=span_of(source, _shown(str(last[0])), *last[1:4]),
        hint=str(error["hint"]),
        related=related,
    )
    raise InvalidFile(f"{found.span}: {message}", diagnostics=(found,), hint=found.hint)


def _shown(file: str) -> str:
    """A file as a person names it: relative to this folder if it is below."""
    path, here = Path(file).resolve(), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else file


def _diagnostic(message: str, source: Source, file: str, line: int, *, hint: str = "") -> Diagnostic:
    return Diagnostic(rule=RULE, severity="error", message=message, span=span_of(source, file, line, 0, 0), hint=hint)


def _document(found: dict[str, Any], source: Source, index: int, strict: bool, program: Program) -> Loaded:
    """One workflow as a document whose findings stand in the program."""
    text = json.dumps(found["manifest"], indent=1)
    loaded = load(text, source.file, strict=strict, limits=_WIDEST)
    origins = {
        tuple(cast("list[str | int]", path)): (_shown(str(where)), int(line)) for path, where, line in found["origins"]
    }
    documents = tuple(
        msgspec.structs.replace(
            one,
            index=index,
            source_map=ProgramMap(one.source_map, source, origins),
            signature=msgspec.convert(found["inputs"], Signature) if found["inputs"] else None,
            program=program,
        )
        for one in loaded.documents
    )
    places = ProgramMap(None, source, origins)
    diagnostics = tuple(
        msgspec.structs.replace(one, span=places.span(path_at(text, one.span) if one.span else ()), related=())
        for one in loaded.diagnostics
    )
    return Loaded(documents=documents, diagnostics=diagnostics, source=source)


def _in_project(file: str, project: Path) -> str:
    path = Path(file).resolve()
    return path.relative_to(project).as_posix() if path.is_relative_to(project) else str(path)
