"""Artifacts in JFrog Artifactory: a URL with basic authentication (Argo docs: fields.md, ArtifactoryArtifact).

It knows only what differs from `http`.
"""

from __future__ import annotations

from argosy.artifacts.drivers.fields import ArtifactoryFields, BasicAuth, HTTPAuth, HTTPFields, read_fields
from argosy.artifacts.drivers.http import HTTPDriver
from argosy.model.manifest import ArtifactLocation


class ArtifactoryDriver(HTTPDriver):
    """`artifactory: {url: ...}`."""

    kind = "artifactory"

    def fields(self, artifact: ArtifactLocation) -> HTTPFields:
        """What the artifact says, as an `http` location."""
        given = read_fields(self.kind, artifact.artifactory, ArtifactoryFields)
        auth = BasicAuth(username_secret=given.username_secret, password_secret=given.password_secret)
        return HTTPFields(url=given.url, auth=HTTPAuth(basic_auth=auth))
