"""The kinds of objects that exist without a cluster, and the words that kubectl knows them by.

It knows names, not what can be done with an object.
"""

from __future__ import annotations

from argosy.model.manifest import KINDS

_OTHER_WORDS = {
    "persistentvolumeclaim": ("pvc",),
    "workflow": ("wf",),
    "configmap": ("cm",),
    "cronworkflow": ("cwf", "cronwf"),
    "workflowtemplate": ("wftmpl",),
    "clusterworkflowtemplate": ("clusterwftmpl", "cwft"),
}


def kind_named(word: str) -> str | None:
    """The kind that a word of kubectl's command line means (configmap, configmaps, cm); None if none exists here."""
    asked = word.lower().partition(".")[0]
    for kind in KINDS:
        low = kind.lower()
        if asked in (low, low + "s", *_OTHER_WORDS.get(low, ())):
            return kind
    return None


def kind_in_flags(flags: tuple[str, ...]) -> str:
    """The word for a kind among kubectl's flags, as in `configmap NAME` or `cm/NAME`; "" when there is none."""
    word = next((flag for flag in flags if not flag.startswith("-")), "")
    return word.partition("/")[0]
