"""The interpreter of a project, the packages that it has, and the machine around it.

It knows interpreters and where they keep packages, not runs. An interpreter is asked once, and again when its folders
of packages have changed.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from argosy.errors import EnvironmentTrouble
from argosy.experiments.provenance import Python

CACHE = "python-environments.json"
INTERPRETERS = "interpreters"
SECONDS = 60.0
_NAMES = ("python", "python3")
_MARK = "argosy-asks:"
_HINT = "name another one in argosy.toml: [python] interpreter = "
_QUESTION = """
import json, os, platform, sys
found = {}
try:
    from importlib.metadata import distributions
    for one in distributions():
        name = one.metadata["Name"]
        if name:
            found.setdefault(name, one.version or "")
except ImportError:
    pass
folders = [one for one in sys.path if one and os.path.isdir(one)]
print("argosy-asks:" + json.dumps({"version": platform.python_version(),
    "implementation": platform.python_implementation(), "prefix": sys.prefix, "packages": found, "folders": folders}))
"""


class Environment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where host templates ran. packages: versions by name. gpus: as nvidia-smi lists them, without their use."""

    interpreter: str
    version: str
    implementation: str = ""
    prefix: str = ""
    packages: dict[str, str] = {}
    host: str = ""
    system: str = ""
    cpus: int = 0
    driver: str = ""
    cuda: str = ""
    gpus: tuple[str, ...] = ()


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What an interpreter says of itself."""

    version: str
    implementation: str
    prefix: str
    packages: dict[str, str]
    folders: list[str]


class _Known(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, and the times of what it depends on: as long as they stand, so does the answer."""

    times: dict[str, int]
    answer: _Answer


class _Accelerators(msgspec.Struct, frozen=True, kw_only=True):
    boot: str
    driver: str = ""
    cuda: str = ""
    gpus: tuple[str, ...] = ()


class _Cache(msgspec.Struct, frozen=True, kw_only=True):
    interpreters: dict[str, _Known] = {}
    accelerators: _Accelerators | None = None


def interpreter_of(configured: str, surroundings: Mapping[str, str]) -> str:
    """The interpreter that host templates run with: configured, else of the active virtual environment, else our own.

    configured: an absolute path of an interpreter or of a virtual environment, or "". Raises EnvironmentTrouble.
    """
    active = surroundings.get("VIRTUAL_ENV", "")
    given = configured or active
    if not given:
        return sys.executable
    path = Path(given)
    candidates = [path / "bin" / name for name in _NAMES] if path.is_dir() else [path]
    for one in candidates:
        if one.is_file() and os.access(one, os.X_OK):
            return str(one)
    if not configured:
        # A virtual environment that was removed and is still named by the shell.
        return sys.executable
    raise EnvironmentTrouble(f"There is no Python interpreter at {given}", hint=f'{_HINT}".venv/bin/python"')


def python_at(interpreter: str, home: Path) -> Python:
    """What puts that interpreter first on a PATH. Writes below `home` when no folder has it under the name `python`."""
    path = Path(interpreter)
    around = path.parent.parent
    virtual_env = str(around) if (around / "pyvenv.cfg").exists() else ""
    if all(_is_same(path.parent / name, path) for name in _NAMES):
        return Python(interpreter=interpreter, folder=str(path.parent), virtual_env=virtual_env)
    folder = home / INTERPRETERS / str(path).strip("/").replace("/", "-")
    folder.mkdir(parents=True, exist_ok=True)
    for name in _NAMES:
        # Not a link: an interpreter finds its packages by the path that it is called by.
        text = f'#!/bin/sh\nexec {shlex.quote(interpreter)} "$@"\n'
        place = folder / name
        if not place.exists() or place.read_text() != text:
            temporary = folder / f".{name}.{os.getpid()}"
            temporary.write_text(text)
            temporary.chmod(0o755)
            os.replace(temporary, place)
    return Python(interpreter=interpreter, folder=str(folder), virtual_env=virtual_env)


def _is_same(one: Path, other: Path) -> bool:
    return os.access(one, os.X_OK) and os.path.realpath(one) == os.path.realpath(other)


def minor_version(interpreter: str) -> str:
    """The version as in an image's tag: 3.11. Raises EnvironmentTrouble."""
    if os.path.realpath(interpreter) == os.path.realpath(sys.executable):
        return f"{sys.version_info.major}.{sys.version_info.minor}"
    return ".".join(_ask(interpreter).version.split(".")[:2])


def describe(interpreter: str, home: Path) -> Environment:
    """The interpreter's version and packages, and this machine. home: where answers are kept.

    Raises EnvironmentTrouble.
    """
    answer = _known(interpreter, home)
    accelerators = _accelerators(home)
    machine = os.uname()
    return Environment(
        interpreter=interpreter,
        version=answer.version,
        implementation=answer.implementation,
        prefix=answer.prefix,
        packages=dict(sorted(answer.packages.items(), key=lambda item: item[0].lower())),
        host=machine.nodename,
        system=f"{machine.sysname} {machine.release} {machine.machine}",
        cpus=os.cpu_count() or 0,
        driver=accelerators.driver,
        cuda=accelerators.cuda,
        gpus=accelerators.gpus,
    )


def _known(interpreter: str, home: Path) -> _Answer:
    cache = _read(home)
    known = cache.interpreters.get(interpreter)
    if known is not None and known.times == _times(interpreter, known.answer.folders):
        return known.answer
    answer = _ask(interpreter)
    known = _Known(times=_times(interpreter, answer.folders), answer=answer)
    interpreters = {**cache.interpreters, interpreter: known}
    _write(home, msgspec.structs.replace(cache, interpreters=interpreters))
    return answer


def _times(interpreter: str, folders: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for path in (interpreter, *folders):
        try:
            found[path] = os.stat(path).st_mtime_ns
        except OSError:
            found[path] = 0
    return found


def _ask(interpreter: str) -> _Answer:
    try:
        # From / and without PYTHON* variables, as steps do not see those either.
        ended = subprocess.run(
            [interpreter, "-E", "-c", _QUESTION],
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentTrouble(f"The interpreter {interpreter} does not run: {error}", hint=f"{_HINT}...") from error
    for line in ended.stdout.decode("utf-8", "replace").splitlines():
        if line.startswith(_MARK):
            return msgspec.json.decode(line.removeprefix(_MARK), type=_Answer)
    said = ended.stderr.decode("utf-8", "replace").strip().splitlines()
    raise EnvironmentTrouble(
        f"The interpreter {interpreter} does not tell its version: {said[-1] if said else 'it said nothing'}",
        hint=f"{_HINT}...",
    )


def _accelerators(home: Path) -> _Accelerators:
    """The GPUs, asked for once after each start of the machine: nvidia-smi takes its time."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return _Accelerators(boot="")
    boot = _text_of(Path("/proc/sys/kernel/random/boot_id"))
    cache = _read(home)
    if cache.accelerators is not None and boot and cache.accelerators.boot == boot:
        return cache.accelerators
    found = _Accelerators(boot=boot)
    rows = _said(program, "--query-gpu=driver_version,name,memory.total", "--format=csv,noheader")
    if rows:
        cuda = next((line.partition("CUDA Version")[2].strip(" :|") for line in _said(program) if "CUDA V" in line), "")
        found = _Accelerators(
            boot=boot,
            driver=rows[0].partition(",")[0].strip(),
            cuda=cuda.split()[0] if cuda else "",
            gpus=tuple(row.partition(",")[2].strip() for row in rows),
        )
    _write(home, msgspec.structs.replace(cache, accelerators=found))
    return found


def _said(*command: str) -> list[str]:
    try:
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return ended.stdout.decode("utf-8", "replace").splitlines() if ended.returncode == 0 else []


def _text_of(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _read(home: Path) -> _Cache:
    """What was found out earlier; nothing when it cannot be read, and all is asked again."""
    try:
        return msgspec.json.decode((home / CACHE).read_bytes(), type=_Cache)
    except (OSError, msgspec.DecodeError):
        return _Cache()


def _write(home: Path, cache: _Cache) -> None:
    temporary = home / f".{CACHE}.{os.getpid()}"
    try:
        home.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(msgspec.json.encode(cache))
        os.replace(temporary, home / CACHE)
    except OSError:
        # It only saves time.
        temporary.unlink(missing_ok=True)
