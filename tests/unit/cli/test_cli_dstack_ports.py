"""Ports of dstack's workflows: the address that is shown answers, on the host and from a container."""

from __future__ import annotations

import os
import time
import urllib.request
from pathlib import Path

import pytest
from cli_samples import Argosy
from dstack_projects import IMAGE, logs, need_image, put


def address(argosy: Argosy, run: str) -> str:
    """The address that a run tells once its app answers."""
    shown = ""
    for _ in range(400):
        shown = argosy("get", run).out
        if "Open:" in shown:
            return shown.split("Open:")[1].split()[0]
        time.sleep(0.05)
    raise AssertionError(shown + logs(argosy, run))


def test_a_container_is_reached_by_its_ports(folder: Path, argosy: Argosy) -> None:
    need_image()
    commands = "['echo $PORT_0 $JOB_PORT_1', 'python3 -m http.server $PORT_0']"
    put(
        folder,
        f"  - {{name: a, provider: docker, image: '{IMAGE}', ports: 2, commands: {commands}}}",
        here_txt="here\n",
    )
    assert argosy("run", "a", "--name", "serving", "--runtime", "podman", "--detach").code == 0
    found = address(argosy, "serving")
    with urllib.request.urlopen(f"{found}here.txt", timeout=5) as answer:
        assert answer.read() == b"here\n"
    print(logs(argosy, "serving"))
    said = [line.rpartition(": ")[2].split() for line in logs(argosy, "serving").splitlines()]
    first, second = next(words for words in said if len(words) == 2 and words[0].isdigit())
    assert found == f"http://127.0.0.1:{first}/"
    assert second != first
    assert argosy("stop", "serving", "--wait").code == 0
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(found, timeout=5)


def test_commands_that_wait_do_not_wait_for_the_address(folder: Path, argosy: Argosy) -> None:
    put(folder, "  - {name: a, provider: bash, ports: 1, commands: ['sleep 0.1 & wait', 'echo $PORT_0']}")
    assert argosy("run", "a", "-q").code == 0
    assert logs(argosy).strip().isdigit()


def test_an_app_that_cannot_begin_shows_no_address(folder: Path, argosy: Argosy) -> None:
    put(folder, "  - {name: a, provider: code}")
    assert argosy("run", "a", "-q").code == 1
    assert "needs openvscode-server, code-server or code on the PATH" in logs(argosy)
    assert "open http" not in logs(argosy)


def test_ports_of_ones_own_are_not_the_apps(folder: Path, argosy: Argosy) -> None:
    """A notebook in which somebody starts a server of their own at a port that the file names."""
    shows = "import os; print(*(os.environ[one] for one in ('PORT_0', 'PORT_1', 'JOB_PORT_1', 'ARGOSY_PORT')))"
    put(folder, "  - {name: a, provider: gradio, file: a.py, ports: [7860]}", a_py=shows, gradio_py="")
    assert argosy("run", "a", "-q").code == 0
    own, second, same, app = logs(argosy).split()
    assert own == "7860"
    assert second == same == app
    assert app.isdigit()
    assert app != own


def test_an_editor_is_the_one_on_the_path(
    folder: Path, argosy: Argosy, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    programs = tmp_path_factory.mktemp("programs")
    # Stands for the editor, whose words are --host ADDRESS --port NUMBER and more.
    (programs / "openvscode-server").write_text('#!/bin/sh\nexec python3 -m http.server --bind "$2" "$4"\n')
    (programs / "openvscode-server").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    put(folder, "  - {name: a, provider: code}")
    assert argosy("run", "a", "--name", "editor", "--detach").code == 0
    with urllib.request.urlopen(address(argosy, "editor"), timeout=5) as answer:
        assert answer.status == 200
    assert argosy("stop", "editor", "--wait").code == 0
