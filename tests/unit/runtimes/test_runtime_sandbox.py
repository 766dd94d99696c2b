"""What only the sandbox has to mind: the host's /tmp is hidden by the step's own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import msgspec
import pytest

from argosy.runners.local.runtimes.runtime import ImageMeaning, Mount, StepSpec
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


def test_a_volume_above_the_working_folder_covers_neither_it_nor_gets_anything_of_it(tmp_path: Path) -> None:
    runtime = SandboxRuntime()
    if trouble := runtime.trouble():
        pytest.skip(trouble)
    volume = tmp_path / "volume"
    volume.mkdir()
    whole = Mount(source=str(volume), target="/" + tmp_path.parts[1], read_only=False)
    step = msgspec.structs.replace(spec(tmp_path / "step", "sh"), mounts=(whole,))
    step = msgspec.structs.replace(step, args=("-c", f"echo said > result; echo kept > {whole.target}/kept"))
    spawn = runtime.spawn(step, "uid")
    subprocess.run(spawn.argv, env={"PATH": os.environ["PATH"], **spawn.environment}, check=True)
    assert (tmp_path / "step" / "work" / "result").read_text() == "said\n"
    assert [path.name for path in volume.iterdir()] == ["kept"]
