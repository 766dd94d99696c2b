"""Names and their versions, as tables of the record: made, found, tagged, forgotten.

It knows what a name points to; putting bytes into the store and reading them is not its matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from argosy.catalog.refs import KINDS, LATEST, Kind, Ref, checked_tag, parse_ref
from argosy.errors import NotFound, UsageError
from argosy.record.database import Database, Row
from argosy.syntax.diagnostics import did_you_mean

# So many names are told of where one is not there.
MOST_NAMED = 10


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a version came from: a file or folder, or an output of a run's step, or all outputs of a run.

    run: its uid. node: the attempt. step: the node's name as people see it.
    """

    source: str = ""
    run: str = ""
    run_name: str = ""
    node: str = ""
    step: str = ""
    artifact: str = ""


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What a version holds: its digest in the store, and how much that is."""

    digest: str
    files: int
    size_bytes: int


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A name. type: of a model. created_at: seconds since the epoch. latest: its newest version, 0 for none."""

    id: int
    kind: Kind
    whole_name: str
    type: str
    description: str
    created_at: float
    latest: int
    versions: int


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable version of a name. created_at: seconds since the epoch. details: metrics and the like."""

    id: int
    kind: Kind
    whole_name: str
    type: str
    version: int
    content: Content
    created_at: float
    note: str
    details: dict[str, Any]
    origin: Origin
    tags: tuple[str, ...]

    @property
    def ref(self) -> str:
        """Its own name: `NAME:3`, of a tag `NAME:TAG@3`."""
        return f"{self.whole_name}{'@' if self.kind == 'tag' else ':'}{self.version}"


_NAMED = (
    "SELECT n.id, n.kind, n.namespace, n.name, n.type, n.description, n.created_at,"
    " (SELECT coalesce(max(version), 0) FROM data_versions v WHERE v.name = n.id),"
    " (SELECT count(*) FROM data_versions v WHERE v.name = n.id) FROM data_names n"
)
_VERSION = (
    "SELECT v.id, n.kind, n.namespace, n.name, n.type, v.version, v.digest, v.files, v.size_bytes, v.created_at,"
    " v.note, v.details, v.source, v.run, v.run_name, v.node, v.step, v.artifact,"
    " (SELECT json_group_array(tag) FROM (SELECT tag FROM data_tags t WHERE t.version = v.id ORDER BY tag))"
    " FROM data_versions v JOIN data_names n ON n.id = v.name"
)


class Names:
    """Reads and writes names through one connection: for one thread."""

    def __init__(self, database: Database, *, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    # -- names

    def create(self, kind: Kind, text: str, *, type: str = "", description: str = "") -> Named:
        """A new name without versions. Raises UsageError when it is taken."""
        ref = parse_ref(kind, text)
        if ref.version or ref.tag:
            raise UsageError(f"{text!r} names a version", hint=f"{ref.whole_name} is the name alone")
        with self._database.write():
            if self._named(ref) is not None:
                raise UsageError(f"There is already a {kind} named {ref.whole_name}")
            self._insert_name(ref, type, description)
        return self.named(kind, text)

    def _insert_name(self, ref: Ref, type: str, description: str) -> int:
        return self._database.rows(
            "INSERT INTO data_names (kind, namespace, name, type, description, created_at) VALUES (?, ?, ?, ?, ?, ?)"
            " RETURNING id",
            (ref.kind, ref.namespace, ref.name, type, description, self._now()),
        )[0][0]

    def named(self, kind: Kind, text: str) -> Named:
        """The name that a reference begins with. Raises NotFound with the one that was meant."""
        ref = parse_ref(kind, text)
        found = self._named(ref)
        if found is None:
            raise self._no_such_name(ref)
        return found

    def _named(self, ref: Ref) -> Named | None:
        row = self._database.row(
            f"{_NAMED} WHERE n.kind = ? AND n.namespace = ? AND n.name = ?", (ref.kind, ref.namespace, ref.name)
        )
        return _named_of(row) if row is not None else None

    def exists(self, kind: Kind, text: str) -> bool:
        """Whether there is such a name, with or without versions."""
        return self._named(parse_ref(kind, text)) is not None

    def list(self, kind: Kind) -> list[Named]:
        """Every name of a kind."""
        return [
            _named_of(row)
            for row in self._database.rows(f"{_NAMED} WHERE n.kind = ? ORDER BY n.namespace, n.name", (kind,))
        ]

    # -- versions

    def add(
        self,
        kind: Kind,
        text: str,
        content: Content,
        origin: Origin,
        *,
        type: str = "",
        note: str = "",
        details: dict[str, Any] | None = None,
    ) -> Version:
        """A new version, of a new name if there is none; a tag in the reference is moved to it.

        The same attempt and artifact make one version of a name, however often this is called. Raises UsageError when
        the reference names a version, or another type than the model has.
        """
        ref = parse_ref(kind, text)
        if ref.version:
            raise UsageError(f"{text!r} names a version, and versions never change", hint=f"write {ref.whole_name}")
        with self._database.write():
            found = self._named(ref)
            if found is not None and type and found.type and found.type != type:
                raise UsageError(f"The model {ref.whole_name} is of type {found.type}, not {type}")
            name = found.id if found is not None else self._insert_name(ref, type, "")
            id = self._made_before(name, origin) or self._insert_version(name, content, origin, note, details or {})
            if type:
                self._database.execute("UPDATE data_names SET type = ? WHERE id = ? AND type = ''", (type, name))
            if ref.tag:
                self._set_tag(name, ref.tag, id)
        return self._version(id)

    def publish(
        self, kind: Kind, text: str, content: Content, origin: Origin, *, type: str = "", details: dict[str, Any]
    ) -> Version:
        """As `add`, for a step that has succeeded: a type that is not the model's is kept with the version alone."""
        ref = parse_ref(kind, text)
        found = self._named(ref)
        if found is not None and type and found.type and found.type != type:
            return self.add(kind, text, content, origin, details=details | {"type": type})
        return self.add(kind, text, content, origin, type=type, details=details)

    def _made_before(self, name: int, origin: Origin) -> int:
        if not origin.node:
            return 0
        found = self._database.row(
            "SELECT id FROM data_versions WHERE run = ? AND node = ? AND artifact = ? AND name = ? AND node <> ''",
            (origin.run, origin.node, origin.artifact, name),
        )
        return found[0] if found is not None else 0

    def _insert_version(self, name: int, content: Content, origin: Origin, note: str, details: dict[str, Any]) -> int:
        # The number of a version that was deleted is never given out again.
        number = self._database.rows(
            "UPDATE data_names SET last_version = last_version + 1 WHERE id = ? RETURNING last_version", (name,)
        )[0][0]
        return self._database.rows(
            "INSERT INTO data_versions (name, version, digest, files, size_bytes, created_at, note, details, source,"
            " run, run_name, node, step, artifact) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (
                name,
                number,
                content.digest,
                content.files,
                content.size_bytes,
                self._now(),
                note,
                msgspec.json.encode(details).decode(),
                origin.source,
                origin.run,
                origin.run_name,
                origin.node,
                origin.step,
                origin.artifact,
            ),
        )[0][0]

    def version(self, kind: Kind, text: str) -> Version:
        """The version that a reference means. Raises NotFound with what was meant."""
        ref = parse_ref(kind, text)
        named = self._named(ref)
        if named is None:
            raise self._no_such_name(ref)
        if ref.tag:
            condition, value = "v.id = (SELECT version FROM data_tags WHERE name = ? AND tag = ?)", ref.tag
        else:
            condition, value = "v.name = ? AND v.version = ?", ref.version or named.latest
        row = self._database.row(f"{_VERSION} WHERE {condition}", (named.id, value))
        if row is None:
            raise self._no_such_version(ref, named)
        return _version_of(row)

    def _version(self, id: int) -> Version:
        return _version_of(self._database.rows(f"{_VERSION} WHERE v.id = ?", (id,))[0])

    def versions(self, kind: Kind, text: str) -> list[Version]:
        """Every version of a name, the newest first. Raises NotFound."""
        named = self.named(kind, text)
        return [
            _version_of(row)
            for row in self._database.rows(f"{_VERSION} WHERE v.name = ? ORDER BY v.version DESC", (named.id,))
        ]

    def by_ids(self, ids: Iterable[int]) -> dict[int, Version]:
        """The versions with these ids that are still there."""
        found: dict[int, Version] = {}
        for id in dict.fromkeys(ids):
            row = self._database.row(f"{_VERSION} WHERE v.id = ?", (id,))
            if row is not None:
                found[id] = _version_of(row)
        return found

    def made_by(self, run: str) -> list[Version]:
        """The versions that a run made, or that name its outputs, by its uid, in the order in which they were made."""
        return [
            _version_of(row)
            for row in self._database.rows(f"{_VERSION} WHERE v.run = ? AND v.run <> '' ORDER BY v.id", (run,))
        ]

    # -- tags of versions

    def tag(self, kind: Kind, text: str, tag: str) -> Version:
        """Let the tag mean the version that a reference means, whatever it meant before. Raises NotFound."""
        found = self.version(kind, text)
        with self._database.write():
            self._set_tag(self.named(kind, text).id, checked_tag(tag), found.id)
        return self._version(found.id)

    def _set_tag(self, name: int, tag: str, version: int) -> None:
        self._database.execute(
            "INSERT OR REPLACE INTO data_tags VALUES (?, ?, ?, ?)", (name, tag, version, self._now())
        )

    def untag(self, kind: Kind, text: str) -> None:
        """Forget the tag that a reference ends in; its version stays. Raises NotFound."""
        ref = parse_ref(kind, text)
        self.version(kind, text)
        self._database.execute("DELETE FROM data_tags WHERE name = ? AND tag = ?", (self.named(kind, text).id, ref.tag))

    # -- forgetting

    def delete(self, kind: Kind, text: str) -> list[Version]:
        """Forget the version that a reference names, or the name with all its versions; what was forgotten.

        Their content goes with the next prune that nothing else keeps it from. Raises NotFound.
        """
        ref = parse_ref(kind, text)
        with self._database.write():
            if ref.version or ref.tag:
                doomed = [self.version(kind, text)]
                self._database.execute("DELETE FROM data_versions WHERE id = ?", (doomed[0].id,))
            else:
                doomed = self.versions(kind, text)
                self._database.execute("DELETE FROM data_names WHERE id = ?", (self.named(kind, text).id,))
        return doomed

    def kept(self) -> list[tuple[str, str]]:
        """What the store must keep: the name of each version, as KIND/REF, and its digest.

        Of a tag only what it points to now; what it pointed to before stays as long as its run.
        """
        rows = self._database.rows(
            f"{_VERSION} WHERE n.kind <> 'tag'"
            " OR v.version = (SELECT max(version) FROM data_versions o WHERE o.name = n.id)"
        )
        return [(f"{one.kind}/{one.ref}", one.content.digest) for one in map(_version_of, rows)]

    # -- what is not there

    def _no_such_name(self, ref: Ref) -> NotFound:
        names = [one.whole_name for one in self.list(ref.kind)]
        near = did_you_mean(ref.whole_name, names)
        if near:
            hint = f"did you mean {near}?"
        elif other := next((kind for kind in KINDS if kind != ref.kind and self._is_named(kind, ref)), None):
            hint = f"there is a {other} of that name"
        else:
            hint = f"argosy {ref.kind}s list shows what there is" if names else f"there are no {ref.kind}s yet"
            if ref.kind == "tag" and names:
                hint = f"there are {', '.join(names[:MOST_NAMED])}{', ...' if len(names) > MOST_NAMED else ''}"
            if ref.kind == "dataset":
                hint = f"argosy datasets add {ref.whole_name} FOLDER makes it"
        return NotFound(f"There is no {ref.kind} named {ref.whole_name!r}", hint=hint)

    def _is_named(self, kind: Kind, ref: Ref) -> bool:
        return self._named(msgspec.structs.replace(ref, kind=kind)) is not None

    def _no_such_version(self, ref: Ref, named: Named) -> NotFound:
        if not named.latest:
            return NotFound(
                f"The {ref.kind} {ref.whole_name} has no version yet",
                hint=f"argosy {ref.kind}s add {ref.whole_name} FOLDER makes one",
            )
        if not ref.tag:
            return NotFound(
                f"The {ref.kind} {ref.whole_name} has no version {ref.version}", hint=f"the latest is {named.latest}"
            )
        tags = [tag for (tag,) in self._database.rows("SELECT tag FROM data_tags WHERE name = ?", (named.id,))]
        near = did_you_mean(ref.tag, [*tags, LATEST])
        hint = f"did you mean {near}?" if near else f"its tags: {', '.join(tags)}" if tags else "it has no tags"
        return NotFound(f"The {ref.kind} {ref.whole_name} has no tag {ref.tag!r}", hint=hint)


def _whole(namespace: str, name: str) -> str:
    return f"{namespace}/{name}" if namespace else name


def _named_of(row: Row) -> Named:
    id, kind, namespace, name, type, description, created_at, latest, versions = row
    return Named(
        id=id,
        kind=kind,
        whole_name=_whole(namespace, name),
        type=type,
        description=description,
        created_at=created_at,
        latest=latest,
        versions=versions,
    )


def _version_of(row: Row) -> Version:
    id, kind, namespace, name, type, version, digest, files, size_bytes, created_at, note, details = row[:12]
    source, run, run_name, node, step, artifact, tags = row[12:]
    return Version(
        id=id,
        kind=kind,
        whole_name=_whole(namespace, name),
        type=type,
        version=version,
        content=Content(digest=digest, files=files, size_bytes=size_bytes),
        created_at=created_at,
        note=note,
        details=msgspec.json.decode(details),
        origin=Origin(source=source, run=run, run_name=run_name, node=node, step=step, artifact=artifact),
        tags=tuple(msgspec.json.decode(tags)),
    )
