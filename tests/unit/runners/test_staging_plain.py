"""Plain attempts: containers, scripts, environments, results, output parameters."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from attempt_bench import AttemptBench

from argosy.errors import ArgosyError, EnvironmentTrouble
from argosy.runners.local.environment import expand
from argosy.runners.local.staging import needs_transfer, prepare


def test_a_container_runs_and_gives_its_exit_code(any_bench: AttemptBench) -> None:
    start = any_bench.sh("echo hello; echo there >&2")
    end = any_bench.run(start)
    assert (end.phase, end.message, end.node) == ("Succeeded", "", start.node)
    assert end.outputs is not None
    assert end.outputs.exit_code == "0"
    assert end.outputs.result is None
    assert any_bench.log(start) == "hello\nthere\n"


def test_a_failure_has_argos_words(any_bench: AttemptBench) -> None:
    end = any_bench.run(any_bench.sh("exit 3"))
    assert (end.phase, end.message) == ("Failed", "main: Error (exit code 3)")
    assert end.outputs is not None
    assert end.outputs.exit_code == "3"


def test_the_result_is_standard_output_without_one_newline(any_bench: AttemptBench) -> None:
    start = any_bench.sh("echo one; echo two; echo; echo no >&2", result=True)
    end = any_bench.run(start)
    assert end.outputs is not None
    assert end.outputs.result == "one\ntwo\n"
    assert any_bench.log(start) == "no\n"


def test_a_long_result_keeps_its_end(process_bench: AttemptBench) -> None:
    end = process_bench.run(process_bench.sh("head -c 300000 /dev/zero | tr '\\0' a; echo end", result=True))
    assert end.outputs is not None
    assert end.outputs.result is not None
    assert len(end.outputs.result) == 256 << 10
    assert end.outputs.result.endswith("aend")


def test_a_script_is_given_to_its_interpreter(any_bench: AttemptBench) -> None:
    script = {
        "image": "docker.io/library/alpine:3.23",
        "command": ["sh", "-e"],
        "source": 'echo "$0"\nfalse\necho no\n',
    }
    start = any_bench.start({"script": script}, result=True)
    end = any_bench.run(start)
    assert end.phase == "Failed"
    assert end.outputs is not None
    folder = any_bench.context.attempt_folder(start.node)
    place = f"{folder}/staging/script" if any_bench.kind == "process" else "/argo/staging/script"
    assert end.outputs.result == place


def test_output_parameters_come_from_files(isolated_bench: AttemptBench) -> None:
    outputs = {
        "parameters": [
            {"name": "a", "valueFrom": {"path": "/tmp/a"}, "globalName": "g"},
            {"name": "b", "valueFrom": {"path": "/tmp/none", "default": "usual\n"}},
            {"name": "c", "valueFrom": {"path": "/tmp/deep/c"}},
        ]
    }
    end = isolated_bench.run(
        isolated_bench.sh("printf 'x\\n\\n' > /tmp/a; mkdir /tmp/deep; printf y > /tmp/deep/c", outputs=outputs)
    )
    assert end.phase == "Succeeded", end.message
    assert end.outputs is not None
    assert {one.name: one.value for one in end.outputs.parameters} == {"a": "x\n", "b": "usual", "c": "y"}
    assert end.outputs.parameters[0].global_name == "g"


def test_a_missing_output_parameter_is_an_error_and_the_others_are_kept(process_bench: AttemptBench) -> None:
    outputs = {"parameters": [{"name": "a", "valueFrom": {"path": "a"}}, {"name": "b", "valueFrom": {"path": "b"}}]}
    end = process_bench.run(process_bench.sh("echo 1 > b", outputs=outputs))
    assert end.phase == "Error"
    assert "output parameter 'a'" in end.message
    assert end.outputs is not None
    assert [one.value for one in end.outputs.parameters] == ["1"]


def test_a_failed_step_keeps_its_own_message_and_its_outputs(process_bench: AttemptBench) -> None:
    outputs = {"parameters": [{"name": "a", "valueFrom": {"path": "a"}}, {"name": "b", "valueFrom": {"path": "b"}}]}
    end = process_bench.run(process_bench.sh("echo 1 > b; exit 1", outputs=outputs))
    assert (end.phase, end.message) == ("Failed", "main: Error (exit code 1)")
    assert end.outputs is not None
    assert [one.value for one in end.outputs.parameters] == ["1"]


def test_a_parameter_is_never_read_from_a_pipe_or_without_end(process_bench: AttemptBench) -> None:
    outputs = {"parameters": [{"name": "a", "valueFrom": {"path": "a"}}]}
    assert "is no file" in process_bench.run(process_bench.sh("mkfifo a", outputs=outputs)).message
    assert (
        "longer than" in process_bench.run(process_bench.sh("head -c 3000000 /dev/zero > a", outputs=outputs)).message
    )


def test_a_plain_process_cannot_have_absolute_paths_of_its_own(process_bench: AttemptBench) -> None:
    outputs = {"parameters": [{"name": "a", "valueFrom": {"path": "/tmp/a"}}]}
    with pytest.raises(EnvironmentTrouble) as caught:
        prepare(process_bench.sh("true", outputs=outputs), process_bench.context, process_bench.options)
    assert "/tmp/a" in caught.value.message
    assert "sandbox" in caught.value.hint


def test_environment_and_expansion(any_bench: AttemptBench) -> None:
    any_bench.add_config_map("settings", colour="blue", size="9")
    any_bench.add_secret("login", password="hunter2")
    container = {
        "env": [
            {"name": "A", "value": "1"},
            {"name": "B", "value": "$(A)2 $$(A) $(C)"},
            {"name": "COLOUR", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "colour"}}},
            {"name": "ABSENT", "valueFrom": {"configMapKeyRef": {"name": "no", "key": "x", "optional": True}}},
            {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}},
            {"name": "URL", "value": "https://me:$(PASSWORD)@host"},
            {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "LABEL", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['team']"}}},
            {"name": "CPUS", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
            {"name": "MEGABYTES", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
        ],
        "envFrom": [{"prefix": "S_", "configMapRef": {"name": "settings"}}, {"secretRef": {"name": "login"}}],
        "resources": {"limits": {"cpu": "1500m", "memory": "512Mi"}},
    }
    script = (
        'echo "$A|$B|$COLOUR|${ABSENT-unset}|$PASSWORD|$URL|$POD|$LABEL|'
        '$CPUS|$MEGABYTES|$S_size|$password|$(COLOUR)|$ARGO_NODE_ID"'
    )
    start = any_bench.sh(script, container=container, metadata={"labels": {"team": "blue"}}, result=True)
    end = any_bench.run(start)
    assert end.outputs is not None
    expected = f"1|12 $(A) $(C)|blue|unset|***|https://me:***@host|{start.pod_name}|blue|2|512|9|***|blue"
    assert end.outputs.result == f"{expected}|{start.node}"
    record = (any_bench.context.attempt_folder(start.node) / "attempt.json").read_text()
    assert "hunter2" not in record
    written = json.loads(record)["containers"][0]
    assert written["secretEnvironment"]["PASSWORD"] == "login/password"
    assert written["environment"]["COLOUR"] == "blue"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"configMapKeyRef": {"name": "no", "key": "x"}}, "no ConfigMap 'no'"),
        ({"configMapKeyRef": {"name": "settings", "key": "x"}}, "has no key 'x'"),
        ({"secretKeyRef": {"name": "no", "key": "x"}}, "no Secret 'no'"),
        ({"fieldRef": {"fieldPath": "spec.nothing"}}, "spec.nothing"),
        ({"resourceFieldRef": {"resource": "limits.disk"}}, "limits.disk"),
    ],
)
def test_what_an_environment_cannot_have_is_said(bench: AttemptBench, source: dict[str, object], words: str) -> None:
    bench.add_config_map("settings", colour="blue")
    start = bench.sh("true", container={"env": [{"name": "A", "valueFrom": source}]})
    with pytest.raises(ArgosyError) as caught:
        prepare(start, bench.context, bench.options)
    assert words in caught.value.message


def test_expansion_is_that_of_kubernetes() -> None:
    values = {"A": "1", "B": "$(A)"}
    assert expand("$(A) $(B) $(C) $$(A) $$$(A) $( $ $x $(A", values) == "1 $(A) $(C) $(A) $1 $( $ $x $(A"


def test_a_program_that_is_not_there_is_the_steps_failure(any_bench: AttemptBench) -> None:
    end = any_bench.run(any_bench.sh("", container={"command": ["no-such-program"]}))
    assert end.phase == "Failed"
    assert end.message.startswith("main: StartError (exit code 127): ")


def test_preparing_twice_touches_nothing(process_bench: AttemptBench) -> None:
    script = {"image": "", "command": ["sh"], "source": "echo 1"}
    start = process_bench.start({"script": script})
    first = prepare(start, process_bench.context, process_bench.options)
    folder = process_bench.context.attempt_folder(start.node)
    before = {path: path.stat().st_mtime_ns for path in Path(folder).rglob("*")}
    again = prepare(start, process_bench.context, process_bench.options)
    assert {path: path.stat().st_mtime_ns for path in Path(folder).rglob("*")} == before
    assert again.begin() == first.begin()


def test_an_unfinished_preparation_is_made_anew(process_bench: AttemptBench) -> None:
    start = process_bench.start({"script": {"image": "", "command": ["sh"], "source": "echo 1"}}, result=True)
    folder = process_bench.context.attempt_folder(start.node)
    (folder / "staging").mkdir(parents=True)
    (folder / "staging" / "script").write_text("echo half")
    end = process_bench.run(start)
    assert end.outputs is not None
    assert end.outputs.result == "1"


def test_only_transfers_go_to_a_thread(bench: AttemptBench) -> None:
    raw = {"artifacts": [{"name": "a", "path": "/tmp/a", "raw": {"data": "x"}}]}
    far = {"artifacts": [{"name": "a", "path": "/tmp/a", "http": {"url": "http://localhost/"}}]}
    assert not needs_transfer(bench.sh("true"))
    assert not needs_transfer(bench.sh("true", inputs=raw))
    assert needs_transfer(bench.sh("true", inputs=far))
