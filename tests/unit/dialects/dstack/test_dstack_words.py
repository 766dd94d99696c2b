"""What dstack's words mean here, one behaviour of the format at a time."""

from __future__ import annotations

import pytest
from dstack_samples import (
    document,
    env,
    inputs,
    outputs,
    problem,
    read,
    requests,
    source,
    template,
)

from argosy.dialects.dstack.providers import PROVIDERS
from argosy.dialects.dstack.quantities import memory
from argosy.dialects.dstack.reading import Beside, load
from argosy.dialects.dstack.variables import environment_name
from argosy.model.manifest import NamedData

BASH = "- {name: a, provider: bash, commands: [b], "


# -- dependencies


def chain() -> str:
    return """
- {name: one, provider: bash, commands: [x], artifacts: [first]}
- {name: two, provider: bash, commands: [x], artifacts: [second], depends-on: [one]}
- {name: three, provider: bash, commands: [x], depends-on: [two]}
"""


def test_a_workflow_runs_first_what_it_depends_on() -> None:
    dag = template(read(chain()), "dag", "three").dag
    assert dag is not None
    assert [(one.name, one.dependencies) for one in dag.tasks] == [
        ("one", ()),
        ("two", ("one",)),
        ("three", ("one", "two")),
    ]
    given = dag.tasks[2].arguments
    assert given is not None
    assert [(one.name, one.from_) for one in given.artifacts] == [
        ("one-first", "{{tasks.one.outputs.artifacts.first}}"),
        ("two-second", "{{tasks.two.outputs.artifacts.second}}"),
    ]


def test_outputs_come_at_the_paths_where_they_were_left() -> None:
    assert [(one.name, one.path) for one in inputs(read(chain()), "three")] == [
        ("one-first", "first"),
        ("two-second", "second"),
    ]


def test_a_run_is_a_run_of_what_it_runs_first_too() -> None:
    metadata = document(read(chain()), "three").value.metadata
    assert metadata.annotations["argosy.dev/runs-workflows"] == "one,two"
    assert "argosy.dev/runs-workflows" not in document(read(chain()), "one").value.metadata.annotations


def test_a_circle_is_an_error() -> None:
    message, _, line = problem(
        read(
            "- {name: a, provider: bash, commands: [x], depends-on: [b]}\n"
            "- {name: b, provider: bash, commands: [x], depends-on: [a]}"
        ),
        "dstack-circle",
    )
    assert message == "workflows depend on one another in a circle: a -> b -> a"
    assert line == 2


def test_a_workflow_that_is_not_there_is_an_error_with_a_suggestion() -> None:
    message, hint, line = problem(read(chain() + BASH + "depends-on: [tow]}"), "dstack-dependency")
    assert message == "a depends on the workflow 'tow', which there is not"
    assert (hint, line) == ("did you mean two?", 5)


@pytest.mark.parametrize(
    ("words", "kind", "ref"),
    [
        ("depends-on: ['x:v1']", "tag", "x:v1"),
        ("depends-on: [':v1']", "tag", "v1"),
        ("depends-on: [x: v1]", "tag", "x:v1"),
        ("deps: [x]", "run", "x"),
        ("deps: [':v1']", "tag", "v1"),
        ("deps: ['x:v1']", "tag", "x:v1"),
        ("deps: [{tag: v1}]", "tag", "v1"),
        ("deps: [{tag: 'x:v1', mount: true}]", "tag", "x:v1"),
        ("deps: [{workflow: x, mount: true}]", "run", "x"),
        ("deps: [{workflow: x, tag: v1}]", "tag", "x:v1"),
        ("deps: [me/here/x]", "run", "x"),
        ("deps: ['me/here/:v1']", "tag", "v1"),
        ("depends-on: ['x:${{ which }}']", "tag", "x:{{workflow.parameters.which}}"),
    ],
)
def test_forms_of_dependencies(words: str, kind: str, ref: str) -> None:
    loaded = read(BASH + words + "}", "a: {which: v1}", repository="me/here")
    (given,) = inputs(loaded, "a")
    assert given.named == NamedData(kind=kind, ref=ref)
    assert "cp -alf" in source(loaded, "a")


@pytest.mark.parametrize(
    ("words", "tag"),
    [
        ("deps: [you/there/x]", "you/there/x"),
        ("deps: [':you/there/v1']", "you/there/v1"),
        ("deps: [you/there/:v1]", "you/there/v1"),
        ("deps: [you/there/x:v1]", "you/there/x:v1"),
        ("deps: [{tag: you/there/x}]", "you/there/x"),
        ("deps: [{workflow: you/there/x, mount: true}]", "you/there/x"),
        ("depends-on: [you/there/x]", "you/there/x"),
    ],
)
def test_what_another_repository_left_is_a_tag(words: str, tag: str) -> None:
    loaded = read(BASH + words + "}", repository="me/here")
    assert [one.named for one in inputs(loaded, "a")] == [NamedData(kind="tag", ref=tag)]
    message, hint, _ = problem(loaded, "dstack-other-repository")
    assert message.endswith(f" is of another repository, whose runs are not here: it is the tag {tag}")
    assert hint == f"bring its files, and keep them with `argosy tags add {tag} -a PATH`"


@pytest.mark.parametrize("words", ["deps: [[x]]", "deps: [{path: x, mount: true}]", "deps: ['x:']", "deps: ['']"])
def test_a_dependency_that_is_none_is_an_error(words: str) -> None:
    assert problem(read(BASH + words + "}"), "dstack-dependency")[2] == 2


# -- artifacts


@pytest.mark.parametrize(
    ("words", "paths"),
    [
        ("[out]", {"out": "out"}),
        ("out", {"out": "out"}),
        ("[{path: ./out/, mount: true}]", {"out": "out"}),
        ("[a/b, a-b]", {"a-b": "a/b", "a-b-2": "a-b"}),
        ("[/opt/x, out]", {"opt-x": "/opt/x", "out": "out"}),
        ("[out, out/]", {"out": "out"}),
    ],
)
def test_forms_of_artifacts(words: str, paths: dict[str, str]) -> None:
    assert outputs(read(BASH + f"artifacts: {words}}}"), "a") == paths


def test_a_bare_tag_may_hold_absolute_paths_of_any_workflow() -> None:
    loaded = read(
        BASH + "deps: [':v1']}\n"
        "- {name: one, provider: bash, commands: [x], artifacts: [/opt/one, out]}\n"
        "- {name: two, provider: bash, commands: [x], artifacts: [/opt/two]}"
    )
    whole, *absolute = inputs(loaded, "a")
    assert whole.path == ".dstack-dependencies/0"
    assert [(one.path, one.optional, one.named and one.named.artifact) for one in absolute] == [
        ("/opt/one", True, "opt-one"),
        ("/opt/two", True, "opt-two"),
    ]


def test_folders_of_artifacts_are_there_beforehand() -> None:
    text = source(read(BASH + "artifacts: [out, model.pt, .cache]}"), "a")
    assert "[ -e out ] || mkdir -p out || exit" in text
    assert "[ -e .cache ]" in text
    assert "mkdir -p model.pt" not in text


# -- variables, environment, what is put into texts


def test_names_of_variables_of_the_environment() -> None:
    assert environment_name("batch-size") == "BATCH_SIZE"
    assert environment_name("a.b c") == "A_B_C"


def test_variables_are_in_the_environment() -> None:
    found = env(read(BASH + "}", "a: {batch-size: 64}\nglobal: {lr: 1.0}\nother: {x: 1}"), "a")
    assert list(found) == ["LR", "BATCH_SIZE"]
    assert found["BATCH_SIZE"] == "{{=replace(workflow.parameters['batch-size'], '$', '$$')}}"


def test_values_stay_as_they_are_written() -> None:
    loaded = read(BASH + "}", 'a: {one: 1.0, two: 1e-3, three: true, four: "05", five: [1, 2], six: }')
    signature = document(loaded, "a").signature
    assert signature is not None
    assert [one.default for one in signature.inputs] == ["1.0", "1e-3", "true", "05", "[1,2]", ""]


def test_a_variable_of_the_workflow_goes_before_a_global_one() -> None:
    loaded = read(BASH + "}", "global: {lr: 1, only: 2}\na: {lr: 3}")
    signature = document(loaded, "a").signature
    assert signature is not None
    assert {one.name: (one.default, one.place) for one in signature.inputs} == {
        "lr": ("3", "variables.yaml:3"),
        "only": ("2", "variables.yaml:2"),
    }


def test_variables_of_what_runs_first_have_their_own_names_where_these_clash() -> None:
    variables = "one: {size: 1, lr: 5}\nthree: {lr: 6}"
    loaded = read(chain(), variables)
    signature = document(loaded, "three").signature
    assert signature is not None
    assert {one.name: (one.default, one.aliases) for one in signature.inputs} == {
        "lr": ("6", ()),
        "one-size": ("1", ("size", "one.size")),
        "one-lr": ("5", ("one.lr",)),
    }
    first = template(loaded, "one", "three").script
    assert first is not None
    assert [(one.name, one.value) for one in first.env] == [
        ("SIZE", "{{=replace(workflow.parameters['one-size'], '$', '$$')}}"),
        ("LR", "{{=replace(workflow.parameters['one-lr'], '$', '$$')}}"),
    ]


def test_what_stands_under_env_goes_before_a_variable() -> None:
    loaded = read(BASH + "env: {batch-size: 'a ${{ lr }} $b'}}", "a: {batch-size: 64, lr: 1}")
    assert env(loaded, "a")["BATCH_SIZE"] == "a {{=replace(workflow.parameters['lr'], '$', '$$')}} $$b"


def test_names_in_texts_are_replaced_once_and_nothing_else_is() -> None:
    commands = "commands: ['echo ${{ lr }} {{lr}} {{=1+1}} {% raw %} {# x #} ${lr} $lr']"
    text = source(read("- {name: a, provider: bash, " + commands + "}", "a: {lr: 1}"), "a")
    assert 'echo {{workflow.parameters.lr}} {{="{{"}}lr}} {{="{{"}}=1+1}} {% raw %} {# x #} ${lr} $lr\n' in text


def test_an_undefined_name_is_an_error_at_its_place_with_a_suggestion() -> None:
    loaded = read("- name: a\n  provider: bash\n  commands:\n    - x\n    - echo ${{ epoch }}", "a: {epochs: 1}")
    assert problem(loaded, "dstack-variable") == ("there is no variable 'epoch'", "did you mean epochs?", 6)
    assert not loaded.documents


def test_secrets_are_no_names_in_texts() -> None:
    hint = problem(read("- {name: a, provider: bash, commands: ['x ${{ secrets.KEY }}']}"), "dstack-variable")[1]
    assert hint == "secrets are variables of the environment: write $KEY in a command"


def test_other_arguments_are_taken_where_the_workflow_asks_for_them() -> None:
    signature = document(read("- {name: a, provider: bash, commands: ['x ${{ run.args }}']}"), "a").signature
    assert signature is not None
    assert signature.rest == "run-args"
    plain = document(read(BASH + "}"), "a").signature
    assert plain is not None
    assert plain.rest == ""


def test_secrets_come_under_a_prefix_and_win_over_env() -> None:
    loaded = read(BASH + "env: {KEY: plain}}")
    script = template(loaded, "a").script
    assert script is not None
    (one,) = script.env_from
    assert one.secret_ref is not None
    assert (one.prefix, one.secret_ref.name, one.secret_ref.optional) == ("DSTACK_SECRET_", "dstack", True)


# -- Python


@pytest.mark.parametrize(
    ("words", "version"),
    [
        ("python: 3.10", "3.10"),
        ("version: 3.10", "3.10"),
        ("version: 3.1", "3.10"),
        ("version: '3.10'", "3.10"),
        ("version: 3.8", "3.8"),
        ("python: ['3.9']", "3.9"),
        ("python: 3.9.7", "3.9.7"),
    ],
)
def test_versions_of_python(words: str, version: str) -> None:
    assert f"argosy_python '{version}' '' '' '' || exit" in source(read(BASH + words + "}"), "a")


@pytest.mark.parametrize("provider", ["python3.9", "python:3.9", "python/3.9", "python==3.9", "_python@main"])
def test_spellings_of_the_python_provider(provider: str) -> None:
    loaded = read(f"- {{name: a, provider: '{provider}', file: b.py}}")
    assert source(loaded, "a").endswith("\npython b.py\n")
    assert ("argosy_python '3.9'" in source(loaded, "a")) == ("3.9" in provider)


def test_a_version_that_is_none_is_an_error() -> None:
    message, hint, _ = problem(read(BASH + "python: three}"), "dstack-python")
    assert (message, hint) == ("'three' is no version of Python", "write one such as 3.10")


def test_commands_that_install_have_an_environment_of_their_own() -> None:
    one = source(read("- {name: a, provider: bash, commands: [pip install x, y]}"), "a")
    other = source(read("- {name: a, provider: bash, setup: [pip3 install z], commands: [y]}"), "a")
    assert "argosy_python '' '' ''" not in one
    assert [line for line in one.splitlines() if line.startswith("argosy_python '")] != [
        line for line in other.splitlines() if line.startswith("argosy_python '")
    ]
    assert "argosy_python" not in source(read(BASH + "}"), "a")


# -- resources


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("16GB", "16G"),
        ("16GiB", "16Gi"),
        ("512MB", "512M"),
        ("1.5GB", "1.5G"),
        ("1TB", "1T"),
        ("16", "16"),
        ("16 gb", "16G"),
        ("2K", "2k"),
        ("lots", None),
        ("-1GB", None),
        ("1XB", None),
    ],
)
def test_amounts_of_memory(text: str, quantity: str | None) -> None:
    assert memory(text) == quantity


@pytest.mark.parametrize(
    ("words", "gpus"),
    [
        ("resources: {gpu: 2}", "2"),
        ("resources: {gpu: {count: 2}}", "2"),
        ("resources: {gpu: {name: V100}}", "1"),
        ("resources: {V100/gpu: 2}", "2"),
        ("gpu: 2", "2"),
        ("gpu: 2, resources: {cpu: 1}", "2"),
        ("resources: {gpu: 0}", None),
        ("resources: {gpu: '${{ cards }}'}", "{{workflow.parameters.cards}}"),
    ],
)
def test_forms_of_gpus(words: str, gpus: str | None) -> None:
    assert requests(read(BASH + words + "}", "a: {cards: 1}"), "a").get("nvidia.com/gpu") == gpus


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("{cpu: many}", "resources.cpu is a whole number, not 'many'"),
        ("{gpu: V100}", "resources.gpu is a whole number, not 'V100'"),
        ("{memory: 16XB}", "resources.memory: '16XB' is no amount of memory"),
        ("{memory: '${{ m }}'}", "resources.memory: '${{ m }}' is no amount of memory"),
    ],
)
def test_resources_that_are_none(words: str, message: str) -> None:
    assert problem(read(BASH + f"resources: {words}}}", "a: {m: 1GB}"), "dstack-resources")[0] == message


def test_what_has_no_effect_is_told() -> None:
    words = "resources: {interruptible: true, remote: true, shm_size: 1GB, gpu: {name: V100}}, ssh: true"
    loaded = read(BASH + words + ", cache: [{path: x}], triggers: []}")
    told = [one.message.partition(":")[0] for one in loaded.diagnostics if one.severity == "note"]
    assert sorted(told) == ["cache", "gpu", "interruptible", "remote", "shm_size", "ssh", "triggers"]


# -- providers

KEYS = {
    "python": "file: f.py, args: '--x 1'",
    "bash": "commands: [x]",
    "docker": "image: i, commands: [x]",
    "torchrun": "file: f.py, resources: {gpu: 2}",
    "gradio": "file: f.py",
    "streamlit": "target: f.py, args: [a b]",
    "fastapi": "app: main:app, uvicorn: --reload",
    "tensorboard": "runs: [one, two], logdir: logs",
    "curl": "url: 'http://x/y?a&b', output: data/y",
}
PROGRAMS = {
    "python": "python f.py --x 1",
    "bash": "x",
    "docker": "x",
    "torchrun": "python -m torch.distributed.run --nnodes=1 --node_rank=0 --nproc_per_node=2 "
    '--master_addr="$MASTER_HOSTNAME" --master_port="$MASTER_PORT_0" f.py',
    "code": 'exec "$argosy_code" serve-web --host "${ARGOSY_LISTEN:-127.0.0.1}" --port "$ARGOSY_PORT"',
    "lab": 'python -m jupyterlab --no-browser --allow-root --ip="${ARGOSY_LISTEN:-127.0.0.1}" --port="$ARGOSY_PORT"',
    "notebook": 'python -m notebook --no-browser --allow-root --ip="${ARGOSY_LISTEN:-127.0.0.1}" --port="$ARGOSY_PORT"',
    "gradio": "exec python f.py",
    "streamlit": "--server.port=\"$ARGOSY_PORT\" --server.headless=true f.py 'a b'",
    "fastapi": 'exec python -m uvicorn --host "${ARGOSY_LISTEN:-127.0.0.1}" --port "$ARGOSY_PORT" --reload main:app',
    "tensorboard": 'tensorboard.main --logdir runs --host "${ARGOSY_LISTEN:-127.0.0.1}" --port "$ARGOSY_PORT"',
    "curl": "curl --fail --location --show-error --silent 'http://x/y?a&b' -o data/y",
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_providers(provider: str) -> None:
    loaded = read(f"- {{name: a, provider: {provider}, {KEYS.get(provider, '')}}}")
    text = source(loaded, "a")
    assert f"{PROGRAMS[provider]}\n" in text or PROGRAMS[provider] in text
    is_app = provider in ("code", "lab", "notebook", "gradio", "streamlit", "fastapi", "tensorboard")
    assert ("\nargosy_open " in text) == is_app
    assert ("argosy_ports 0 || exit" in text) == (is_app or provider == "torchrun")


def test_tensorboard_shows_runs_by_name() -> None:
    given = inputs(read("- {name: a, provider: tensorboard, runs: 'one, two', logdir: logs}"), "a")
    assert [(one.path, one.named) for one in given] == [
        ("runs/one", NamedData(kind="run", ref="one", path="logs")),
        ("runs/two", NamedData(kind="run", ref="two", path="logs")),
    ]


def test_an_image_without_commands_runs_its_own_program() -> None:
    found = template(read("- {name: a, provider: docker, image: i}"), "a")
    assert found.container is not None
    assert (found.container.image, found.container.command) == ("i", ())


def test_an_entrypoint_is_the_shell_of_the_commands() -> None:
    found = template(read("- {name: a, provider: docker, image: i, entrypoint: /bin/ash -i -c, commands: [x]}"), "a")
    assert found.script is not None
    assert found.script.command == ("/bin/ash",)


def test_more_nodes_need_a_cluster() -> None:
    for words in ("nodes: 2", "resources: {nodes: 2}"):
        message, _, _ = problem(read(f"- {{name: a, provider: torchrun, file: f.py, {words}}}"), "dstack-nodes")
        assert message == "torchrun on 2 nodes needs a cluster, and this is one machine"


def test_custom_providers() -> None:
    loaded = read(
        "- {name: a, provider: shout, words: hi, script: main.py}",
        providers="- {name: shout, image: i, commands: ['echo ${{ words }} ${{ script }} $WORDS']}",
    )
    found = template(loaded, "a").script
    assert found is not None
    assert found.image == "i"
    assert found.source.endswith("echo {{workflow.parameters.words}} {{workflow.parameters.script}} $WORDS\n")
    assert [one.name for one in found.env] == ["WORDS", "SCRIPT"]


@pytest.mark.parametrize(
    ("words", "rule", "hint"),
    [
        ("provider: pyton, file: x", "dstack-provider", "did you mean python?"),
        ("provider: {repo: 'http://x', name: y}", "dstack-provider", "write its image and commands into .dstack/pro"),
        ("provider: python", "field-missing", "add `file: ...`"),
        ("provider: bash, commands: [x], hlp: y", "field-unknown", "did you mean `help`?"),
        ("provider: python, file: x, script: y", "field-twice", "remove one of them"),
        ("help: nothing else", "field-missing", "add `provider: bash`, ..."),
        ("provider: bash, commands: {a: b}", "field-type", "start each item with `- `"),
        ("provider: bash, commands: [x], env: [[a]]", "field-type", "- NAME=VALUE"),
    ],
)
def test_mistakes_are_told_at_their_place(words: str, rule: str, hint: str) -> None:
    found = problem(read(f"- {{name: a, {words}}}"), rule)
    assert found[1].startswith(hint)
    assert found[2] == 2


def test_findings_name_keys_as_the_file_spells_them() -> None:
    assert problem(read("- {name: a, provider: python, script: [x]}"), "field-type")[0].startswith("`script`: ")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("workflows: 3", "field-type"),
        ("workflows: [3]", "field-type"),
        ("workflows: [{provider: bash}]", "field-missing"),
        ("[a]", "dstack-file"),
        ("workflow: []", "field-unknown"),
        ("variables: []", "dstack-variables"),
        ("variables: {a: 3}", "dstack-variables"),
        ("providers: [{image: x}]", "field-missing"),
    ],
)
def test_files_that_are_none(text: str, rule: str) -> None:
    from argosy.dialects.dstack.reading import load

    assert [one.rule for one in load(text, "x.yaml").diagnostics] == [rule]


def test_commands_and_values_are_what_is_written() -> None:
    loaded = read("- {name: a, provider: bash, commands: [true, yes], env: {ONE: 1.0, TWO: yes, THREE: }}")
    assert source(loaded, "a").endswith("{\ntrue\n} || exit\n{\nyes\n} || exit\n")
    assert env(loaded, "a") == {"ONE": "1.0", "TWO": "yes", "THREE": ""}


# -- what dstack did and nobody wanted


def test_arguments_in_a_list_stay_words() -> None:
    """They were joined with commas."""
    words = """- {name: a, provider: python, file: my a.py, args: [x, "y z", "it's", 3, '${{ lr }}']}"""
    text = source(read(words, "a: {lr: 1}"), "a")
    expected = r"""python 'my a.py' x 'y z' 'it'\''s' 3 '{{=replace(workflow.parameters['lr'], "'", "'\\''")}}'"""
    assert text.endswith(f"\n{expected}\n")


def test_torchrun_without_resources() -> None:
    """It crashed."""
    assert "--nproc_per_node=1 " in source(read("- {name: a, provider: torchrun, file: f.py}"), "a")


def test_names_and_memory_of_gpus_are_told_of() -> None:
    """They were accepted and dropped."""
    loaded = read(BASH + "resources: {gpu: {memory: 16GB}}}")
    assert problem(loaded, "dstack-no-effect")[0].endswith("their name and memory are not looked at")


def test_every_command_has_to_succeed_and_all_share_a_shell() -> None:
    text = source(read("- {name: a, provider: bash, commands: ['cd x', 'false && true', '# nothing', 'y # z']}"), "a")
    assert text.endswith("{\ncd x\n} || exit\n{\nfalse && true\n} || exit\n{\ny # z\n} || exit\n")


# -- providers of one's own


def test_what_a_provider_leaves_is_left_by_its_workflows() -> None:
    loaded = read(
        "- {name: a, provider: shout, artifacts: [mine]}", providers="- {name: shout, commands: 'true', artifacts: [d]}"
    )
    made = template(loaded, "a")
    assert made.outputs is not None
    assert [one.path for one in made.outputs.artifacts] == ["d", "mine"]
    assert source(loaded, "a").endswith("\ntrue\n")


def test_an_artifact_without_a_path_is_none() -> None:
    assert template(read(BASH + "artifacts: [~]}"), "a").outputs is None


def test_a_provider_of_this_very_repository_is_ones_own() -> None:
    words = "- {name: a, provider: {repo: 'https://github.com/me/here.git', name: shout}}"
    providers = "- {name: shout, commands: [echo]}"
    assert source(read(words, providers=providers, repository="me/here"), "a").endswith("\necho\n")
    elsewhere = read(words, providers=providers, repository="me/there")
    assert problem(elsewhere, "dstack-provider")[0] == "a provider from another repository is not fetched"


def test_variables_of_january_2022() -> None:
    beside = Beside(files=(("configs.yaml", "configs: {global: {size: 1}, a: {rate: 2}}"),))
    workflows = "workflows: [{name: a, image: i, commands: ['x $config_args $job_name']}]"
    loaded = load(workflows, "workflows.yaml", beside=beside)
    text = source(loaded, "a")
    assert 'x --size "$SIZE" --rate "$RATE" {{workflow.name}}' in text


def test_what_tensorboard_shows_are_no_metrics_of_its_own() -> None:
    shown = template(read("- {name: a, provider: tensorboard, runs: [one]}"), "a")
    other = template(read(BASH + "}"), "a")
    assert shown.metadata is not None
    assert other.metadata is not None
    assert shown.metadata.annotations["argosy.dev/metrics"] == "false"
    assert "argosy.dev/metrics" not in other.metadata.annotations
