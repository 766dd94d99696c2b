"""Inputs, outputs and references of specs."""

from __future__ import annotations

import pytest
from gradient_reading import JOB, MACHINE, errors, found, place, read, template, the_error, warnings

from argosy.model.manifest import Artifact, NamedData, Template


def jobs(text: str) -> str:
    lines = "\n".join(f"  {line}" for line in text.strip("\n").splitlines())
    return f"{MACHINE}jobs:\n{lines}\n"


def artifacts(one: Template) -> dict[str, Artifact]:
    assert one.inputs is not None
    return {artifact.name: artifact for artifact in one.inputs.artifacts}


# -- workflow inputs


def test_inputs_of_the_workflow() -> None:
    text = f"""
    inputs:
      data: {{type: dataset, with: {{ref: mnist}}}}
      other: {{type: dataset}}
      word: {{type: string, with: {{value: hi}}}}
      number: {{type: string, with: {{value: 3}}}}
      needed: {{type: string}}
    {MACHINE}
    jobs: {{a: {{{JOB}}}}}
    """
    workflow, takes = read(text)
    assert [(one.name, one.type, one.default, one.required) for one in takes.inputs] == [
        ("data", "dataset", "mnist", False),
        ("other", "dataset", None, True),
        ("word", "string", "hi", False),
        ("number", "string", "3", False),
        ("needed", "string", None, True),
    ]
    assert workflow.spec.arguments is not None
    assert [one.value for one in workflow.spec.arguments.parameters] == ["mnist", None, "hi", "3", None]


def test_a_volume_is_no_input_of_a_workflow() -> None:
    one = the_error(f"inputs: {{v: {{type: volume}}}}\n{MACHINE}jobs: {{a: {{{JOB}}}}}")
    assert (one.rule, place(one)) == ("gradient-type", (1, 10))


@pytest.mark.parametrize(
    ("type", "hint"), [("datset", "did you mean `dataset`?"), ("model", "create-model@v1"), ("blob", "volume, string")]
)
def test_types_that_do_not_exist(type: str, hint: str) -> None:
    one = the_error(f"inputs: {{v: {{type: {type}}}}}\n{MACHINE}jobs: {{a: {{{JOB}}}}}")
    assert one.rule == "gradient-type"
    assert hint in one.hint


# -- the three types as inputs and outputs


def test_a_dataset_is_a_read_only_folder_and_becomes_a_version() -> None:
    text = jobs(
        f"a: {{{JOB}, inputs: {{d: {{type: dataset, with: {{ref: 'team/mnist:gold'}}}}}},"
        f" outputs: {{e: {{type: dataset, with: {{ref: out}}}}}}}}"
    )
    made = template(read(text)[0], "a")
    one = artifacts(made)["d"]
    assert (one.path, one.read_only, one.named) == (
        "/inputs/d",
        True,
        NamedData(kind="dataset", ref="team/mnist:gold"),
    )
    assert made.outputs is not None
    (output,) = made.outputs.artifacts
    assert (output.path, output.named) == ("/outputs/e", NamedData(kind="dataset", ref="out", existing=True))


@pytest.mark.parametrize(
    "ref", ["mnist", "dsr5spfj2aqzlfg", "dsr5spfj2aqzlfg:klfoyy9", "mnist:latest", "team/mnist:2", "gradient/mnist"]
)
def test_every_form_of_a_reference_to_a_dataset(ref: str) -> None:
    made = template(read(jobs(f"a: {{{JOB}, inputs: {{d: {{type: dataset, with: {{ref: '{ref}'}}}}}}}}"))[0], "a")
    named = artifacts(made)["d"].named
    assert named is not None
    assert named.ref == ref


def test_a_dataset_whose_name_is_spelled_in_another_way_here() -> None:
    text = jobs(f"a: {{{JOB}, inputs: {{d: {{type: dataset, with: {{ref: 'My Team/My data:v 1'}}}}}}}}")
    assert "is called `My-Team/My-data:v-1` here" in warnings(text)[0]
    named = artifacts(template(read(text)[0], "a"))["d"].named
    assert named is not None
    assert named.ref == "My-Team/My-data:v-1"


@pytest.mark.parametrize("ref", ["a:b:c", ":x", "a/", "!"])
def test_what_names_no_dataset(ref: str) -> None:
    one = the_error(jobs(f"a: {{{JOB}, inputs: {{d: {{type: dataset, with: {{ref: '{ref}'}}}}}}}}"))
    assert "names no dataset" in one.message


@pytest.mark.parametrize("name", ["''", ".", "'..'", "../../etc", "/etc", "a/b", "'{{a}}'"])
def test_names_that_are_no_files(name: str) -> None:
    for side in (f"inputs: {{{name}: {{type: string, with: {{value: x}}}}}}", f"outputs: {{{name}: {{type: volume}}}}"):
        assert "cannot be the name of a file" in the_error(jobs(f"a: {{{JOB}, {side}}}")).message


def test_any_name_of_a_file_stays() -> None:
    text = jobs(f"""
a: {{{JOB}, outputs: {{my file.txt: {{type: string}}, my-file-txt: {{type: string}}}}}}
b: {{{JOB}, needs: [a], inputs: {{ä b: a.outputs.my file.txt, c: a.outputs.my-file-txt}}}}
""")
    workflow, _ = read(text)
    outputs = template(workflow, "a").outputs
    assert outputs is not None
    sources = [(one.name, one.value_from.path) for one in outputs.parameters if one.value_from is not None]
    assert sources == [("my-file-txt", "/outputs/my file.txt"), ("my-file-txt-2", "/outputs/my-file-txt")]
    assert [one.path for one in artifacts(template(workflow, "b")).values()] == ["/inputs/ä b", "/inputs/c"]


def test_a_version_is_not_made_again() -> None:
    one = the_error(jobs(f"a: {{{JOB}, outputs: {{d: {{type: dataset, with: {{ref: 'mnist:3'}}}}}}}}"))
    assert one.hint == "write `mnist`"


def test_what_an_earlier_job_wrote_is_passed_on_and_not_looked_up() -> None:
    text = jobs(f"""
a: {{{JOB}, outputs: {{e: {{type: dataset, with: {{ref: out}}}}}}}}
b: {{{JOB}, needs: [a], inputs: {{d: a.outputs.e}}}}
""")
    workflow, _ = read(text)
    one = artifacts(template(workflow, "b"))["d"]
    assert (one.named, one.read_only) == (None, True)
    dag = workflow.spec.templates[0].dag
    assert dag is not None
    arguments = dag.tasks[1].arguments
    assert arguments is not None
    assert arguments.artifacts[0].from_ == "{{tasks.a.outputs.artifacts.e}}"


def test_a_volume_is_a_folder_that_is_handed_on() -> None:
    text = jobs(f"""
a: {{{JOB}, outputs: {{v: {{type: volume}}}}}}
b: {{{JOB}, needs: [a], inputs: {{w: a.outputs.v}}}}
""")
    workflow, _ = read(text)
    made = template(workflow, "a")
    assert made.outputs is not None
    assert made.outputs.artifacts == (Artifact(name="v", path="/outputs/v"),)
    assert made.container is not None
    assert [one.mount_path for one in made.container.volume_mounts] == ["/outputs", "/outputs/v"]
    assert artifacts(template(workflow, "b"))["w"].path == "/inputs/w"


def test_a_string_is_a_small_file() -> None:
    text = jobs(f"""
a: {{{JOB}, outputs: {{s: {{type: string}}}}}}
b: {{{JOB}, needs: [a], inputs: {{t: a.outputs.s, u: {{type: string, with: {{value: hi}}}}}}}}
""")
    workflow, _ = read(text)
    outputs = template(workflow, "a").outputs
    assert outputs is not None
    source = outputs.parameters[0].value_from
    assert source is not None
    assert source.path == "/outputs/s"
    dag = workflow.spec.templates[0].dag
    assert dag is not None
    arguments = dag.tasks[1].arguments
    assert arguments is not None
    given = {one.name: one.raw.data for one in arguments.artifacts if one.raw is not None}
    assert given == {"t": "{{tasks.a.outputs.parameters.s}}", "u": "hi"}


def test_braces_of_a_person_are_no_tags() -> None:
    text = jobs("a: {uses: script@v1, with: {image: x, script: 'echo {{a}}'}, env: {E: '{{b}}'}}")
    script = template(read(text)[0], "a").script
    assert script is not None
    assert (script.source, script.env[0].value) == ("echo {{='{{'}}a}}", "{{='{{'}}b}}")


# -- references that lead nowhere


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            f"a: {{{JOB}, outputs: {{v: {{type: volume}}}}}}\nb: {{{JOB}, inputs: {{v: a.outputs.v}}}}",
            "an output of `a`, which `b` does not need",
            "add `a` to its `needs`",
        ),
        (f"a: {{{JOB}}}\nb: {{{JOB}, needs: [A]}}", "needs `A`, and there is no such job", "did you mean `a`?"),
        (f"a: {{{JOB}, needs: [a]}}", "needs itself", "remove it"),
        (
            f"a: {{{JOB}, outputs: {{v: {{type: volume}}}}}}\nb: {{{JOB}, needs: [a], inputs: {{v: a.outputs.vv}}}}",
            "has no output `vv`",
            "did you mean `a.outputs.v`?",
        ),
        (f"a: {{{JOB}}}\nb: {{{JOB}, needs: [a], inputs: {{v: c.outputs.v}}}}", "no job `c`", "the jobs are a"),
        (f"a: {{{JOB}, inputs: {{v: workflow.inputs.v}}}}", "the workflow has no input `v`", "add `v`"),
        (f"a: {{{JOB}, inputs: {{v: workflow.outputs.v}}}}", "is no reference", "workflow.inputs.v"),
        (f"a: {{{JOB}, inputs: {{v: a.inputs.v}}}}", "is no reference", "a.outputs.v"),
        (f"a: {{{JOB}, inputs: {{v: some words}}}}", "is no reference", "JOB.outputs.NAME"),
        (f"a: {{{JOB}, inputs: {{v: '${{{{ inputs.v }}}}'}}}}", "is no reference", "without `${{ }}`"),
        (f"a: {{{JOB}, inputs: {{v: 'secret:V'}}}}", "is no reference", "given in `env`: `v: secret:V`"),
        (f"a: {{{JOB}, inputs: {{v: 3}}}}", "expected a reference", "JOB.outputs.NAME"),
        (f"a: {{{JOB}, inputs: {{v: {{type: dataset}}}}}}", "a dataset needs `with.ref`", "ref"),
        (f"a: {{{JOB}, inputs: {{v: {{type: string}}}}}}", "a string needs `with.value`", "value"),
        (f"a: {{{JOB}, outputs: {{v: {{type: dataset}}}}}}", "a dataset needs `with.ref`", "add `with: {ref: NAME}`"),
        (f"a: {{{JOB}, outputs: {{v: {{type: volume, with: {{size: 3}}}}}}}}", "has no key `size`", ""),
        (f"a: {{{JOB}, outputs: {{v: {{type: string, with: {{value: 3}}}}}}}}", "has no key `value`", ""),
        (f"a: {{{JOB}, outputs: {{v: dataset}}}}", "expected a mapping", "{type: volume}"),
    ],
)
def test_what_leads_nowhere(text: str, message: str, hint: str) -> None:
    one = the_error(jobs(text))
    assert message in one.message
    assert hint in one.hint
    assert one.span is not None


def test_a_circle_is_told_once() -> None:
    one = the_error(jobs(f"a: {{{JOB}, needs: [c]}}\nb: {{{JOB}, needs: [a]}}\nc: {{{JOB}, needs: [b]}}"))
    assert "a -> c -> b -> a" in one.message


def test_a_long_chain_is_no_circle() -> None:
    text = "\n".join(f"j{i}: {{{JOB}, needs: [{f'j{i - 1}' if i else ''}]}}" for i in range(3000))
    assert not errors(jobs(text))


# -- early forms


def test_id_is_the_early_form_of_ref() -> None:
    text = jobs(f"a: {{{JOB}, inputs: {{d: {{type: dataset, with: {{id: mnist}}}}}}}}")
    assert warnings(text) == ["`id` is the early form of `ref`"]
    named = artifacts(template(read(text)[0], "a"))["d"].named
    assert named is not None
    assert named.ref == "mnist"


def test_a_volume_by_its_type_is_the_one_of_that_name() -> None:
    text = jobs(f"""
a: {{{JOB}, outputs: {{repo: {{type: volume}}}}}}
b: {{{JOB}, needs: [a]}}
c: {{{JOB}, needs: [b], inputs: {{repo: {{type: volume}}}}}}
""")
    workflow, _ = read(text)
    dag = workflow.spec.templates[0].dag
    assert dag is not None
    arguments = dag.tasks[2].arguments
    assert arguments is not None
    assert arguments.artifacts[0].from_ == "{{tasks.a.outputs.artifacts.repo}}"
    assert "this is `a.outputs.repo`" in warnings(text)[0]


def test_a_volume_by_its_type_that_nobody_gave() -> None:
    one = the_error(
        jobs(f"a: {{{JOB}, outputs: {{r: {{type: volume}}}}}}\nb: {{{JOB}, inputs: {{r: {{type: volume}}}}}}")
    )
    assert "add `a` to `needs`" in one.hint


def test_a_volume_among_the_inputs_of_a_checkout_is_its_output() -> None:
    text = jobs(f"""
a: {{uses: git-checkout@v1, with: {{url: /r}}, inputs: {{repo: {{type: volume}}}}}}
b: {{{JOB}, needs: [a], inputs: {{repo: {{type: volume}}}}}}
""")
    workflow, _ = read(text)
    outputs = template(workflow, "a").outputs
    assert outputs is not None
    assert [one.path for one in outputs.artifacts] == ["/outputs/repo"]
    assert len([one for one in found(text) if one.rule == "gradient-early-form"]) == 2
