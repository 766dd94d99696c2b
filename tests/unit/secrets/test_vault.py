"""Secrets are sealed with a key that lies elsewhere, listed without values, and told apart by version."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from argosy.errors import EnvironmentTrouble, NotFound, UsageError
from argosy.record.catalog import Catalog
from argosy.record.database import Database
from argosy.secrets import keys
from argosy.secrets.sealing import Sealing
from argosy.secrets.vault import Vault, short_keys

PEM = b"-----BEGIN KEY-----\nMIIBVQIBADANBgkqhkiG9w0BAQEF\n-----END KEY-----\n"


@pytest.fixture(autouse=True)
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "elsewhere" / "secrets.key"
    monkeypatch.setenv("ARGOSY_KEY_FILE", str(path))
    return path


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database.open(tmp_path / "home" / "argosy.db")


@pytest.fixture
def catalog(database: Database) -> Catalog:
    return Catalog(database, now=lambda: 1000.0, sealing=Sealing())


def test_values_come_back_and_lie_nowhere(catalog: Catalog, database: Database, key: Path) -> None:
    vault = Vault(catalog)
    assert vault.set("login", {"pem": PEM, "raw": b"\xff\0\x01binary"}) == "created"
    assert vault.set("login", {"word": "gruß".encode()}) == "configured"
    assert vault.set("login", {"word": "gruß".encode()}) == "unchanged"
    assert vault.values("login") == {"pem": PEM, "raw": b"\xff\0\x01binary", "word": "gruß".encode()}
    (listed,) = vault.list()
    assert (listed.name, listed.keys) == ("login", ("pem", "raw", "word"))
    for file in database.path.parent.iterdir():
        assert b"BEGIN KEY" not in file.read_bytes()
        assert b"LS0tLS1CRUdJTi" not in file.read_bytes()
    assert key.stat().st_mode & 0o777 == 0o600


def test_a_version_is_never_used_twice(catalog: Catalog) -> None:
    vault = Vault(catalog)
    vault.set("s", {"a": b"one"})
    first = vault.version("s")
    vault.set("s", {"a": b"two"})
    second = vault.version("s")
    vault.delete("s")
    assert vault.version("s") is None
    vault.set("s", {"a": b"one"})
    assert len({first, second, vault.version("s")}) == 3


def test_keys_are_deleted_one_by_one(catalog: Catalog) -> None:
    vault = Vault(catalog)
    catalog.apply("Secret", "s", b'{"kind":"Secret","metadata":{"name":"s"},"stringData":{"a":"1","b":"2"}}')
    vault.set("s", {"b": b"3", "c": b"4"})
    vault.delete("s", ["a"])
    assert vault.values("s") == {"b": b"3", "c": b"4"}
    with pytest.raises(NotFound, match="no key 'a'"):
        vault.delete("s", ["a"])
    with pytest.raises(NotFound):
        vault.values("none")


@pytest.mark.parametrize(("name", "keyed"), [("", "a"), ("a/b", "a"), ("-x", "a"), ("a", "a b"), ("a", "")])
def test_names_that_none_can_have(catalog: Catalog, name: str, keyed: str) -> None:
    with pytest.raises(UsageError):
        Vault(catalog).set(name, {keyed: b"value"})


def test_short_values_are_told() -> None:
    assert short_keys({"a": b"12345 ", "b": b"123456"}) == ["a"]


def test_a_copy_that_kubectl_keeps_is_left_out(catalog: Catalog) -> None:
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": '{"stringData":{"a":"hunter2"}}', "own": "x"}
    document = {"metadata": {"annotations": annotations}, "stringData": {"a": "hunter2"}}
    catalog.apply("Secret", "s", msgspec.json.encode(document))
    kept = catalog.get("Secret", "s").manifest
    assert b"hunter2" not in kept
    assert b'"own":"x"' in kept


def test_what_was_exchanged_or_altered_is_not_opened(catalog: Catalog, database: Database) -> None:
    vault = Vault(catalog)
    vault.set("mine", {"a": b"one"})
    vault.set("other", {"a": b"two"})
    (other,) = database.rows("SELECT manifest FROM objects WHERE name = 'other'")
    database.execute("UPDATE objects SET manifest = ? WHERE name = 'mine'", other)
    with pytest.raises(EnvironmentTrouble, match="altered"):
        vault.values("mine")


def test_without_the_key_nothing_is_opened_and_names_are_still_listed(catalog: Catalog, database: Database) -> None:
    Vault(catalog).set("s", {"a": b"one"})
    os.unlink(os.environ["ARGOSY_KEY_FILE"])
    later = Vault(Catalog(database, now=lambda: 2000.0, sealing=Sealing()))
    assert [one.name for one in later.list()] == ["s"]
    with pytest.raises(EnvironmentTrouble, match="key that it was sealed with is not here"):
        later.values("s")
    assert not Path(os.environ["ARGOSY_KEY_FILE"]).exists()
    later.delete("s")
    later.set("s", {"a": b"two"})
    assert later.values("s") == {"a": b"two"}


def test_a_key_that_others_may_read_or_that_is_none_is_refused(key: Path) -> None:
    keys.make_key()
    key.chmod(0o644)
    with pytest.raises(EnvironmentTrouble, match="Others may read"):
        keys.find_key()
    key.chmod(0o600)
    key.write_text("c2hvcnQ=\n")
    with pytest.raises(EnvironmentTrouble, match="holds no key"):
        keys.find_key()


class Ring:
    """A keyring in memory."""

    name = "ring"
    priority = 5.0

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, user: str) -> str | None:
        return self.kept.get((service, user))

    def set_password(self, service: str, user: str, password: str) -> None:
        self.kept[service, user] = password


def test_a_real_keyring_is_preferred_to_a_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring

    ring = Ring()
    monkeypatch.setattr(keyring, "get_keyring", lambda: ring)
    monkeypatch.delenv("ARGOSY_KEY_FILE")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert keys.find_key() is None
    made = keys.make_key()
    assert made.place == "the keyring ring"
    assert keys.make_key() == made
    assert not keys.key_file().exists()
    assert made.data.hex() not in repr(made)
    ring.priority = 0.5
    assert keys.make_key().place == str(keys.key_file())


def test_a_locked_keyring_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring

    class Locked(Ring):
        def get_password(self, service: str, user: str) -> str | None:
            raise RuntimeError("locked")

    monkeypatch.setattr(keyring, "get_keyring", Locked)
    monkeypatch.delenv("ARGOSY_KEY_FILE")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with pytest.raises(EnvironmentTrouble, match="does not answer"):
        keys.find_key()
