"""Every key of a spec, and every key that is none."""

from __future__ import annotations

import pytest
from gradient_reading import JOB, MACHINE, errors, found, place, read, template, the_error, warnings

from argosy.dialects.detect import detect
from argosy.dialects.gradient.load import load
from argosy.model.manifest import Container


def container_of(text: str, job: str = "a") -> Container:
    workflow, _ = read(text)
    found = template(workflow, job).container
    assert found is not None
    return found


# -- top level


def test_jobs_are_the_only_mandatory_key() -> None:
    assert [one.severity for one in found(f"jobs: {{a: {{{JOB}}}}}")] == ["warning"]
    one = the_error("inputs: {}\n")
    assert (one.rule, place(one)) == ("field-missing", (1, 1))


@pytest.mark.parametrize("jobs", ["", "{}"])
def test_jobs_that_are_none(jobs: str) -> None:
    assert the_error(f"jobs: {jobs}\n").message == "a spec needs `jobs`"


def test_jobs_of_another_type() -> None:
    assert "expected a mapping" in the_error("jobs: [a]\n").message


def test_env_of_a_job_goes_on_top_of_the_defaults() -> None:
    text = """
    defaults: {env: {A: one, B: two}, resources: {instance-type: C4}}
    jobs: {a: {uses: container@v1, with: {image: alpine}, env: {B: three, C: 4}}}
    """
    assert {one.name: one.value for one in container_of(text).env} == {"A": "one", "B": "three", "C": "4"}


def test_resources_of_a_job_go_before_the_defaults() -> None:
    text = f"{MACHINE}jobs: {{a: {{{JOB}}}, b: {{{JOB}, resources: {{instance-type: C5}}}}}}"
    first, second = container_of(text, "a").resources, container_of(text, "b").resources
    assert first is not None
    assert second is not None
    assert (first.requests["cpu"], second.requests["cpu"]) == ("2", "4")


def test_cluster_id_is_read() -> None:
    assert not errors(f"defaults: {{clusterId: cl123, resources: {{instance-type: C4}}}}\njobs: {{a: {{{JOB}}}}}")


@pytest.mark.parametrize("key", ["on", "'on'", '"on"', "On", "true"])
def test_on_is_a_key_whatever_yaml_makes_of_it(key: str) -> None:
    workflow, _ = read(f"{key}:\n  github:\n    branches:\n      only: main\n{MACHINE}jobs: {{a: {{{JOB}}}}}\n")
    assert workflow.metadata.annotations["argosy.dev/on-push"] == "main"


def test_several_branches() -> None:
    text = f"on: {{github: {{branches: {{only: %s}}}}}}\n{MACHINE}jobs: {{a: {{{JOB}}}}}\n"
    for written in ("[main, dev]", "'main, dev'"):
        workflow, _ = read(text % written)
        assert workflow.metadata.annotations["argosy.dev/on-push"] == "main,dev"
    assert warnings(text % "'main, dev'") == ["several branches are a list; this is read as main, dev"]


def test_without_on_nothing_starts_it_by_itself() -> None:
    workflow, _ = read(f"{MACHINE}jobs: {{a: {{{JOB}}}}}")
    assert "argosy.dev/on-push" not in workflow.metadata.annotations


def test_the_run_is_called_after_the_file_and_has_the_hash_of_its_text() -> None:
    workflow, _ = read(f"{MACHINE}jobs: {{a: {{{JOB}}}}}")
    assert workflow.metadata.generate_name == "my-spec-"
    assert len(workflow.metadata.annotations["argosy.dev/spec-sha256"]) == 64


@pytest.mark.parametrize(
    ("text", "where", "hint"),
    [
        (f"name: x\njobs: {{a: {{{JOB}}}}}", (1, 1), "a spec has no name of its own"),
        (f"env: {{A: b}}\njobs: {{a: {{{JOB}}}}}", (1, 1), "write it under `defaults`"),
        (f"version: 1\njobs: {{a: {{{JOB}}}}}", (1, 1), "specs have no version"),
        (f"job: {{a: {{{JOB}}}}}\njobs: {{b: {{{JOB}}}}}", (1, 1), "did you mean `jobs`?"),
        (f"on: {{push: {{}}}}\njobs: {{a: {{{JOB}}}}}", (1, 6), "github: {branches: {only: main}}"),
        (f"on: {{schedule: []}}\njobs: {{a: {{{JOB}}}}}", (1, 6), "CronWorkflow"),
        (f"on: {{manual: true}}\njobs: {{a: {{{JOB}}}}}", (1, 6), "every spec can be run by hand"),
        (f"on: {{github: {{branches: {{include: main}}}}}}\njobs: {{a: {{{JOB}}}}}", (1, 26), "write `only`"),
        (f"defaults: {{resource: {{}}}}\njobs: {{a: {{{JOB}}}}}", (1, 12), "did you mean `resources`?"),
        (f"jobs: {{a: {{{JOB}, name: x}}}}", (1, 55), "a job is called what its key says"),
        (f"jobs: {{a: {{{JOB}, if: x}}}}", (1, 55), "jobs have no conditions"),
        (f"jobs: {{a: {{{JOB}, when: x}}}}", (1, 55), "jobs have no conditions"),
        (f"jobs: {{a: {{{JOB}, runs-on: ubuntu}}}}", (1, 55), "instance-type"),
        (f"jobs: {{a: {{{JOB}, steps: []}}}}", (1, 55), "each step a job"),
        (f"jobs: {{a: {{{JOB}, timeout-minutes: 3}}}}", (1, 55), "no time limits"),
        (f"jobs: {{a: {{{JOB}, image: x}}}}", (1, 55), "write it under `with`"),
        (f"jobs: {{a: {{{JOB}, need: [b]}}}}", (1, 55), "did you mean `needs`?"),
        (f"jobs: {{a: {{{JOB}, resources: {{machine-type: C4}}}}}}", (1, 67), "write `instance-type`"),
    ],
)
def test_keys_that_do_not_exist(text: str, where: tuple[int, int], hint: str) -> None:
    one = the_error(text)
    assert (one.rule, place(one)) == ("field-unknown", where)
    assert hint in one.hint


def test_unknown_keys_are_warnings_where_one_is_not_strict() -> None:
    loaded = load(f"name: x\n{MACHINE}jobs: {{a: {{{JOB}}}}}", "a.yaml", strict=False)
    assert loaded.ok
    assert [one.severity for one in loaded.diagnostics] == ["warning"]


def test_a_job_that_is_not_indented() -> None:
    all = errors("jobs:\n  a:\n  uses: script@v1\n  with: {image: x, script: z}\n")
    assert [place(one)[0] for one in all] == [2, 3, 4]
    assert "indent it" in all[1].hint


# -- jobs


def test_a_job_needs_an_action() -> None:
    one = the_error("jobs: {a: {with: {image: alpine}}}")
    assert one.message == "the job `a` has no `uses`"


@pytest.mark.parametrize(
    ("uses", "hint"),
    [
        ("container", "write `container@v1`"),
        ("container@v2", "there is container@v1"),
        ("scirpt@v1", "did you mean `script@v1`?"),
        ("create-deployment@v1", "container@v1, create-model@v1"),
        ("../../etc/passwd", "container@v1"),
    ],
)
def test_actions_that_do_not_exist(uses: str, hint: str) -> None:
    one = the_error(f"jobs: {{a: {{uses: {uses}, with: {{image: x}}}}}}")
    assert one.rule == "gradient-action"
    assert hint in one.hint


def test_needs_order_jobs() -> None:
    workflow, _ = read(f"{MACHINE}jobs: {{a: {{{JOB}}}, b: {{{JOB}, needs: [a]}}}}")
    dag = template(workflow, "main").dag
    assert dag is not None
    assert [(one.name, one.dependencies) for one in dag.tasks] == [("a", ()), ("b", ("a",))]


def test_one_job_that_is_needed_need_not_be_a_list() -> None:
    text = f"{MACHINE}jobs: {{a: {{{JOB}}}, b: {{{JOB}, needs: a}}}}"
    workflow, _ = read(text)
    dag = template(workflow, "main").dag
    assert dag is not None
    assert dag.tasks[1].dependencies == ("a",)
    assert warnings(text) == ["`needs` is a list of jobs"]


def test_any_name_of_a_job_becomes_one_of_a_manifest() -> None:
    text = f"{MACHINE}jobs: {{main: {{{JOB}}}, train_it: {{{JOB}, needs: [main]}}, train it: {{{JOB}}}, ä: {{{JOB}}}}}"
    workflow, _ = read(text)
    assert [one.name for one in workflow.spec.templates[1:]] == ["main", "train-it", "train-it-2", "unnamed"]
    assert workflow.spec.entrypoint == workflow.spec.templates[0].name == "main-2"


def test_keys_and_values_that_yaml_takes_for_booleans_keep_their_names() -> None:
    text = f"{MACHINE}jobs: {{a: {{{JOB}, env: {{y: 'on', N: x}}}}}}"
    assert {one.name: one.value for one in container_of(text).env} == {"y": "on", "N": "x"}


def test_expressions_of_github_actions_are_told_of_and_kept() -> None:
    text = f"{MACHINE}jobs: {{a: {{{JOB}, env: {{T: '${{{{ secrets.TOKEN }}}}'}}}}}}"
    assert "is an expression of GitHub Actions" in warnings(text)[0]
    assert "secret:TOKEN" in next(one.hint for one in found(text))
    value = container_of(text).env[0].value
    assert value is not None
    assert value.endswith("secrets.TOKEN }}")


def test_a_secret_in_env_is_given_by_name() -> None:
    variable = container_of(f"{MACHINE}jobs: {{a: {{{JOB}, env: {{T: 'secret:HUB_TOKEN'}}}}}}").env[0]
    assert variable.value is None
    assert variable.value_from is not None
    assert variable.value_from.secret_key_ref is not None
    assert (variable.value_from.secret_key_ref.name, variable.value_from.secret_key_ref.key) == ("HUB_TOKEN", "value")


# -- machines and registries


def test_instance_types() -> None:
    text = f"defaults: {{resources: {{instance-type: P4000}}}}\njobs: {{a: {{{JOB}}}}}"
    resources = container_of(text).resources
    assert resources is not None
    assert resources.requests == {"cpu": "8", "memory": "30Gi", "nvidia.com/gpu": "1"}


def test_an_instance_type_that_is_not_known_asks_for_nothing() -> None:
    text = f"jobs: {{a: {{{JOB}, resources: {{instance-type: P400}}}}}}"
    (one,) = found(text)
    assert (one.severity, one.rule) == ("warning", "gradient-instance")
    assert "P4000" in one.hint
    assert container_of(text).resources is None


def test_without_an_instance_type_it_is_said() -> None:
    assert "no instance-type" in warnings(f"jobs: {{a: {{{JOB}}}}}")[0]


@pytest.mark.parametrize(
    "text",
    [
        f"{MACHINE}jobs: {{a: {{{JOB}, resources: {{container-registries: [hub]}}}}}}",
        f"defaults: {{resources: {{instance-type: C4, container-registries: [hub]}}}}\njobs: {{a: {{{JOB}}}}}",
        f"{MACHINE}jobs: {{a: {{uses: container@v1, with: {{image: x, containerRegistry: hub}}}}}}",
        f"{MACHINE}jobs: {{a: {{uses: script@v1, with: {{image: x, script: ls, containerRegistry: hub}}}}}}",
    ],
)
def test_private_images_are_pulled_with_a_secret(text: str) -> None:
    workflow, _ = read(text)
    assert workflow.spec.image_pull_secrets == [{"name": "hub"}]


# -- what a file may be


def test_what_is_no_mapping() -> None:
    assert "expected a spec" in the_error("- a\n").message


@pytest.mark.parametrize("text", ["", "# only this\n", "---\n"])
def test_a_file_without_a_spec(text: str) -> None:
    assert the_error(text).rule == "file-empty"


@pytest.mark.parametrize(
    ("text", "file", "dialect"),
    [
        ("jobs:\n  a: {uses: script@v1}\n", "a.yaml", "gradient"),
        ('{"jobs": {}}', "a.json", "gradient"),
        ("workflows:\n- name: a\n", "x/.gradient/workflows/a.yaml", "gradient"),
        ("apiVersion: v1\nkind: Workflow\n", ".gradient/workflows/a.yaml", "argo"),
        ("workflows:\n- name: a\n  jobs: 3\n", "a.yaml", "dstack"),
    ],
)
def test_specs_are_told_from_other_files(text: str, file: str, dialect: str) -> None:
    assert detect(text, file) == dialect


def test_a_comment_at_the_margin_ends_a_block() -> None:
    text = "jobs:\n  a:\n    uses: script@v1\n    with:\n      script: |-\n        echo\n# no\n        more\n"
    assert errors(text)


def test_anchors_and_merges() -> None:
    text = """
    defaults: {resources: &r {instance-type: C4}}
    jobs:
      a: &a {uses: container@v1, with: {image: alpine}, resources: *r}
      b: {<<: *a, needs: [a]}
    """
    assert container_of(text, "b").image == "alpine"
