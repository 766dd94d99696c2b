"""Each row of what is known of the format, in its words, with what becomes of it: a part of the manifest, or a message.

What a run does of it (folders that cannot be written to, versions, secrets) is in the tests of the command line.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest
from gradient_reading import JOB, MACHINE, found, read

A = f"{MACHINE}jobs:\n  a: {{{JOB}"
LOADS = "a: {{{job}, outputs: {{o: {{type: {type}{more}}}}}}}\n  b: {{{job}, needs: [a], inputs: {{i: a.outputs.o}}}}"
READS = f"{A}, inputs: {{d: {{type: dataset, with: {{ref: '%s'}}}}}}}}"


def chain(type: str, more: str = "") -> str:
    return f"{MACHINE}jobs:\n  {LOADS.format(job=JOB, type=type, more=more)}"


def action(uses: str, with_: str, rest: str = "") -> str:
    return f"{MACHINE}jobs:\n  a: {{uses: {uses}, with: {{{with_}}}{rest}}}"


OUT = ", outputs: {o: {type: volume}}"
CHECKOUT = "git-checkout@v1"
S3 = "url: 's3://b/k', access-key: AK, secret-access-key: 'secret:SK'"
MODEL = ", inputs: {model: {type: dataset, with: {ref: m}}}, outputs: {model-id: {type: string}}"

# Row, spec, and what is in the manifest as JSON.
BECOMES = [
    # -- the file
    ("jobs: map name -> job, the only mandatory key", f"{A}}}", '"dag":{"tasks":[{"template":"a","name":"a"}]}'),
    (
        "defaults.env: env for all jobs",
        f"defaults: {{env: {{E: x}}}}\njobs: {{a: {{{JOB}}}}}",
        '{"name":"E","value":"x"}',
    ),
    (
        "defaults.env: job env is added on top",
        f"defaults: {{env: {{E: x}}}}\njobs: {{a: {{{JOB}, env: {{E: y}}}}}}",
        '"y"',
    ),
    ("defaults.resources: instance-type", f"{A}}}", '"requests":{"cpu":"2","memory":"4Gi"}'),
    (
        "defaults.resources: container-registries list",
        f"defaults: {{resources: {{instance-type: C4, container-registries: [r, s]}}}}\njobs: {{a: {{{JOB}}}}}",
        '"imagePullSecrets":[{"name":"r"},{"name":"s"}]',
    ),
    ("defaults.clusterId", f"defaults: {{clusterId: cl1}}\njobs: {{a: {{{JOB}}}}}", '"entrypoint":"main"'),
    (
        "inputs: `with` is the default value",
        f"inputs: {{w: {{type: string, with: {{value: hi}}}}}}\n{A}, inputs: {{w: workflow.inputs.w}}}}",
        '"arguments":{"parameters":[{"name":"w","value":"hi"}]}',
    ),
    (
        "inputs: without `with` the run must supply it",
        f"inputs: {{w: {{type: string}}}}\n{A}, inputs: {{w: workflow.inputs.w}}}}",
        '"arguments":{"parameters":[{"name":"w"}]}',
    ),
    ("on.github.branches.only", f"on: {{github: {{branches: {{only: main}}}}}}\n{A}}}", '"argosy.dev/on-push":"main"'),
    (
        "unquoted on is boolean True",
        f"true: {{github: {{branches: {{only: main}}}}}}\n{A}}}",
        '"argosy.dev/on-push":"main"',
    ),
    (
        "context.event.github.url is written into the spec",
        "context: {event: {github: {url: 'https://g/r', ref: abc}}}\n"
        + action(CHECKOUT, "url: context.event.github.url, ref: context.event.github.ref", OUT),
        '"value":"https://g/r"',
    ),
    # -- jobs
    ("uses: one action per job", f"{A}}}", '"image":"alpine"'),
    ("with: action parameters", action("container@v1", "image: i, args: [x, y]"), '"args":["x","y"]'),
    ("env: words that YAML 1.1 takes for booleans stay words", f"{A}, env: {{E: yes}}}}", '{"name":"E","value":"yes"}'),
    ("needs: ordering", f"{A}}}\n  b: {{{JOB}, needs: [a]}}", '"dependencies":["a"]'),
    ("inputs: value is a reference string", chain("volume"), '"from":"{{tasks.a.outputs.artifacts.o}}"'),
    ("inputs: or {type: dataset, with: {ref}}", READS % "d", '"named":{"kind":"dataset","ref":"d"}'),
    (
        "outputs: dataset needs with.ref",
        f"{A}, outputs: {{o: {{type: dataset, with: {{ref: d}}}}}}}}",
        '"named":{"kind":"dataset","ref":"d","existing":true}',
    ),
    ("env: strings", f"{A}, env: {{E: x}}}}", '{"name":"E","value":"x"}'),
    ("env: secret:NAME", f"{A}, env: {{E: 'secret:S'}}}}", '"secretKeyRef":{"key":"value","name":"S"}'),
    ("env: ints seen 3 times", f"{A}, env: {{E: 3}}}}", '{"name":"E","value":"3"}'),
    (
        "resources: instead of defaults.resources",
        f"{A}, resources: {{instance-type: C3}}}}",
        '"cpu":"2","memory":"2Gi"',
    ),
    (
        "resources: container-registries",
        f"{A}, resources: {{container-registries: [r]}}}}",
        '"imagePullSecrets":[{"name":"r"}]',
    ),
    # -- inputs and outputs
    ("dataset as input: read-only directory /inputs/<name>", READS % "d", '"path":"/inputs/d"'),
    ("dataset as output: directory /outputs/<name>", chain("dataset", ", with: {ref: d}"), '"mountPath":"/outputs/o"'),
    ("volume as input: read-only /inputs/<name>", chain("volume"), '"path":"/inputs/i"'),
    ("volume as output: writable /outputs/<name>", chain("volume"), '"mountPath":"/outputs/o","subPath":"o"'),
    ("string as input: file holding the text", chain("string"), '"raw":{"data":"{{tasks.a.outputs.parameters.o}}"}'),
    ("string as output: file /outputs/<name>", chain("string"), '"valueFrom":{"path":"/outputs/o"}'),
    (
        "reference workflow.inputs.<n>",
        f"inputs: {{d: {{type: dataset}}}}\n{A}, inputs: {{d: workflow.inputs.d}}}}",
        '"{{workflow.parameters.d}}"',
    ),
    ("reference <job>.outputs.<n>", chain("volume"), "tasks.a.outputs.artifacts.o"),
    *(
        (f"dataset ref: {form}", READS % ref, f'"ref":"{ref}"')
        for form, ref in (
            ("name", "d"),
            ("datasetId", "dsr5spfj2aqzlfg"),
            ("id:version", "dsr5spfj2aqzlfg:3"),
            ("id:tag", "dsr5spfj2aqzlfg:good"),
            (":latest", "d:latest"),
            ("namespace/name", "team/d"),
            ("namespace/name:version", "team/d:2"),
            ("gradient/<public>", "gradient/mnist"),
        )
    ),
    ("with.id = early form of with.ref", f"{A}, inputs: {{d: {{type: dataset, with: {{id: d}}}}}}}}", '"ref":"d"'),
    (
        "job input {type: volume} matched by name to an upstream output",
        f"{A}, outputs: {{v: {{type: volume}}}}}}\n  b: {{{JOB}, needs: [a], inputs: {{v: {{type: volume}}}}}}",
        "tasks.a.outputs.artifacts.v",
    ),
    (
        "shell variables in git-checkout see env",
        action(CHECKOUT, "url: 'https://g/r', ref: $GIT_REF", f"{OUT}, env: {{GIT_REF: dev}}"),
        '"revision":"dev"',
    ),
    # -- actions
    ("container@v1: image, args", action("container@v1", "image: i, args: [x]"), '"image":"i"'),
    ("container@v1: command str", action("container@v1", "image: i, command: ls -l"), '"command":["ls","-l"]'),
    ("container@v1: command list", action("container@v1", "image: i, command: [ls, -l]"), '"command":["ls","-l"]'),
    ("script@v1: run with bash", action("script@v1", "image: i, script: echo"), '"command":["bash"]'),
    (
        "git-checkout@v1: url, ref",
        action(CHECKOUT, "url: 'https://g/r', ref: v1", OUT),
        '"repo":"https://g/r","revision":"v1"',
    ),
    (
        "git-checkout@v1: or context.event.github.url",
        action(CHECKOUT, "", OUT),
        '"repo":"{{workflow.parameters.context',
    ),
    (
        "git-checkout@v1: username, password",
        action(CHECKOUT, "url: 'https://g/r', username: me, password: 'secret:P'", OUT),
        '"passwordSecret":{"name":"P","key":"value"}',
    ),
    (
        "git-checkout@v1: old form: env GIT_PASSWORD",
        action(CHECKOUT, "url: 'https://g/r'", f"{OUT}, env: {{GIT_PASSWORD: 'secret:P'}}"),
        '"passwordSecret":{"name":"P","key":"value"}',
    ),
    (
        "git-checkout@v1: content lands directly in /outputs/<o>",
        action(CHECKOUT, "url: 'https://g/r'", OUT),
        '"path":"/outputs/o"',
    ),
    (
        "git-checkout@v1: path: /outputs/<o>/sub",
        action(CHECKOUT, "url: 'https://g/r', path: /outputs/o/sub", OUT),
        '"path":"/outputs/o/sub"',
    ),
    ("s3-download@v1: url s3://", action("s3-download@v1", S3, OUT), '"bucket":"b","key":"k"'),
    ("s3-download@v1: access-key", action("s3-download@v1", S3, OUT), '"accessKey":"AK"'),
    ("s3-download@v1: secret-access-key", action("s3-download@v1", S3, OUT), '"secretKeySecret":{"name":"SK"'),
    (
        "s3-download@v1: region, endpoint, path",
        action("s3-download@v1", f"{S3}, region: r, endpoint: 'https://e', path: /outputs/o/p", OUT),
        '"region":"r","endpoint":"https://e"',
    ),
    *(
        (
            f"create-model@v1: name, type {kind}",
            action("create-model@v1", f"name: n, type: {kind}", MODEL),
            f'"type":"{kind}"',
        )
        for kind in ("Tensorflow", "ONNX", "Custom")
    ),
    (
        "private image: image + containerRegistry",
        action("container@v1", "image: i, containerRegistry: r"),
        '"imagePullSecrets":[{"name":"r"}]',
    ),
]

# Row, spec, and what is said of it.
SAYS = [
    ("name: rejected", f"name: x\n{A}}}", "a spec has no key `name`"),
    ("job `if`", f"{A}, if: x}}", "has no key `if`"),
    ("top-level env", f"env: {{}}\n{A}}}", "a spec has no key `env`"),
    (
        "${{ secrets.X }} is a habit of GitHub Actions",
        f"{A}, env: {{E: '${{{{ secrets.X }}}}'}}}}",
        "an expression of GitHub Actions",
    ),
    ("on.schedule[].cron", f"on: {{schedule: [{{cron: x}}]}}\n{A}}}", "has no key `schedule`"),
    ("on.manual", f"on: {{manual: {{}}}}\n{A}}}", "has no key `manual`"),
    ("on.github.branches.include", f"on: {{github: {{branches: {{include: x}}}}}}\n{A}}}", "has no key `include`"),
    ("comma string branches", f"on: {{github: {{branches: {{only: 'a, b'}}}}}}\n{A}}}", "several branches are a list"),
    ("top version", f"version: 1\n{A}}}", "has no key `version`"),
    ("model as I/O type", f"{A}, outputs: {{o: {{type: model}}}}}}", "there is no type `model`"),
    ("action upload-model", action("upload-model@v1", ""), "there is no action `upload-model@v1`"),
    ("volume and string take nothing", f"{A}, outputs: {{o: {{type: volume, with: {{x: y}}}}}}}}", "has no key `x`"),
    (
        "elements must be strings",
        action("container@v1", "image: i, args: [a, b, 3]"),
        '"spec.jobs.a.with.args[2]" must be a string',
    ),
    ("container@v1: image R", action("container@v1", "args: [x]"), '"spec.jobs.a.with.image" is required'),
    ("script@v1: script R", action("script@v1", "image: i"), '"spec.jobs.a.with.script" is required'),
    ("script@v1: user files gave a list", action("script@v1", "image: i, script: [a]"), "must be a string"),
    ("git-checkout@v1: needs exactly one output", action(CHECKOUT, "url: 'https://g/r'"), "output"),
    (
        "git-checkout@v1: branch is undocumented",
        action(CHECKOUT, "url: 'https://g/r', branch: x", OUT),
        "has no key `branch`",
    ),
    ("s3-download@v1: secret only", action("s3-download@v1", S3.replace("secret:SK", "SK"), OUT), "secret"),
    ("s3-download@v1: url R", action("s3-download@v1", S3.replace("url: 's3://b/k', ", ""), OUT), "is required"),
    ("create-model@v1: type R", action("create-model@v1", "name: n", MODEL), "is required"),
    ("create-model@v1: input must be dataset `model`", action("create-model@v1", "name: n, type: ONNX"), "model"),
    (
        "comment at column 0 inside a block",
        f"{MACHINE}jobs:\n  a:\n    with:\n      script: |-\n        a\n# c\n        b\n",
        "",
    ),
    (
        "outputs without `needs`",
        chain("volume").replace("needs: [a], ", ""),
        "an output of `a`, which `b` does not need",
    ),
    ("unknown job in needs", f"{A}, needs: [x]}}", "needs `x`, and there is no such job"),
    ("unknown output", chain("volume").replace("a.outputs.o", "a.outputs.p"), "has no output `p`"),
    ("volume-by-type input that nobody gives", f"{A}, inputs: {{v: {{type: volume}}}}}}", "v"),
    ("no `uses`", f"{MACHINE}jobs: {{a: {{with: {{image: x}}}}}}", "has no `uses`"),
    ("no instance-type", f"jobs: {{a: {{{JOB}}}}}", "has no instance-type"),
]


def named(rows: Iterable[tuple[str, str, str]]) -> list[object]:
    return [pytest.param(text, expected, id=row) for row, text, expected in rows]


@pytest.mark.parametrize(("text", "part"), named(BECOMES))
def test_what_a_row_becomes(text: str, part: str) -> None:
    assert part in msgspec.json.encode(read(text)[0]).decode()


@pytest.mark.parametrize(("text", "message"), named(SAYS))
def test_what_is_said_of_a_row(text: str, message: str) -> None:
    said = [one for one in found(text) if one.severity != "note" and message in one.message]
    assert said
    assert all(one.span is not None for one in said)


def test_the_count_that_the_page_names() -> None:
    assert (len(BECOMES), len(SAYS)) == (60, 29)
    assert len({row for row, _, _ in (*BECOMES, *SAYS)}) == len(BECOMES) + len(SAYS)
