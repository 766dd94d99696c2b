"""What the verbs on named data share: how names and versions are shown.

It knows columns and documents, not how anything is kept.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from argosy.cli.artifacts import size_of
from argosy.cli.options import console
from argosy.cli.progress import spell

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from argosy.catalog.names import Named, Version
    from argosy.catalog.refs import Kind
    from argosy.project.named_data import Added
    from argosy.project.project import Project


def version_as_json(version: Version) -> dict[str, Any]:
    """A version as programs read it."""
    import msgspec

    from argosy.model.status import timestamp

    return {
        "kind": version.kind,
        "name": version.whole_name,
        "version": version.version,
        "ref": version.ref,
        "type": version.type,
        "tags": list(version.tags),
        "digest": version.content.digest,
        "files": version.content.files,
        "sizeBytes": version.content.size_bytes,
        "createdAt": timestamp(version.created_at),
        "note": version.note,
        "origin": {key: value for key, value in msgspec.to_builtins(version.origin).items() if value},
        **version.details,
    }


def named_as_json(named: Named, latest: Version | None) -> dict[str, Any]:
    """A name as programs read it, with its latest version."""
    from argosy.model.status import timestamp

    return {
        "kind": named.kind,
        "name": named.whole_name,
        "type": named.type,
        "description": named.description,
        "createdAt": timestamp(named.created_at),
        "versions": named.versions,
        "latest": version_as_json(latest) if latest is not None else None,
    }


def latest_of(project: Project, named: Named) -> Version | None:
    """The latest version of a name, None before there is any."""
    return project.names.version(named.kind, named.whole_name) if named.latest else None


def origin_of(version: Version) -> str:
    """Where a version came from, in a few words."""
    origin = version.origin
    if not origin.run:
        return origin.source
    return f"run {origin.run_name}" + (f" {origin.step}/{origin.artifact}" if origin.artifact else "")


def metrics_of(version: Version | None) -> str:
    """The metrics of a model in a few words."""
    metrics: dict[str, Any] = version.details.get("metrics", {}) if version is not None else {}
    return ", ".join(f"{name}={value}" for name, value in metrics.items())


def show_names(
    found: list[tuple[Named, Version | None]],
    output: str | None,
    schema: str,
    plural: str,
    nothing: str,
    head: tuple[str, ...],
    row: Callable[[Named, Version | None], list[str]],
) -> None:
    """A list of names with their latest versions. plural: their key in JSON. row: the cells under `head`."""
    talk = console()
    if output == "json":
        talk.json({"schema": schema, plural: [named_as_json(*one) for one in found]})
    elif output == "name":
        for one, _ in found:
            talk.data(one.whole_name)
    elif not found:
        talk.say(nothing)
    else:
        talk.table(head, [row(*one) for one in found])


def age_of(named: Named, latest: Version | None) -> str:
    """How long ago a name had its latest version, or was made."""
    return spell(time.time() - (latest.created_at if latest else named.created_at))


def show_versions(versions: list[Version], output: str | None, schema: str, nothing: str) -> None:
    """A list of versions."""
    talk = console()
    if output == "json":
        talk.json({"schema": schema, "versions": [version_as_json(one) for one in versions]})
    elif output == "name":
        for one in versions:
            talk.data(one.ref)
    elif not versions:
        talk.say(nothing)
    else:
        now = time.time()
        talk.table(
            ("VERSION", "TAGS", "FILES", "SIZE", "AGE", "FROM", "NOTE"),
            [
                [
                    str(one.version),
                    ", ".join(one.tags),
                    str(one.content.files),
                    size_of(one.content.size_bytes),
                    spell(now - one.created_at),
                    origin_of(one),
                    one.note or metrics_of(one),
                ]
                for one in versions
            ],
        )


def show_added(added: Added, output: str | None, schema: str) -> None:
    """What was made."""
    talk = console()
    version = added.version
    for name in added.skipped:
        talk.say(f"note: {name} is not in the store, and so not part of it")
    if output == "json":
        talk.json({"schema": schema, "unchanged": added.unchanged, **version_as_json(version)})
        return
    talk.data(version.ref)
    if not output:
        size = _amount(version)
        talk.say(f"{version.ref} holds this already ({size})" if added.unchanged else f"made {version.ref}: {size}")


def _amount(version: Version) -> str:
    files = version.content.files
    return f"{files} file{'' if files == 1 else 's'}, {size_of(version.content.size_bytes)}"


def fetch_version(project: Project, version: Version, directory: Path | None, output: str | None, schema: str) -> None:
    """Put a version where a person wants it."""
    from pathlib import Path

    from argosy.project.named_data import fetch

    target = directory or Path(version.whole_name.rpartition("/")[2].replace(":", "-"))
    fetch(project, version, target)
    talk = console()
    if output == "json":
        talk.json({"schema": schema, "path": str(target), **version_as_json(version)})
    else:
        talk.data(str(target))
        talk.say(f"{version.ref}: {_amount(version)}")


def delete_named(project: Project, kind: Kind, ref: str, yes: bool) -> None:
    """Forget a name or a version of one, asking first when that is several versions and there is a terminal."""
    import click

    from argosy.catalog.refs import parse_ref

    talk = console()
    parsed = parse_ref(kind, ref)
    whole = not parsed.version and not parsed.tag
    if whole and not yes and talk.err_is_terminal:
        count = project.names.named(kind, ref).versions
        if count > 1:
            click.confirm(f"Delete {count} versions of {parsed.whole_name}?", abort=True, err=True)
    project.names.delete(kind, ref)
    talk.say(f"deleted {kind} {ref}; argosy prune frees what nothing else needs")


def set_tag(project: Project, kind: Kind, ref: str, tag: str, *, remove: bool) -> None:
    """Let a tag mean a version, or forget it."""
    from argosy.catalog.refs import checked_tag, parse_ref

    talk = console()
    name = f"{parse_ref(kind, ref).whole_name}:{checked_tag(tag)}"
    if remove:
        project.names.untag(kind, name)
        talk.say(f"{name} is no more")
        return
    version = project.names.tag(kind, ref, tag)
    talk.data(name)
    talk.say(f"{name} is {version.ref}")
