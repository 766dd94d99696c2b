"""What each action takes, and a project's own actions."""

from __future__ import annotations

from pathlib import Path

import pytest
from gradient_reading import MACHINE, errors, found, place, read, template, the_error, warnings

from argosy.dialects.gradient.actions import LIBRARY, Library
from argosy.dialects.gradient.instances import Instance
from argosy.dialects.gradient.load import Setting
from argosy.errors import InvalidFile
from argosy.model.manifest import Artifact, KeySelector, Template


def job(text: str) -> str:
    lines = "\n".join(f"    {line}" for line in text.strip("\n").splitlines())
    return f"{MACHINE}jobs:\n  a:\n{lines}\n"


def made(text: str, *, setting: Setting | None = None) -> Template:
    return template(read(job(text), setting=setting)[0], "a")


def source(text: str) -> Artifact:
    inputs = made(text).inputs
    assert inputs is not None
    return inputs.artifacts[0]


def test_the_five_actions_are_there() -> None:
    names = ["container@v1", "create-model@v1", "git-checkout@v1", "s3-download@v1", "script@v1"]
    assert Library().names() == names
    assert all(Library().find(name) is not None for name in names)
    assert len(list(LIBRARY.iterdir())) == 5


# -- container@v1


def test_a_container() -> None:
    one = made("uses: container@v1\nwith: {image: 'bash:5', command: bash, args: [-c, 'echo $(X)']}").container
    assert one is not None
    assert (one.image, one.command, one.args) == ("bash:5", ("bash",), ("-c", "echo $(X)"))


def test_a_command_is_a_list_or_a_text() -> None:
    for written in ("[python, -u]", "python -u", "'python' -u"):
        one = made(f"uses: container@v1\nwith: {{image: x, command: {written.replace(chr(39), '')} }}").container
        assert one is not None
        assert one.command == ("python", "-u")
    assert "cannot be split" in the_error(job('uses: container@v1\nwith: {image: x, command: "echo \'a"}')).message


def test_the_image_is_required() -> None:
    one = the_error(job("uses: container@v1\nwith: {args: [a]}"))
    assert one.message == '"spec.jobs.a.with.image" is required by container@v1'
    assert "required" in the_error(job("uses: container@v1")).message


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ("image: x, args: [a, b, 3]", '"spec.jobs.a.with.args[2]" must be a string', '"3"'),
        ("image: x, args: [a, true]", '"spec.jobs.a.with.args[1]" must be a string', '"true"'),
        ("image: x, args: [a, {b: c}]", '"spec.jobs.a.with.args[1]" must be a string', ""),
        ("image: x, args: words", '"spec.jobs.a.with.args" must be a list of strings', "- "),
        ("image: 3", '"spec.jobs.a.with.image" must be a string', '"3"'),
        ("image: x, command: 3", '"spec.jobs.a.with.command" must be a string', '"3"'),
        ("image: x, comand: ls", "has no key `comand`", "did you mean `command`?"),
        ("image: x, env: {A: b}", "has no key `env`", "beside `with`"),
        ("image: x, args: ['secret:TOKEN']", "cannot be a secret", "`env`"),
        ("image: 'secret:TOKEN'", "cannot be a secret", "`env`"),
    ],
)
def test_what_a_container_does_not_take(given: str, message: str, hint: str) -> None:
    one = the_error(job(f"uses: container@v1\nwith: {{{given}}}"))
    assert message in one.message
    assert hint in one.hint
    assert place(one)[0] == 5


# -- script@v1


def test_a_script_is_run_with_bash() -> None:
    one = made("uses: script@v1\nwith:\n  image: bash:5\n  script: |-\n    echo one\n    echo two").script
    assert one is not None
    assert (one.image, one.command, one.source) == ("bash:5", ("bash",), "echo one\necho two")


def test_a_script_is_one_text() -> None:
    one = the_error(job("uses: script@v1\nwith: {image: x, script: [echo one, echo two]}"))
    assert one.message == '"spec.jobs.a.with.script" must be a string'
    assert "as one text" in one.hint


@pytest.mark.parametrize("given", ["image: x", "script: ls", "image: x, run: ls"])
def test_what_a_script_needs(given: str) -> None:
    assert errors(job(f"uses: script@v1\nwith: {{{given}}}"))


# -- git-checkout@v1

VOLUME = "outputs: {repo: {type: volume}}"


def test_a_checkout() -> None:
    one = source(f"uses: git-checkout@v1\nwith: {{url: 'https://host/r.git', ref: main}}\n{VOLUME}")
    assert (one.path, one.git) == ("/outputs/repo", {"repo": "https://host/r.git", "revision": "main"})


def test_a_private_checkout() -> None:
    with_ = "url: 'https://host/r.git', username: me, password: 'secret:GIT'"
    one = source(f"uses: git-checkout@v1\nwith: {{{with_}}}\n{VOLUME}")
    secret = {"name": "GIT", "key": "value"}
    assert one.git == {"repo": "https://host/r.git", "username": "me", "passwordSecret": secret}


def test_a_user_may_be_a_secret() -> None:
    one = source(f"uses: git-checkout@v1\nwith: {{url: /r, username: 'secret:USER'}}\n{VOLUME}")
    assert one.git == {"repo": "/r", "usernameSecret": {"name": "USER", "key": "value"}}


def test_a_password_in_the_environment_is_the_old_form() -> None:
    one = source(f"uses: git-checkout@v1\nwith: {{url: /r, username: me}}\n{VOLUME}\nenv: {{GIT_PASSWORD: 'secret:G'}}")
    assert one.git is not None
    assert one.git["passwordSecret"] == {"name": "G", "key": "value"}


def test_a_password_is_a_secret_only() -> None:
    one = the_error(job(f"uses: git-checkout@v1\nwith: {{url: /r, password: hunter2}}\n{VOLUME}"))
    assert one.rule == "gradient-secret"
    assert "argosy secrets set" in one.hint


def test_branch_is_of_github_actions() -> None:
    one = the_error(job(f"uses: git-checkout@v1\nwith: {{url: /r, branch: main}}\n{VOLUME}"))
    assert one.hint == "write `ref`: it takes a branch, a tag or a commit"


def test_the_url_is_the_events_unless_given() -> None:
    for with_ in ("", "with: {url: context.event.github.url, ref: context.event.github.ref}"):
        workflow, takes = read(job(f"uses: git-checkout@v1\n{with_}\n{VOLUME}"))
        inputs = template(workflow, "a").inputs
        assert inputs is not None
        git = inputs.artifacts[0].git
        assert git is not None
        assert git["repo"] == "{{workflow.parameters.context-event-github-url}}"
        one = takes.find("context.event.github.url")
        assert one is not None
        assert (one.name, one.required) == ("context-event-github-url", True)


def test_a_context_in_the_spec_is_the_event() -> None:
    context = "context: {event: {github: {url: 'https://host/r', ref: abc}}}\n"
    text = context + job(f"uses: git-checkout@v1\nwith: {{ref: context.event.github.ref}}\n{VOLUME}")
    _, takes = read(text)
    assert [(one.default, one.required) for one in takes.inputs] == [("https://host/r", False), ("abc", False)]


def test_what_an_event_does_not_have() -> None:
    one = the_error(job(f"uses: git-checkout@v1\nwith: {{ref: context.event.github.refs}}\n{VOLUME}"))
    assert "did you mean `context.event.github.ref`?" in one.hint


def test_variables_of_the_job_in_a_checkout() -> None:
    text = "uses: git-checkout@v1\nwith: {url: 'https://$HOST/r', ref: '${REF}', username: $NOT}\n"
    one = source(f"{text}{VOLUME}\nenv: {{HOST: host, REF: dev}}")
    assert one.git == {"repo": "https://host/r", "revision": "dev", "username": "$NOT"}


def test_a_variable_that_is_a_secret_is_no_part_of_a_text() -> None:
    text = f"uses: git-checkout@v1\nwith: {{url: 'https://$T@host/r'}}\n{VOLUME}\nenv: {{T: 'secret:T'}}"
    assert the_error(job(text)).rule == "gradient-secret"


@pytest.mark.parametrize(
    ("outputs", "path", "found"),
    [
        ("repo: {type: volume}", "", "/outputs/repo"),
        ("repo: {type: volume}, s: {type: dataset, with: {ref: d}}", "/outputs/s", "/outputs/s"),
        ("repo: {type: volume}", "/outputs/repo/sub/", "/outputs/repo/sub"),
        ("repo: {type: dataset, with: {ref: d}}", "", "/outputs/repo"),
    ],
)
def test_where_a_checkout_goes(outputs: str, path: str, found: str) -> None:
    with_ = f"url: /r, path: {path}" if path else "url: /r"
    assert source(f"uses: git-checkout@v1\nwith: {{{with_}}}\noutputs: {{{outputs}}}").path == found


@pytest.mark.parametrize(
    ("outputs", "path", "message"),
    [
        ("a: {type: volume}, b: {type: volume}", "", "has 2 outputs"),
        ("", "", "needs an output for its files"),
        ("repo: {type: volume}", "/outputs/rep", "No such file or directory"),
        ("repo: {type: volume}", "/tmp/x", "No such file or directory"),
        ("repo: {type: volume}", "/outputs/repo/../../etc", "No such file or directory"),
    ],
)
def test_where_a_checkout_cannot_go(outputs: str, path: str, message: str) -> None:
    with_ = f"url: /r, path: {path}" if path else "url: /r"
    one = the_error(job(f"uses: git-checkout@v1\nwith: {{{with_}}}\noutputs: {{{outputs}}}"))
    assert message in one.message
    assert one.hint


def test_a_checkout_gives_no_string() -> None:
    text = "uses: git-checkout@v1\nwith: {url: /r}\noutputs: {repo: {type: volume}, sha: {type: string}}"
    assert the_error(job(text)).message == "git-checkout@v1 gives no string `sha`"


def test_an_empty_url() -> None:
    text = job(f"uses: git-checkout@v1\nwith: {{url: ''}}\n{VOLUME}")
    assert "Github url is invalid." in the_error(text).message


# -- s3-download@v1


def test_a_download() -> None:
    with_ = (
        "url: 's3://bucket/path/', access-key: AK, secret-access-key: 'secret:S3', region: eu, endpoint: 'http://h:1'"
    )
    one = source(f"uses: s3-download@v1\nwith: {{{with_}}}\noutputs: {{s3: {{type: volume}}}}")
    assert one.path == "/outputs/s3/"
    assert one.s3 == {
        "bucket": "bucket",
        "key": "path/",
        "region": "eu",
        "endpoint": "http://h:1",
        "accessKey": "AK",
        "secretKeySecret": {"name": "S3", "key": "value"},
    }


def test_an_access_key_may_be_a_secret() -> None:
    with_ = "url: 's3://b/k', access-key: 'secret:AK', secret-access-key: 'secret:S3'"
    one = source(f"uses: s3-download@v1\nwith: {{{with_}}}\noutputs: {{s3: {{type: volume}}}}")
    assert one.s3 is not None
    assert "accessKey" not in one.s3
    assert one.s3["accessKeySecret"] == {"name": "AK", "key": "value"}


@pytest.mark.parametrize(
    ("with_", "message"),
    [
        ("access-key: AK, secret-access-key: 'secret:S'", "with.url"),
        ("url: 's3://b/k', secret-access-key: 'secret:S'", "with.access-key"),
        ("url: 's3://b/k', access-key: AK", "with.secret-access-key"),
        ("url: 's3://b/k', access-key: AK, secret-access-key: plain", "has to be a secret"),
        ("url: 'https://b/k', access-key: AK, secret-access-key: 'secret:S'", "must be s3://BUCKET/KEY"),
    ],
)
def test_what_a_download_needs(with_: str, message: str) -> None:
    text = job(f"uses: s3-download@v1\nwith: {{{with_}}}\noutputs: {{s3: {{type: volume}}}}")
    assert message in the_error(text).message


# -- create-model@v1

MODEL = "inputs: {model: {type: dataset, with: {ref: d}}}\noutputs: {model-id: {type: string}}"


def test_a_model_is_made_and_its_id_told() -> None:
    one = made(f"uses: create-model@v1\nwith: {{name: my-model, type: tensorflow}}\n{MODEL}")
    assert one.outputs is not None
    named = one.outputs.artifacts[0].named
    assert named is not None
    assert (named.kind, named.ref, named.type) == ("model", "my-model:{{workflow.name}}.a", "Tensorflow")
    assert [(p.name, p.value) for p in one.outputs.parameters] == [("model-id", "my-model:{{workflow.name}}.a")]


def test_a_models_name_is_one_of_the_catalog() -> None:
    text = job(f"uses: create-model@v1\nwith: {{name: My model!, type: ONNX}}\n{MODEL}")
    assert "is called `My-model` here" in warnings(text)[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"with: {{name: m, type: Pytorch}}\n{MODEL}", "must be one of Tensorflow, ONNX, Custom"),
        (f"with: {{name: m}}\n{MODEL}", "with.type"),
        (f"with: {{type: ONNX}}\n{MODEL}", "with.name"),
        ("with: {name: m, type: ONNX}\noutputs: {model-id: {type: string}}", "input called `model`"),
        (
            "with: {name: m, type: ONNX}\ninputs: {model: {type: string, with: {value: x}}}",
            "is a dataset, and this is a string",
        ),
        (
            "with: {name: m, type: ONNX}\ninputs: {model: {type: dataset, with: {ref: d}}}\n"
            "outputs: {modelid: {type: string}}",
            "gives no string `modelid`",
        ),
        (
            "with: {name: m, type: ONNX}\ninputs: {model: {type: dataset, with: {ref: d}}}\n"
            "outputs: {model-id: {type: volume}}",
            "is a string, not a volume",
        ),
    ],
)
def test_what_a_model_needs(text: str, message: str) -> None:
    assert message in the_error(job(f"uses: create-model@v1\n{text}")).message


def test_an_input_without_use_is_told_of() -> None:
    text = job(
        f"uses: git-checkout@v1\nwith: {{url: /r}}\ninputs: {{s: {{type: string, with: {{value: x}}}}}}\n{VOLUME}"
    )
    assert warnings(text) == ["git-checkout@v1 has no use for the input `s`"]


# -- a project's own


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "train@v2.yaml").write_text(
        """
description: Trains.
with:
  epochs: {type: string, default: "5"}
  rate: {type: string}
  token: {type: secret}
  extra: {type: strings}
inputs: {data: {type: dataset, required: true}}
template:
  container:
    image: trainer:2
    command: [train, "--epochs={{with.epochs}}", "--rate", "{{with.rate}}", "{{with.extra}}", "{{job}}"]
    env: [{name: TOKEN, value: "{{with.token}}"}]
"""
    )
    return tmp_path


DATA = "inputs: {data: {type: dataset, with: {ref: d}}}"


def test_a_projects_own_action(own: Path) -> None:
    text = f"uses: train@v2\nwith: {{token: 'secret:T', extra: [a, b]}}\n{DATA}\nenv: {{A: b}}"
    one = made(text, setting=Setting(actions=own)).container
    assert one is not None
    assert one.command == ("train", "--epochs=5", "--rate", "a", "b", "a")
    assert [variable.name for variable in one.env] == ["A", "TOKEN"]
    given = one.env[1].value_from
    assert given is not None
    assert given.secret_key_ref == KeySelector(name="T", key="value")


def test_an_own_actions_demands_hold(own: Path) -> None:
    setting = Setting(actions=own)
    assert "input called `data`" in the_error(job("uses: train@v2"), setting=setting).message
    assert (
        "did you mean `epochs`?" in the_error(job(f"uses: train@v2\nwith: {{epoch: x}}\n{DATA}"), setting=setting).hint
    )
    assert "train@v2" in the_error(job("uses: train@v3"), setting=setting).hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("with: {}", "lacks `template`"),
        ("template: {}", "exactly one kind"),
        ("template: {container: {image: x}}\nwith: {a: {type: sting}}", "there is no type `sting`"),
        ("template: {container: {image: x}}\nwith: {a: {type: choice}}", "lacks `choices`"),
        ("template: {container: {image: x}}\nwiht: {}", "has no field `wiht`"),
        ("template: [", ""),
        ("", "describes no action"),
    ],
)
def test_an_own_action_that_is_not_right(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "bad@v1.yaml").write_text(text)
    with pytest.raises(InvalidFile, match=r"bad@v1\.yaml") as caught:
        found(job("uses: bad@v1"), setting=Setting(actions=tmp_path))
    assert message in caught.value.message


def test_a_template_that_is_none_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "bad@v1.yaml").write_text("template: {container: {image: [x]}}")
    assert the_error(job("uses: bad@v1"), setting=Setting(actions=tmp_path)).rule == "gradient-action"


def test_a_list_inside_a_text_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "bad@v1.yaml").write_text("with: {a: {type: strings}}\ntemplate: {container: {image: 'x{{with.a}}'}}")
    one = the_error(job("uses: bad@v1\nwith: {a: [b]}"), setting=Setting(actions=tmp_path))
    assert "inside a text" in one.message


# -- machines


def test_a_projects_own_machines() -> None:
    own = Setting(instances={"C4": Instance(cpu="1"), "BIG": Instance(memory="1Gi", gpus=2)})
    one = made("uses: container@v1\nwith: {image: x}", setting=own).container
    assert one is not None
    assert one.resources is not None
    assert one.resources.requests == {"cpu": "1"}
    one = made("uses: container@v1\nwith: {image: x}\nresources: {instance-type: big}", setting=own).container
    assert one is not None
    assert one.resources is not None
    assert one.resources.requests == {"memory": "1Gi", "nvidia.com/gpu": "2"}


def test_what_this_machine_lacks_is_said() -> None:
    setting = Setting(fitted=lambda instance: (Instance(cpu="1"), "2 CPUs"))
    text = job("uses: container@v1\nwith: {image: x}")
    (one,) = found(text, setting=setting)
    assert (one.severity, one.message) == ("note", "the instance-type `C4` has 2 CPUs: the job runs with what is there")
