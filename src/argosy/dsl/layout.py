"""Where a step finds what it is given and leaves what it gives, in its working folder and its environment.

It is what the front-end writes into a template and what `inside` reads: both take it from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argosy.dsl.shapes import Leaf

FOLDER = ".argosy-step"
# The parameter that says where artifacts of a loop's items are kept.
KEEP = "keep-at"
_VARIABLE = "ARGOSY_ARGUMENT_"


def variable(name: str) -> str:
    """The environment variable of a parameter."""
    return _VARIABLE + name


def is_filed(leaf: Leaf) -> bool:
    """Whether a parameter reaches its step as a file: all but numbers and booleans.

    A variable could not hold a long text, nor one with a zero byte, and Kubernetes takes `$$` and `$(NAME)` in its
    value for something else (Kubernetes: EnvVar.value).
    """
    return leaf.is_parameter and _kind(leaf) not in ("int", "float", "bool")


def _kind(leaf: Leaf) -> str:
    return getattr(getattr(leaf.shape, "type", None), "__name__", "")


def filed(name: str) -> str:
    """The file of such a parameter: JSON, or a text as it is."""
    return f"{FOLDER}/in/{name}.json"


def taken(name: str) -> str:
    """The path of an input artifact."""
    return f"{FOLDER}/in/{name}"


def given(name: str, *, text: bool = False) -> str:
    """The path of an output: of an artifact, or of a parameter's text."""
    return f"{FOLDER}/out/{name}.text" if text else f"{FOLDER}/out/{name}"


def written(name: str) -> str:
    """The path of an output of a container's own command: a file where it begins, since no other folder is there."""
    return f".argosy-{name}"
