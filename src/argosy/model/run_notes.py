"""What a file says about its runs for people: a label, tags. Readers of other formats put it into these annotations.

It knows their names; the record takes them over when a run is made, and people may change them then.
"""

from __future__ import annotations

# On a workflow (metadata.annotations): a few words.
LABEL = "argosy.dev/label"
# On a workflow: words separated by commas.
TAGS = "argosy.dev/tags"


def tags_of(text: str) -> tuple[str, ...]:
    """The tags in an annotation."""
    return tuple(dict.fromkeys(tag for part in text.split(",") if (tag := part.strip())))
