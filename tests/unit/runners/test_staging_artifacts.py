"""Artifacts in and out of attempts, at the absolute paths that manifests name."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from attempt_bench import AttemptBench

from argosy.errors import ArgosyError, EnvironmentTrouble
from argosy.model.events import AttemptExited
from argosy.model.manifest import Artifact
from argosy.runners.local.collecting import collect
from argosy.runners.local.staging import prepare


def artifacts_of(end: AttemptExited) -> dict[str, Artifact]:
    assert end.outputs is not None
    return {one.name: one for one in end.outputs.artifacts}


def content(bench: AttemptBench, end: AttemptExited, name: str) -> bytes:
    return bench.store.read_bytes(artifacts_of(end)[name].digest, 1 << 20)


def tree(bench: AttemptBench, end: AttemptExited, name: str, tmp_path: Path) -> dict[str, str]:
    target = tmp_path / f"out-{name}"
    bench.store.materialize(artifacts_of(end)[name].digest, target)
    return {str(path.relative_to(target)): path.read_text() for path in target.rglob("*") if path.is_file()}


def out(name: str, path: str, **more: Any) -> dict[str, Any]:
    return {"artifacts": [{"name": name, "path": path, **more}]}


@pytest.mark.parametrize(
    "path",
    ["/tmp/a.txt", "/a.txt", "/outputs/a.txt", "/outputs/deep/er/a.txt", "/root/a.txt", "/usr/share/a.txt", "/mnt/a"],
)
def test_a_file_is_saved_from_wherever_the_manifest_says(isolated_bench: AttemptBench, path: str) -> None:
    script = f"mkdir -p $(dirname {path}); echo made > {path}; test -x /bin/sh && ls /usr > /dev/null"
    end = isolated_bench.run(isolated_bench.sh(script, outputs=out("a", path, globalName="all")))
    assert end.phase == "Succeeded", end.message
    assert content(isolated_bench, end, "a") == b"made\n"
    assert artifacts_of(end)["a"].global_name == "all"
    assert artifacts_of(end)["a"].path == path
    assert not Path(path).exists()


@pytest.mark.parametrize("path", ["/tmp/d", "/data-of-step", "/srv/d", "/var/lib/d", "/opt", "/var/tmp"])
def test_a_folder_is_saved_from_wherever_the_manifest_says(
    isolated_bench: AttemptBench, path: str, tmp_path: Path
) -> None:
    script = f"mkdir -p {path}/sub; echo 1 > {path}/one; echo 2 > {path}/sub/two"
    end = isolated_bench.run(isolated_bench.sh(script, outputs=out("d", path)))
    assert end.phase == "Succeeded", end.message
    assert tree(isolated_bench, end, "d", tmp_path) == {"one": "1\n", "sub/two": "2\n"}


def test_several_outputs_in_one_folder_and_parameters_beside_them(isolated_bench: AttemptBench) -> None:
    outputs = {
        "artifacts": [{"name": "a", "path": "/etc/a"}, {"name": "b", "path": "/etc/b"}, {"name": "c", "path": "/c"}],
        "parameters": [{"name": "p", "valueFrom": {"path": "/etc/p"}}],
    }
    script = "grep -q root /etc/passwd; for f in /etc/a /etc/b /etc/p /c; do echo $f > $f; done"
    end = isolated_bench.run(isolated_bench.sh(script, outputs=outputs))
    assert end.phase == "Succeeded", end.message
    assert content(isolated_bench, end, "b") == b"/etc/b\n"
    assert content(isolated_bench, end, "c") == b"/c\n"
    assert end.outputs is not None
    assert end.outputs.parameters[0].value == "/etc/p"


def test_outputs_within_outputs(isolated_bench: AttemptBench, tmp_path: Path) -> None:
    outputs = {
        "artifacts": [{"name": "one", "path": "/o/d/x"}, {"name": "all", "path": "/o"}],
        "parameters": [{"name": "p", "valueFrom": {"path": "/o/p"}}],
    }
    end = isolated_bench.run(isolated_bench.sh("mkdir -p /o/d; echo 1 > /o/d/x; echo 2 > /o/p", outputs=outputs))
    assert end.phase == "Succeeded", end.message
    assert tree(isolated_bench, end, "all", tmp_path) == {"d/x": "1\n", "p": "2\n"}
    assert content(isolated_bench, end, "one") == b"1\n"


def test_collecting_twice_gives_the_same(isolated_bench: AttemptBench) -> None:
    outputs = {"artifacts": [{"name": "o", "path": "/o/x"}], "parameters": [{"name": "p", "valueFrom": {"path": "/p"}}]}
    start = isolated_bench.sh("mkdir -p /o; echo 1 > /o/x; echo 2 > /p", outputs=outputs)
    first = isolated_bench.run(start)
    assert first.phase == "Succeeded", first.message
    runner = isolated_bench.start_runner()
    pod = prepare(start, isolated_bench.context, isolated_bench.options)
    assert pod.take_up(runner.adopt()).ended
    assert collect(start, pod, isolated_bench.context, isolated_bench.options) == first


def test_relative_outputs(any_bench: AttemptBench) -> None:
    container = {} if any_bench.kind != "podman" else {"workingDir": "/work"}
    end = any_bench.run(any_bench.sh("mkdir d; echo 1 > d/x", container=container, outputs=out("a", "d/x")))
    assert end.phase == "Succeeded", end.message
    assert content(any_bench, end, "a") == b"1\n"


def test_relative_outputs_of_an_image_that_says_where_it_starts(isolated_bench: AttemptBench) -> None:
    end = isolated_bench.run(isolated_bench.sh("echo 1 > x", outputs=out("a", "x")))
    assert end.phase == "Succeeded", end.message
    assert content(isolated_bench, end, "a") == b"1\n"


def test_outputs_that_are_written_where_an_image_begins(isolated_bench: AttemptBench) -> None:
    outputs = {**out("a", "/result.txt"), "parameters": [{"name": "p", "valueFrom": {"path": "/d/p"}}]}
    container = {} if isolated_bench.kind != "podman" else {"workingDir": "/"}
    script = "echo made > result.txt; mkdir -p d; echo value > d/p"
    end = isolated_bench.run(isolated_bench.sh(script, container=container, outputs=outputs))
    assert end.phase == "Succeeded", end.message
    assert content(isolated_bench, end, "a") == b"made\n"
    assert end.outputs is not None
    assert end.outputs.parameters[0].value == "value"


def test_no_link_leads_such_outputs_out_of_a_sandbox(bench: AttemptBench, tmp_path: Path) -> None:
    bench.start_runner()
    secret = tmp_path / "elsewhere"
    secret.mkdir()
    (secret / "x").write_text("of this machine")
    end = bench.run(bench.sh(f"ln -s {secret} d", outputs=out("a", "/d/x")))
    assert end.phase == "Error"
    end = bench.run(bench.sh(f"ln -s {secret} /d; mkdir d; echo 1 > d/y", outputs=out("a", "/d/y", optional=True)))
    assert sorted(one.name for one in secret.iterdir()) == ["x"]


def test_a_missing_artifact_is_an_error_unless_it_is_optional(isolated_bench: AttemptBench) -> None:
    end = isolated_bench.run(isolated_bench.sh("true", outputs=out("a", "/out/a")))
    assert end.phase == "Error"
    assert "'a'" in end.message
    assert "/out/a" in end.message
    end = isolated_bench.run(isolated_bench.sh("true", outputs=out("a", "/out/a", optional=True)))
    assert (end.phase, artifacts_of(end)) == ("Succeeded", {})


def test_a_failed_step_keeps_what_it_made(isolated_bench: AttemptBench) -> None:
    end = isolated_bench.run(isolated_bench.sh("echo 1 > /tmp/a; exit 4", outputs=out("a", "/tmp/a")))
    assert end.phase == "Failed"
    assert content(isolated_bench, end, "a") == b"1\n"


def test_nothing_of_a_container_is_kept_after_collecting(podman_bench: AttemptBench) -> None:
    podman_bench.run(podman_bench.sh("echo 1 > /a", outputs=out("a", "/a")))
    listed = ["podman", "ps", "--all", "--quiet", "--filter", f"label=argosy.run={podman_bench.uid}"]
    assert subprocess.run(listed, capture_output=True, text=True, check=True).stdout == ""


def test_artifacts_go_from_step_to_step(isolated_bench: AttemptBench, tmp_path: Path) -> None:
    first = isolated_bench.run(isolated_bench.sh("mkdir /o; echo 1 > /o/x; echo 2 > /o/y", outputs=out("o", "/o")))
    given = {"name": "in", "path": "/input/folder", "digest": artifacts_of(first)["o"].digest}
    piece = {"name": "piece", "path": "/tmp/piece", "digest": artifacts_of(first)["o"].digest, "subPath": "y"}
    script = "cat /input/folder/x /tmp/piece > /input/folder/z; echo 3 > /input/folder/x"
    end = isolated_bench.run(
        isolated_bench.sh(script, inputs={"artifacts": [given, piece]}, outputs=out("back", "/input/folder"))
    )
    assert end.phase == "Succeeded", end.message
    assert tree(isolated_bench, end, "back", tmp_path) == {"x": "3\n", "y": "2\n", "z": "1\n2\n"}
    assert tree(isolated_bench, first, "o", tmp_path) == {"x": "1\n", "y": "2\n"}, "an input was not the step's own"


def test_raw_inputs_modes_and_optional_ones(any_bench: AttemptBench) -> None:
    above = "/inputs/" if any_bench.kind == "podman" else ""
    inputs = {
        "artifacts": [
            {"name": "text", "path": f"{above}text", "raw": {"data": "hello"}, "mode": 0o755},
            {"name": "maybe", "path": f"{above}maybe", "optional": True},
            {"name": "gone", "path": f"{above}gone", "optional": True, "s3": {"key": "nothing/there"}},
        ]
    }
    script = f"test -x {above}text; cat {above}text; echo; test ! -e {above}maybe; test ! -e {above}gone"
    end = any_bench.run(any_bench.sh(f"set -e; {script}", inputs=inputs, result=True))
    assert end.phase == "Succeeded", (end.message, end.outputs)
    assert end.outputs is not None
    assert end.outputs.result == "hello"


def test_an_output_over_an_input(isolated_bench: AttemptBench) -> None:
    inputs = {"artifacts": [{"name": "in", "path": "/file", "raw": {"data": "old"}}]}
    end = isolated_bench.run(isolated_bench.sh("echo new > /file", inputs=inputs, outputs=out("o", "/file")))
    assert content(isolated_bench, end, "o") == b"new\n"


def test_inputs_and_outputs_in_a_volume(isolated_bench: AttemptBench) -> None:
    volumes = [{"name": "v", "emptyDir": {}}]
    container = {"volumeMounts": [{"name": "v", "mountPath": "/mnt"}]}
    inputs = {"artifacts": [{"name": "in", "path": "/mnt/deep/in", "raw": {"data": "given"}}]}
    script = "cat /mnt/deep/in > /mnt/out"
    end = isolated_bench.run(
        isolated_bench.sh(script, container=container, volumes=volumes, inputs=inputs, outputs=out("o", "/mnt/out"))
    )
    assert end.phase == "Succeeded", end.message
    assert content(isolated_bench, end, "o") == b"given"


def test_a_required_input_without_a_location_is_refused(bench: AttemptBench) -> None:
    start = bench.sh("true", inputs={"artifacts": [{"name": "in", "path": "/in"}]})
    with pytest.raises(ArgosyError, match="'in' was not supplied"):
        prepare(start, bench.context, bench.options)


def test_an_input_that_cannot_be_fetched_is_named(bench: AttemptBench) -> None:
    given = {"name": "in", "path": "/in", "digest": "sha256:" + "0" * 64}
    with pytest.raises(ArgosyError):
        prepare(bench.sh("true", inputs={"artifacts": [given]}), bench.context, bench.options)
    far = {"name": "in", "path": "/in", "http": {"url": "ftp://nowhere"}}
    with pytest.raises(ArgosyError, match="'in'"):
        prepare(bench.sh("true", inputs={"artifacts": [far]}), bench.context, bench.options)


def test_key_only_outputs_go_to_the_repository_with_their_archive(isolated_bench: AttemptBench) -> None:
    tar = out("packed", "/tmp/a", s3={"key": "some/packed.tgz"})["artifacts"]
    plain = out("plain", "/tmp/a", s3={"key": "some/plain"}, archive={"none": {}})["artifacts"]
    end = isolated_bench.run(isolated_bench.sh("echo 1 > /tmp/a", outputs={"artifacts": tar + plain}))
    assert end.phase == "Succeeded", end.message
    assert (isolated_bench.root / "repository/some/plain").read_text() == "1\n"
    assert (isolated_bench.root / "repository/some/packed.tgz").read_bytes()[:2] == b"\x1f\x8b"
    given = artifacts_of(end)
    assert given["packed"].s3 == {"key": "some/packed.tgz"}
    inputs = {"artifacts": [{"name": "in", "path": "/in", "s3": {"key": "some/packed.tgz"}}]}
    end = isolated_bench.run(isolated_bench.sh("cat /in", inputs=inputs, result=True))
    assert end.outputs is not None
    assert end.outputs.result == "1"


def test_outputs_go_to_the_templates_archive_location(isolated_bench: AttemptBench) -> None:
    place = {"s3": {"key": "runs/one"}, "archiveLogs": True}
    end = isolated_bench.run(
        isolated_bench.sh("echo 1 > /tmp/a; echo said", outputs=out("a", "/tmp/a"), archiveLocation=place)
    )
    assert end.phase == "Succeeded", end.message
    assert artifacts_of(end)["a"].s3 == {"key": "runs/one/a.tgz"}
    assert artifacts_of(end)["main-logs"].s3 == {"key": "runs/one/main.log"}
    assert (isolated_bench.root / "repository/runs/one/main.log").read_text() == "said\n"


def test_logs_are_archived_when_asked(process_bench: AttemptBench) -> None:
    process_bench.spec = {"archiveLogs": True}
    end = process_bench.run(process_bench.sh("echo said; echo more >&2", result=True))
    assert content(process_bench, end, "main-logs") == b"said\nmore\n"
    end = process_bench.run(process_bench.sh("echo said", archiveLocation={"archiveLogs": False}))
    assert artifacts_of(end) == {}


def test_links_are_followed_as_the_step_would(isolated_bench: AttemptBench, tmp_path: Path) -> None:
    secret = tmp_path / "host-only"
    secret.write_text("of the host")
    script = f"""
        mkdir /tmp/real; echo inside > /tmp/real/x
        ln -s /tmp/real/x /tmp/link; ln -s real /tmp/folder; ln -s {secret} /tmp/out; ln -s /tmp/loop /tmp/loop
    """
    paths = {"link": "/tmp/link", "through": "/tmp/folder/x"}
    outputs = {"artifacts": [{"name": name, "path": path} for name, path in paths.items()]}
    end = isolated_bench.run(isolated_bench.sh(script, outputs=outputs))
    assert end.phase == "Succeeded", end.message
    assert content(isolated_bench, end, "link") == content(isolated_bench, end, "through") == b"inside\n"
    for bad in ("/tmp/out", "/tmp/loop"):
        outputs = {"parameters": [{"name": "p", "valueFrom": {"path": bad}}]}
        end = isolated_bench.run(isolated_bench.sh(script, outputs=outputs))
        assert end.phase == "Error", f"{bad} was read: {end.outputs}"


def test_a_link_between_the_folders_of_a_sandbox(bench: AttemptBench) -> None:
    bench.start_runner()
    script = "set -e; mkdir /tmp/real /o; echo inside > /tmp/real/x; ln -s ../tmp/real /o/folder"
    end = bench.run(bench.sh(script, outputs=out("through", "/o/folder/x")))
    assert end.phase == "Succeeded", end.message
    assert content(bench, end, "through") == b"inside\n"


def test_a_sandbox_cannot_give_away_what_programs_need(bench: AttemptBench) -> None:
    bench.start_runner()
    end = bench.run(bench.sh("true", outputs=out("o", "/usr")))
    assert end.phase == "Error"
    assert "/usr" in end.message


def test_a_plain_process_is_refused_before_anything_is_fetched(process_bench: AttemptBench) -> None:
    given = {"name": "in", "path": "/in", "http": {"url": "http://127.0.0.1:9/"}}
    with pytest.raises(EnvironmentTrouble, match="/in"):
        prepare(process_bench.sh("true", inputs={"artifacts": [given]}), process_bench.context, process_bench.options)


def test_a_crash_while_inputs_were_fetched_is_made_good(bench: AttemptBench) -> None:
    inputs = {"artifacts": [{"name": "in", "path": "/in", "raw": {"data": "whole"}}]}
    start = bench.sh("cat /in", inputs=inputs, result=True)
    folder = bench.context.attempt_folder(start.node)
    (folder / "inputs").mkdir(parents=True)
    (folder / "inputs/in").write_text("ha")
    (folder / "inputs/.in.fetching").write_text("wh")
    bench.start_runner()
    end = bench.run(start)
    assert end.outputs is not None
    assert end.outputs.result == "whole"


def test_a_running_steps_inputs_are_left_alone(bench: AttemptBench) -> None:
    inputs = {"artifacts": [{"name": "in", "path": "/in", "raw": {"data": "whole"}}]}
    start = bench.sh("true", inputs=inputs)
    first = prepare(start, bench.context, bench.options)
    place = bench.context.attempt_folder(start.node) / "inputs/in"
    place.write_text("changed by the step")
    again = prepare(start, bench.context, bench.options)
    assert place.read_text() == "changed by the step"
    assert again.begin() == first.begin()
