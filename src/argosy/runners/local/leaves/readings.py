"""Output parameters of resource templates: read from the object by jsonPath or jqFilter.

It knows kubectl's JSONPath templates and jq, not where the object came from.
Source: Argo docs: walk-through/kubernetes-resources.md; Kubernetes docs: JSONPath support.
"""

from __future__ import annotations

import ast
import json
import re
from itertools import islice
from typing import Any, cast

from argosy.errors import EnvironmentTrouble, ExpressionError
from argosy.expressions.budget import Budget
from argosy.expressions.formatting import json_text, text_of
from argosy.expressions.jsonpaths import query
from argosy.model.manifest import Parameter
from argosy.runners.local.leaves.surroundings import LeafFailed, found_parameter

# A program can give values without end.
MAX_JQ_VALUES = 10_000
_BRACED = re.compile(r"""\{((?:[^{}'"]|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")*)\}""")


def read_parameter(declared: Parameter, document: object | None) -> Parameter | None:
    """The parameter as the object gives it; without an object its default. None for one that asks for nothing.

    Raises ExpressionError, EnvironmentTrouble, LeafFailed.
    """
    source = declared.value_from
    if source is None:
        return found_parameter(declared, declared.value) if declared.value is not None else None
    if document is None:
        return found_parameter(declared, source.default or "")
    if source.json_path:
        return found_parameter(declared, by_json_path(document, source.json_path))
    if source.jq_filter:
        return found_parameter(declared, by_jq(document, source.jq_filter))
    value = declared.value if declared.value is not None else source.default
    if value is None:
        raise LeafFailed(
            f'the output parameter "{declared.name}" cannot come from a resource.', hint="Give jsonPath or jqFilter."
        )
    return found_parameter(declared, value)


def by_json_path(document: object, template: str) -> str:
    """What a JSONPath template of kubectl gives: text, and in braces paths. What is not there gives nothing.

    Raises ExpressionError.
    """
    if "{" not in template:
        return _found(document, template)
    pieces: list[str] = []
    last = 0
    for match in _BRACED.finditer(template):
        pieces += (template[last : match.start()], _inside(document, match[1].strip()))
        last = match.end()
    rest = template[last:]
    if "{" in rest or "}" in rest:
        raise ExpressionError(f"the jsonPath '{template}' has an unclosed brace")
    return "".join(pieces) + rest


def _inside(document: object, text: str) -> str:
    word = text.partition(" ")[0]
    if word in ("range", "end"):
        raise ExpressionError(
            f"{{{word}}} in a jsonPath is not supported here", hint="Use jqFilter, or [*], whose values are joined."
        )
    if text[:1] in ("'", '"'):
        try:
            return str(ast.literal_eval(text))
        except (ValueError, SyntaxError):
            raise ExpressionError(f"{text} in a jsonPath is no text in quotes") from None
    return _found(document, text)


def _found(document: object, path: str) -> str:
    plain = path.strip()
    if plain[:1] in ("$", "@"):
        plain = plain[1:]
    if plain and plain[0] not in ".[":
        plain = "." + plain
    # Asked of a list of one, a path that finds nothing gives an empty list, as kubectl does, and no error.
    values = query(Budget(), [document], "$[*]" + plain if plain != "." else "$[*]")
    return " ".join(_text(value) for value in cast("list[object]", values))


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        return json_text(cast("object", value), escape_html=False)
    return text_of(value)


def by_jq(document: object, program: str) -> str:
    """What a jq program gives: its texts as they are, other values as JSON, a line each.

    Raises ExpressionError; EnvironmentTrouble where jq is not installed.
    """
    try:
        import jq  # an extra
    except ImportError:
        raise EnvironmentTrouble(
            "jqFilter needs jq, which is not installed.", hint="Install it: pip install 'argosy[jq]'; or use jsonPath."
        ) from None
    try:
        values = cast("Any", jq).compile(program).input_value(document)
        found = list(islice(cast("list[object]", iter(values)), MAX_JQ_VALUES))
    except ValueError as problem:
        raise ExpressionError(f"jqFilter '{program}': {problem}") from problem
    lines = [value if isinstance(value, str) else json.dumps(value, separators=(",", ":")) for value in found]
    return "\n".join(lines).strip()
