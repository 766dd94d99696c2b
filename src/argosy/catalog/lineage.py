"""Where data came from and what became of it: a tree of versions and runs, both ways.

It knows which run made a version and which runs took it; a run is shown whole, as what it made depends on all it took.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

import msgspec

from argosy.catalog.names import Names, Version
from argosy.catalog.uses import Used, Uses
from argosy.record.database import Database

Thing = Literal["run", "dataset", "model", "tag", "workflow", "template", "folder"]
MOST_DEEP = 50
T = TypeVar("T")


class Link(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A version, a run or a folder, and what is behind it. how: the word that leads to it.

    where: the step and the artifact. at: when, in seconds since the epoch. gone: its run or version
    was deleted. again: it stands elsewhere in the tree, with what is behind it. more: how many like it follow it that
    were left off.
    """

    how: str
    thing: Thing
    name: str
    where: str = ""
    id: str = ""
    at: float = 0.0
    gone: bool = False
    again: bool = False
    more: int = 0
    below: list[Link] = []


class Lineage(msgspec.Struct, frozen=True, kw_only=True):
    """A run or a version, what it came from, and what came of it."""

    thing: Thing
    name: str
    came_from: list[Link]
    led_to: list[Link]


class Tracer:
    """Follows versions and runs. limit: how many of a kind are followed from one place; 0 for all."""

    def __init__(self, database: Database, names: Names, uses: Uses, *, limit: int, depth: int = MOST_DEEP) -> None:
        self._database = database
        self._names = names
        self._uses = uses
        self._limit = limit
        self._depth = min(depth, MOST_DEEP)
        self._seen: set[str] = set()

    def of_version(self, version: Version) -> Lineage:
        """The lineage of a version."""
        self._seen = {_key(version)}
        back = self._behind_version(version, self._depth)
        self._seen = {_key(version)}
        return Lineage(
            thing=version.kind, name=version.ref, came_from=back, led_to=self._after_version(version, self._depth)
        )

    def of_run(self, uid: str, name: str) -> Lineage:
        """The lineage of a run."""
        self._seen = {uid}
        back = self._behind_run(uid, self._depth)
        self._seen = {uid}
        return Lineage(thing="run", name=name, came_from=back, led_to=self._after_run(uid, self._depth))

    # -- back

    def _behind_version(self, version: Version, depth: int) -> list[Link]:
        origin = version.origin
        if origin.source:
            return [Link(how="made from", thing="folder", name=origin.source, at=version.created_at)]
        if not origin.run:
            return []
        where = f"{origin.step}/{origin.artifact}" if origin.artifact else "all outputs"
        link = self._run_link("made by", origin.run, origin.run_name, where, version.created_at)
        return [self._followed(link, origin.run, lambda: self._behind_run(origin.run, depth - 1), depth)]

    def _behind_run(self, uid: str, depth: int) -> list[Link]:
        taken = self._uses.of_run(uid)
        versions = self._names.by_ids(one.use.version for one in taken if one.use.version)
        return self._cut([self._taken(one, versions, depth) for one in self._chosen(taken)], len(taken))

    def _taken(self, used: Used, versions: dict[int, Version], depth: int) -> Link:
        use = used.use
        version = versions.get(use.version)
        if use.kind == "run" or (version is None and use.from_run):
            link = self._run_link("took outputs of", use.from_run, use.found, use.place, used.used_at)
            return self._followed(link, use.from_run, lambda: self._behind_run(use.from_run, depth - 1), depth)
        link = Link(how="took", thing=_thing(use.kind), name=use.found, where=use.place, at=used.used_at)
        if version is None:
            link.gone = use.kind not in ("template", "path")
            return link
        return self._followed(link, _key(version), lambda: self._behind_version(version, depth - 1), depth)

    # -- forward

    def _after_version(self, version: Version, depth: int) -> list[Link]:
        return self._takers(self._uses.of_version(version.id), depth)

    def _after_run(self, uid: str, depth: int) -> list[Link]:
        made = self._names.made_by(uid)
        links: list[Link] = []
        for version in self._chosen(made):
            origin = version.origin
            where = f"{origin.step}/{origin.artifact}" if origin.artifact else "all outputs"
            link = Link(how="made", thing=version.kind, name=version.ref, where=where, at=version.created_at)
            links.append(
                self._followed(link, _key(version), lambda one=version: self._after_version(one, depth - 1), depth)
            )
        # Outputs that were taken by a tag stand below the tag.
        takers = [one for one in self._uses.of_outputs(uid) if one.use.kind in ("run", "operation")]
        return [*self._cut(links, len(made)), *self._takers(takers, depth)]

    def _takers(self, takers: list[Used], depth: int) -> list[Link]:
        links: list[Link] = []
        for one in self._chosen(takers):
            link = self._run_link("taken by", one.run, one.run_name, one.use.place, one.used_at)
            links.append(self._followed(link, one.run, lambda run=one.run: self._after_run(run, depth - 1), depth))
        return self._cut(links, len(takers))

    # -- the tree

    def _followed(self, link: Link, key: str, follow: Callable[[], list[Link]], depth: int) -> Link:
        """The link with what is behind it, unless that stands in the tree already."""
        if key in self._seen:
            link.again = True
        elif depth > 0:
            self._seen.add(key)
            link.below = follow()
        return link

    def _chosen(self, found: list[T]) -> list[T]:
        return found[: self._limit] if self._limit else found

    def _cut(self, links: list[Link], count: int) -> list[Link]:
        if links and count > len(links):
            links[-1].more = count - len(links)
        return links

    def _run_link(self, how: str, uid: str, name: str, where: str, at: float) -> Link:
        there = self._database.row("SELECT 1 FROM runs WHERE uid = ?", (uid,)) is not None
        return Link(how=how, thing="run", name=name, where=where, id=uid, at=at, gone=not there)


def _key(version: Version) -> str:
    return f"version {version.id}"


def _thing(kind: str) -> Thing:
    for one in ("dataset", "model", "tag", "workflow", "template"):
        if one == kind:
            return one
    if kind == "path":
        return "folder"
    return "run"
