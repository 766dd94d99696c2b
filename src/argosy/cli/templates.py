"""`argosy templates`.

It knows columns; the objects are the catalog's.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
import msgspec

from argosy.cli.options import console, home_option, open_project, output_option
from argosy.cli.progress import spell

SCHEMA = "argosy.templates/v1"
KINDS = (
    "WorkflowTemplate",
    "ClusterWorkflowTemplate",
    "CronWorkflow",
    "ConfigMap",
    "Secret",
    "PersistentVolumeClaim",
)
HIDDEN = "********"


@click.command("templates")
@click.argument("name", required=False)
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS, case_sensitive=False), help="Of this kind.")
@click.option("--all", "everything", is_flag=True, help="ConfigMaps, Secrets and claims too.")
@output_option("json", "yaml", "name")
@home_option
def command(name: str | None, kinds: tuple[str, ...], everything: bool, output: str | None, home: Path | None) -> None:
    """List what the catalog holds, or print the manifest of NAME. Values of Secrets are not shown."""
    project = open_project(home)
    wanted = kinds or (KINDS if everything or name else KINDS[:3])
    catalog = project.catalog
    found = [one for kind in wanted for one in catalog.list(kind)]
    if name is not None:
        short = name.rpartition("/")[2]
        found = [one for one in found if one.name == short] or [catalog.get(wanted[0], short)]
    shown = [_shown(one.kind, msgspec.json.decode(one.manifest)) for one in found]
    talk = console()
    if output == "json":
        talk.json({"schema": SCHEMA, "objects": shown})
    elif output == "yaml" or name is not None:
        for place, one in enumerate(shown):
            if place:
                talk.data("---")
            talk.yaml(one)
    elif output == "name":
        for one in found:
            talk.data(f"{one.kind.lower()}/{one.name}")
    elif not found:
        talk.say("the catalog holds nothing of that kind: argosy apply -f FILE puts something there")
    else:
        now = time.time()
        talk.table(
            ("KIND", "NAME", "AGE", "WHAT"),
            [
                [one.kind, one.name, spell(now - one.created_at), _what(manifest)]
                for one, manifest in zip(found, shown, strict=True)
            ],
        )


def _shown(kind: str, manifest: dict[str, Any]) -> dict[str, Any]:
    if kind == "Secret":
        manifest.pop("sealed", None)
        for field in ("data", "stringData"):
            if field in manifest:
                manifest[field] = dict.fromkeys(manifest[field], HIDDEN)
    return manifest


def _what(manifest: dict[str, Any]) -> str:
    """A word on what an object holds."""
    spec: dict[str, Any] = manifest.get("spec") or {}
    if "templates" in spec:
        return f"templates: {', '.join(str(one.get('name')) for one in spec['templates'])}"
    if "schedules" in spec:
        return f"schedules: {', '.join(spec['schedules'])}"
    keys: list[str] = [*(manifest.get("data") or {}), *(manifest.get("stringData") or {})]
    return f"keys: {', '.join(keys)}" if keys else ""
