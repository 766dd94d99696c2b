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
from argosy.model.manifest import ConfigMap, PersistentVolumeClaim, Secret

OBJECT_INVALID = Rule(
    id="object-invalid",
    meaning="A ConfigMap, Secret or claim lacks its name, or has a key or a value that it may not have.",
    bad="kind: Secret with data: {password: not base64!}",
    fix="correct what is named; plain text of a Secret goes into stringData",
)
RULES = (OBJECT_INVALID,)

_KEY = re.compile(r"[-._a-zA-Z0-9]+")


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
        if not _KEY.fullmatch(key):
            message = f"{kind}: key '{key}' is invalid: use letters, digits, '-', '_' and '.'"
            report.add(OBJECT_INVALID, (*path, key), message)


def _check_encoded(kind: str, data: dict[str, str], path: Path, report: Report) -> None:
    _check_keys(kind, data, path, report)
    for key, value in data.items():
        try:
            base64.b64decode("".join(value.split()), validate=True)
        except (binascii.Error, ValueError):
            report.add(OBJECT_INVALID, (*path, key), f"{kind}: the value of '{key}' is not base64")
