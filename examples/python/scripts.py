"""Steps that are no Python: a shell script, and a program with its own command."""

from pathlib import Path

from argosy import bash, container, step, workflow


@bash(shell=["sh"])
def shout(text: str) -> str:
    # Parameters are environment variables; what the script prints is what it gives.
    return 'printf %s "$text" | tr a-z A-Z'


@container(command=["sh", "-c"], args=['tac "$letter" > "$out"'])
def turn_round(letter: Path) -> Path: ...


@step
def write(text: str) -> Path:
    letter = Path("letter.txt")
    letter.write_text("\n".join(text) + "\n")
    return letter


@step
def read(letter: Path) -> str:
    return "".join(letter.read_text().split())


@workflow
def scripts(text: str = "hello") -> str:
    return read(turn_round(write(shout(text))))
