"""Virtual environments of dstack's workflows in sandboxes and containers: made once, and with what they can use."""

from __future__ import annotations

import ensurepip
import shutil
import sysconfig
from pathlib import Path

import pytest
from cli_samples import Argosy
from dstack_projects import need_image, put, wheel

RULES = '[code]\nrules = ["include binary *.whl", "include binary *.zip"]\n'
SHOW = "import sys, tiny; print(tiny.x, sys.prefix)"


@pytest.fixture
def cache(folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where environments are kept, for a project with requirements."""
    outside = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(outside))
    (folder / "argosy.toml").write_text(RULES)
    (folder / "needs.txt").write_text(f"./{wheel(folder)}\n")
    (folder / "a.py").write_text(SHOW)
    return outside / "argosy" / "environments-apart"


def bundled_pip() -> Path:
    """The wheel that virtual environments get pip from. Debian keeps it in a place of its own."""
    places = (Path(ensurepip.__file__).parent / "_bundled", Path(sysconfig.get_config_var("WHEEL_PKG_DIR") or ""))
    return next(wheel for place in places for wheel in place.glob("pip-*.whl"))


def lines(argosy: Argosy) -> list[str]:
    return argosy("logs", "@latest", "--no-prefix").out.splitlines()


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_a_sandbox_uses_what_another_step_has_made(folder: Path, cache: Path, argosy: Argosy) -> None:
    workflows = """
  - {name: first, provider: python, file: a.py, requirements: needs.txt}
  - {name: second, provider: bash, depends-on: [first], requirements: needs.txt, commands: [python a.py]}
"""
    put(folder, workflows)
    done = argosy("run", "second", "--runtime", "sandbox", "--cache", "-q")
    assert done.code == 0, done.err
    making, *shown = lines(argosy)
    assert making.startswith("making the virtual environment /argosy/environments/")
    assert [line.split()[0] for line in shown] == ["42", "42"]
    assert len([one for one in cache.iterdir() if (one / "complete").exists()]) == 1
    # Such a step can be reused: what it keeps there is no result.
    again = argosy("run", "second", "--runtime", "sandbox", "--cache")
    assert again.code == 0, again.err
    assert "2 of 2 steps reused" in again.err


def test_a_container_makes_one_that_its_image_can_run(folder: Path, cache: Path, argosy: Argosy) -> None:
    need_image()
    # The image of the tests has no pip: a real one of the host's, as a file.
    shutil.copy(bundled_pip(), folder / "pip.zip")
    workflows = """
  - {name: a, provider: python, file: a.py, requirements: needs.txt, env: [PYTHONPATH=/argosy/code/pip.zip]}
  - {name: own, provider: shout, requirements: needs.txt, env: [PYTHONPATH=/argosy/code/pip.zip]}
"""
    put(folder, workflows)
    providers = "providers:\n  - {name: shout, image: 'python:3.11', commands: [python a.py]}\n"
    (folder / ".dstack" / "providers.yaml").write_text(providers)
    for made in (1, 0):
        done = argosy("run", "a", "--runtime", "podman", "-q")
        assert done.code == 0, done.err
        found = lines(argosy)
        assert sum(line.startswith("making the virtual environment /argosy/environments/") for line in found) == made
        assert found[-1].startswith("42 /argosy/environments/")
    done = argosy("run", "own", "-q")
    assert done.code == 0, done.err
    assert lines(argosy)[-1].startswith("42 /argosy/environments/")


def test_an_image_without_pip_says_so(folder: Path, cache: Path, argosy: Argosy) -> None:
    need_image()
    put(folder, "  - {name: a, provider: python, file: a.py, requirements: needs.txt}")
    assert argosy("run", "a", "--runtime", "podman", "-q").code == 1
    assert "this Python has neither venv nor pip, and there is no uv" in "\n".join(lines(argosy))
    assert not list(cache.glob("*/complete"))


def test_a_version_of_python_is_the_image_of_a_container(folder: Path, argosy: Argosy) -> None:
    need_image()
    (folder / "argosy.toml").write_text('[python]\nimage = "nowhere.invalid/python:1"\n')
    put(folder, "  - {name: a, provider: bash, python: 3.11, commands: [python -V]}")
    done = argosy("run", "a", "--runtime", "podman")
    assert done.code == 0, done.err
    assert "a run in python:3.11: --runtime process runs them on the host" in done.err
    assert lines(argosy)[-1].startswith("Python 3.11.")
    assert "image: python:3.11\n" in argosy("convert", "a", "--for", "argo").out
    # On the host it is the interpreter of that version, or an environment with it.
    assert argosy("run", "a", "--runtime", "process", "-q").code == 0
