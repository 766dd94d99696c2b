"""The placeholders in files that Onepanel's server came with: `{{.DefaultNodePoolOption}}` and the like.

They are Go templates, replaced as text before the file is read. Here each is covered while the file is parsed, by as
many characters as it has, so that every place stays what it is; then its value is put in. It knows no fields.
Source: onepanelio/core, db/yaml and db/go.
"""

from __future__ import annotations

import re

import msgspec

from argosy.syntax.diagnostics import Diagnostic, did_you_mean
from argosy.syntax.nodes import Mapping, Node, Scalar, Sequence
from argosy.syntax.span import Source, pack

# What the server put in. A node pool is looked up later; artifacts are in the repository, by key, as in S3.
VALUES = {"ArtifactRepositoryType": "s3", "DefaultNodePoolOption": "default", "NodePoolLabel": "onepanel.io/node-pool"}
RULE = "onepanel-placeholder"
_PLACEHOLDER = re.compile(r"\{\{\s*\.(?P<name>[A-Za-z]\w*)\s*\}\}")
# One that is a whole key or a whole value of a key, and so cannot be meant for a program in the text.
_WHOLE = r"[\"']?\{\{\s*\.(?P<%s>[A-Za-z]\w*)\s*\}\}[\"']?[ \t]*"
_ALONE = re.compile(rf"^[ \t-]*{_WHOLE % 'key'}:|:[ \t]+{_WHOLE % 'value'}(?=[,}}#]|$)", re.MULTILINE)
# Characters that no language has: the first tells which placeholder, the others fill it up.
_FIRST, _FILL = 0xE100, "\ue0ff"
_COVER = re.compile(f"(?P<first>[\ue100-\ue1ff]){_FILL}+")


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """A text that can be parsed, as long as the one it was made of, and what is wrong with placeholders in that."""

    text: str
    diagnostics: tuple[Diagnostic, ...]

    def restore(self, node: Node) -> None:
        """Put the values in, keys included."""
        if isinstance(node, Scalar):
            if isinstance(node.value, str):
                node.value = _filled(node.value)
        elif isinstance(node, Sequence):
            for item in node.items:
                self.restore(item)
        else:
            _restore_keys(node)
            for child in node.values.values():
                self.restore(child)


def cover(text: str, file: str) -> Covered:
    """The text with its placeholders covered. What a program's own templates look like is left alone."""
    names = list(VALUES)

    def covered(found: re.Match[str]) -> str:
        name = found["name"]
        if name not in VALUES:
            return found[0]
        return chr(_FIRST + names.index(name)) + _FILL * (len(found[0]) - 1)

    return Covered(text=_PLACEHOLDER.sub(covered, text), diagnostics=tuple(_unknown(text, file)))


def _unknown(text: str, file: str) -> list[Diagnostic]:
    found: list[Diagnostic] = []
    source = Source(text, file)
    for one in _ALONE.finditer(text):
        group = one.lastgroup or "key"
        name = one[group]
        if name in VALUES:
            continue
        near = did_you_mean(name, VALUES)
        hint = f"did you mean `{{{{.{near}}}}}`?" if near else "write the value itself"
        found.append(
            Diagnostic(
                rule=RULE,
                severity="error",
                message=f"nothing is known of the placeholder `{{{{.{name}}}}}`",
                span=source.span(pack(one.start(group) - 3, one.end(group) + 2)),
                why="Onepanel's server puts in " + ", ".join(f"{{{{.{known}}}}}" for known in VALUES),
                hint=hint,
            )
        )
    return found


def _filled(text: str) -> str:
    values = list(VALUES.values())
    return _COVER.sub(lambda found: values[ord(found["first"]) - _FIRST], text)


def _restore_keys(node: Mapping) -> None:
    if any(_COVER.search(key) for key in node.values):
        node.values = {_filled(key): child for key, child in node.values.items()}
