"""Volumes: every kind that can be had here, subPath, readOnly, and those that cannot."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
from attempt_bench import IMAGE, AttemptBench

from argosy.artifacts import places
from argosy.errors import ArgosyError
from argosy.plan.actions import Start
from argosy.runners.local import volumes
from argosy.runners.local.staging import prepare
from argosy.runners.local.volumes import secret_folder


def mounted(name: str, path: str, **more: Any) -> dict[str, Any]:
    return {"volumeMounts": [{"name": name, "mountPath": path, **more}]}


def result(bench: AttemptBench, script: str, **more: Any) -> str:
    end = bench.run(bench.sh(script, result=True, **more))
    assert end.phase == "Succeeded", end.message
    assert end.outputs is not None
    assert end.outputs.result is not None
    return end.outputs.result


def test_an_empty_dir_is_the_steps_own(isolated_bench: AttemptBench) -> None:
    more = {"container": mounted("v", "/scratch/x"), "volumes": [{"name": "v", "emptyDir": {"medium": "Memory"}}]}
    script = 'test -z "$(ls /scratch/x)"; echo 1 > /scratch/x/a; stat -c %a /scratch/x'
    assert result(isolated_bench, script, **more) == "777"
    assert result(isolated_bench, script, **more) == "777"


def in_memory(bench: AttemptBench, script: str, size: str | None = "1Mi", **more: Any) -> str:
    given = {"medium": "Memory"} | ({"sizeLimit": size} if size else {})
    volume = {"volumes": [{"name": "v", "emptyDir": given}]}
    return result(bench, f"set +e; {script}", container=mounted("v", "/dev/shm"), **volume, **more)


def test_a_volume_in_memory_holds_what_it_may(isolated_bench: AttemptBench) -> None:
    tell = "df -k /dev/shm | tail -n 1 | tr -s ' ' | cut -d ' ' -f 1,2"
    assert in_memory(isolated_bench, tell) == "tmpfs 1024"
    fill = "head -c 900000 /dev/zero > /dev/shm/a && echo a; head -c 900000 /dev/zero > /dev/shm/b || echo full"
    assert in_memory(isolated_bench, f"({fill}) 2>/dev/null").split() == ["a", "full"]
    assert in_memory(isolated_bench, tell, size=None).startswith("tmpfs ")


def test_what_is_wanted_of_a_volume_in_memory_is_found(isolated_bench: AttemptBench) -> None:
    outputs = {"parameters": [{"name": "p", "valueFrom": {"path": "/dev/shm/p"}}]}
    end = isolated_bench.run(
        isolated_bench.sh(
            "echo kept > /dev/shm/p",
            container=mounted("v", "/dev/shm"),
            volumes=[{"name": "v", "emptyDir": {"medium": "Memory"}}],
            outputs=outputs,
        )
    )
    assert end.outputs is not None
    assert [one.value for one in end.outputs.parameters] == ["kept"]


SHARED = {"name": "v", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}


def shared(bench: AttemptBench, volume: dict[str, Any] = SHARED, **more: Any) -> Start:
    """A step whose init container leaves a file in a volume for the main one."""
    before = {"name": "before", "image": IMAGE, "command": ["sh", "-c"], "args": ["echo told > /v/a"]}
    return bench.sh(
        "cat /v/a; cat /proc/self/mounts | grep ' /v ' | cut -d ' ' -f 1",
        result=True,
        container=mounted("v", "/v"),
        initContainers=[{**before, **mounted("v", "/v")}],
        volumes=[volume],
        **more,
    )


def test_a_volume_in_memory_that_containers_share_is_in_memory(isolated_bench: AttemptBench) -> None:
    start = shared(isolated_bench)
    end = isolated_bench.run(start)
    assert end.phase == "Succeeded", end.message
    assert end.outputs is not None
    assert end.outputs.result is not None
    # What is mounted in it is the filesystem of /dev/shm.
    assert end.outputs.result.split() == ["told", filesystem_of("/dev/shm")]
    folder = isolated_bench.context.attempt_folder(start.node)
    assert not (folder / "volumes").exists()
    assert not Path(secret_folder(isolated_bench.context, str(folder))).exists(), "nothing of it is left"


def filesystem_of(path: str) -> str:
    lines = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return next(words[0] for words in reversed(lines) if words[1] == path)


def source_of(bench: AttemptBench, start: Start) -> str:
    """The folder of this machine that main has at /v."""
    pod = prepare(start, bench.context, bench.options)
    return next(one.source for one in pod.main.spec.mounts if one.target == "/v")


def test_a_shared_volume_in_memory_stays_where_it_was_when_the_step_began(
    isolated_bench: AttemptBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = shared(isolated_bench)
    began = source_of(isolated_bench, start)
    assert began.startswith("/dev/shm/")
    monkeypatch.setattr(volumes, "ROOM_BYTES", 1 << 60)
    assert source_of(isolated_bench, start) == began


@pytest.mark.parametrize("why", ["no room", "no memory", "too large", "an output", "a disk"])
def test_shared_volumes_that_are_on_the_disk(
    why: str, isolated_bench: AttemptBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume, more = SHARED, {}
    if why == "no room":
        monkeypatch.setattr(volumes, "ROOM_BYTES", 1 << 60)
        volume = {"name": "v", "emptyDir": {"medium": "Memory"}}
    elif why == "no memory":
        monkeypatch.setattr(places, "MEMORY", "/none")
        monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    elif why == "too large":
        volume = {"name": "v", "emptyDir": {"medium": "Memory", "sizeLimit": "1Ei"}}
    elif why == "an output":
        more = {"outputs": {"parameters": [{"name": "p", "valueFrom": {"path": "/v/a"}}]}}
    else:
        volume = {"name": "v", "emptyDir": {}}
    start = shared(isolated_bench, volume, **more)
    assert source_of(isolated_bench, start).startswith(str(isolated_bench.context.attempt_folder(start.node)))
    end = isolated_bench.run(start)
    assert end.outputs is not None
    assert (end.outputs.result or "").split()[0] == "told"


def test_config_maps_as_files(isolated_bench: AttemptBench) -> None:
    isolated_bench.add_config_map("settings", one="1", two="2")
    everything = {"name": "all", "configMap": {"name": "settings", "defaultMode": 0o440}}
    some = {"name": "some", "configMap": {"name": "settings", "items": [{"key": "two", "path": "a/b", "mode": 0o755}]}}
    gone = {"name": "gone", "configMap": {"name": "no", "optional": True}}
    container = {
        "volumeMounts": [
            {"name": "all", "mountPath": "/all"},
            {"name": "some", "mountPath": "/some"},
            {"name": "gone", "mountPath": "/gone"},
            {"name": "all", "mountPath": "/etc/one.conf", "subPath": "one"},
        ]
    }
    isolated_bench.spec = {"volumes": [everything, some]}
    script = (
        "cat /all/one /some/a/b /etc/one.conf; stat -c %a /all/one /some/a/b; ls /gone; echo x > /all/new || echo no"
    )
    found = result(isolated_bench, script, container=container, volumes=[gone])
    assert found.split() == ["121440", "755", "no"]


def test_secrets_as_files_that_do_not_outlive_the_step(isolated_bench: AttemptBench) -> None:
    isolated_bench.add_secret("login", password="hunter2", user="me")
    volumes = [{"name": "s", "secret": {"secretName": "login", "defaultMode": 0o400}}]
    start = isolated_bench.sh("cat /s/password; stat -c %a /s/password", container=mounted("s", "/s"), volumes=volumes)
    end = isolated_bench.run(start)
    assert end.phase == "Succeeded", end.message
    assert isolated_bench.log(start) == "***400\n"
    folder = isolated_bench.context.attempt_folder(start.node)
    left = [path for path in folder.rglob("*") if path.is_file()]
    assert left
    assert not [path for path in left if b"hunter2" in path.read_bytes()]
    assert not Path(secret_folder(isolated_bench.context, str(folder))).exists()


def test_projected_and_downward_api(isolated_bench: AttemptBench) -> None:
    isolated_bench.add_secret("login", password="x")
    isolated_bench.add_config_map("settings", colour="blue")
    items = [
        {"path": "name", "fieldRef": {"fieldPath": "metadata.name"}},
        {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
        {"path": "cpus", "resourceFieldRef": {"containerName": "main", "resource": "limits.cpu"}},
    ]
    volumes = [
        {"name": "d", "downwardAPI": {"items": items}},
        {
            "name": "p",
            "projected": {
                "sources": [
                    {"secret": {"name": "login", "items": [{"key": "password", "path": "deep/pw"}]}},
                    {"configMap": {"name": "settings"}},
                    {"downwardAPI": {"items": items[:1]}},
                ]
            },
        },
    ]
    container = {
        "volumeMounts": [{"name": "d", "mountPath": "/d"}, {"name": "p", "mountPath": "/p"}],
        "resources": {"limits": {"cpu": "2"}},
    }
    script = "cat /d/name /p/name /d/cpus /p/deep/pw /p/colour; grep -c workflows.argoproj.io/workflow /d/labels"
    start_name = f"run-step-{isolated_bench.count + 1}"
    assert result(isolated_bench, script, container=container, volumes=volumes) == f"{start_name}{start_name}2xblue1"


def test_claims_are_kept_and_have_to_be_there(isolated_bench: AttemptBench) -> None:
    isolated_bench.spec = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "disk"}}]}
    container = mounted("data", "/data", subPath="mine")
    with pytest.raises(ArgosyError, match="PersistentVolumeClaim 'disk'"):
        prepare(isolated_bench.sh("true", container=container), isolated_bench.context, isolated_bench.options)
    isolated_bench.claims.add("disk")
    result(isolated_bench, "echo kept > /data/x", container=container)
    assert result(isolated_bench, "cat /data/x", container=container) == "kept"
    assert (isolated_bench.root / "claims/disk/mine/x").read_text() == "kept\n"
    readonly = mounted("data", "/data", readOnly=True)
    assert result(isolated_bench, "echo x > /data/y || echo no", container=readonly) == "no"


def test_claim_templates_are_the_runs(isolated_bench: AttemptBench) -> None:
    isolated_bench.spec = {"volumeClaimTemplates": [{"metadata": {"name": "work"}, "spec": {}}]}
    result(isolated_bench, "echo 1 > /w/x", container=mounted("work", "/w"))
    assert result(isolated_bench, "cat /w/x", container=mounted("work", "/w")) == "1"
    assert (isolated_bench.root / "run/claims/work/x").exists()


def test_host_paths(any_bench: AttemptBench) -> None:
    folder = any_bench.root / "shared"
    folder.mkdir()
    volumes = [{"name": "h", "hostPath": {"path": str(folder)}}]
    outputs = {"parameters": [{"name": "x", "valueFrom": {"path": f"{folder}/x"}}]}
    start = any_bench.sh(f"echo 1 > {folder}/x", container=mounted("h", str(folder)), volumes=volumes, outputs=outputs)
    end = any_bench.run(start)
    assert end.phase == "Succeeded", end.message
    assert (folder / "x").read_text() == "1\n"
    assert end.outputs is not None
    assert end.outputs.parameters[0].value == "1"


def test_the_workflows_volumes_have_their_tags_replaced(isolated_bench: AttemptBench) -> None:
    isolated_bench.add_config_map("settings", colour="blue")
    isolated_bench.spec = {
        "arguments": {"parameters": [{"name": "map", "value": "settings"}]},
        "volumes": [{"name": "v", "configMap": {"name": "{{workflow.parameters.map}}"}}],
    }
    assert result(isolated_bench, "cat /v/colour", container=mounted("v", "/v")) == "blue"


def test_sub_path_expressions(isolated_bench: AttemptBench) -> None:
    env = [{"name": "WHO", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}]
    isolated_bench.claims.add("disk")
    container = {"env": env, **mounted("v", "/v", subPathExpr="logs/$(WHO)")}
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "disk"}}]
    result(isolated_bench, "echo 1 > /v/x", container=container, volumes=volumes)
    assert (isolated_bench.root / "claims/disk/logs/argo/x").exists()


@pytest.mark.parametrize(
    ("volume", "more", "words"),
    [
        ({"nfs": {"server": "x", "path": "/"}}, {}, "nfs"),
        ({"csi": {"driver": "x"}}, {}, "csi"),
        ({"configMap": {"name": "no"}}, {}, "no ConfigMap 'no'"),
        ({"secret": {"secretName": "no"}}, {}, "no Secret 'no'"),
        ({"configMap": {"name": "settings", "items": [{"key": "x", "path": "x"}]}}, {}, "no key 'x'"),
        ({"configMap": {"name": "settings", "items": [{"key": "a", "path": "../x"}]}}, {}, "../x"),
        ({"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}, {}, "serviceAccountToken"),
        ({"hostPath": {"path": "relative"}}, {}, "relative"),
        ({"hostPath": {"path": "/no/such/file", "type": "File"}}, {}, "/no/such/file"),
        ({"persistentVolumeClaim": {"claimName": "../up"}}, {}, "../up"),
        ({"emptyDir": {}}, {"subPath": "../up"}, "../up"),
        ({"emptyDir": {}}, {"name": "other"}, "no volume 'other'"),
    ],
)
def test_what_cannot_be_mounted_is_named(
    bench: AttemptBench, volume: dict[str, Any], more: dict[str, Any], words: str
) -> None:
    bench.add_config_map("settings", a="1")
    container = {"volumeMounts": [{"name": "v", "mountPath": "/v", **more}]}
    with pytest.raises(ArgosyError) as caught:
        prepare(bench.sh("true", container=container, volumes=[{"name": "v", **volume}]), bench.context, bench.options)
    assert words in caught.value.message


def test_a_link_in_a_claim_leads_nowhere_else(bench: AttemptBench) -> None:
    bench.claims.add("disk")
    claim = bench.root / "claims/disk"
    claim.mkdir(parents=True)
    (claim / "out").symlink_to(bench.root)
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "disk"}}]
    with pytest.raises(ArgosyError, match="link out of it"):
        prepare(
            bench.sh("true", container=mounted("v", "/v", subPath="out/x"), volumes=volumes),
            bench.context,
            bench.options,
        )
    inputs = {"artifacts": [{"name": "in", "path": "/v/out/in", "raw": {"data": "x"}}]}
    with pytest.raises(ArgosyError, match="link out of its volume"):
        prepare(
            bench.sh("true", container=mounted("v", "/v"), volumes=volumes, inputs=inputs), bench.context, bench.options
        )
    assert not (bench.root / "in").exists()


def test_secrets_lie_where_others_cannot_look(bench: AttemptBench) -> None:
    bench.add_secret("login", password="hunter2")
    start = bench.sh("true", container=mounted("s", "/s"), volumes=[{"name": "s", "secret": {"secretName": "login"}}])
    pod = prepare(start, bench.context, bench.options)
    folder = bench.context.attempt_folder(start.node)
    assert not [path for path in bench.root.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    kept = Path(secret_folder(bench.context, str(folder)))
    assert kept.is_relative_to("/dev/shm")
    assert (kept / "s" / "password").read_text() == "hunter2"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    # After the machine was started again memory is empty: what was not begun is put there anew.
    shutil.rmtree(kept)
    assert prepare(start, bench.context, bench.options).main.spec == pod.main.spec
    assert (kept / "s" / "password").read_text() == "hunter2"


def test_without_memory_secrets_lie_with_the_attempt(bench: AttemptBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "MEMORY", "/none")
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    bench.add_secret("login", password="hunter2")
    start = bench.sh("true", container=mounted("s", "/s"), volumes=[{"name": "s", "secret": {"secretName": "login"}}])
    prepare(start, bench.context, bench.options)
    folder = bench.context.attempt_folder(start.node) / "secrets"
    assert (folder / "s" / "password").read_text() == "hunter2"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_secret_is_no_part_of_a_path(bench: AttemptBench) -> None:
    bench.add_secret("login", password="hunter2")
    env = [{"name": "P", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}}]
    container = {"env": env, "volumeMounts": [{"name": "v", "mountPath": "/v", "subPathExpr": "a/$(P)"}]}
    with pytest.raises(ArgosyError, match="a variable that is a secret"):
        prepare(
            bench.sh("true", container=container, volumes=[{"name": "v", "emptyDir": {}}]), bench.context, bench.options
        )


@pytest.mark.parametrize(
    ("declared", "left", "optional"),
    [("/tmp", "/mnt/tmp", True), ("/tmp", "/tmp", True), ("/mnt/tmp", "/mnt/tmp", True), ("/tmp", "/mnt/tmp", False)],
)
def test_metrics_are_handed_on_from_either_place(
    declared: str, left: str, optional: bool, isolated_bench: AttemptBench
) -> None:
    """A program of Onepanel's writes them to one of two places; the artifact that is handed on can name one."""
    metrics = {"name": "sys-metrics", "path": f"{declared}/sys-metrics.json", "optional": optional}
    end = isolated_bench.run(
        isolated_bench.sh(
            f"echo '[]' > {left}/sys-metrics.json",
            container=mounted("v", "/mnt/tmp"),
            volumes=[{"name": "v", "emptyDir": {}}],
            outputs={"artifacts": [metrics]},
        )
    )
    assert end.outputs is not None
    assert [one.name for one in end.outputs.artifacts] == (["sys-metrics"] if optional else [])
