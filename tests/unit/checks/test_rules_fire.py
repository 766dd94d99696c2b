"""Each rule of lint: a manifest that breaks it is found out, at the place that is wrong."""

import msgspec
import pytest
import yaml

from argosy.checks.catalog import BEFORE_RUN, DocumentCatalog
from argosy.checks.check import check
from argosy.checks.rules import RULES
from argosy.model import manifest

C = "container: {image: x}"
HOST = "metadata: {annotations: {argosy.dev/host: 'true'}}"
# rule -> (fields of the spec besides `entrypoint: a`, or of the whole document if it has a kind; last keys of the path)
BROKEN = {
    "name-missing": ("templates: [{container: {image: x}}]", ("templates", 0, "name")),
    "name-invalid": ("templates: [{name: a_b, container: {image: x}}]", ("templates", 0, "name")),
    "name-duplicate": (f"templates: [{{name: a, {C}}}, {{name: a, {C}}}]", ("templates", 1, "name")),
    "name-too-long": (f"{{kind: Workflow, metadata: {{name: {'n' * 64}}}, spec: {{}}}}", ("metadata", "name")),
    "template-type-missing": ("templates: [{name: a}]", ("templates", 0)),
    "template-type-several": (f"templates: [{{name: a, {C}, suspend: {{}}}}]", ("suspend",)),
    "entrypoint-missing": (f"{{entrypoint: '', templates: [{{name: a, {C}}}]}}", ("spec",)),
    "templates-with-reference": (
        f"{{workflowTemplateRef: {{name: t}}, templates: [{{name: a, {C}}}]}}",
        ("templates",),
    ),
    "pod-gc-invalid": ("podGC: {strategy: OnPodComplete}", ("podGC", "strategy")),
    "pod-resources-invalid": ("podResources: {limits: {nvidia.com/gpu: 1}}", ("limits", "nvidia.com/gpu")),
    "executor-plugins-invalid": ("executorPlugins: [{spec: {}}]", ("executorPlugins", 0)),
    "template-undefined": (f"templates: [{{name: b, {C}}}]", ("entrypoint",)),
    "reference-unknown": ("workflowTemplateRef: {name: t}", ("workflowTemplateRef",)),
    "reference-incomplete": ("templates: [{name: a, steps: [[{name: s, templateRef: {name: t}}]]}]", ("templateRef",)),
    "call-ambiguous": (
        "templates: [{name: a, steps: [[{name: s, template: a, templateRef: {name: t, template: u}}]]}]",
        ("templateRef",),
    ),
    "call-empty": ("templates: [{name: a, steps: [[{name: s}]]}]", ("steps", 0, 0)),
    "hook-expression-missing": (f"{{hooks: {{go: {{template: a}}}}, templates: [{{name: a, {C}}}]}}", ("hooks", "go")),
    "argument-not-supplied": (
        f"templates: [{{name: a, inputs: {{parameters: [{{name: p}}]}}, {C}}}]",
        ("entrypoint",),
    ),
    "argument-without-value": ("arguments: {parameters: [{name: p}]}", ("parameters", 0)),
    "argument-source": ("arguments: {parameters: [{name: p, valueFrom: {path: /p}}]}", ("valueFrom",)),
    "enum-empty": ("arguments: {parameters: [{name: p, value: v, enum: []}]}", ("enum",)),
    "enum-mismatch": ("arguments: {parameters: [{name: p, value: v, enum: [w]}]}", ("value",)),
    "artifact-without-source": ("arguments: {artifacts: [{name: f}]}", ("artifacts", 0)),
    "artifact-two-sources": ("arguments: {artifacts: [{name: f, from: x, fromExpression: y}]}", ("artifacts", 0)),
    "argument-unknown": (
        f"templates: [{{name: a, steps: [[{{name: s, template: b, "
        f"arguments: {{parameters: [{{name: p, value: v}}]}}}}]]}}"
        f", {{name: b, {C}}}]",
        ("parameters", 0),
    ),
    "unresolved-reference": ("templates: [{name: a, container: {image: '{{inputs.parameters.no}}'}}]", ("image",)),
    "missing-dependency": (
        "templates: [{name: a, dag: {tasks: [{name: A, template: b}, {name: B, template: b, arguments: {parameters: "
        f"[{{name: p, value: '{{{{tasks.A.outputs.result}}}}'}}]}}}}]}}}}, {{name: b, {C}}}]",
        ("value",),
    ),
    "unordered-reference": (
        "templates: [{name: a, dag: {tasks: [{name: A, template: b}, {name: B, template: b, "
        f"when: '{{{{tasks.A.outputs.result}}}} == x'}}]}}}}, {{name: b, {C}}}]",
        ("when",),
    ),
    "item-outside-loop": ("templates: [{name: a, container: {image: '{{item}}'}}]", ("image",)),
    "tag-unclosed": ("templates: [{name: a, container: {image: '{{inputs.parameters.x}'}}]", ("image",)),
    "tag-mistyped": ("templates: [{name: a, container: {image: '{{input.parameters.x}}'}}]", ("image",)),
    "expression-invalid": ("templates: [{name: a, container: {image: '{{= 1 + }}'}}]", ("image",)),
    "expression-unresolved": ("templates: [{name: a, container: {image: '{{= inputs.parameters.no }}'}}]", ("image",)),
    "when-invalid": (
        f"templates: [{{name: a, steps: [[{{name: s, template: b, when: 'x = y'}}]]}}, {{name: b, {C}}}]",
        ("when",),
    ),
    "dag-empty": ("templates: [{name: a, dag: {tasks: []}}]", ("tasks",)),
    "dag-cycle": (
        "templates: [{name: a, dag: {tasks: [{name: A, template: a, dependencies: [B]}, "
        "{name: B, template: a, dependencies: [A]}]}}]",
        ("tasks", 0),
    ),
    "dependency-undefined": (
        "templates: [{name: a, dag: {tasks: [{name: A, template: a, depends: B}]}}]",
        ("depends",),
    ),
    "depends-invalid": ("templates: [{name: a, dag: {tasks: [{name: A, template: a, depends: A &&}]}}]", ("depends",)),
    "depends-without-items": (
        "templates: [{name: a, dag: {tasks: [{name: A, template: a}, {name: B, template: a, depends: A.AllFailed}]}}]",
        ("depends",),
    ),
    "depends-mixed": (
        "templates: [{name: a, dag: {tasks: [{name: A, template: a, depends: B}, "
        "{name: B, template: a, continueOn: {failed: true}}]}}]",
        ("continueOn",),
    ),
    "task-name-digit": (
        "templates: [{name: a, dag: {tasks: [{name: A, template: a}, {name: 1B, template: a, dependencies: [A]}]}}]",
        ("name",),
    ),
    "target-undefined": ("templates: [{name: a, dag: {target: Z, tasks: [{name: A, template: a}]}}]", ("target",)),
    "loop-several-sources": (
        "templates: [{name: a, steps: [[{name: s, template: a, withItems: [1], withParam: '[2]'}]]}]",
        ("withParam",),
    ),
    "sequence-invalid": (
        "templates: [{name: a, steps: [[{name: s, template: a, withSequence: {start: 1, end: x}}]]}]",
        ("end",),
    ),
    "item-empty": ("templates: [{name: a, steps: [[{name: s, template: a, withItems: [1, null]}]]}]", ("withItems", 1)),
    "artifact-path-missing": (
        f"templates: [{{name: a, outputs: {{artifacts: [{{name: f}}]}}, {C}}}]",
        ("artifacts", 0),
    ),
    "artifact-path-invalid": (
        f"templates: [{{name: a, outputs: {{artifacts: [{{name: f, path: /tmp/../etc}}]}}, {C}}}]",
        ("path",),
    ),
    "artifact-path-misplaced": (
        "templates: [{name: a, inputs: {artifacts: [{name: f, path: /f}]}, steps: []}]",
        ("path",),
    ),
    "input-from": (
        f"templates: [{{name: a, inputs: {{artifacts: [{{name: f, path: /f, from: x}}]}}, {C}}}]",
        ("from",),
    ),
    "artifact-location-invalid": (
        f"templates: [{{name: a, inputs: {{artifacts: [{{name: f, path: /f, git: {{}}}}]}}, {C}}}]",
        ("git",),
    ),
    "named-data-invalid": (
        "templates: [{name: a, inputs: {artifacts: [{name: f, path: /f, named: {kind: datset, ref: x}}]}, "
        f"{C}}}]",
        ("named", "kind"),
    ),
    "output-source": (f"templates: [{{name: a, outputs: {{parameters: [{{name: p}}]}}, {C}}}]", ("parameters", 0)),
    "image-missing": ("templates: [{name: a, container: {command: [x]}}]", ("container",)),
    "host-command": (f"templates: [{{name: a, {HOST}, container: {{args: [x]}}}}]", ("container",)),
    "host-kind": (
        f"templates: [{{name: a, {HOST}, dag: {{tasks: [{{name: b, template: b}}]}}}}, {{name: b, {C}}}]",
        ("metadata",),
    ),
    "mount-twice": (
        "templates: [{name: a, container: {image: x, volumeMounts: [{name: v, mountPath: /v}, "
        "{name: w, mountPath: /v}]}}]",
        ("volumeMounts", 1),
    ),
    "secret-in-command": (
        "templates: [{name: a, container: {image: x, args: [go, $(T)], env: [{name: T, valueFrom: "
        "{secretKeyRef: {name: s, key: k}}}]}}]",
        ("args", 1),
    ),
    "container-name": (f"templates: [{{name: a, {C}, sidecars: [{{name: wait, image: x}}]}}]", ("sidecars", 0, "name")),
    "container-set-empty": ("templates: [{name: a, containerSet: {containers: []}}]", ("containerSet",)),
    "container-set-main": (
        "templates: [{name: a, outputs: {artifacts: [{name: f, path: /f}]}, containerSet: {containers: [{name: b}]}}]",
        ("containers",),
    ),
    "deadline-invalid": (f"templates: [{{name: a, activeDeadlineSeconds: soon, {C}}}]", ("activeDeadlineSeconds",)),
    "deadline-misplaced": ("templates: [{name: a, timeout: 1m, steps: []}]", ("timeout",)),
    "timeout-invalid": (f"templates: [{{name: a, timeout: '30', {C}}}]", ("timeout",)),
    "parallelism-misplaced": (f"templates: [{{name: a, parallelism: 2, {C}}}]", ("parallelism",)),
    "retry-invalid": (f"templates: [{{name: a, retryStrategy: {{retryPolicy: Sometimes}}, {C}}}]", ("retryPolicy",)),
    "resource-action-invalid": ("templates: [{name: a, resource: {action: update, manifest: 'a: b'}}]", ("action",)),
    "resource-manifest-missing": ("templates: [{name: a, resource: {action: create}}]", ("resource",)),
    "resource-manifest-invalid": (
        "templates: [{name: a, resource: {action: create, manifest: 'a: b: c'}}]",
        ("manifest",),
    ),
    "resource-manifest-key": (
        "templates: [{name: a, resource: {action: create, manifest: 'data: {a: b, a: c}'}}]",
        ("manifest",),
    ),
    "metric-invalid": (
        f"templates: [{{name: a, metrics: {{prometheus: [{{name: a-b, help: h, gauge: {{value: '1'}}}}]}}, {C}}}]",
        ("prometheus", 0, "name"),
    ),
    "schedule-invalid": (
        "{kind: CronWorkflow, metadata: {name: w}, spec: {schedules: ['61 * * * *'], workflowSpec: {}}}",
        ("schedules", 0),
    ),
    "timezone-invalid": (
        "{kind: CronWorkflow, metadata: {name: w}, spec: {schedules: ['@daily'], "
        "timezone: Mars/Base, workflowSpec: {}}}",
        ("timezone",),
    ),
    "concurrency-invalid": (
        "{kind: CronWorkflow, metadata: {name: w}, spec: {schedules: ['@daily'], "
        "concurrencyPolicy: Never, workflowSpec: {}}}",
        ("concurrencyPolicy",),
    ),
    "parameter-in-script": (
        "templates: [{name: a, inputs: {parameters: [{name: p, value: v}]}, "
        "script: {image: x, source: 'echo {{inputs.parameters.p}}'}}]",
        ("source",),
    ),
    "object-invalid": ("{kind: Secret, metadata: {name: s}, data: {k: 'not base64!'}}", ("data", "k")),
    "object-unknown": (
        "arguments: {parameters: [{name: p, valueFrom: {configMapKeyRef: {name: c, key: k}}}]}",
        ("configMapKeyRef", "name"),
    ),
}


def document(text: str):
    data = yaml.safe_load(text)
    if "kind" not in data:
        data = {"kind": "Workflow", "metadata": {"name": "w"}, "spec": {"entrypoint": "a", **data}}
    return msgspec.convert(data, manifest.KINDS[data["kind"]], strict=False)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_what_breaks_a_rule_is_found_at_its_place(rule):
    text, place = BROKEN[rule.id]
    findings = [f for f in check(document(text), DocumentCatalog(), options=BEFORE_RUN) if f.rule == rule.id]
    assert [finding.path[-len(place) :] for finding in findings] == [place]
    assert findings[0].hint


def test_no_case_is_left_over():
    assert set(BROKEN) == {rule.id for rule in RULES}
