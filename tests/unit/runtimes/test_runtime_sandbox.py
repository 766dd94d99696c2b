"""What only the sandbox has to mind: the host's /tmp is hidden by the step's own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import msgspec
import pytest
from runtime_bench import Bench, made

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


# All that a step can see of what it is in, but for numbers that are never the same. Folders that were made on the way
# to another are for their owner only when bubblewrap makes them; and of capabilities that nobody can have any more,
# bubblewrap leaves some in the lists of what could be given.
LOOK = r"""
exec 2>&1
cut -d' ' -f4- /proc/self/mountinfo | grep -v ' /proc/' | sed 's/ \(shared\|master\):[0-9]*//g' | sort -u
grep -E '^(CapPrm|CapEff|NoNewPrivs|Seccomp|Uid|Gid|Groups|Umask|NSpid|SigBlk)' /proc/self/status
stat -c '%U %G %n' / /* /tmp /run /run/* /var /var/*
stat -c '%A %U %G %n' / /tmp/home /tmp/in.txt /dev/shm /dev/shm/memory /out .
env | grep -v -E '^(_|ARGOSY_)' | sort
pwd; umask; ulimit -a; id; ls -A /dev/shm
for path in /new /usr/new /etc/new /proc/sys/kernel/printk /proc/sysrq-trigger /proc/irq/new /dev/shm/new /var/tmp/new \
    /tmp/new /tmp/in.txt /data/volume/new ./new
do
    (echo 7 > $path) && echo "wrote $path"
done
mkdir -p /made/here && echo made
umount /usr; mount -t tmpfs none /mnt; kill -TERM 1; ls -A /.argosy; cat /tmp/in.txt
true
"""


def test_a_sandbox_is_the_same_whoever_makes_it(tmp_path: Path) -> None:
    looks: list[str] = []
    for way in ("zygote", "bubblewrap"):
        # As long as the other's: both see their own.
        bench = Bench(made("sandbox"), tmp_path / way[:6])
        (bench.folder / "volume").mkdir()
        (bench.folder / "file").write_text("content\n")
        mounts = (
            Mount(source=str(bench.folder / "volume"), target="/data/volume"),
            Mount(source=str(bench.folder / "file"), target="/tmp/in.txt", read_only=True),
            Mount(source=str(bench.folder / "volume"), target="/dev/shm/memory", memory_bytes=1 << 20),
        )
        step = bench.sh("look", LOOK, mounts=mounts, outputs=("/out/file",), environment={"A": "b c"})
        if way == "zygote":
            assert bench.run(step).code == 0
            assert bench.zygotes()
        else:
            spawn = bench.runtime.spawn(step, bench.uid)
            environment = {**bench.runtime.bases()["host"], **spawn.environment}
            with bench.log.open("wb") as log:
                subprocess.run(spawn.argv, env=environment, check=True, stdin=subprocess.DEVNULL, stdout=log)
        looks.append(bench.log.read_text().replace(way[:6], "WAY"))
        bench.close()
    assert looks[0].splitlines() == looks[1].splitlines()
