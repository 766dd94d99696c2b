"""What libyaml complains of, said so that a person knows what to change.

It knows libyaml's messages and the mistakes behind them; it reads nothing itself.
"""

from __future__ import annotations

import re

import yaml

from argosy.syntax.span import pack
from argosy.syntax.tree import TreeBuilder

# A piece of libyaml's message -> what we say, what to do.
_EXPLAINED: tuple[tuple[str, str, str], ...] = (
    (
        "mapping values are not allowed",
        "a `key: value` cannot start here",
        "align it with its neighbours, or put a value that holds `: ` in quotes",
    ),
    ("found character that cannot start any token", "a value cannot start with this character", "put it in quotes"),
    ("found undefined tag handle", "a word with `!` is taken as a tag that is not defined", "put it in quotes"),
    ("while scanning a tag", "a word that starts with `!` is taken as a tag", "put it in quotes"),
    ("did not find expected '-' indicator", "expected another `- ` item here", "align it with the items above"),
    ("did not find expected key", "expected a key here, aligned with those above", "check the indentation and quotes"),
    (
        "could not find expected ':'",
        "expected `:` behind this key",
        "write `key: value`, with a blank; what belongs to the value above is indented deeper",
    ),
    (
        "did not find expected ',' or ']'",
        "expected `,` or `]`",
        "close the list, or put a value with brackets in quotes",
    ),
    ("did not find expected ',' or '}'", "expected `,` or `}`", "close the mapping, or put `{{...}}` in quotes"),
    ("found unexpected end of stream", "this quote is never closed", "add the closing quote"),
    ("found unexpected document indicator", "this quote is never closed", "add the closing quote"),
    ("found unknown escape character", "this escape is unknown in double quotes", "use single quotes, or `\\\\`"),
    ("did not find expected <document start>", "the document has ended, yet more follows", "check the indentation"),
    ("found duplicate %YAML directive", "a second `%YAML` line", "remove it"),
    ("found incompatible YAML document", "this version of YAML is not read", "remove the `%YAML` line"),
    ("block sequence entries are not allowed", "a `- ` item cannot start here", "put the list on the next line"),
    (
        "did not find expected alphabetic or numeric character",
        "a name is expected behind `*` or `&`",
        "put it in quotes",
    ),
    ("did not find expected comment or line break", "only a comment may follow here", "put the value in quotes"),
    ("did not find expected node content", "expected a value here", "close every `[` and `{`"),
    ("found a tab character", "a tab cannot indent", "indent with blanks"),
)
_TAG_OF_ARGO = r"[:-]\s+\{\{"


def explain(problem: yaml.YAMLError, builder: TreeBuilder) -> None:
    """Report a parser's error at its place. Always raises `tree.Stop`."""
    text = builder.source.text
    mark = getattr(problem, "problem_mark", None) or getattr(problem, "context_mark", None)
    given = " ".join(
        str(part) for part in (getattr(problem, "context", ""), getattr(problem, "problem", problem)) if part
    )
    offset = min(mark.index, len(text)) if mark is not None else 0
    message, hint = f"this is not YAML: {given}", ""
    for piece, said, advice in _EXPLAINED:
        if piece in given:
            message, hint = said, advice
            break
    end = offset + 1
    if "never closed" in message or "behind this key" in message:
        opened = getattr(problem, "context_mark", None)
        offset = opened.index if opened is not None else offset
        # Where such a key was read, the parser is lines behind it.
        end = offset + (len(text[offset:].partition("\n")[0].rstrip()) if "key" in message else 1)
    line_start = text.rfind("\n", 0, offset) + 1
    if "\t" in text[line_start:offset] + text[offset : offset + 1] and not text[line_start:offset].strip():
        message, hint = "a tab cannot indent", "indent with blanks"
    elif re.compile(_TAG_OF_ARGO).search(text, text.rfind("\n", 0, max(0, line_start - 1)) + 1, offset + 1):
        hint = 'a `{{...}}` tag at the start of a value must stand in quotes: "{{...}}"'
    builder.stop("yaml-syntax", message, pack(offset, min(max(end, offset + 1), len(text))), hint=hint)
