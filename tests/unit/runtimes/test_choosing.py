"""Choosing a runtime, and what the translations of steps say without running anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from argosy.errors import EnvironmentTrouble, UsageError
from argosy.runners.local.runtimes.choose import Options, choose
from argosy.runners.local.runtimes.container import ContainerRuntime
from argosy.runners.local.runtimes.process import ProcessRuntime
from argosy.runners.local.runtimes.runtime import ImageMeaning, Mount, StepSpec
from argosy.runners.local.runtimes.sandbox import SandboxRuntime

ENGINE = """#!/bin/sh
case "$*" in
  info*) {info} ;;
  "image inspect --format {{{{.Id}}}} here:1") echo id ;;
  "image inspect --format {{{{.Config.User}}}} here:1") echo ;;
  "pull --quiet far:1") ;;
  *) echo "Error: no such thing" >&2; exit 125 ;;
esac
"""


def spec(folder: Path, **more: object) -> StepSpec:
    values: dict[str, object] = {"id": "n.0/main", "command": ("run",), "image": "here:1", "folder": str(folder)}
    return StepSpec(**({"stdout": "/l", "stderr": "/l"} | values | more))  # type: ignore[arg-type]


@pytest.fixture
def engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Puts scripted engines on a PATH that has nothing else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def install(name: str, text: str) -> None:
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)

    return install


def test_auto_takes_an_engine_that_has_the_images(engines):
    engines("podman", ENGINE.format(info="echo 4"))
    runtime, why = choose("auto", ["here:1", "far:1", "{{inputs.parameters.image}}", ""])
    assert runtime.name == "podman"
    assert "podman" in why


def test_auto_passes_over_an_engine_that_cannot_get_an_image(engines):
    engines("podman", ENGINE.format(info="echo 4"))
    engines("docker", ENGINE.format(info="echo no daemon >&2; exit 1"))
    engines("bwrap", "#!/bin/sh\nexit 0\n")
    runtime, why = choose("auto", ["here:1", "nowhere:1"])
    assert runtime.name == "sandbox"
    assert "nowhere:1" in why
    assert "no daemon" in why


def test_auto_falls_back_to_processes(engines):
    engines("bwrap", "#!/bin/sh\necho namespaces are forbidden >&2; exit 1\n")
    runtime, why = choose("auto", ["here:1"])
    assert runtime.name == "process"
    assert "namespaces are forbidden" in why


def test_what_was_asked_for_must_work(engines):
    with pytest.raises(EnvironmentTrouble, match="bubblewrap"):
        choose("sandbox", [])
    with pytest.raises(EnvironmentTrouble, match="podman is not installed"):
        choose("podman", [])
    with pytest.raises(UsageError, match="kubernetes"):
        choose("kubernetes", [])
    assert choose("process", ["nowhere:1"])[0].name == "process"


@pytest.mark.parametrize("kind", [ProcessRuntime, SandboxRuntime])
def test_what_an_image_means(kind, tmp_path: Path):
    for name in ("work", "tmp", "venv"):
        (tmp_path / name).mkdir()
    program = tmp_path / "venv/tool"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    meaning = ImageMeaning(
        entrypoint=("tool", "--fast"),
        cmd=("default",),
        path=(str(tmp_path / "venv"),),
        environment={"A": "1", "B": "2"},
    )
    runtime = kind({"acme/tool": meaning})
    spawn = runtime.spawn(spec(tmp_path, command=(), image="acme/tool:v1", environment={"B": "3"}), "uid")
    assert spawn.argv[-2:] == ("--fast", "default")
    assert str(program) in (spawn.program, *spawn.argv)
    assert (spawn.environment["A"], spawn.environment["B"]) == ("1", "3")
    assert spawn.environment["PATH"].startswith(f"{tmp_path}/venv:")
    spawn = runtime.spawn(spec(tmp_path, command=(), args=("mine",), image="acme/tool:v1"), "uid")
    assert spawn.argv[-2:] == ("--fast", "mine")
    with pytest.raises(EnvironmentTrouble, match="acme/other") as raised:
        runtime.spawn(spec(tmp_path, command=(), image="acme/other"), "uid")
    assert "argosy.toml" in raised.value.hint


def test_docker_gets_one_word_as_entrypoint(engines, tmp_path: Path):
    engines("docker", ENGINE.format(info="echo 28"))
    (tmp_path / "tmp").mkdir()
    runtime = ContainerRuntime("docker")
    argv = runtime.spawn(spec(tmp_path, command=("a", "b"), args=("c",)), "uid").argv
    at = argv.index("--entrypoint")
    assert argv[at:] == ("--entrypoint", "a", "here:1", "b", "c")
    argv = runtime.spawn(spec(tmp_path, id="2", command=(), args=("c",), gpus=(0, 2)), "uid").argv
    assert "--entrypoint" not in argv
    assert argv[-2:] == ("here:1", "c")
    assert '"device=0,2"' in argv


def test_a_container_gets_what_the_step_asks_for(engines, tmp_path: Path):
    engines("podman", ENGINE.format(info="echo 4"))
    (tmp_path / "tmp").mkdir()
    security = {
        "runAsUser": 1000,
        "runAsGroup": 10,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    wanted = spec(
        tmp_path,
        environment={"SECRET": "s", "HOME": "/h"},
        cpus=0.5,
        memory_bytes=1000,
        network="none",
        security=security | {"readOnlyRootFilesystem": True, "runAsNonRoot": True, "privileged": False},
    )
    spawn = ContainerRuntime("podman").spawn(wanted, "uid")
    line = " ".join(spawn.argv)
    for words in (
        "--user 1000:10",
        "--cap-drop ALL",
        "--security-opt no-new-privileges",
        "--read-only",
        "--cpus 0.5",
        "--memory 1000 --memory-swap 1000",
        "--network none",
        "--env SECRET",
        "--env HOME=/h",
        "--label argosy.run=uid",
        f"--mount type=bind,source={tmp_path}/tmp,target=/tmp",
        '--entrypoint ["run"] here:1',
    ):
        assert words in line
    assert "--rm" not in spawn.argv
    assert spawn.environment == {"SECRET": "s"}
    assert "=s" not in line
    assert os.stat(tmp_path / "tmp").st_mode & 0o7777 == 0o1777


@pytest.mark.parametrize(
    ("security", "message"),
    [
        ({"privileged": True}, "privileged"),
        ({"runAsNonRoot": True}, "would run as root"),
        ({"runAsNonRoot": True, "runAsUser": 0}, "would run as root"),
        ({"windowsOptions": {}}, "windowsOptions"),
        ({"seccompProfile": {"type": "Localhost", "localhostProfile": "x"}}, "Localhost"),
    ],
)
def test_what_a_container_is_refused(engines, tmp_path: Path, security: dict[str, object], message: str):
    engines("podman", ENGINE.format(info="echo 4"))
    (tmp_path / "tmp").mkdir()
    with pytest.raises(EnvironmentTrouble, match=message):
        ContainerRuntime("podman").spawn(spec(tmp_path, security=security), "uid")


def test_privileges_can_be_allowed(engines, tmp_path: Path):
    engines("podman", ENGINE.format(info="echo 4"))
    (tmp_path / "tmp").mkdir()
    runtime, _ = choose("podman", [], Options(allow_privileged=True))
    assert "--privileged" in runtime.spawn(spec(tmp_path, security={"privileged": True}), "uid").argv


def test_a_plain_process_has_no_place_for_a_mount_but_its_own_folder(tmp_path: Path):
    source = str(tmp_path / "in")
    runtime = ProcessRuntime()
    for target in (f"{tmp_path}/work/in", source):
        runtime.spawn(spec(tmp_path, mounts=(Mount(source=source, target=target),)), "uid")
    for target in ("/inputs/x", f"{tmp_path}/../other", f"{tmp_path}-2/x"):
        with pytest.raises(EnvironmentTrouble, match="needs a file or folder of its own") as raised:
            runtime.spawn(spec(tmp_path, mounts=(Mount(source=source, target=target),)), "uid")
        assert "--runtime sandbox" in raised.value.hint
