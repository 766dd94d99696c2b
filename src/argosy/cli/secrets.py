"""`argosy secrets`.

It knows where a value may come from and columns; how Secrets are kept is the vault's matter.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click

from argosy.cli.options import console, home_option, open_project, output_option
from argosy.cli.progress import spell
from argosy.errors import NotFound, UsageError

SCHEMA = "argosy.secrets/v1"
# The key of a value that was given without one.
DEFAULT_KEY = "value"
# As much as Kubernetes lets a Secret hold.
LARGEST_BYTES = 1 << 20


@click.group("secrets")
def command() -> None:
    """Set, list and delete secrets; they are kept encrypted.

    A secret has a name and keys with values. Steps get it as a manifest's secretKeyRef, secretRef or secret volume
    says; Secrets of `argosy apply` are the same thing.
    """


@command.command("set")
@click.argument("name")
@click.argument("pairs", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--from-file", "files", multiple=True, metavar="[KEY=]FILE", help="The value is what a file holds.")
@click.option("--from-stdin", is_flag=True, help="The value is what standard input holds.")
@click.option("--key", metavar="KEY", help=f"The key of the value of --from-stdin.  [default: {DEFAULT_KEY}]")
@home_option
def set_secret(
    name: str, pairs: tuple[str, ...], files: tuple[str, ...], from_stdin: bool, key: str | None, home: Path | None
) -> None:
    """Put values into the secret NAME; its other keys stay.

    The list of processes and the shell's history show KEY=VALUE: prefer --from-stdin or --from-file. A file's key is
    its name if none is given. One newline at the end of standard input is left out.
    """
    if key is not None and not from_stdin:
        raise UsageError("--key names the key of --from-stdin", hint="write KEY=VALUE, or --from-file KEY=FILE")
    values = dict(_pair(text) for text in pairs)
    values.update(_file(text) for text in files)
    if from_stdin:
        values[key or DEFAULT_KEY] = _stdin()
    if not values:
        raise UsageError(f"No value for the secret {name}", hint=f"argosy secrets set {name} --from-stdin")
    _keep(name, values, home)


@command.command("add")
@click.argument("name")
@click.argument("value", required=False)
@click.option("-y", "--yes", is_flag=True, help="Of dstack: nothing is asked anyway.")
@home_option
def add(name: str, value: str | None, yes: bool, home: Path | None) -> None:
    """Give dstack's workflows the variable NAME: `argosy secrets set dstack NAME=VALUE`, as dstack has it.

    Without VALUE it is read from standard input, and is in neither the list of processes nor the shell's history.
    """
    from argosy.dialects.dstack.script import SECRET
    from argosy.dialects.dstack.variables import environment_name

    variable = environment_name(name) if name and " " not in name and "=" not in name else name
    _keep(SECRET, {variable: _stdin() if value is None else value.encode("utf-8", "surrogateescape")}, home)
    if variable != name:
        console().say(f"note: {name} is the variable {variable}")


def _keep(name: str, values: dict[str, bytes], home: Path | None) -> None:
    from argosy.secrets.vault import short_keys

    if sum(map(len, values.values())) > LARGEST_BYTES:
        raise UsageError(f"A secret holds at most {LARGEST_BYTES} bytes", hint="keep what is larger in a file")
    talk = console()
    outcome = open_project(home).vault.set(name, values)
    for short in short_keys(values):
        talk.say(f"note: the value of {short} is short: hiding it in logs may hide ordinary words too")
    talk.say(f"secret {name} {outcome}")


def _pair(text: str) -> tuple[str, bytes]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        # What was written may be the value: it is not repeated.
        raise UsageError("A value was given without a key", hint="write KEY=VALUE, or give it with --from-stdin")
    return key, value.encode("utf-8", "surrogateescape")


def _file(text: str) -> tuple[str, bytes]:
    key, equals, place = text.partition("=")
    path = Path(place if equals else text).expanduser()
    try:
        with path.open("rb") as file:
            return (key if equals else path.name), file.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        raise NotFound(f"There is no file {path}") from None


def _stdin() -> bytes:
    if sys.stdin.isatty():
        import getpass

        return getpass.getpass("value: ").encode("utf-8", "surrogateescape")
    return sys.stdin.buffer.read(LARGEST_BYTES + 1).removesuffix(b"\n")


@command.command("list")
@output_option("json", "yaml", "name")
@home_option
def list_secrets(output: str | None, home: Path | None) -> None:
    """List secrets with the names of their keys. No value is shown."""
    project = open_project(home)
    found = project.vault.list() if project.home.record.exists() else []
    talk = console()
    if output in ("json", "yaml"):
        document = {"schema": SCHEMA, "secrets": [_as_json(one) for one in found]}
        talk.json(document) if output == "json" else talk.yaml(document)
    elif output == "name":
        for one in found:
            talk.data(one.name)
    elif not found:
        talk.say("no secrets: argosy secrets set NAME --from-stdin keeps one")
    else:
        now = time.time()
        talk.table(
            ("NAME", "KEYS", "VERSION", "AGE", "CHANGED"),
            [
                [
                    one.name,
                    ", ".join(one.keys),
                    str(one.version),
                    spell(now - one.created_at),
                    spell(now - one.updated_at),
                ]
                for one in found
            ],
        )


def _as_json(one: Any) -> dict[str, Any]:
    from argosy.model.status import timestamp

    return {
        "name": one.name,
        "keys": list(one.keys),
        "version": one.version,
        "createdAt": timestamp(one.created_at),
        "updatedAt": timestamp(one.updated_at),
    }


# As dstack has it.
command.add_command(add, "update")


@command.command("delete")
@click.argument("name")
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option("-y", "--yes", is_flag=True, help="Of dstack: nothing is asked anyway.")
@home_option
def delete_secret(name: str, keys: tuple[str, ...], yes: bool, home: Path | None) -> None:
    """Remove the secret NAME, or only these keys of it; or what `argosy secrets add NAME` made."""
    from argosy.dialects.dstack.script import SECRET
    from argosy.dialects.dstack.variables import environment_name

    project = open_project(home)
    if not project.home.record.exists():
        raise NotFound(f"There is no Secret named {name!r}", hint=f"{project.home.folder} holds no record")
    held = {one.name: one.keys for one in project.vault.list()}
    of_dstack = [one for one in (name, environment_name(name)) if one in held.get(SECRET, ())]
    if name not in held and not keys and of_dstack:
        name, keys = SECRET, (of_dstack[0],)
    project.vault.delete(name, keys)
    console().say(f"deleted {', '.join(keys) + ' of ' if keys else ''}secret {name}")
