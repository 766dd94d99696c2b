"""What only the sandbox has to mind: the host's /tmp is hidden by the step's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from argosy.runners.local.runtimes.runtime import ImageMeaning, StepSpec
from argosy.runners.local.runtimes.sandbox import SandboxRuntime


def spec(folder: Path, command: str, image: str = "") -> StepSpec:
    for name in ("work", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    log = str(folder / "log")
    return StepSpec(id="a", command=(command,), image=image, folder=str(folder), stdout=log, stderr=log)


@pytest.fixture
def hidden(monkeypatch: pytest.MonkeyPatch) -> str:
    """A program named `sh` in the host's /tmp, first on PATH."""
    folder = Path("/tmp") / f"argosy-hidden-{os.getpid()}"
    folder.mkdir()
    (folder / "sh").write_text("#!/bin/sh\n")
    (folder / "sh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    yield str(folder)
    (folder / "sh").unlink()
    folder.rmdir()


def test_a_program_in_the_hidden_tmp_is_passed_over(hidden: str, tmp_path: Path) -> None:
    runtime = SandboxRuntime()
    if trouble := runtime.trouble():
        pytest.skip(trouble)
    argv = runtime.spawn(spec(tmp_path / "step", "sh"), "uid").argv
    program = argv[argv.index("--") + 1]
    assert program.endswith("/sh")
    assert not program.startswith(hidden)


def test_a_file_of_an_image_is_where_the_image_has_it(tmp_path: Path) -> None:
    runtime = SandboxRuntime({"made-up": ImageMeaning(files={"/tool": "/bin/true"})})
    if trouble := runtime.trouble():
        pytest.skip(trouble)
    argv = runtime.spawn(spec(tmp_path / "step", "/tool", "made-up"), "uid").argv
    assert "/tool" in argv[: argv.index("--")]
