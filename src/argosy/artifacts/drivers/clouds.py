"""Artifacts in Google Cloud Storage, Azure, Alibaba Cloud OSS and HDFS (Argo docs: fields.md).

It knows their fields and credentials; the transfers themselves are those of `remote`.
"""

from __future__ import annotations

import importlib
import re
import tempfile
import urllib.parse
from pathlib import Path
from typing import Any

from argosy.artifacts.credentials import Credentials
from argosy.artifacts.drivers.blob_driver import BlobDriver
from argosy.artifacts.drivers.fields import AzureFields, GCSFields, HDFSFields, OSSFields, read_fields, wanted
from argosy.artifacts.drivers.s3 import S3Driver, client_options, open_bucket
from argosy.artifacts.locations import Context
from argosy.artifacts.places import memory_folder
from argosy.artifacts.remote import Blobs, FsspecBlobs, ObjectBlobs
from argosy.artifacts.troubles import LocationUnsupported, TransferTrouble
from argosy.errors import EnvironmentTrouble
from argosy.model.manifest import ArtifactLocation

AZURE_ACCOUNT = re.compile(r"(?P<account>[a-z0-9]+)\.blob\.")


def _object_blobs(store: Any, name: str, context: Context) -> ObjectBlobs:
    return ObjectBlobs(store, name, limit=context.limits.max_bytes, stop_if_cancelled=context.stop_if_cancelled)


class GCSDriver(BlobDriver):
    """`gcs: {bucket: ..., key: ...}`; without a key of a service account, the machine's own credentials."""

    def open_blobs(
        self, artifact: ArtifactLocation, credentials: Credentials, context: Context, *, to_write: bool
    ) -> tuple[Blobs, str]:
        """See `BlobDriver`."""
        fields = read_fields("gcs", artifact.gcs, GCSFields)
        wanted("gcs", "bucket", fields.bucket)
        key = credentials.text(fields.service_account_key_secret)
        config: dict[str, Any] = {"service_account_key": key} if key else {}
        store = open_bucket("GCSStore", fields.bucket, config=config, client_options=client_options(context))
        return _object_blobs(store, f"gs://{fields.bucket}", context), fields.key


class AzureDriver(BlobDriver):
    """`azure: {container: ..., blob: ...}`."""

    def open_blobs(
        self, artifact: ArtifactLocation, credentials: Credentials, context: Context, *, to_write: bool
    ) -> tuple[Blobs, str]:
        """See `BlobDriver`."""
        fields = read_fields("azure", artifact.azure, AzureFields)
        wanted("azure", "container", fields.container)
        endpoint = wanted("azure", "endpoint", fields.endpoint).rstrip("/")
        parts = urllib.parse.urlsplit(endpoint)
        named = AZURE_ACCOUNT.match(parts.netloc)
        config: dict[str, Any] = {
            "account_name": named["account"] if named else parts.path.strip("/"),
            "endpoint": endpoint,
        }
        if not config["account_name"]:
            raise LocationUnsupported(
                f"azure.endpoint {endpoint} names no account.", hint="It is like https://ACCOUNT.blob.core.windows.net."
            )
        if fields.account_key_secret and not fields.use_sdk_creds:
            config["account_key"] = credentials.text(fields.account_key_secret).strip()
        store = open_bucket(
            "AzureStore",
            fields.container,
            config=config,
            client_options=client_options(context, insecure=parts.scheme == "http"),
        )
        return _object_blobs(store, f"azure://{fields.container}", context), fields.blob


class OSSDriver(BlobDriver):
    """`oss: {bucket: ..., key: ...}`, spoken to by its S3-compatible interface."""

    def open_blobs(
        self, artifact: ArtifactLocation, credentials: Credentials, context: Context, *, to_write: bool
    ) -> tuple[Blobs, str]:
        """See `BlobDriver`."""
        fields = read_fields("oss", artifact.oss, OSSFields)
        if fields.lifecycle_rule:
            raise LocationUnsupported("oss.lifecycleRule cannot be set from here.", hint="Set it on the bucket itself.")
        if fields.security_token:
            raise LocationUnsupported(
                "oss.securityToken cannot be sent from here.", hint="Use an s3 location with sessionTokenSecret."
            )
        endpoint = wanted("oss", "endpoint", fields.endpoint)
        given: dict[str, Any] = {
            "bucket": wanted("oss", "bucket", fields.bucket),
            "key": fields.key,
            "endpoint": endpoint,
            "insecure": endpoint.startswith("http://"),
            "accessKeySecret": _selector(fields.access_key_secret),
            "secretKeySecret": _selector(fields.secret_key_secret),
            "useSDKCreds": fields.use_sdk_creds,
            "createBucketIfNotPresent": {} if fields.create_bucket_if_not_present else None,
        }
        as_s3 = ArtifactLocation(s3={name: value for name, value in given.items() if value is not None})
        return S3Driver().open_blobs(as_s3, credentials, context, to_write=to_write)


def _selector(selector: Any) -> dict[str, str] | None:
    return {"name": selector.name, "key": selector.key} if selector else None


class HDFSDriver(BlobDriver):
    """`hdfs: {addresses: [...], path: ...}`, through fsspec and the Hadoop client that pyarrow loads."""

    def open_blobs(
        self, artifact: ArtifactLocation, credentials: Credentials, context: Context, *, to_write: bool
    ) -> tuple[Blobs, str]:
        """See `BlobDriver`."""
        fields = read_fields("hdfs", artifact.hdfs, HDFSFields)
        if not fields.addresses:
            raise LocationUnsupported("The hdfs location of an artifact has no addresses.", hint="Set hdfs.addresses.")
        if fields.krb_keytab_secret or fields.data_transfer_protection:
            raise LocationUnsupported(
                "hdfs.krbKeytabSecret and hdfs.dataTransferProtection cannot be used here.",
                hint="Use krbCCacheSecret, or configure the Hadoop client of this machine.",
            )
        host, _, port = fields.addresses[0].rpartition(":")
        given: dict[str, Any] = {"host": host, "port": int(port) if port.isdigit() else 8020}
        if fields.hdfs_user:
            given["user"] = fields.hdfs_user
        if ticket := credentials.get(fields.krb_c_cache_secret):
            with tempfile.NamedTemporaryFile(prefix="hdfs-", dir=memory_folder(), delete=False) as file:
                file.write(ticket)
            given["kerb_ticket"] = file.name
        try:
            return FsspecBlobs(self.file_system(given), "/"), wanted("hdfs", "path", fields.path)
        finally:
            if "kerb_ticket" in given:
                Path(given["kerb_ticket"]).unlink(missing_ok=True)

    def file_system(self, given: dict[str, Any]) -> Any:
        """The file system that fsspec opens. Raises EnvironmentTrouble, TransferTrouble."""
        try:
            return importlib.import_module("fsspec").filesystem("hdfs", **given)
        except ImportError as error:
            raise EnvironmentTrouble(
                "HDFS artifacts need fsspec, pyarrow and a Hadoop client.",
                hint="pip install fsspec pyarrow; set HADOOP_HOME.",
            ) from error
        except OSError as error:
            raise TransferTrouble(f"Cannot reach hdfs://{given['host']}:{given['port']}: {error}.") from error
