"""Reading manifests: kinds, versions, lists of objects, old spellings."""

import time

import pytest

from argosy.dialects import argo
from argosy.errors import InvalidFile
from argosy.model import manifest

HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: a}\n"
SPEC = "spec:\n  entrypoint: main\n  templates:\n  - name: main\n    container: {image: alpine}\n"


def found(text: str, **options: bool) -> list[tuple[str, str, str]]:
    return [(one.rule, one.severity, one.hint) for one in argo.load(text, "w.yaml", **options).diagnostics]


def test_hello() -> None:
    loaded = argo.load(HEAD + SPEC, "w.yaml")
    assert loaded.diagnostics == ()
    assert loaded.ok
    [document] = loaded.checked().documents
    assert isinstance(document.value, manifest.Workflow)
    assert document.value.spec.templates[0].container == manifest.Container(image="alpine")
    assert str(document.source_map.span(("spec", "templates", 0, "name"))) == "w.yaml:7:11"


def test_several_documents_empty_ones_aside() -> None:
    config = "---\n# nothing\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: 1}\n---\n"
    documents = argo.load(HEAD + SPEC + config, "w.yaml").checked().documents
    assert [type(document.value) for document in documents] == [manifest.Workflow, manifest.ConfigMap]
    assert [document.index for document in documents] == [0, 1]


def test_list_of_objects() -> None:
    items = "".join(f"- apiVersion: v1\n  kind: ConfigMap\n  metadata: {{name: c{i}}}\n" for i in range(3))
    documents = argo.load("apiVersion: v1\nkind: List\nitems:\n" + items, "w.yaml").checked().documents
    assert [document.value.metadata.name for document in documents] == ["c0", "c1", "c2"]
    assert [document.index for document in documents] == [0, 1, 2]
    assert documents[1].source_map.span(("metadata", "name")).line == 9


@pytest.mark.parametrize(
    ("text", "rule", "hint"),
    [
        ("", "file-empty", "a Workflow starts with `kind: Workflow`"),
        ("# only a comment\n", "file-empty", "a Workflow starts with `kind: Workflow`"),
        ("just text", "kind-missing", "a manifest is a mapping with `apiVersion`, `kind`, `metadata` and `spec`"),
        ("Kind: Workflow\n", "kind-missing", "did you mean `kind` where `Kind` stands?"),
        ("apiVersion: v1\nkind: Wrkflow\n", "kind-unknown", "did you mean `Workflow`?"),
        ("apiVersion: v1\nkind: [a]\n", "field-type", ""),
        ("apiVersion: apps/v1\nkind: Deployment\n", "kind-refused", "use a template with `daemon: true`"),
        (HEAD.replace("v1alpha1", "v1") + SPEC, "api-version", "write `apiVersion: argoproj.io/v1alpha1`"),
        ("kind: Workflow\nmetadata: {}\n" + SPEC, "api-version", "add `apiVersion: argoproj.io/v1alpha1`"),
        ("apiVersion: v1\nkind: List\n", "field-missing", "add `items: [...]`"),
    ],
)
def test_refused(text: str, rule: str, hint: str) -> None:
    assert found(text) == [(rule, "error", hint)]


def test_a_list_does_not_nest() -> None:
    text = '{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "List", "items": []}]}'
    assert not argo.load(text, "w.json").documents
    assert [rule for rule, _, _ in found(text)] == ["kind-refused"]


def test_workflow_without_its_kind() -> None:
    loaded = argo.load("metadata: {name: a}\n" + SPEC, "w.yaml")
    assert {(one.rule, one.severity) for one in loaded.diagnostics} == {
        ("kind-missing", "warning"),
        ("api-version", "warning"),
    }
    value = loaded.documents[0].value
    assert (value.kind, value.api_version) == ("Workflow", "argoproj.io/v1alpha1")


def test_old_spellings_are_read_with_a_warning() -> None:
    text = (
        HEAD + SPEC + "  synchronization:\n    mutex: {name: m}\n    semaphore: {configMapKeyRef: {name: c, key: k}}\n"
    )
    loaded = argo.load(text, "w.yaml")
    assert [(one.rule, one.severity, one.hint) for one in loaded.diagnostics] == [
        ("field-older", "warning", "write `mutexes: [...]`"),
        ("field-older", "warning", "write `semaphores: [...]`"),
    ]
    value = loaded.documents[0].value
    assert isinstance(value, manifest.Workflow)
    assert value.spec.synchronization is not None
    assert value.spec.synchronization.mutexes == (manifest.Mutex(name="m"),)
    assert value.spec.synchronization.semaphores[0].config_map_key_ref is not None


def test_old_and_new_spelling_together_are_an_error() -> None:
    text = HEAD + SPEC + "  synchronization: {mutex: {name: m}, mutexes: [{name: o}]}\n"
    assert found(text) == [("field-unknown", "error", "`mutexes` stands here already; remove this one")]


def test_schedule_of_old() -> None:
    text = (
        "apiVersion: argoproj.io/v1alpha1\nkind: CronWorkflow\nmetadata: {name: a}\n"
        "spec:\n  schedule: '* * * * *'\n  workflowSpec: {entrypoint: main}\n"
    )
    loaded = argo.load(text, "w.yaml")
    assert [one.rule for one in loaded.diagnostics] == ["field-older"]
    value = loaded.documents[0].value
    assert isinstance(value, manifest.CronWorkflow)
    assert value.spec.schedules == ("* * * * *",)


def test_loose_reading_warns_of_unknown_fields() -> None:
    text = HEAD + SPEC.replace("entrypoint", "entryPoint") + "  nonsense: 1\n"
    assert [(rule, severity) for rule, severity, _ in found(text)] == [("field-unknown", "error")] * 2
    loaded = argo.load(text, "w.yaml", strict=False)
    assert [(one.rule, one.severity) for one in loaded.diagnostics] == [("field-unknown", "warning")] * 2
    value = loaded.documents[0].value
    assert isinstance(value, manifest.Workflow)
    assert value.spec.entrypoint == "main"


def test_checked_raises_with_all_diagnostics() -> None:
    loaded = argo.load(HEAD + SPEC + "  a: 1\n  b: 1\n", "w.yaml")
    assert not loaded.ok
    with pytest.raises(InvalidFile, match=r"w.yaml: a workflow's spec has no field `a` \(and 1 more\)") as caught:
        loaded.checked()
    assert caught.value.diagnostics == loaded.diagnostics
    assert caught.value.exit_code == 3


def test_a_bad_document_does_not_hide_the_others() -> None:
    loaded = argo.load(HEAD + SPEC + "---\nkind: Job\n---\n" + HEAD + SPEC, "w.yaml")
    assert [document.index for document in loaded.documents] == [0, 2]
    assert [one.rule for one in loaded.diagnostics] == ["kind-refused"]


def test_a_large_file_is_read_in_little_time() -> None:
    """A megabyte: some 8,000 tasks with dependencies and arguments."""
    tasks = "".join(
        f"      - name: t{i}\n        template: main\n        dependencies: [t{i // 2}]\n"
        f"        arguments: {{parameters: [{{name: x, value: {i}}}]}}\n"
        for i in range(7900)
    )
    text = HEAD + SPEC + "  - name: dag\n    dag:\n      tasks:\n" + tasks
    start = time.process_time()
    value = argo.load(text, "w.yaml").checked().documents[0].value
    assert time.process_time() - start < 2
    assert isinstance(value, manifest.Workflow)
    assert value.spec.templates[1].dag is not None
    assert len(value.spec.templates[1].dag.tasks) == 7900
