"""Secrets are found nowhere: not below the home, in no output of any command, on no command line, in no form.

Besides what a step itself writes into its own files.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from secret_canaries import CANARIES, Watch, hits, hits_below

from argosy.artifacts.places import memory_folder
from argosy.runners.local.runtimes.sandbox import SandboxRuntime

Call = Callable[..., subprocess.CompletedProcess[bytes]]
# Says every value that it was given in many ways, in pieces too.
SAYING = """
import base64, json, os, shlex, sys, time, urllib.parse
values = [os.environ[name] for name in sys.argv[1].split(",") if name]
for folder in sys.argv[2:]:
    files = [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if not name.startswith(".")]
    values += [open(path, newline="").read() for path in files]
assert len(values) >= 30, len(values)
raw = sys.stdout.buffer
def say(text):
    raw.write(text if isinstance(text, bytes) else text.encode())
    raw.flush()
for value in values:
    data = value.encode()
    print("plain", value, value.strip(), flush=True)
    print("err", value, file=sys.stderr, flush=True)
    for form in (base64.b64encode(data), base64.b64encode(b"x" + data + b"yy"), base64.encodebytes(b"ab" + data)):
        say(form + b"\\n")
    for form in (urllib.parse.quote(value), urllib.parse.quote(value, safe=""), urllib.parse.quote_plus(value)):
        say(form + "\\n")
    for form in (json.dumps({"v": value}), json.dumps([value], ensure_ascii=False), shlex.quote(value), repr(value)):
        say(form + "\\n")
    say(data.hex() + "\\n")
    for at in range(0, len(data), 7):
        say(data[at : at + 7])
    say("\\n")
    for line in value.splitlines():
        say("  " + line + "\\n")
"""
ENDING = """
with open("out.txt", "w", newline="") as file:
    file.write(json.dumps(values) + "\\n" + "\\n".join(values))
sys.exit(3)
"""


def key_of(name: str) -> str:
    return f"C_{name}"


def manifest(server: str, runtime: str) -> str:
    """A workflow that hands all canaries out in every way."""
    names = ",".join(map(key_of, CANARIES))
    env = [
        {"name": key_of(name), "valueFrom": {"secretKeyRef": {"name": "canaries", "key": key_of(name)}}}
        for name in CANARIES
    ]
    python = [sys.executable, "-c"]
    saying = SAYING + ENDING
    out = {"parameters": [{"name": "told", "valueFrom": {"path": "out.txt"}}]}
    selector = {"name": "canaries", "key": key_of("token")}
    credentials = {"usernameSecret": {"name": "canaries", "key": key_of("word")}, "passwordSecret": selector}
    s3 = {
        "endpoint": server.removeprefix("http://"),
        "insecure": True,
        "bucket": "b",
        "key": "k",
        "accessKeySecret": {"name": "canaries", "key": key_of("word")},
        "secretKeySecret": {"name": "canaries", "key": key_of("aws")},
    }
    artifacts: dict[str, dict[str, object]] = {
        "basic": {"http": {"url": f"{server}/file", "auth": {"basicAuth": credentials}}},
        "header": {"http": {"url": f"{server}/file", "headers": [{"name": "X-T", "value": "none"}]}},
        "git": {"git": {"repo": f"{server}/repo.git", **credentials}},
        "s3": {"s3": s3},
    }
    templates: list[dict[str, object]] = [
        {
            "name": "env",
            "container": {"image": "none", "command": python, "args": [saying, names], "env": env},
            "outputs": out,
        },
        {
            "name": "from",
            "script": {
                "image": "none",
                "command": [sys.executable],
                "envFrom": [{"secretRef": {"name": "canaries"}}, {"secretRef": {"name": "applied"}}],
                "source": f"import sys\nsys.argv = ['x', {names!r}]\n{SAYING}",
            },
        },
        {
            "name": "asked",
            "http": {
                "url": f"{server}/echo",
                "headers": [{"name": "Authorization", "valueFrom": {"secretKeyRef": selector}}],
            },
        },
        {
            "name": "read",
            "resource": {"action": "get", "flags": ["secret", "canaries"]},
            "outputs": {
                "parameters": [
                    {"name": "all", "valueFrom": {"jsonPath": "{.data}"}},
                    {"name": "one", "valueFrom": {"jsonPath": "{.data." + key_of("long") + "}"}},
                ]
            },
        },
        {
            "name": "wrong",
            "resource": {"action": "get", "flags": ["secret", "canaries"], "successCondition": "kind == Secret"},
            "outputs": {"parameters": [{"name": "x", "valueFrom": {"jsonPath": "{.data['x'}"}}]},
        },
        *(
            {
                "name": f"artifact-{name}",
                "inputs": {"artifacts": [{"name": "a", "path": "a", **place}]},
                "container": {"image": "none", "command": ["true"]},
            }
            for name, place in artifacts.items()
        ),
    ]
    if runtime == "sandbox":
        templates.append(
            {
                "name": "volume",
                "volumes": [{"name": "v", "secret": {"secretName": "canaries"}}],
                "container": {
                    "image": "none",
                    "command": python,
                    "args": [SAYING, "", "/secrets"],
                    "volumeMounts": [{"name": "v", "mountPath": "/secrets"}],
                },
            }
        )
    tasks: list[dict[str, object]] = [{"name": one["name"], "template": one["name"]} for one in templates]
    # What comes from a result goes on into the next step, and into the record with it.
    passed = {"parameters": [{"name": "p", "value": "{{tasks.from.outputs.result}}"}]}
    tasks.append({"name": "on", "template": "on", "depends": "from", "arguments": passed})
    templates.append(
        {
            "name": "on",
            "inputs": {"parameters": [{"name": "p"}]},
            "container": {"image": "none", "command": ["echo"], "args": ["{{inputs.parameters.p}}"]},
        }
    )
    workflow = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "leaky"},
        "spec": {
            "entrypoint": "main",
            "archiveLogs": True,
            "templates": [{"name": "main", "dag": {"failFast": False, "tasks": tasks}}, *templates],
        },
    }
    applied = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "applied"},
        "stringData": {key_of(name): value for name, value in CANARIES.items()},
    }
    return f"{json.dumps(applied, ensure_ascii=False)}\n---\n{json.dumps(workflow)}\n"


class Echo(BaseHTTPRequestHandler):
    """Says in its answer what it was sent, and has nothing else."""

    def do_GET(self) -> None:
        said = self.headers.get("Authorization", "")
        body = f"you sent {said}; {base64.b64encode(said.encode()).decode()}\n".encode()
        self.send_response(200 if self.path == "/echo" else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_PUT = do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: it is the server's matter."""


@pytest.fixture
def server() -> Generator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


class Shell:
    """Calls argosy as a program of its own and keeps all that it says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []

    def __call__(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(
            [sys.executable, "-m", "argosy.cli.main", *arguments],
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            timeout=120,
            check=False,
        )
        self.said += hits(done.stdout + done.stderr, f"what argosy {' '.join(arguments)} says")
        assert b"Traceback" not in done.stderr
        return done


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("ARGOSY_HOME", raising=False)
    place = tmp_path / "project"
    place.mkdir()
    (place / "argosy.toml").write_text("")
    given = tmp_path / "given"
    given.mkdir()
    for name, value in CANARIES.items():
        (given / key_of(name)).write_bytes(value.encode())
    return place


def kept(argosy: Shell) -> None:
    files = [f"--from-file={path}" for path in sorted((argosy.folder.parent / "given").iterdir())]
    assert argosy("secrets", "set", "canaries", *files).returncode == 0


@pytest.mark.parametrize("runtime", ["process", "sandbox"])
def test_through_every_path(folder: Path, server: str, runtime: str) -> None:
    if runtime == "sandbox" and (trouble := SandboxRuntime().trouble()):
        pytest.skip(trouble)
    home, argosy = folder / ".argosy", Shell(folder)
    (folder / "leaky.yaml").write_text(manifest(server, runtime))
    with Watch() as watch:
        kept(argosy)
        assert argosy("run", "leaky.yaml", "--runtime", runtime).returncode == 1
        document = json.loads(argosy("get", "leaky", "-o", "json").stdout)
        for verb in (
            ("get", "leaky"),
            ("get", "leaky", "-o", "yaml"),
            ("logs", "leaky"),
            ("watch", "leaky"),
            ("list", "-o", "json"),
            ("templates", "--all"),
            ("templates", "canaries", "-o", "json"),
            ("secrets", "list"),
            ("secrets", "list", "-o", "json"),
            ("lint", "leaky.yaml"),
            ("plan", "leaky.yaml"),
            ("plan", "leaky.yaml", "-o", "json"),
            ("artifacts", "leaky"),
            ("shell", "leaky", "env", "--print"),
            ("why", "leaky", "env"),
            ("check", "--read-data"),
            ("doctor",),
            ("resubmit", "leaky", "--name", "again"),
            ("retry", "leaky"),
            ("why", "leaky", "from"),
        ):
            argosy(*verb)
    nodes = {node["displayName"]: node for node in document["status"]["nodes"].values()}
    assert nodes["env"]["phase"] == "Failed"
    assert "***" in nodes["env"]["outputs"]["parameters"][0]["value"]
    assert nodes["from"]["phase"] == "Succeeded", nodes["from"].get("message")
    assert nodes["on"]["phase"] == "Succeeded"
    assert nodes["asked"]["outputs"]["result"].startswith("you sent ***")
    assert "***" in nodes["read"]["outputs"]["parameters"][0]["value"]
    if runtime == "sandbox":
        assert nodes["volume"]["phase"] == "Succeeded", nodes["volume"].get("message")
    # What the step wrote into its own folder is its own.
    own = [path.parent for path in home.rglob("out.txt")]
    assert own
    assert {path.name for path in own} == {"work"}
    assert hits_below(home, own) == []
    assert argosy.said == []
    assert watch.looks > 10
    assert sorted(watch.found) == []
    memory = memory_folder()
    assert memory is not None
    uid = document["metadata"]["uid"]
    assert not (memory / uid).exists()


WRONG = """\
apiVersion: v1
kind: Secret
metadata: {name: s}
data:
  canary: correct-horse-canary
"""
BROKEN = """\
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData:
  canary: "correct-horse-canary
  other: ghp_canaryCANARYcanary0123456789abcdefgh
"""
NO_TEXT = '{"kind": "Secret", "metadata": {"name": "s"}, "stringData": {"canary": ["correct-horse-canary"]}}'
UNKNOWN = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringDta: {a: correct-horse-canary}\n"


@pytest.mark.parametrize("text", [WRONG, BROKEN, NO_TEXT, UNKNOWN])
def test_in_no_error_about_a_file(folder: Path, text: str) -> None:
    argosy = Shell(folder)
    (folder / "wrong.yaml").write_text(text)
    for verb in ("lint", "apply", "run"):
        assert argosy(verb, "wrong.yaml").returncode in (1, 3, 4)
    argosy("lint", "wrong.yaml", "-o", "json")
    assert argosy("secrets", "set", "s", CANARIES["word"]).returncode == 2
    assert argosy.said == []


SLOW = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: slow}
spec:
  entrypoint: main
  volumes: [{name: v, secret: {secretName: canaries}}]
  templates:
  - name: main
    script:
      image: none
      command: [sh]
      envFrom: [{secretRef: {name: canaries}}]
      volumeMounts: [{name: v, mountPath: /secrets}]
      source: |
        echo "begun $C_word"; env; cat /secrets/*
        until [ -e go ]; do sleep 0.05; done
        echo "over $C_token"; cat /secrets/C_pem
"""


@pytest.mark.parametrize("victim", ["driver", "supervisor"])
def test_when_killed(folder: Path, victim: str) -> None:
    if trouble := SandboxRuntime().trouble():
        pytest.skip(trouble)
    home, argosy = folder / ".argosy", Shell(folder)
    (folder / "slow.yaml").write_text(SLOW)
    with Watch() as watch:
        kept(argosy)
        driver = subprocess.Popen(
            [sys.executable, "-m", "argosy.cli.main", "run", "slow.yaml", "--runtime", "sandbox"],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        log = awaited(home, "main.log")
        assert hits_below(home) == []
        doomed = [driver.pid] if victim == "driver" else [driver.pid, supervisor_of(driver.pid)]
        for pid in doomed:
            os.kill(pid, signal.SIGKILL)
        driver.wait()
        assert hits_below(home) == []
        (log.parent / "work" / "go").touch()
        assert argosy("resume", "slow").returncode == (0 if victim == "driver" else 1)
        assert argosy("logs", "slow").returncode == 0
    assert (b"over ***" in log.read_bytes()) == (victim == "driver")
    assert hits_below(home) == []
    assert argosy.said == []
    assert sorted(watch.found) == []
    uid = json.loads(argosy("get", "slow", "-o", "json").stdout)["metadata"]["uid"]
    memory = memory_folder()
    assert memory is not None
    assert not (memory / uid).exists()


def awaited(home: Path, name: str) -> Path:
    """The log, once the step has said its first word."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for path in home.rglob(name):
            if b"begun ***" in path.read_bytes():
                return path
        time.sleep(0.02)
    raise AssertionError("the step did not begin")


def supervisor_of(pid: int) -> int:
    (child,) = [
        int(child)
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if b"supervisor.py" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]
    return child


def test_a_changed_secret_has_another_version(folder: Path) -> None:
    argosy = Shell(folder)
    versions: list[int] = []
    for value in (b"one canary", b"two canary", b"one canary"):
        assert argosy("secrets", "set", "s", "--from-stdin", stdin=value).returncode == 0
        (found,) = json.loads(argosy("secrets", "list", "-o", "json").stdout)["secrets"]
        versions.append(found["version"])
    assert len(set(versions)) == 3
