"""`argosy code`.

It knows how a snapshot is shown, not how it was taken.
"""

from __future__ import annotations

from pathlib import Path

import click

from argosy.cli.options import console, home_option, open_project, output_option, run_argument


@click.command("code")
@run_argument
@click.option(
    "--get", "target", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER", help="Put it into a folder."
)
@click.option("--diff", is_flag=True, help="Print how it differed from its commit.")
@output_option("json")
@home_option
def command(run: str, target: Path | None, diff: bool, output: str | None, home: Path | None) -> int:
    """Show the code that a run has kept, or take it out."""
    import msgspec

    from argosy.experiments.snapshot import files_of, shown
    from argosy.project.differences_of_runs import code_of, environment_of, take_out

    project = open_project(home)
    found = project.view(run)
    snapshot = code_of(project, found)
    talk = console()
    if target is not None:
        take_out(project, found, target)
        talk.say(f"{snapshot.files} files of {found.summary.name} are in {target}")
        return 0
    if diff:
        if snapshot.difference is None:
            talk.say(f"no difference from {snapshot.commit}" if snapshot.commit else "it was in no commit")
            return 0
        kept = project.store.read_bytes(snapshot.difference.digest, 1 << 30)
        talk.data(kept.decode("utf-8", "replace").rstrip("\n"))
        return 0
    files = {shown(path): entry.size for path, entry in files_of(project.store, snapshot.digest).items()}
    if output == "json":
        environment = environment_of(project, found)
        document = {"run": found.summary.name, "code": snapshot, "environment": environment, "files": files}
        talk.data(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
        return 0
    for name, value in _fields(found.summary.name, snapshot):
        talk.data(f"{name + ':':<10} {value}")
    talk.data("")
    for path, size in files.items():
        talk.data(f"{size:>10}  {path}")
    if missing := snapshot.told():
        talk.say(f"note: {missing}")
    return 0


def _fields(run: str, snapshot: object) -> list[tuple[str, str]]:
    """What is known of where it came from, as far as there is something."""
    from argosy.experiments.provenance import Snapshot

    assert isinstance(snapshot, Snapshot)
    commit = f"{snapshot.commit[:12]}{', changed since' if snapshot.dirty else ''}" if snapshot.commit else ""
    fields = [
        ("Run", run),
        ("Commit", commit),
        ("Branch", snapshot.branch),
        ("Remote", snapshot.remote),
        ("Folder", snapshot.folder),
        ("Files", f"{snapshot.files}, {snapshot.size_bytes} bytes"),
        ("Digest", snapshot.digest),
    ]
    return [(name, value) for name, value in fields if value]
