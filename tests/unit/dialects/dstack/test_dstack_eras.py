"""One file of each of dstack's dialects: told apart, and understood."""

from __future__ import annotations

import pytest
from dstack_samples import env, inputs, outputs, read, read_era, requests, source, template, templates

from argosy.dialects.detect import told
from argosy.dialects.dstack.eras import ERAS
from argosy.model.host_templates import HOST
from argosy.model.manifest import NamedData


@pytest.mark.parametrize("era", ERAS)
def test_the_dialect_is_told_from_the_file(era: str) -> None:
    loaded = read_era(era.lower()).checked()
    assert told(loaded.source.text) == "dstack"
    assert {one.value.metadata.annotations["argosy.dev/dstack-dialect"] for one in loaded.documents} == {era}


@pytest.mark.parametrize(
    ("text", "era"),
    [
        ("- {name: a, image: x, commands: [b]}", "A0"),
        ("- {name: a, image: x, dependencies: [], params: [{name: b, default: 1}]}", "A0"),
        ("- {name: a, provider: python, python_script: b.py}", "A1"),
        ("- {name: a, provider: python, file: b.py}", "A2"),
        ("- {name: a, provider: bash, commands: [b], deps: [':c']}", "B1"),
        ("- {name: a, provider: bash, commands: [b], env: [C=1]}", "B2"),
        ("- {name: a, provider: bash, commands: [b]}", "B2"),
        ("- {name: a, provider: bash, commands: b}", "B3"),
        ("- {name: a, provider: bash, commands: [b], cache: [{path: c}]}", "B3"),
    ],
)
def test_signs_of_a_dialect(text: str, era: str) -> None:
    (one,) = read(text).checked().documents
    assert one.value.metadata.annotations["argosy.dev/dstack-dialect"] == era


def test_a0_has_images_templates_and_dollars() -> None:
    loaded = read_era("a0")
    first = template(loaded, "fetch-texts")
    assert first.script is not None
    assert first.script.image == "ubuntu:22.04"
    assert first.metadata is not None
    assert first.metadata.annotations[HOST] == "image"
    assert first.script.source.endswith("\n./fetch.sh {{workflow.parameters.corpus}}\n")
    assert outputs(loaded, "fetch-texts") == {"texts-corpus": "texts/{{workflow.parameters.corpus}}"}
    assert '"$HOME is no variable of ours"' in source(loaded, "count-words")
    # A file is not made as a folder beforehand.
    assert "mkdir -p counts.txt" not in source(loaded, "count-words")
    assert [one.message.partition(":")[0] for one in loaded.diagnostics] == ["triggers", "repo"]


def test_a0_has_names_of_its_own() -> None:
    loaded = read("- {name: a, image: i, commands: ['x $run_name $variables_as_args']}", "a: {batch-size: 1, lr: 2}")
    assert source(loaded, "a").endswith('\nx {{workflow.name}} --batch-size "$BATCH_SIZE" --lr "$LR"\n')


def test_a1_has_scripts_versions_and_maps() -> None:
    loaded = read_era("a1")
    assert "argosy_python '3.10' requirements.txt" in source(loaded, "collect")
    assert source(loaded, "collect").endswith("\npython collect.py\n")
    assert {name: value for name, value in env(loaded, "fit").items() if "workflow" not in str(value)} == {
        "PYTHONPATH": "lib",
        "MAX_ROWS": "100",
    }
    assert requests(loaded, "fit") == {"nvidia.com/gpu": "{{workflow.parameters.cards}}"}
    given = {one.name: one.named for one in inputs(loaded, "fit")}
    assert given == {"collect-rows": None, "dependency-1": NamedData(kind="tag", ref="labels:checked")}


def test_a2_has_arguments_and_torchrun() -> None:
    loaded = read_era("a2")
    assert source(loaded, "sort").endswith(
        "cd -- tools || exit\n\n{\nmkdir -p sorted\n} || exit\n\npython sort.py --by size\n"
    )
    text = source(loaded, "learn")
    assert "--nproc_per_node=2 --master_addr" in text
    assert text.endswith(" learn.py --pictures 'sorted ones'\n")
    assert requests(loaded, "learn") == {"cpu": "4", "memory": "16Gi", "nvidia.com/gpu": "2"}
    assert [one.named for one in inputs(loaded, "learn")] == [NamedData(kind="tag", ref="sort:latest")]


def test_b1_takes_what_ran_before() -> None:
    loaded = read_era("b1")
    assert [(one.path, one.named) for one in inputs(loaded, "drink")] == [
        (".dstack-dependencies/0", NamedData(kind="run", ref="brew")),
        (".dstack-dependencies/1", NamedData(kind="tag", ref="honey")),
    ]
    # B never runs the upstream itself.
    assert [one.name for one in templates(loaded, "drink")] == ["dag", "drink"]


def test_b2_has_objects_and_lists() -> None:
    loaded = read_era("b2")
    assert outputs(loaded, "measure") == {"results": "results", "opt-instruments": "/opt/instruments"}
    assert env(loaded, "measure") == {"PYTHONPATH": "lib", "DEBUG": ""}
    assert "python measure.py {{workflow.parameters.run-args}} --name {{workflow.name}}\n" in source(loaded, "measure")
    assert "argosy_ports 0 0" in source(loaded, "measure")
    assert requests(loaded, "measure") == {"memory": "1.5G", "nvidia.com/gpu": "1"}
    whole, absolute = inputs(loaded, "measure")
    assert whole.named == NamedData(kind="run", ref="calibrate")
    assert (absolute.path, absolute.optional) == ("/opt/instruments", True)
    assert absolute.named == NamedData(kind="run", ref="calibrate", artifact="opt-instruments")


def test_b2_has_a_folder_of_files_whose_first_name_wins() -> None:
    loaded = read_era("b2", "workflows/more.yaml")
    names = [one.value.metadata.annotations["argosy.dev/workflow"] for one in loaded.documents]
    assert names == ["calibrate", "measure"]
    merged = read("- {name: a, provider: bash, commands: [one]}\n- {name: a, provider: bash, commands: [two]}")
    assert len(merged.documents) == 1
    assert "one\n" in source(merged, "a")
    (warning,) = merged.diagnostics
    assert (warning.severity, warning.rule) == ("warning", "dstack-name-twice")


def test_b3_has_setup_and_texts_for_commands() -> None:
    loaded = read_era("b3")
    text = source(loaded, "paint")
    assert text.endswith("\n./mix $COLOUR\n./paint\n")
    assert "\n{\napt list\n} || exit\n\n" in text
    assert "argosy_ports 3000 || exit\n" in text
    paint = template(loaded, "paint")
    assert paint.volumes[0].empty_dir == {"medium": "Memory", "sizeLimit": "64M"}
    assert paint.script is not None
    assert paint.script.volume_mounts[0].mount_path == "/dev/shm"
    assert outputs(loaded, "paint") == {"canvas": "canvas"}
    assert [one.named for one in inputs(loaded, "paint")] == [
        NamedData(kind="tag", ref="primed"),
        NamedData(kind="run", ref="sketch"),
    ]
