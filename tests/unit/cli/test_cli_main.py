"""The command itself: help, unknown commands, errors as messages and exit codes."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest
from cli_samples import Argosy

from argosy.cli.console import Console
from argosy.cli.main import VERBS
from argosy.errors import EnvironmentTrouble


def test_help_names_every_verb(argosy: Argosy) -> None:
    answer = argosy("--help")
    assert answer.code == 0
    for verb, (_, summary) in VERBS.items():
        assert f"  {verb} " in answer.out
        assert " ".join(summary.split()) in " ".join(answer.out.split())
    assert answer.err == ""


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_and_a_home(argosy: Argosy, verb: str) -> None:
    answer = argosy(verb, "--help")
    assert answer.code == 0
    assert answer.out.startswith(f"Usage: argosy {verb}")
    command = import_module(f"argosy.cli.{VERBS[verb][0]}").command
    assert isinstance(command, click.Command)
    assert command.name == verb
    below = [[name] for name in command.commands] if isinstance(command, click.Group) else [[]]
    for names in below:
        assert "--home" in argosy(verb, *names, "--help").out


def test_help_imports_neither_yaml_nor_msgspec_nor_rich() -> None:
    code = (
        "import sys; from argosy.cli.main import run; run(['--help']);"
        "print([m for m in ('yaml', 'msgspec', 'rich', 'sqlite3', 'asyncio') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_run_in_lines_imports_no_more_than_it_needs(argosy: Argosy, hello: str) -> None:
    code = (
        f"import sys; from argosy.cli.main import run; run(['run', '{hello}', '--runtime', 'process']);"
        "print([m for m in ('rich', 'asyncio', 'socket', '_hashlib', 'argosy.expressions.expr') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_mistyped_verb_is_guessed(argosy: Argosy) -> None:
    answer = argosy("lnt")
    assert answer.code == 2
    assert "Did you mean 'lint'?" in answer.err
    assert answer.out == ""


def test_a_mistyped_option_is_guessed(argosy: Argosy) -> None:
    answer = argosy("run", "--entrypiont", "x", "f.yaml")
    assert answer.code == 2
    assert "--entrypoint" in answer.err


def test_version(argosy: Argosy) -> None:
    assert argosy("version").out == argosy("--version").out == "argosy 0.1.0\n"
    assert argosy("version", "-o", "json").out.strip() == '{\n  "version": "0.1.0"\n}'


class _Raising:
    """What `argosy version` does while a test says otherwise."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __call__(self) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (EnvironmentTrouble("no room", hint="make some"), 5, "error: no room [environment]\n  hint: make some\n"),
        (OSError(28, "No space left on device", "/x"), 5, "error: No space left on device: /x\n"),
        (KeyboardInterrupt(), 130, "\ninterrupted\n"),
        (MemoryError(), 5, "error: this machine has no memory left for it\n"),
    ],
)
def test_errors_become_messages_and_exit_codes(
    argosy: Argosy, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    monkeypatch.setattr("argosy.cli.version.say_version", _Raising(error))
    answer = argosy("version")
    assert (answer.code, answer.err) == (code, said)


def test_a_mistake_of_ours_is_one_message_and_its_story_only_on_request(
    argosy: Argosy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("argosy.cli.version.say_version", _Raising(ZeroDivisionError("oh")))
    answer = argosy("version")
    assert answer.code == 1
    assert "mistake in argosy itself: ZeroDivisionError: oh" in answer.err
    assert "Traceback" not in answer.err
    monkeypatch.setenv("ARGOSY_DEBUG", "1")
    assert "Traceback" in argosy("version").err


def test_what_steers_a_terminal_does_not_get_through(capfd: pytest.CaptureFixture[str]) -> None:
    console = Console(sys.stdout, sys.stderr, {})
    console.trouble("bad\x1b[31m\x07name", "a\rb")
    console.table(("A",), [["x\x1b]0;title\x07"]])
    out, err = capfd.readouterr()
    assert "\x1b" not in out + err
    assert "\x07" not in out + err
    assert "\r" not in err


def test_a_reader_that_goes_away_is_no_error(argosy: Argosy, hello: str) -> None:
    argosy("run", hello, "-q")
    done = subprocess.run(
        f"{sys.executable} -m argosy.cli.main get @latest -o json | head -1; exit ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "{\n"
    assert done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(argosy: Argosy, shell: str) -> None:
    answer = argosy("completion", shell)
    assert answer.code == 0
    assert "_ARGOSY_COMPLETE" in answer.out


def test_names_of_runs_are_completed(argosy: Argosy, hello: str) -> None:
    from click.shell_completion import BashComplete

    from argosy.cli.main import cli

    argosy("run", hello, "-q", "--name", "brave-otter")
    found = BashComplete(cli, {}, "argosy", "_ARGOSY_COMPLETE").get_completions(["get"], "bra")
    assert [one.value for one in found] == ["brave-otter"]


def test_a_misspelt_field_hides_no_other_mistake(tmp_path: Path) -> None:
    file = tmp_path / "two.yaml"
    file.write_text(
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {generateName: a-}\n"
        "spec:\n  entrypoint: mian\n  templates:\n  - {name: main, container: {image: alpine, comand: [echo]}}\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "argosy", "lint", str(file)], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 3
    assert "did you mean `command`?" in done.stdout
    assert "mian" in done.stdout


@pytest.mark.parametrize(
    "before",
    [
        "import atexit; atexit.register(print, 'at the end')",
        "import threading, time; threading.Thread(target=lambda: (time.sleep(0.2), print('at the end'))).start()",
    ],
    ids=["registered", "in a thread"],
)
def test_a_command_leaves_nothing_undone_at_its_end(before: str) -> None:
    program = f"import sys; {before}; sys.argv = ['argosy', 'version']; from argosy.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "at the end"


def test_a_command_whose_output_cannot_be_written_fails() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "argosy", "version"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
