"""Artifacts in S3 and in what speaks as it does (Argo docs: fields.md, S3Artifact).

It knows endpoints, credentials, roles, buckets and encryption; the transfers themselves are `remote.ObjectBlobs`.
"""

from __future__ import annotations

import base64
import datetime
import importlib
import os
import re
import ssl
import urllib.parse
from typing import TYPE_CHECKING, Any

from argosy.artifacts.credentials import Credentials
from argosy.artifacts.drivers.aws_signing import Keys, signed
from argosy.artifacts.drivers.blob_driver import BlobDriver
from argosy.artifacts.drivers.fields import S3Fields, read_fields, wanted
from argosy.artifacts.locations import Context
from argosy.artifacts.redaction import redact
from argosy.artifacts.remote import Blobs, ObjectBlobs
from argosy.artifacts.requests import send
from argosy.artifacts.troubles import LocationUnsupported, TransferRefused
from argosy.errors import EnvironmentTrouble
from argosy.model.manifest import ArtifactLocation

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config

DEFAULT_REGION = "us-east-1"
AWS_HOST = re.compile(r"s3(?:[.-](?P<region>[a-z]{2}(?:-[a-z]+)+-\d))?\.amazonaws\.com\Z")
NO_RETRIES: Any = {"max_retries": 0, "retry_timeout": datetime.timedelta(seconds=0)}
ROLE_SECONDS = 3600
CONNECT_SECONDS = 10.0
MISSING_LIBRARY = EnvironmentTrouble(
    "Artifacts in object stores need the library obstore.", hint="pip install 'argosy[s3]'"
)


def open_bucket(store: str, bucket: str, **options: Any) -> Any:
    """A bucket of one of obstore's stores. Raises EnvironmentTrouble without it, TransferRefused for bad options."""
    try:
        module = importlib.import_module("obstore.store")
        troubles = importlib.import_module("obstore.exceptions")
    except ModuleNotFoundError as error:
        raise MISSING_LIBRARY from error
    try:
        return getattr(module, store)(bucket, retry_config=NO_RETRIES, **options)
    except (troubles.BaseError, ValueError, TypeError) as error:
        said = redact(str(error).partition("\n\nDebug source")[0].rstrip("."))
        raise TransferRefused(f"{bucket} cannot be opened: {said}.", hint="Check its fields and secrets.") from error


def client_options(context: Context, *, insecure: bool = False, authority: bytes | None = None) -> ClientConfig:
    """How the library is to speak to any store."""
    options: ClientConfig = {
        "allow_http": insecure,
        "connect_timeout": datetime.timedelta(seconds=min(CONNECT_SECONDS, context.timeout_seconds)),
        "read_timeout": datetime.timedelta(seconds=context.timeout_seconds),
        # Of the whole of one transfer: the length of an artifact decides, not a clock.
        "timeout": datetime.timedelta(days=7),
    }
    if authority:
        options["root_certificate"] = authority
    return options


class S3Driver(BlobDriver):
    """`s3: {bucket: ..., key: ...}`."""

    def open_blobs(
        self, artifact: ArtifactLocation, credentials: Credentials, context: Context, *, to_write: bool
    ) -> tuple[Blobs, str]:
        """See `BlobDriver`."""
        fields = read_fields("s3", artifact.s3, S3Fields)
        wanted("s3", "bucket", fields.bucket)
        authority = credentials.get(fields.ca_secret)
        keys = _keys(fields, credentials, context, authority)
        if to_write and fields.create_bucket_if_not_present is not None:
            _create_bucket(fields, keys, context, authority)
        config: S3Config = {"region": region(fields), **_addressing(fields), **_encryption(fields, credentials)}
        provider = None
        if keys:
            config |= {"access_key_id": keys.access_key, "secret_access_key": keys.secret_key}
            if keys.session_token:
                config["session_token"] = keys.session_token
        else:
            provider = _machine_credentials()
        store = open_bucket(
            "S3Store",
            fields.bucket,
            config=config,
            client_options=client_options(context, insecure=_is_insecure(fields), authority=authority),
            credential_provider=provider,
        )
        blobs = ObjectBlobs(
            store,
            f"s3://{fields.bucket}",
            limit=context.limits.max_bytes,
            stop_if_cancelled=context.stop_if_cancelled,
        )
        return blobs, fields.key


def region(fields: S3Fields) -> str:
    """The region that signs requests: given, else told by the endpoint, else the environment's, else AWS's first."""
    found = AWS_HOST.search(fields.endpoint)
    told = found["region"] if found else None
    return (
        fields.region or told or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION
    )


def _is_insecure(fields: S3Fields) -> bool:
    """Whether it is spoken to without TLS: as `insecure` or the endpoint says."""
    return fields.insecure or fields.endpoint.startswith("http://")


def _base(fields: S3Fields) -> str:
    """The endpoint as a URL, "" for AWS itself."""
    host = fields.endpoint.removesuffix("/")
    if not host or AWS_HOST.search(host):
        return ""
    return host if "://" in host else f"{'http' if fields.insecure else 'https'}://{host}"


def _addressing(fields: S3Fields) -> S3Config:
    style, base = fields.addressing_style, _base(fields)
    if style not in ("", "path", "virtual-hosted"):
        raise LocationUnsupported(f"s3.addressingStyle {style!r} is not known.", hint="It is path or virtual-hosted.")
    virtual = style == "virtual-hosted" or (not style and (not base or base.endswith(".aliyuncs.com")))
    if not base:
        return {"virtual_hosted_style_request": virtual and "." not in fields.bucket}
    if virtual:
        parts = urllib.parse.urlsplit(base)
        base = parts._replace(netloc=f"{fields.bucket}.{parts.netloc}").geturl()
    return {"endpoint": base, "virtual_hosted_style_request": virtual}


def _encryption(fields: S3Fields, credentials: Credentials) -> S3Config:
    options = fields.encryption_options
    if options is None:
        return {}
    customer_key = credentials.get(options.server_side_customer_key_secret)
    if customer_key and options.kms_key_id:
        raise LocationUnsupported("s3.encryptionOptions has a KMS key and a customer's key.", hint="Leave one of them.")
    if options.kms_encryption_context:
        raise LocationUnsupported(
            "s3.encryptionOptions.kmsEncryptionContext cannot be sent from here.",
            hint="Leave it out, or let the bucket's own default encryption have it.",
        )
    if customer_key:
        encoded = base64.b64encode(customer_key).decode()
        credentials.hide(encoded)
        return {"server_side_encryption": "sse-c", "sse_customer_key_base64": encoded}
    if options.kms_key_id:
        return {"server_side_encryption": "aws:kms", "sse_kms_key_id": options.kms_key_id}
    return {"server_side_encryption": "AES256"} if options.enable_encryption else {}


def _keys(fields: S3Fields, credentials: Credentials, context: Context, authority: bytes | None) -> Keys | None:
    """The keys to sign with; None leaves them to what this machine is."""
    keys: Keys | None = None
    if (fields.access_key_secret or fields.access_key) and fields.secret_key_secret and not fields.use_sdk_creds:
        keys = Keys(
            access_key=credentials.text(fields.access_key_secret).strip() or fields.access_key,
            secret_key=credentials.text(fields.secret_key_secret).strip(),
            session_token=credentials.text(fields.session_token_secret).strip(),
        )
    elif os.environ.get("AWS_ACCESS_KEY_ID") and os.environ.get("AWS_SECRET_ACCESS_KEY"):
        keys = Keys(
            access_key=os.environ["AWS_ACCESS_KEY_ID"],
            secret_key=os.environ["AWS_SECRET_ACCESS_KEY"],
            session_token=os.environ.get("AWS_SESSION_TOKEN", ""),
        )
    if not fields.role_arn:
        return keys
    if keys is None:
        raise LocationUnsupported(
            "s3.roleARN needs keys to take the role with.",
            hint="Give accessKeySecret and secretKeySecret, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )
    return _role(fields, keys, context, authority, credentials)


def _machine_credentials() -> Any:
    """What boto3 finds (profiles, single sign-on), when it is installed; else the library asks the machine itself."""
    try:
        return importlib.import_module("obstore.auth.boto3").Boto3CredentialProvider()
    except (ModuleNotFoundError, ValueError):
        return None


def _role(fields: S3Fields, keys: Keys, context: Context, authority: bytes | None, credentials: Credentials) -> Keys:
    """The keys of a role (AWS STS API reference: AssumeRole)."""
    base = os.environ.get("AWS_ENDPOINT_URL_STS") or _base(fields) or f"https://sts.{region(fields)}.amazonaws.com"
    form = [("Action", "AssumeRole"), ("Version", "2011-06-15"), ("RoleArn", fields.role_arn)]
    form += [("RoleSessionName", "argosy"), ("DurationSeconds", str(ROLE_SECONDS))]
    request = signed(
        "POST",
        base + "/",
        urllib.parse.urlencode(form).encode(),
        service="sts",
        region=region(fields),
        keys=keys,
        now=datetime.datetime.now(datetime.UTC),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    with send(request, timeout_seconds=context.timeout_seconds, tls=_tls(authority)) as answer:
        text = answer.read(1 << 20).decode("utf-8", "replace")
    given = [re.search(rf"<{name}>([^<]+)</", text) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
    values = [match[1] for match in given if match]
    if len(values) != 3:
        raise TransferRefused(f"The role {fields.role_arn} was not given.", hint="Check roleARN and who may take it.")
    for value in values:
        credentials.hide(value)
    return Keys(access_key=values[0], secret_key=values[1], session_token=values[2])


def _create_bucket(fields: S3Fields, keys: Keys | None, context: Context, authority: bytes | None) -> None:
    """Create the bucket unless it is there (Amazon S3 API reference: CreateBucket)."""
    if keys is None:
        raise LocationUnsupported("s3.createBucketIfNotPresent needs keys.", hint="Give them, or create the bucket.")
    where = region(fields)
    base = _base(fields) or f"https://s3.{where}.amazonaws.com"
    outside = where != DEFAULT_REGION
    body = f"<CreateBucketConfiguration><LocationConstraint>{where}</LocationConstraint></CreateBucketConfiguration>"
    locked = fields.create_bucket_if_not_present is not None and fields.create_bucket_if_not_present.object_locking
    request = signed(
        "PUT",
        f"{base}/{urllib.parse.quote(fields.bucket)}",
        body.encode() if outside else b"",
        service="s3",
        region=where,
        keys=keys,
        now=datetime.datetime.now(datetime.UTC),
        headers={"x-amz-bucket-object-lock-enabled": "true"} if locked else {},
    )
    send(request, timeout_seconds=context.timeout_seconds, tls=_tls(authority), accepted=frozenset({409})).close()


def _tls(authority: bytes | None) -> ssl.SSLContext | None:
    if not authority:
        return None
    try:
        return ssl.create_default_context(cadata=authority.decode("ascii", "replace"))
    except ssl.SSLError as error:
        raise TransferRefused("The secret of s3.caSecret is no certificate.", hint="It is PEM text.") from error
