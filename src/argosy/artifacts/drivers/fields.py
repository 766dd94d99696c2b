"""The fields of each kind of location as typed values (Argo docs: fields.md).

It knows their names and shapes; not what a driver does with them.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from argosy.artifacts.troubles import LocationUnsupported
from argosy.model.manifest import KeySelector


class Fields(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What stands below one kind of location. Absent fields are None or empty."""


class Named(Fields, frozen=True, kw_only=True):
    """A header."""

    name: str
    value: str = ""


class Pair(Fields, frozen=True, kw_only=True):
    """A parameter of an OAuth2 request."""

    key: str
    value: str = ""


class BasicAuth(Fields, frozen=True, kw_only=True):
    username_secret: KeySelector | None = None
    password_secret: KeySelector | None = None


class OAuth2(Fields, frozen=True, kw_only=True):
    client_id_secret: KeySelector | None = msgspec.field(default=None, name="clientIDSecret")
    client_secret_secret: KeySelector | None = None
    token_url_secret: KeySelector | None = msgspec.field(default=None, name="tokenURLSecret")
    scopes: tuple[str, ...] = ()
    endpoint_params: tuple[Pair, ...] = ()


class ClientCert(Fields, frozen=True, kw_only=True):
    client_cert_secret: KeySelector | None = None
    client_key_secret: KeySelector | None = None


class HTTPAuth(Fields, frozen=True, kw_only=True):
    basic_auth: BasicAuth | None = None
    oauth2: OAuth2 | None = msgspec.field(default=None, name="oauth2")
    client_cert: ClientCert | None = None


class HTTPFields(Fields, frozen=True, kw_only=True):
    url: str
    headers: tuple[Named, ...] = ()
    auth: HTTPAuth | None = None


class ArtifactoryFields(Fields, frozen=True, kw_only=True):
    url: str
    username_secret: KeySelector | None = None
    password_secret: KeySelector | None = None


class GitFields(Fields, frozen=True, kw_only=True):
    repo: str
    revision: str = ""
    branch: str = ""
    single_branch: bool = False
    depth: int | None = None
    fetch: tuple[str, ...] = ()
    # Ours: a user name that is no secret.
    username: str = ""
    username_secret: KeySelector | None = None
    password_secret: KeySelector | None = None
    ssh_private_key_secret: KeySelector | None = None
    insecure_ignore_host_key: bool = False
    insecure_skip_tls: bool = msgspec.field(default=False, name="insecureSkipTLS")
    disable_submodules: bool = False


class Encryption(Fields, frozen=True, kw_only=True):
    enable_encryption: bool = False
    kms_encryption_context: str = ""
    kms_key_id: str = ""
    server_side_customer_key_secret: KeySelector | None = None


class BucketOptions(Fields, frozen=True, kw_only=True):
    object_locking: bool = False


class S3Fields(Fields, frozen=True, kw_only=True):
    bucket: str = ""
    key: str = ""
    endpoint: str = ""
    region: str = ""
    insecure: bool = False
    addressing_style: str = ""
    # Ours: an access key that is no secret.
    access_key: str = ""
    access_key_secret: KeySelector | None = None
    secret_key_secret: KeySelector | None = None
    session_token_secret: KeySelector | None = None
    use_sdk_creds: bool = msgspec.field(default=False, name="useSDKCreds")
    role_arn: str = msgspec.field(default="", name="roleARN")
    ca_secret: KeySelector | None = None
    create_bucket_if_not_present: BucketOptions | None = None
    encryption_options: Encryption | None = None


class GCSFields(Fields, frozen=True, kw_only=True):
    bucket: str = ""
    key: str = ""
    service_account_key_secret: KeySelector | None = None


class AzureFields(Fields, frozen=True, kw_only=True):
    container: str = ""
    blob: str = ""
    endpoint: str = ""
    account_key_secret: KeySelector | None = None
    use_sdk_creds: bool = msgspec.field(default=False, name="useSDKCreds")


class OSSFields(Fields, frozen=True, kw_only=True):
    bucket: str = ""
    key: str = ""
    endpoint: str = ""
    access_key_secret: KeySelector | None = None
    secret_key_secret: KeySelector | None = None
    security_token: str = ""
    use_sdk_creds: bool = msgspec.field(default=False, name="useSDKCreds")
    create_bucket_if_not_present: bool = False
    lifecycle_rule: Any = None


class HDFSFields(Fields, frozen=True, kw_only=True):
    addresses: tuple[str, ...] = ()
    path: str = ""
    hdfs_user: str = ""
    force: bool = False
    data_transfer_protection: str = ""
    krb_c_cache_secret: KeySelector | None = msgspec.field(default=None, name="krbCCacheSecret")
    krb_keytab_secret: KeySelector | None = None


AnyFields = TypeVar("AnyFields", bound=Fields)


def read_fields(kind: str, given: object, shape: type[AnyFields]) -> AnyFields:
    """The fields below `kind` of an artifact. Raises LocationUnsupported that names the field that is wrong."""
    try:
        return msgspec.convert(given if given is not None else {}, shape, strict=False)
    except msgspec.ValidationError as error:
        raise LocationUnsupported(
            f"The {kind} location of an artifact cannot be read: {error}.",
            hint=f"The fields of {kind} are listed in Argo's field reference.",
        ) from error


def wanted(kind: str, name: str, value: str) -> str:
    """The value of a field that has to be there. Raises LocationUnsupported that names it."""
    if not value:
        raise LocationUnsupported(f"The {kind} location of an artifact has no {name}.", hint=f"Set {kind}.{name}.")
    return value
