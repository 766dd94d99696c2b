"""Rules on ConfigMaps, Secrets and PersistentVolumeClaims.

It knows their shape, not where they are kept.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import cast

from argosy.checks.finding import Path, Rule
from argosy.checks.report import Report
from argosy.checks.survey import Subject
from argosy.checks.texts import structs
from argosy.model.manifest import (
    ConfigMap,
    EnvFromSource,
    EnvVarSource,
    HTTPHeaderSource,
    KeySelector,
    PersistentVolumeClaim,
    Secret,
    SemaphoreRef,
    ValueFrom,
)

OBJECT_INVALID = Rule(
    id="object-invalid",
    meaning="A ConfigMap, Secret or claim lacks its name, or has a key or a value that it may not have.",
    bad="kind: Secret with data: {password: not base64!}",
    fix="correct what is named; plain text of a Secret goes into stringData",
)
OBJECT_UNKNOWN = Rule(
    id="object-unknown",
    severity="warning",
    meaning="A ConfigMap or Secret that is referred to is not at hand, or lacks the key.",
    bad="configMapKeyRef: {name: not-applied-yet, key: x}",
    fix="apply it first, or let a resource template of the workflow make it",
)
RULES = (OBJECT_INVALID, OBJECT_UNKNOWN)

_KEY = r"[-._a-zA-Z0-9]+"


def check_document(subject: Subject, report: Report) -> None:
    """ConfigMaps and Secrets that the document's own fields refer to: there before a run, and with the key."""
    for path, struct in structs(subject.spec, subject.home.path):
        if isinstance(struct, EnvVarSource):
            _check_key(subject, report, "ConfigMap", struct.config_map_key_ref, (*path, "configMapKeyRef"))
            _check_key(subject, report, "Secret", struct.secret_key_ref, (*path, "secretKeyRef"))
        elif isinstance(struct, ValueFrom):
            selector = struct.config_map_key_ref if struct.default is None else None
            _check_key(subject, report, "ConfigMap", selector, (*path, "configMapKeyRef"))
        elif isinstance(struct, SemaphoreRef):
            _check_key(subject, report, "ConfigMap", struct.config_map_key_ref, (*path, "configMapKeyRef"))
        elif isinstance(struct, HTTPHeaderSource):
            _check_key(subject, report, "Secret", struct.secret_key_ref, (*path, "secretKeyRef"))
        elif isinstance(struct, EnvFromSource):
            for key, kind, source in (
                ("configMapRef", "ConfigMap", struct.config_map_ref),
                ("secretRef", "Secret", struct.secret_ref),
            ):
                if source is not None and not source.optional:
                    _find(subject, report, kind, source.name, (*path, key))


def _check_key(subject: Subject, report: Report, kind: str, selector: KeySelector | None, path: Path) -> None:
    if selector is None or selector.optional:
        return
    found = _find(subject, report, kind, selector.name, path)
    if found is None or "{{" in selector.key:
        return
    keys = [*found.data, *(found.binary_data if isinstance(found, ConfigMap) else found.string_data)]
    if selector.key not in keys:
        hint = report.suggest(selector.key, keys)
        report.add(OBJECT_UNKNOWN, (*path, "key"), f"{kind} '{selector.name}' has no key '{selector.key}'", hint=hint)


def _find(subject: Subject, report: Report, kind: str, name: str, path: Path) -> ConfigMap | Secret | None:
    if not name or "{{" in name:
        return None
    catalog = subject.catalog
    found = catalog.config_map(name) if kind == "ConfigMap" else catalog.secret(name)
    if found is None and subject.options.missing_references == "error":
        report.add(OBJECT_UNKNOWN, (*path, "name"), f"{kind} '{name}' not found")
    return found


def check_object(document: ConfigMap | Secret | PersistentVolumeClaim, report: Report) -> None:
    """The object's name and contents."""
    if not document.metadata.name:
        report.add(OBJECT_INVALID, ("metadata", "name"), f"{document.kind}: metadata.name is required")
    if isinstance(document, ConfigMap):
        _check_keys(document.kind, document.data, ("data",), report)
        _check_encoded(document.kind, document.binary_data, ("binaryData",), report)
        for key in document.binary_data.keys() & document.data.keys():
            report.add(OBJECT_INVALID, ("binaryData", key), f"{document.kind}: '{key}' is in data and in binaryData")
    elif isinstance(document, Secret):
        _check_encoded(document.kind, document.data, ("data",), report)
        _check_keys(document.kind, document.string_data, ("stringData",), report)
    else:
        spec = document.spec
        if not isinstance(spec, dict) or not cast("dict[str, object]", spec).get("accessModes"):
            report.add(OBJECT_INVALID, ("spec",), f"{document.kind}: spec.accessModes is required", severity="warning")


def _check_keys(kind: str, data: dict[str, str], path: Path, report: Report) -> None:
    for key in data:
        if not re.fullmatch(_KEY, key):
            message = f"{kind}: key '{key}' is invalid: use letters, digits, '-', '_' and '.'"
            report.add(OBJECT_INVALID, (*path, key), message)


def _check_encoded(kind: str, data: dict[str, str], path: Path, report: Report) -> None:
    _check_keys(kind, data, path, report)
    for key, value in data.items():
        try:
            base64.b64decode("".join(value.split()), validate=True)
        except (binascii.Error, ValueError):
            report.add(OBJECT_INVALID, (*path, key), f"{kind}: the value of '{key}' is not base64")
