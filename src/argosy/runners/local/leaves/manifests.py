"""The manifest and flags of a resource template: read, named, owned, refused where only a cluster has such things.

It knows texts and plain mappings, not what is done with them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, cast

import msgspec

from argosy.artifacts.repositories import driver_of, resolve
from argosy.artifacts.transfer import load_input
from argosy.checks.local_kinds import kind_named
from argosy.dialects import argo
from argosy.dialects.argo_kinds import refusal
from argosy.model.manifest import KINDS, ArtifactFields, ResourceTemplate, Template
from argosy.plan.workflow_names import RunIdentity
from argosy.runners.local.context import RunContext
from argosy.runners.local.leaves.surroundings import LeafFailed, Log, transfer_context
from argosy.syntax.nodes import plain
from argosy.syntax.parse import parse

MAX_MANIFEST_BYTES = 1 << 20
# The letters of names that Kubernetes makes: none that spell words or look like digits.
NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
# Flags that ask for nothing that differs here; those in the second line are followed by a value.
WITHOUT_EFFECT = ("--validate", "--wait", "--cascade", "--save-config", "--overwrite", "--record", "--now")
WITH_VALUE = ("-o", "--output", "-n", "--namespace", "--grace-period", "--field-manager", "--timeout")
Object = dict[str, Any]


class Flags(msgspec.Struct, frozen=True, kw_only=True):
    """What the flags say. positional: a kind and a name. selector: which objects of a kind are meant, by labels."""

    positional: tuple[str, ...] = ()
    ignore_not_found: bool = False
    force: bool = False
    selector: str = ""

    def object(self) -> tuple[str, str]:
        """The kind and name that the flags give: `KIND NAME` or `KIND/NAME`. Raises LeafFailed."""
        words = self.positional
        if len(words) == 1 and "/" in words[0]:
            words = tuple(words[0].split("/", 1))
        if len(words) != 2:
            raise LeafFailed("neither the manifest nor the flags name one object.", hint="Give kind and metadata.name.")
        return _kind(words[0]), words[1]


def kind_of(flags: Flags) -> str:
    """The one kind that flags with a selector name. Raises LeafFailed."""
    if len(flags.positional) != 1 or "/" in flags.positional[0]:
        raise LeafFailed("a selector goes with one kind and no name.", hint="Write configmap --selector app=name.")
    return _kind(flags.positional[0])


def read_flags(flags: tuple[str, ...], namespace: str) -> Flags:
    """The flags that mean something here. Raises LeafFailed that names one that does not."""
    positional: list[str] = []
    found: dict[str, bool] = {}
    selector = ""
    rest = list(flags)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if not word.startswith("-"):
            positional.append(word)
        elif name in WITH_VALUE:
            value = value if equals else (rest.pop(0) if rest else "")
            if name in ("-n", "--namespace") and value != namespace:
                raise LeafFailed(f"the flag {name} {value}: there is only the namespace {namespace} here.")
        elif name in ("-l", "--selector"):
            selector = value if equals else (rest.pop(0) if rest else "")
        elif name in ("--ignore-not-found", "--force"):
            found[name] = value.lower() != "false"
        elif name not in WITHOUT_EFFECT:
            raise LeafFailed(f"the flag {name} of kubectl is not supported here.", hint="Leave it out.")
    return Flags(
        positional=tuple(positional),
        ignore_not_found=found.get("--ignore-not-found", False),
        force=found.get("--force", False),
        selector=selector,
    )


def _kind(word: str) -> str:
    """The kind that a word of kubectl's command line means. Raises LeafFailed."""
    kind = kind_named(word)
    if kind is None:
        raise _refused(word)
    return kind


def _refused(kind: str) -> LeafFailed:
    known = refusal(kind)
    why = f": {known[0]}" if known else ""
    return LeafFailed(
        f"a resource of kind {kind} needs a cluster{why}.", hint="The kinds here are " + ", ".join(KINDS) + "."
    )


def manifest_text(
    resource: ResourceTemplate, template: Template, context: RunContext, log: Log, cancelled: Callable[[], bool]
) -> str:
    """The manifest as given, or from the artifact that it stands in. Raises ArgosyError."""
    if resource.manifest_from is None:
        return resource.manifest
    asked = resource.manifest_from.artifact
    inputs = template.inputs.artifacts if template.inputs else ()
    artifact: ArtifactFields = next((one for one in inputs if one.name == asked.name), asked)
    data = _bytes_of(artifact, context, log, cancelled)
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise LeafFailed(f'the artifact "{asked.name}" of manifestFrom is no text.') from None


def _bytes_of(artifact: ArtifactFields, context: RunContext, log: Log, cancelled: Callable[[], bool]) -> bytes:
    if artifact.digest:
        return context.store.read_bytes(artifact.digest, MAX_MANIFEST_BYTES)
    if artifact.raw is not None:
        return artifact.raw.data.encode()
    target = log.path.with_name("manifest")
    target.unlink(missing_ok=True)
    given = resolve(artifact, context.repository)
    load_input(given, target, driver_of(given, context.repository), transfer_context(context, log, cancelled))
    if not target.is_file():
        raise LeafFailed("the artifact of manifestFrom is a folder.", hint="Save a single file.")
    with target.open("rb") as file:
        data = file.read(MAX_MANIFEST_BYTES + 1)
    # It may be a Secret's.
    target.unlink()
    if len(data) > MAX_MANIFEST_BYTES:
        raise LeafFailed(f"the manifest has more than {MAX_MANIFEST_BYTES} bytes.")
    return data


def read_manifest(text: str, *, any_kind: bool = False) -> Object:
    """The one object in a manifest's text; with any_kind, any one value: a patch. Raises LeafFailed."""
    if not text.strip():
        raise LeafFailed("a resource template has no manifest.", hint="Give manifest, or manifestFrom.")
    parsed = parse(text, "manifest")
    # Of a key that stands twice the last counts, as for kubectl; lint tells of it.
    problems = (one for one in parsed.diagnostics if one.rule != "yaml-duplicate-key")
    problem = next((one for one in problems if one.severity == "error"), None)
    if problem is not None:
        raise LeafFailed(f"the manifest cannot be read: {problem.message}.", hint=problem.hint)
    documents = [value for value in map(plain, parsed.documents) if value is not None]
    if len(documents) != 1:
        raise LeafFailed(f"the manifest holds {len(documents)} objects.", hint="A resource template handles one.")
    document = documents[0]
    if any_kind:
        return cast("Object", document)
    if not isinstance(document, dict):
        raise LeafFailed("the manifest is no object.", hint="Give apiVersion, kind and metadata.")
    found = cast("Object", document)
    kind = found.get("kind")
    if not isinstance(kind, str) or not kind:
        raise LeafFailed("the manifest has no kind.", hint="Give apiVersion, kind and metadata.")
    if kind not in KINDS:
        raise _refused(kind)
    return found


def _metadata(document: Object) -> Object:
    found = document.get("metadata")
    return cast("Object", found) if isinstance(found, dict) else {}


def kind_and_name(document: Object) -> tuple[str, str]:
    """What an object is called. Raises LeafFailed."""
    kind, name = document.get("kind"), _metadata(document).get("name")
    if not isinstance(kind, str) or not isinstance(name, str) or not kind or not name:
        raise LeafFailed("kind and metadata.name are both needed.", hint="Give the manifest both.")
    if kind not in KINDS:
        raise _refused(kind)
    return kind, name


def named(document: Object, seed: str) -> Object:
    """The object with a name made from generateName if it has none; the same seed makes the same name."""
    metadata = _metadata(document)
    start = metadata.get("generateName")
    if metadata.get("name") or not isinstance(start, str) or not start:
        return document
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest())
    letters: list[str] = []
    for _ in range(5):
        number, place = divmod(number, len(NAME_LETTERS))
        letters.append(NAME_LETTERS[place])
    return {**document, "metadata": {**metadata, "name": start + "".join(letters)}}


def owned(document: Object, identity: RunIdentity) -> Object:
    """The object with the run among its owners."""
    metadata = _metadata(document)
    given = metadata.get("ownerReferences")
    owners = cast("list[object]", given) if isinstance(given, list) else []
    owner = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "name": identity.name,
        "uid": identity.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {**document, "metadata": {**metadata, "ownerReferences": [*owners, owner]}}


def validated(document: Object) -> bytes:
    """The object as JSON, once it is one that can be read back. Raises InvalidFile."""
    data = msgspec.json.encode(document)
    argo.load(data, "manifest", strict=False).checked()
    return data
