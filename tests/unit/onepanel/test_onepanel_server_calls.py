"""Steps that call Onepanel's server."""

from __future__ import annotations

from argosy.dialects.onepanel.reader import load
from argosy.model.manifest import Template, Workflow

TEXT = """\
entrypoint: main
templates:
- name: main
  dag: {tasks: [{name: a, template: writer}]}
- name: writer
  inputs:
    artifacts:
    - {name: sys-metrics, path: /tmp/sys-metrics.json}
    - {name: src, path: /mnt/src, git: {repo: here}}
    - {name: other, path: /mnt/other, git: {repo: there}}
  container:
    image: onepanel/python-sdk:v0.19.0
    command: [python, -u]
    args: %s
"""


def read(args: str) -> tuple[Template, list[tuple[str, str, int]]]:
    loaded = load(TEXT % args, "a.yaml")
    (document,) = loaded.documents
    assert isinstance(document.value, Workflow)
    found = [(one.rule, one.severity, one.span.line) for one in loaded.diagnostics if one.span is not None]
    return document.value.spec.templates[1], found


def test_the_metrics_writer_prints() -> None:
    for args in (
        "[/mnt/src/tasks/metrics-writer/main.py, --from_file=/tmp/sys-metrics.json]",
        "[/mnt/src/tasks/metrics-writer/main.py, --from_file, /tmp/sys-metrics.json]",
    ):
        template, found = read(args)
        assert template.container is not None
        assert template.inputs is not None
        assert (template.container.command, template.container.args) == (("cat",), ("/tmp/sys-metrics.json",))
        assert [one.name for one in template.inputs.artifacts] == ["sys-metrics", "other"]
        assert found == [("onepanel-server", "note", 12)]


def test_other_programs_are_left_and_told_of() -> None:
    for args in ("[/mnt/src/main.py]", "[/mnt/src/tasks/metrics-writer/main.py]", "[-c, import onepanel.core.api]"):
        template, found = read(args)
        assert template.container is not None
        assert template.inputs is not None
        assert template.container.command == ("python", "-u")
        assert len(template.inputs.artifacts) == 3
        assert found == [("onepanel-server", "warning", 12)]
