"""Whether an artifact says where its bytes are.

It knows which fields make a location complete, not how one is read (Argo docs: configure-artifact-repository.md).
"""

from __future__ import annotations

from argosy.model.manifest import ArtifactLocation

# For each store, the sets of fields any one of which is enough.
ENOUGH: dict[str, tuple[tuple[str, ...], ...]] = {
    "artifactory": (("url",),),
    "azure": (("blob",),),
    "gcs": (("key",),),
    "git": (("repo",),),
    "hdfs": (("addresses",), ("path",)),
    "http": (("url",),),
    "oss": (("key",),),
    "s3": (("key",),),
    "plugin": (("key",), ("name", "configuration", "key")),
}


def has_location(artifact: ArtifactLocation) -> bool:
    """Whether it names a place, or at least a key in the default store."""
    if artifact.raw is not None or artifact.digest or artifact.named is not None:
        return True
    for store, ways in ENOUGH.items():
        location = getattr(artifact, store)
        if location is not None and any(all(location.get(field) for field in way) for way in ways):
            return True
    return False
