"""The interpreter of host templates: which it is, what it says of itself, and how often it is asked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from argosy.errors import EnvironmentTrouble
from argosy.experiments import python_environment
from argosy.experiments.python_environment import describe, interpreter_of, minor_version, python_at


def _environment(folder: Path) -> Path:
    """What looks like a virtual environment and is quickly made."""
    (folder / "bin").mkdir(parents=True)
    (folder / "pyvenv.cfg").write_text("home = /usr/bin\n")
    for name in ("python", "python3"):
        (folder / "bin" / name).symlink_to(sys.executable)
    return folder


def test_configured_before_active_before_our_own(tmp_path: Path) -> None:
    one, other = _environment(tmp_path / "one"), _environment(tmp_path / "other")
    assert interpreter_of("", {}) == sys.executable
    assert interpreter_of("", {"VIRTUAL_ENV": str(one)}) == str(one / "bin" / "python")
    assert interpreter_of(str(other), {"VIRTUAL_ENV": str(one)}) == str(other / "bin" / "python")
    assert interpreter_of(str(other / "bin" / "python3"), {}) == str(other / "bin" / "python3")


def test_one_that_is_not_there_is_an_error_only_when_asked_for(tmp_path: Path) -> None:
    assert interpreter_of("", {"VIRTUAL_ENV": str(tmp_path / "gone")}) == sys.executable
    with pytest.raises(EnvironmentTrouble, match="no Python interpreter at"):
        interpreter_of(str(tmp_path / "gone"), {})


def test_a_virtual_environment_is_named_to_steps(tmp_path: Path) -> None:
    one = _environment(tmp_path / "one")
    found = python_at(str(one / "bin" / "python"), tmp_path / "home")
    assert (found.folder, found.virtual_env) == (str(one / "bin"), str(one))


def test_an_interpreter_by_another_name_is_python_to_steps(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "python3.77").symlink_to(os.path.realpath(sys.executable))
    found = python_at(str(folder / "python3.77"), tmp_path / "home")
    assert found.folder != str(folder)
    said = subprocess.run(
        ["python", "-c", "print(6 * 7)"], env={"PATH": f"{found.folder}:/usr/bin:/bin"}, capture_output=True, check=True
    )
    assert said.stdout == b"42\n"
    assert python_at(str(folder / "python3.77"), tmp_path / "home") == found


def test_it_is_asked_once_and_again_when_packages_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    packages = tmp_path / "site-packages"
    packages.mkdir()

    def ask(interpreter: str) -> python_environment._Answer:
        asked.append(interpreter)
        return python_environment._Answer(
            version="3.11.2",
            implementation="CPython",
            prefix="/",
            packages={"b": "1", "A": "2"},
            folders=[str(packages)],
        )

    monkeypatch.setattr(python_environment, "_ask", ask)
    found = describe("/usr/bin/python3", tmp_path)
    assert list(found.packages) == ["A", "b"]
    assert found.host == os.uname().nodename
    assert describe("/usr/bin/python3", tmp_path) == found
    assert len(asked) == 1
    os.utime(packages, (1, 1))
    describe("/usr/bin/python3", tmp_path)
    assert len(asked) == 2


def test_our_own_tells_its_packages(tmp_path: Path) -> None:
    found = describe(sys.executable, tmp_path)
    assert found.version.startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")
    assert "msgspec" in found.packages
    assert found.version.startswith(minor_version(sys.executable))


def test_what_is_no_interpreter_is_named(tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(EnvironmentTrouble, match="broken"):
        describe(str(program), tmp_path)


def test_gpus_are_asked_for_once_a_start_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\necho x >> "$0.calls"\n'
        'if [ $# -eq 0 ]; then echo "| NVIDIA-SMI 550  Driver Version: 550.1  CUDA Version: 12.4 |"; exit; fi\n'
        'echo "550.1, NVIDIA A100, 40960 MiB"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    found = describe(sys.executable, tmp_path)
    assert (found.driver, found.cuda, found.gpus) == ("550.1", "12.4", ("NVIDIA A100, 40960 MiB",))
    calls = Path(f"{program}.calls").read_text()
    assert describe(sys.executable, tmp_path) == found
    assert Path(f"{program}.calls").read_text() == calls
