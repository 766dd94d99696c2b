"""The key that Secrets are sealed with: in the system's keyring, or in a file that only its owner may read.

It knows where a key may be, not what is sealed with it. One key serves every home of a person; it lies in none of them,
so that a home can be copied or backed up without it.
"""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path
from typing import Any

import msgspec

from argosy.errors import EnvironmentTrouble

KEY_FILE = "ARGOSY_KEY_FILE"
KEY_BYTES = 32
_SERVICE, _USER = "argosy", "secrets-key"
# Backends below this priority keep what they are given in clear, or keep nothing.
_REAL_PRIORITY = 1


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """The key. place: where it is, in words."""

    data: bytes
    place: str

    @property
    def id(self) -> str:
        """Tells keys apart, and nothing of what they are."""
        import hashlib  # only when a secret is opened or sealed

        return hashlib.sha256(b"argosy key " + self.data).hexdigest()[:12]

    def __repr__(self) -> str:
        return f"Key(id={self.id}, place={self.place!r})"


def key_file() -> Path:
    """The file: ARGOSY_KEY_FILE, else beside the person's other settings (XDG base directories)."""
    if given := os.environ.get(KEY_FILE):
        return Path(given).expanduser().absolute()
    settings = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(settings).expanduser() / "argosy" / "secrets.key"


def find_key() -> Key | None:
    """The key that was made before, None if there is none. Raises EnvironmentTrouble for one that cannot be read."""
    found = _read(key_file())
    if found is None and not os.environ.get(KEY_FILE):
        found = _from_keyring()
    return found


def make_key() -> Key:
    """The key; a new one if there is none: in the keyring if a real one answers, else in the file.

    Raises EnvironmentTrouble when it can be kept nowhere.
    """
    found = find_key()
    if found is not None:
        return found
    data = os.urandom(KEY_BYTES)
    if not os.environ.get(KEY_FILE) and (kept := _into_keyring(data)) is not None:
        return kept
    return _write(key_file(), data)


def keyring_name() -> str:
    """What the system's keyring is called; "" if there is none that keeps anything."""
    found = _keyring()
    return "" if found is None else str(found.name)


# -- the file


def _read(path: Path) -> Key | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from None
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(descriptor).st_mode & 0o077:
            raise EnvironmentTrouble(
                f"Others may read the key of the secrets, {path}.", hint=f"chmod 600 {path}, if nobody else has it"
            )
        data = _decoded(file.read(4096))
    if data is None:
        raise _unreadable(path, "it holds no key")
    return Key(data=data, place=str(path))


def _unreadable(path: Path, why: str) -> EnvironmentTrouble:
    return EnvironmentTrouble(
        f"The key of the secrets, {path}, cannot be read: {why}.", hint=f"put it back, or name another with {KEY_FILE}"
    )


def _write(path: Path, data: bytes) -> Key:
    """Make the file, whole or not at all; if another process was quicker, its key counts."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(data) + b"\n")
            file.flush()
            os.fsync(descriptor)
        try:
            os.link(partial, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(partial)
    except OSError as error:
        raise EnvironmentTrouble(
            f"The key of the secrets cannot be written to {path}: {error.strerror or error}.",
            hint=f"name a file that can be written with {KEY_FILE}",
        ) from None
    found = _read(path)
    assert found is not None
    return found


def _decoded(text: bytes | str) -> bytes | None:
    try:
        data = base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError):
        return None
    return data if len(data) == KEY_BYTES else None


# -- the keyring


def _keyring() -> Any:
    """The system's keyring if it is a real one, else None."""
    try:
        import keyring
        from keyring.backends import fail, null

        found: Any = keyring.get_keyring()
        if isinstance(found, fail.Keyring | null.Keyring) or float(found.priority) < _REAL_PRIORITY:
            return None
    except Exception:
        # A backend that cannot even say what it is keeps nothing; each raises errors of its own.
        return None
    return found


def _from_keyring() -> Key | None:
    keyring = _keyring()
    if keyring is None:
        return None
    try:
        text: str | None = keyring.get_password(_SERVICE, _USER)
    except Exception as error:
        raise EnvironmentTrouble(
            f"The keyring {keyring.name} does not answer: {type(error).__name__}.",
            hint=f"unlock it, or name a file for the key with {KEY_FILE}",
        ) from None
    data = _decoded(text) if text else None
    return None if data is None else Key(data=data, place=f"the keyring {keyring.name}")


def _into_keyring(data: bytes) -> Key | None:
    """Keep the key in the keyring; None if it does not give it back."""
    keyring = _keyring()
    if keyring is None:
        return None
    try:
        keyring.set_password(_SERVICE, _USER, base64.b64encode(data).decode())
    except Exception:
        # A locked or read-only keyring: the file is the other place.
        return None
    return _from_keyring()
