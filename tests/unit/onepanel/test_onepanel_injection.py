"""What Onepanel's server puts into a workflow is put in here."""

from __future__ import annotations

import pytest

from argosy.dialects.onepanel.injection import METRICS, VARIABLES, with_places, without_places
from argosy.dialects.onepanel.marks import is_onepanel
from argosy.dialects.onepanel.reader import load
from argosy.model.manifest import Template, Workflow
from argosy.project.onepanel import for_runtime

TEXT = """\
entrypoint: main
templates:
- name: main
  dag: {tasks: [{name: a, template: work}, {name: b, template: tell, dependencies: [a]%s}]}
- name: work
  inputs:
    artifacts:
    - {name: src, path: /src, git: {repo: here}}
    - {name: data, path: /data, gcs: {key: some/data}}
    - {name: far, path: /far, gcs: {bucket: b, key: k}}
  outputs:
    artifacts:
    - {name: model, path: /model, archive: {tar: {}}}
    - {name: kept, path: /kept, s3: {key: my/key}}
  container:
    image: alpine
    command: [sh, -c, 'echo > /mnt/tmp/sys-metrics.json']
    env: [{name: ONEPANEL_PROVIDER, value: own}]
    volumeMounts: [{name: mine, mountPath: /dev/shm}]
  sidecars: [{name: tensorboard, image: tb}]
- name: tell
  script: {image: alpine, command: [sh], source: 'echo > /tmp/sys-metrics.json'}
volumeClaimTemplates:
- metadata: {name: mine}
  spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""
READS = ", arguments: {artifacts: [{name: m, from: '{{tasks.a.outputs.artifacts.sys-metrics}}'}]}"


def read(more: str = "") -> Workflow:
    (document,) = load(TEXT % more, "a.yaml").documents
    assert isinstance(document.value, Workflow)
    return document.value


def templates(workflow: Workflow) -> tuple[Template, Template]:
    work, tell = workflow.spec.templates[1:]
    return work, tell


def metrics(template: Template) -> list[str]:
    artifacts = template.outputs.artifacts if template.outputs is not None else ()
    return [one.path for one in artifacts if one.name == METRICS and one.optional]


def test_variables_never_replace_those_of_the_template() -> None:
    work, tell = templates(read())
    assert work.container is not None
    assert tell.script is not None
    own = {one.name: one.value for one in work.container.env}
    assert own == {**VARIABLES, "ONEPANEL_PROVIDER": "own"}
    assert {one.name: one.value for one in tell.script.env} == VARIABLES
    assert VARIABLES["ONEPANEL_RESOURCE_UID"] == "{{workflow.name}}"
    assert VARIABLES["ONEPANEL_RESOURCE_NAMESPACE"] == "{{workflow.namespace}}"
    references = [one.config_map_ref or one.secret_ref for one in tell.script.env_from]
    assert [(one.name, one.optional) for one in references if one is not None] == [("onepanel-default-env", True)] * 2


def test_artifacts() -> None:
    work, _ = templates(read())
    assert work.inputs is not None
    assert work.outputs is not None
    src, data, far = work.inputs.artifacts
    assert src.git == {"repo": "here"}
    assert (data.s3, data.gcs) == ({"key": "some/data"}, None)
    assert far.gcs == {"bucket": "b", "key": "k"}
    model, kept = work.outputs.artifacts
    assert model.s3 == {"key": "artifacts/{{workflow.namespace}}/{{workflow.name}}/{{pod.name}}/model"}
    assert kept.s3 == {"key": "my/key"}
    for one in (*work.inputs.artifacts, *work.outputs.artifacts):
        assert one.archive is not None
        assert one.archive.none == {}
        assert one.archive.tar is None


def test_sidecars_for_people_see_the_files_of_the_step() -> None:
    work, _ = templates(read())
    assert not work.sidecars[0].mirror_volume_mounts
    shown, _ = templates(shown_at(6006))
    assert shown.sidecars[0].mirror_volume_mounts


def shown_at(port: int) -> Workflow:
    text = TEXT.replace("{name: tensorboard, image: tb}", SHOWN % ("tensorboard", port))
    (document,) = load(text % "", "a.yaml").documents
    assert isinstance(document.value, Workflow)
    return document.value


def test_a_step_says_where_its_sidecar_is() -> None:
    work, tell = templates(shown_at(6006))
    assert work.outputs is not None
    assert [(one.name, one.value) for one in work.outputs.parameters] == [
        ("sys-sidecar-url--tensorboard", "http://localhost:6006")
    ]
    assert tell.outputs is None


def test_a_sidecar_for_people_has_a_port() -> None:
    sidecar = "{name: tb, image: tb, env: [{name: ONEPANEL_INTERACTIVE_SIDECAR, value: 'true'}]}"
    (found,) = load(TEXT.replace("{name: tensorboard, image: tb}", sidecar) % "", "a.yaml").diagnostics
    assert (found.rule, found.severity) == ("onepanel-sidecar", "error")
    assert found.message == "sidecar tb must have at least one port."
    assert found.span is not None
    assert found.span.line == 20


def test_sidecars_of_one_name_have_an_address_each() -> None:
    text = TEXT.replace("{name: tensorboard, image: tb}", SHOWN % ("tb", 6006)) % ""
    text = text.replace("sys-metrics.json'}\nvol", f"sys-metrics.json'}}\n  sidecars: [{SHOWN % ('tb', 6007)}]\nvol")
    (document,) = load(text, "a.yaml").documents
    assert isinstance(document.value, Workflow)
    arguments = document.value.spec.arguments
    assert arguments is not None
    assert [one.value for one in arguments.parameters] == ["http://localhost:6006, http://localhost:6007"]


def test_addresses_of_sidecars_for_people() -> None:
    sidecar = "{name: tensorboard, image: tb, ports: [{containerPort: 6006}], env: [{name: %s, value: 'true'}]}"
    text = TEXT.replace("{name: tensorboard, image: tb}", sidecar % "ONEPANEL_INTERACTIVE_SIDECAR")
    (document,) = load(text % "", "a.yaml").documents
    assert isinstance(document.value, Workflow)
    arguments = document.value.spec.arguments
    assert arguments is not None
    assert [(one.name, one.value) for one in arguments.parameters] == [
        ("sys-sidecar-url--tensorboard", "http://localhost:6006")
    ]
    assert read().spec.arguments is None


SHOWN = (
    "{name: %s, image: tb, ports: [{containerPort: %s}], env: [{name: ONEPANEL_INTERACTIVE_SIDECAR, value: 'true'}]}"
)


@pytest.mark.parametrize(
    ("first", "second", "task", "message"),
    [
        (SHOWN % ("tb", 6006), SHOWN % ("tb", 6007), "", ""),
        (SHOWN % ("tb", 6006), "{name: tb, image: tb, ports: [{containerPort: 6006}]}", "", ""),
        (SHOWN % ("tb", 6006), SHOWN % ("tb", 6006), "", ""),
        (SHOWN % ("tb", 6006), SHOWN % ("tb", 6006), "}, {name: c, template: tell, depends: a && b.Succeeded", ""),
        (
            SHOWN % ("tb", 6006),
            SHOWN % ("tb", 6006),
            "}, {name: c, template: tell",
            "the sidecars tb of work and tb of tell answer at http://localhost:6006",
        ),
        (
            SHOWN % ("a", 80),
            SHOWN % ("b", 80),
            "}, {name: c, template: tell",
            "the sidecars a of work and b of tell answer",
        ),
        (SHOWN % ("a", 80), "", "}, {name: c, template: work", "the sidecars a of the tasks that call work answer"),
        ("", SHOWN % ("b", 80), ", withItems: [1, 2]", "the sidecars b of the tasks that call tell answer"),
    ],
)
def test_sidecars_that_want_one_port(first: str, second: str, task: str, message: str) -> None:
    text = TEXT.replace("{name: tensorboard, image: tb}", first) % task
    text = text.replace("source: 'echo > /tmp/sys-metrics.json'}", f"source: ls}}\n  sidecars: [{second}]")
    found = [one for one in load(text, "a.yaml").diagnostics if one.rule == "onepanel-sidecar"]
    assert len(found) == bool(message)
    assert all(message in one.message and one.span is not None and one.severity == "warning" for one in found)


def test_metrics_that_are_handed_on() -> None:
    assert [metrics(one) for one in templates(read())] == [[], []]
    assert [metrics(one) for one in templates(read(READS))] == [
        ["/mnt/tmp/sys-metrics.json"],
        ["/tmp/sys-metrics.json"],
    ]


def test_places() -> None:
    spec = with_places(read().spec)
    work, tell = spec.templates[1:]
    assert [one.name for one in spec.volumes] == ["sys-dshm", "tmp"]
    assert [one.empty_dir for one in spec.volumes] == [{"medium": "Memory"}, {"medium": ""}]
    assert work.container is not None
    assert [(one.name, one.mount_path) for one in work.container.volume_mounts] == [
        ("mine", "/dev/shm"),
        ("tmp", "/mnt/tmp"),
    ]
    assert tell.script is not None
    assert tell.script.volume_mounts == ()
    assert [metrics(one) for one in (work, tell)] == [["/mnt/tmp/sys-metrics.json"], ["/tmp/sys-metrics.json"]]
    assert with_places(spec) == spec


def test_places_are_taken_out_again() -> None:
    plain = read().spec
    back = without_places(with_places(plain))
    assert back.volumes == ()
    assert [one.container for one in back.templates] == [one.container for one in plain.templates]
    assert [metrics(one) for one in back.templates] == [[], [], []]
    handed_on = without_places(with_places(read(READS).spec))
    assert metrics(handed_on.templates[1])


def test_only_onepanels_workflows_are_changed() -> None:
    workflow = read()
    assert is_onepanel(workflow)
    assert for_runtime(workflow, "process").spec.volumes == ()
    assert len(for_runtime(workflow, "podman").spec.volumes) == 2
    other = Workflow(kind="Workflow", metadata=workflow.metadata, spec=type(workflow.spec)(entrypoint="main"))
    assert for_runtime(other, "podman") is other
