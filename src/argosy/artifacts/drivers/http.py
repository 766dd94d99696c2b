"""Artifacts at a URL: fetched with GET, saved with PUT (Argo docs: fields.md, HTTPArtifact).

It knows the ways to show who one is: headers, basic, OAuth2 client credentials, a client certificate.
"""

from __future__ import annotations

import json
import ssl
import tempfile
import urllib.parse
from pathlib import Path

from argosy.artifacts.credentials import Credentials
from argosy.artifacts.drivers.fields import HTTPFields, OAuth2, read_fields, wanted
from argosy.artifacts.locations import Context
from argosy.artifacts.places import memory_folder, new_file
from argosy.artifacts.requests import Request, basic, download, send
from argosy.artifacts.troubles import LocationUnsupported, TransferRefused
from argosy.model.manifest import ArtifactLocation

TOKEN_BYTES = 1 << 20


class HTTPDriver:
    """`http: {url: ...}`."""

    kind = "http"

    def fields(self, artifact: ArtifactLocation) -> HTTPFields:
        """What the artifact says."""
        return read_fields(self.kind, artifact.http, HTTPFields)

    def fetch(self, artifact: ArtifactLocation, target: Path, context: Context) -> None:
        """Download to the file `target`. Raises as `locations.Driver` says."""
        credentials = Credentials(context)
        with credentials.guarded():
            fields = self.fields(artifact)
            headers, tls = self.identity(fields, credentials, context)
            request = Request(method="GET", url=wanted(self.kind, "url", fields.url), headers=headers)
            answer = send(request, timeout_seconds=context.timeout_seconds, tls=tls)
            with answer, new_file(target) as file:
                download(answer, file, context.limits.max_bytes, context.stop_if_cancelled)

    def save(self, path: Path, artifact: ArtifactLocation, context: Context) -> None:
        """Upload the file `path`. Raises as `locations.Driver` says."""
        if path.is_dir():
            raise LocationUnsupported(
                f"A folder cannot be sent to an {self.kind} location.", hint="Leave out `archive: none: {}`."
            )
        credentials = Credentials(context)
        with credentials.guarded():
            fields = self.fields(artifact)
            headers, tls = self.identity(fields, credentials, context)
            request = Request(method="PUT", url=wanted(self.kind, "url", fields.url), headers=headers, body=path)
            send(
                request,
                timeout_seconds=context.timeout_seconds,
                tls=tls,
                stop_if_cancelled=context.stop_if_cancelled,
            ).close()

    def list(self, artifact: ArtifactLocation, context: Context) -> list[str]:
        """Raises LocationUnsupported."""
        raise LocationUnsupported(
            f"An {self.kind} location has no files to list.", hint="List an s3, gcs or azure one."
        )

    def delete(self, artifact: ArtifactLocation, context: Context) -> None:
        """Raises LocationUnsupported."""
        raise LocationUnsupported(f"An {self.kind} location cannot be deleted.", hint="Set artifactGC to Never for it.")

    def identity(
        self, fields: HTTPFields, credentials: Credentials, context: Context
    ) -> tuple[dict[str, str], ssl.SSLContext | None]:
        """The headers to send and the certificate to show."""
        headers: dict[str, str] = {}
        for header in fields.headers:
            headers[header.name] = header.value
            credentials.hide(header.value)
        auth, tls = fields.auth, None
        if auth is None:
            return headers, tls
        if auth.basic_auth:
            user = credentials.text(auth.basic_auth.username_secret)
            password = credentials.text(auth.basic_auth.password_secret)
            if user or password:
                headers["Authorization"] = basic(user, password)
        if auth.oauth2 and auth.oauth2.token_url_secret:
            headers["Authorization"] = "Bearer " + _token(auth.oauth2, credentials, context)
        if auth.client_cert and auth.client_cert.client_cert_secret:
            certificate = credentials.get(auth.client_cert.client_cert_secret) or b""
            key = credentials.get(auth.client_cert.client_key_secret) or b""
            tls = _client_certificate(certificate, key)
        return headers, tls


def _token(oauth2: OAuth2, credentials: Credentials, context: Context) -> str:
    """A token for client credentials (RFC 6749, 4.4). Servers differ on where they want the secret: both are tried."""
    url = credentials.text(oauth2.token_url_secret).strip()
    user, secret = credentials.text(oauth2.client_id_secret), credentials.text(oauth2.client_secret_secret)
    form = [("grant_type", "client_credentials")]
    if oauth2.scopes:
        form.append(("scope", " ".join(oauth2.scopes)))
    form += [(pair.key, pair.value) for pair in oauth2.endpoint_params]
    try:
        answer = _ask_token(url, form, basic(urllib.parse.quote_plus(user), urllib.parse.quote_plus(secret)), context)
    except TransferRefused:
        answer = _ask_token(url, [*form, ("client_id", user), ("client_secret", secret)], None, context)
    try:
        token = json.loads(answer)["access_token"]
    except (ValueError, KeyError, TypeError) as error:
        raise TransferRefused("The OAuth2 server gave no access token.", hint="Check tokenURLSecret.") from error
    credentials.hide(str(token))
    return str(token)


def _ask_token(url: str, form: list[tuple[str, str]], authorization: str | None, context: Context) -> bytes:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    if authorization:
        headers["Authorization"] = authorization
    request = Request(method="POST", url=url, headers=headers, body=urllib.parse.urlencode(form).encode())
    with send(request, timeout_seconds=context.timeout_seconds) as answer:
        return answer.read(TOKEN_BYTES)


def _client_certificate(certificate: bytes, key: bytes) -> ssl.SSLContext:
    context = ssl.create_default_context()
    with tempfile.TemporaryDirectory(prefix="http-", dir=memory_folder()) as folder:
        for name, data in (("certificate", certificate), ("key", key)):
            path = Path(folder) / name
            path.touch(0o600)
            path.write_bytes(data)
        try:
            context.load_cert_chain(f"{folder}/certificate", f"{folder}/key")
        except (ssl.SSLError, OSError) as error:
            raise TransferRefused("The client certificate or its key cannot be used.", hint="Both are PEM.") from error
    return context
