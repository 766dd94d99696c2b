"""Excerpts and kept sources of manifests have no values of Secrets in them, and stay as wide and as long."""

from __future__ import annotations

import pytest

from argosy.dialects.secret_text import without_values

BLOCK = """\
kind: ConfigMap
data: {a: shown-1}
---
apiVersion: v1
kind: "Secret"
metadata:
  name: shown-2
  annotations:
    copy: hunter2
stringData:
  shown-3: hunter2
  shown-4: |
    user: hunter2

    more hunter2
  shown-5: "hunter2
    goes on hunter2"
dta:
- hunter2
type: shown-6
---
kind: Workflow
spec: {data: shown-7}
"""


def test_values_of_a_block() -> None:
    found = without_values(BLOCK)
    assert "hunter2" not in found
    assert [f"shown-{number}" in found for number in range(1, 8)] == [True] * 7
    assert [len(line) for line in found.splitlines()] == [len(line) for line in BLOCK.splitlines()]


@pytest.mark.parametrize(
    "text",
    [
        '{"kind": "Secret", "stringData": {"a": "hunter2"}}',
        '{\n  "kind": "Secret",\n  "data": {\n    "a": "hunter2"\n  }\n}',
        "{kind: Secret, stringData: {a: hunter2,\n b: hunter2}}",
        "kind: List\nitems:\n- kind: Secret\n  metadata: {name: s}\n  stringData:\n    a: hunter2\n- kind: ConfigMap\n",
        "kind: Secret\nstringData: {a: hunter2,\n  b: 'hunter2\n  x: hunter2\n",
        "stringData:\n  a: 'hunter2\nkind: Secret\n",
        "---\r\nkind: Secret\r\ndata:\r\n  a: hunter2\r\n",
    ],
)
def test_values_however_they_are_written(text: str) -> None:
    found = without_values(text)
    assert "hunter2" not in found
    assert len(found) == len(text)


def test_other_text_stays() -> None:
    text = "kind: Workflow\nspec: {volumes: [{secret: {secretName: s}}], serviceAccountName: Secret}\n"
    assert without_values(text) == text
