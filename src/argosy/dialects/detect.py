"""Which front-end a file is for, told from its text.

It knows one sign of each dialect, not how any of them is read.
"""

from __future__ import annotations

import re
from typing import cast

import msgspec

from argosy.errors import InvalidFile
from argosy.syntax.diagnostics import Diagnostic
from argosy.syntax.parse import DEFAULT_LIMITS
from argosy.syntax.span import Span


class Sign(msgspec.Struct, frozen=True, kw_only=True):
    """How a dialect is told: a pattern in its text. what: the format in words."""

    dialect: str
    what: str
    pattern: str


# The first line that says something begins with spaces.
_INDENTED = re.compile(r"(?:[ \t]*(?:#.*)?\n)*( +)(?=[\w\"'])")
# Says of a file at once that it is for Argo or Kubernetes, which is what most files are.
_MANIFEST = re.compile(r"^[\"']?apiVersion[\"']?[ \t]*:", re.MULTILINE)
# Onepanel's files have no line at the margin that begins so.
_NO_KIND = r"""(?m)\A(?![\s\S]*^["']?(?:apiVersion|kind)["']?[ \t]*:)"""

# Tried in this order; a more particular format goes before a more general one.
SIGNS: tuple[Sign, ...] = (
    Sign(
        dialect="onepanel",
        what="Onepanel workflow templates (`entrypoint` and `templates`, or `metadata` with `version` and `action`)",
        pattern=(
            _NO_KIND
            + r"""(?:(?=[\s\S]*^["']?entrypoint["']?[ \t]*:)(?=[\s\S]*^["']?templates["']?[ \t]*:)"""
            # One of the two may be misspelt, which is told then.
            + r"""|(?=[\s\S]*^["']?(?:entrypoint|templates)["']?[ \t]*:)"""
            + r"""(?=[\s\S]*^[ \t-]+["']?(?:dag|container|script|resource)["']?[ \t]*:)"""
            + r"""|(?=[\s\S]*^["']?(?:containers|workflowSpec)["']?[ \t]*:)"""
            + r"""|(?=[\s\S]*^spec[ \t]*:)[\s\S]*?^metadata[ \t]*:[ \t]*(?:\#.*)?\n"""
            + r"""(?:[ \t].*\n|\n|\#.*\n)*?[ \t]+(?:action|version|kind|deprecated)[ \t]*:)"""
        ),
    ),
    Sign(
        dialect="dstack",
        what="dstack workflows (a list under `workflows`), variables and providers",
        pattern=(_NO_KIND + r"""[\s\S]*?^["']?(?:workflows|variables|providers)["']?[ \t]*:[ \t]*(?:\#.*|\[.*)?$"""),
    ),
    Sign(
        dialect="gradient",
        what="Gradient Workflows (`jobs`, each with `uses`)",
        pattern=(_NO_KIND + r"""[\s\S]*?(?:^(?:\{\s*)?["']?jobs["']?[ \t]*:|^[ \t]+uses:[ \t]*[\w-]+@v1\b)"""),
    ),
    Sign(
        dialect="guild",
        what="Guild operations (a guild.yml: models with `operations`, or operations with `main`, `exec` or `steps`)",
        pattern=(
            _NO_KIND
            + r"""[\s\S]*?(?:^-[ \t]+(?:model|config|package|include)[ \t]*:|^[ \t]+operations[ \t]*:"""
            + r"""|^[^\s:#][^:\n]*:[ \t]*(?:\#.*)?\n(?:[ \t].*\n|\n)*?"""
            + r"""[ \t]+(?:main|exec|flags-import|flags-dest)[ \t]*:)"""
        ),
    ),
    Sign(
        dialect="argo",
        what="Argo manifests (a mapping with `apiVersion` and `kind`)",
        pattern=r"""(?mi)^[ \t{,]*["']?(?:apiVersion|kind|metadata|spec)["']?[ \t]*:""",
    ),
)


# Files that are of a dialect by their names.
FILES = {"guild.yml": "guild", "guild.yaml": "guild"}
_DSTACK_FOLDER = r"(?:^|/)\.dstack/(?:workflows[./]|variables\.|configs\.|providers\.)"
_GRADIENT_FOLDER = r"(?:^|/)\.gradient/"


def told(text: str, file: str = "") -> str:
    """The name of the dialect that a file is of by its name, or that a text bears a sign of; "" for none."""
    if dialect := FILES.get(file.rpartition("/")[2]):
        return dialect
    head = _at_the_margin(text[: DEFAULT_LIMITS.size_bytes])
    if _MANIFEST.search(head):
        return "argo"
    if re.search(_DSTACK_FOLDER, file):
        return "dstack"
    if re.search(_GRADIENT_FOLDER, file):
        return "gradient"
    return next((sign.dialect for sign in SIGNS if re.search(sign.pattern, head)), "")


def _at_the_margin(text: str) -> str:
    """The text without the indentation that all of it has, as what is copied out of a page may have.

    Of JSON it is an outline: the keys as YAML has them, and those of mappings below them.
    """
    if text.lstrip()[:1] == "{":
        try:
            given: object = msgspec.json.decode(text)
        except msgspec.DecodeError:
            return text
        return _outline(given)
    found = _INDENTED.match(text)
    return re.sub(f"^{found[1]}", "", text, flags=re.MULTILINE) if found else text


def _outline(given: object) -> str:
    lines: list[str] = []
    for key, value in cast("dict[str, object]", given).items():
        lines.append(f"{key}: {value}" if isinstance(value, str) else f"{key}:")
        if isinstance(value, dict):
            lines += [f"  {below}:" for below in cast("dict[str, object]", value)]
    return "\n".join(lines) + "\n"


def detect(text: str, file: str) -> str:
    """The name of the dialect that a file is written in. Raises InvalidFile when it is none that is known."""
    if dialect := told(text, file):
        return dialect
    hint = "the formats that are read: " + "; ".join(sign.what for sign in SIGNS)
    span = Span(file=file, line=1, column=1, end_line=1, end_column=2)
    message = "there is nothing in this file" if not text.strip() else "this is no format that is known"
    diagnostic = Diagnostic(rule="file-format", severity="error", message=message, span=span, hint=hint)
    raise InvalidFile(f"{file}: {message}", diagnostics=(diagnostic,), hint=hint)
