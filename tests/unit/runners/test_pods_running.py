"""Pods of several containers with real processes: sidecars, init containers, container sets, patches, security."""

from __future__ import annotations

import time
from typing import Any

import pytest
from attempt_bench import IMAGE, AttemptBench

from argosy.errors import ArgosyError
from argosy.model.manifest import Template
from argosy.runners.local.collecting import collect
from argosy.runners.local.patches import merge
from argosy.runners.local.staging import prepare


def shell(name: str, script: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "image": IMAGE, "command": ["sh", "-c"], "args": [script], **more}


VOLUME = {"volumes": [{"name": "v", "emptyDir": {}}]}
MOUNT = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}


def test_init_containers_and_sidecars_share_volumes_with_main(isolated_bench: AttemptBench) -> None:
    start = isolated_bench.sh(
        "cat /v/first; while ! test -e /v/there; do sleep 0.05; done; echo main",
        container=MOUNT,
        initContainers=[shell("first", "echo first > /v/first", mirrorVolumeMounts=True)],
        sidecars=[shell("beside", "echo started; touch /v/there; sleep 60", **MOUNT)],
        result=True,
        **VOLUME,
    )
    end = isolated_bench.run(start)
    assert (end.phase, end.message) == ("Succeeded", "")
    assert end.outputs is not None
    assert end.outputs.result == "first\nmain"
    assert isolated_bench.log(start, "beside") == "started\n"
    assert isolated_bench.log(start, "first") == ""


def test_a_sidecar_sees_main_inputs_if_it_mirrors_its_mounts(isolated_bench: AttemptBench) -> None:
    inputs = {"artifacts": [{"name": "in", "path": "/in", "raw": {"data": "given"}}]}
    sidecar = shell("beside", "cat /in; sleep 60", mirrorVolumeMounts=True)
    start = isolated_bench.sh("sleep 1; cat /in", inputs=inputs, sidecars=[sidecar])
    assert isolated_bench.run(start).phase == "Succeeded"
    assert isolated_bench.log(start, "beside") == "given"


def test_main_reaches_its_sidecar_at_localhost(podman_bench: AttemptBench) -> None:
    sidecar = shell("server", "mkdir -p /tmp/w; echo page > /tmp/w/x; httpd -f -p 127.0.0.1:18099 -h /tmp/w")
    script = "for i in 1 2 3 4 5 6 7 8 9; do wget -q -O - http://127.0.0.1:18099/x && exit; sleep 0.5; done; exit 1"
    end = podman_bench.run(podman_bench.sh(script, sidecars=[sidecar], result=True))
    assert end.outputs is not None
    assert (end.phase, end.outputs.result) == ("Succeeded", "page")


def test_a_container_set_with_outputs_of_main(isolated_bench: AttemptBench) -> None:
    start = isolated_bench.start(
        {
            **VOLUME,
            "containerSet": {
                **MOUNT,
                "containers": [
                    shell("a", "echo a >> /v/log; echo own > /tmp/own"),
                    shell("b", "echo b >> /v/log; test ! -e /tmp/own", dependencies=["a"]),
                    shell("main", "echo said; echo main >> /v/log", dependencies=["b"]),
                ],
            },
            "outputs": {"parameters": [{"name": "log", "valueFrom": {"path": "/v/log"}}]},
        },
        result=True,
    )
    end = isolated_bench.run(start)
    assert end.phase == "Succeeded", end.message
    assert end.outputs is not None
    assert (end.outputs.parameters[0].value, end.outputs.result, end.outputs.exit_code) == ("a\nb\nmain", "said", "0")
    assert [(one.name, one.phase) for one in end.containers] == [
        ("a", "Succeeded"),
        ("b", "Succeeded"),
        ("main", "Succeeded"),
    ]


def test_a_container_of_a_set_finds_its_files_when_it_is_tried_again(any_bench: AttemptBench) -> None:
    script = "echo try; test -f mark && exit 0; touch mark; exit 1"
    strategy = {"retries": 2, "duration": "1ms"}
    start = any_bench.start({"containerSet": {"containers": [shell("a", script)], "retryStrategy": strategy}})
    end = any_bench.run(start)
    assert end.phase == "Succeeded", (end.message, any_bench.log(start, "a"))
    assert any_bench.log(start, "a") == "try\ntry\n"


def test_a_try_waits_as_long_as_it_should(process_bench: AttemptBench) -> None:
    strategy = {"retries": 1, "duration": "300ms"}
    start = process_bench.start({"containerSet": {"containers": [shell("a", "exit 1")], "retryStrategy": strategy}})
    begun = time.monotonic()
    assert process_bench.run(start).phase == "Failed"
    assert 0.3 <= time.monotonic() - begun < 20


def test_a_try_that_still_waits_can_be_stopped(process_bench: AttemptBench) -> None:
    runner = process_bench.start_runner()
    strategy = {"retries": 1, "duration": "1h"}
    start = process_bench.start({"containerSet": {"containers": [shell("a", "exit 1")], "retryStrategy": strategy}})
    pod = prepare(start, process_bench.context, process_bench.options)
    runner.start(pod.begin())
    while not (exits := runner.wait(5)):
        pass
    runner.start(pod.exited(exits[0]).start)
    assert runner.wait(0) == []
    for id in pod.stop():
        runner.stop(id, 1.0)
    process_bench.finish(pod)
    assert collect(start, pod, process_bench.context, process_bench.options).phase == "Failed"


def test_tries_of_a_set_that_make_no_sense_are_refused(bench: AttemptBench) -> None:
    for strategy in ({"retries": "many"}, {"retries": 1, "duration": "soon"}):
        start = bench.start({"containerSet": {"containers": [shell("a", "true")], "retryStrategy": strategy}})
        with pytest.raises(ArgosyError):
            prepare(start, bench.context, bench.options)


def test_patches_of_the_workflow_and_the_template(any_bench: AttemptBench) -> None:
    any_bench.spec = {
        "arguments": {"parameters": [{"name": "mem", "value": "64Mi"}]},
        "podSpecPatch": """
            containers:
            - name: main
              resources:
                limits:
                  memory: "{{workflow.parameters.mem}}"
              env: [{name: A, value: patched}, {name: B, value: new}]
        """,
    }
    patch = '{"terminationGracePeriodSeconds": 7, "activeDeadlineSeconds": 60, "nodeSelector": {"x": "y"}, '
    patch += '"containers":[{"name":"main", "args": ["echo $A$B$C"]}]}'
    container = {"env": [{"name": "A", "value": "old"}, {"name": "C", "value": "kept"}]}
    start = any_bench.sh("echo no", container=container, podSpecPatch=patch, result=True)
    pod = prepare(start, any_bench.context, any_bench.options)
    assert (pod.grace_seconds, pod.deadline_seconds, pod.main.spec.memory_bytes) == (7, 60, 64 << 20)
    end = any_bench.run(start)
    assert end.outputs is not None
    assert end.outputs.result == "patchednewkept"


def test_a_patch_can_add_a_sidecar_an_init_container_and_a_volume(isolated_bench: AttemptBench) -> None:
    patch = (
        "{volumes: [{name: v, emptyDir: {}}], "
        "initContainers: [{name: first, image: 'docker.io/library/alpine:3.23', command: [sh, -c, 'echo 1 > /v/x'], "
        "volumeMounts: [{name: v, mountPath: /v}]}], "
        "containers: [{name: wait, resources: {limits: {memory: 1Gi}}}, {name: beside, command: [sleep, '60'], "
        "image: 'docker.io/library/alpine:3.23'}, {name: main, volumeMounts: [{name: v, mountPath: /v}]}]}"
    )
    start = isolated_bench.sh("cat /v/x", podSpecPatch=patch, result=True)
    end = isolated_bench.run(start)
    assert end.phase == "Succeeded", end.message
    assert end.outputs is not None
    assert end.outputs.result == "1"
    assert [piece.name for piece in prepare(start, isolated_bench.context, isolated_bench.options).pieces()] == [
        "first",
        "beside",
        "main",
    ]


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        ("[1, 2]", "one mapping"),
        ("{a: ", "cannot be read"),
        ("ephemeralContainers: []", "ephemeralContainers"),
        ("shareProcessNamespace: true", "shareProcessNamespace"),
        ("containers: [{name: main, image: [1]}]", "not valid"),
        ("containers: [{name: main, $patch: explode}]", "$patch: explode"),
        ("terminationGracePeriodSeconds: soon", "terminationGracePeriodSeconds"),
        ("containers: [{name: main, $patch: delete}]", "not valid"),
    ],
)
def test_a_patch_that_cannot_be_done_is_refused_by_name(bench: AttemptBench, patch: str, words: str) -> None:
    with pytest.raises(ArgosyError) as caught:
        prepare(bench.sh("true", podSpecPatch=patch), bench.context, bench.options)
    assert words in caught.value.message


def test_merging_is_strategic() -> None:
    base = {"containers": [{"name": "a", "args": ["1"], "env": [{"name": "X", "value": "1"}]}, {"name": "b"}], "x": 1}
    patch = {
        "containers": [
            {"name": "b", "$patch": "delete"},
            {"name": "a", "args": ["2"], "env": [{"name": "Y", "value": "2"}], "image": "i"},
            {"name": "c", "args": []},
        ],
        "x": None,
        "y": {"z": 1},
    }
    assert merge(base, patch) == {
        "containers": [
            {
                "name": "a",
                "args": ["2"],
                "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}],
                "image": "i",
            },
            {"name": "c", "args": []},
        ],
        "y": {"z": 1},
    }
    assert merge({"containers": [{"name": "a"}]}, {"containers": [{"$patch": "replace"}, {"name": "n"}]}) == {
        "containers": [{"name": "n"}]
    }
    assert merge({"resources": {"limits": {"a": 1}}}, {"resources": {"$patch": "replace", "b": 1}}) == {
        "resources": {"b": 1}
    }
    assert merge({"resources": {"limits": {"a": 1}}}, {"resources": {"$patch": "delete"}}) == {}


def test_the_pods_security_context_stands_behind_the_containers(bench: AttemptBench) -> None:
    bench.spec = {"securityContext": {"runAsUser": 8737, "runAsNonRoot": True, "fsGroup": 77}}
    start = bench.sh("true", container={"securityContext": {"runAsUser": 1000}})
    security = prepare(start, bench.context, bench.options).main.spec.security
    assert security == {"runAsUser": 1000, "runAsNonRoot": True, "supplementalGroups": [77]}
    start = bench.sh("true", securityContext={"runAsGroup": 5})
    assert prepare(start, bench.context, bench.options).main.spec.security == {"runAsGroup": 5}


def test_another_user_can_write_its_outputs(podman_bench: AttemptBench) -> None:
    podman_bench.spec = {"securityContext": {"runAsUser": 8737, "runAsNonRoot": True}}
    outputs = {
        "parameters": [{"name": "a", "valueFrom": {"path": "/tmp/a"}}, {"name": "b", "valueFrom": {"path": "/v/b"}}]
    }
    script = {"image": IMAGE, "command": ["sh"], "source": "id -u > /tmp/a; echo b > /v/b; cat /argo/staging/script"}
    start = podman_bench.start({"script": {**script, **MOUNT}, "outputs": outputs, **VOLUME})
    end = podman_bench.run(start)
    assert end.phase == "Succeeded", (end.message, podman_bench.log(start))
    assert end.outputs is not None
    assert [one.value for one in end.outputs.parameters] == ["8737", "b"]


def test_gpus_go_to_those_who_ask(bench: AttemptBench) -> None:
    import msgspec

    options = msgspec.structs.replace(bench.options, gpus=(1, 3))
    asks = {"resources": {"limits": {"nvidia.com/gpu": "1"}}}
    start = bench.sh("true", sidecars=[shell("s", "true", **asks), shell("t", "true")])
    pod = prepare(start, bench.context, options)
    assert [piece.spec.gpus for piece in pod.pieces()] == [(1, 3), (), (1, 3)]


def test_a_template_without_a_container_is_refused(bench: AttemptBench) -> None:
    start = bench.start({"suspend": {}})
    assert isinstance(start.template, Template)
    with pytest.raises(ArgosyError, match="no container"):
        prepare(start, bench.context, bench.options)
