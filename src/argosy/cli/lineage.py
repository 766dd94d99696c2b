"""`argosy lineage`.

It knows how a tree is drawn; what is in it is the catalog's.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from argosy.cli.console import BOLD
from argosy.cli.options import console, home_option, open_project, output_option

if TYPE_CHECKING:
    from argosy.catalog.lineage import Link

SCHEMA = "argosy.lineage/v1"


@click.command("lineage")
@click.argument("name", metavar="RUN|DATA")
@click.option("--depth", type=click.IntRange(min=1), default=50, show_default=True, help="How many links to follow.")
@click.option(
    "-n", "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many a place."
)
@click.option("--all", "everything", is_flag=True, help="However many there are.")
@output_option("json")
@home_option
def command(name: str, depth: int, limit: int, everything: bool, output: str | None, home: Path | None) -> None:
    """Show what made a run or data, and what came of it.

    DATA is a dataset, a model or a tag, as NAME:VERSION, NAME:TAG or NAME for the latest; dataset/NAME, model/NAME,
    tag/NAME or run/NAME where several have the same name.
    """
    from argosy.project.tracing import lineage

    found = lineage(open_project(home), name, limit=0 if everything else limit, depth=depth)
    talk = console()
    if output == "json":
        talk.json(
            {
                "schema": SCHEMA,
                "kind": found.thing,
                "name": found.name,
                "from": [_as_json(one) for one in found.came_from],
                "ledTo": [_as_json(one) for one in found.led_to],
            }
        )
        return
    talk.data(talk.paint(f"{found.thing} {found.name}", BOLD))
    for title, links in (("from", found.came_from), ("led to", found.led_to)):
        talk.data(title if links else f"{title} nothing that is known")
        for line in _drawn(links, ""):
            talk.data(line)


def _drawn(links: list[Link], margin: str) -> Iterator[str]:
    for place, link in enumerate(links):
        last = place == len(links) - 1 and not link.more
        yield f"{margin}{'└─' if last else '├─'} {_words(link)}"
        yield from _drawn(link.below, f"{margin}{'   ' if last else '│  '}")
        if link.more:
            end = place == len(links) - 1
            yield f"{margin}{'└─' if end else '├─'} and {link.more} more: --all shows every one"


def _words(link: Link) -> str:
    name = link.name if link.thing == "folder" else f"{link.thing} {link.name}"
    where = f" ({link.where})" if link.where else ""
    after = ", deleted since" if link.gone else ", as above" if link.again else ""
    return f"{link.how} {name}{where}{after}"


def _as_json(link: Link) -> dict[str, Any]:
    from argosy.model.status import timestamp

    found: dict[str, Any] = {"how": link.how, "kind": link.thing, "name": link.name}
    optional = {
        "where": link.where,
        "uid": link.id,
        "at": timestamp(link.at) if link.at else "",
        "deleted": link.gone,
        "again": link.again,
        "more": link.more,
    }
    found |= {key: value for key, value in optional.items() if value}
    found["below"] = [_as_json(one) for one in link.below]
    return found
