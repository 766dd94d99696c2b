"""Memoized outputs are found by cache and key while they are young enough."""

import pytest

from argosy.errors import NotFound
from argosy.record.cache import Cache
from argosy.record.journal import Journal


@pytest.fixture
def cache(journal: Journal) -> Cache:
    return Cache(journal.database)


def test_what_was_written_is_read_until_it_is_too_old(cache: Cache) -> None:
    assert cache.read("c", "k", None, now=1.0) is None
    cache.write("c", "k", "wf-1", b'{"result":"1"}', now=100.0)
    assert cache.read("c", "k", 10.0, now=110.0) == b'{"result":"1"}'
    assert cache.read("c", "k", 10.0, now=110.1) is None
    for unlimited in (None, 0.0):
        assert cache.read("c", "k", unlimited, now=1e9) == b'{"result":"1"}'


def test_a_later_writing_replaces_an_earlier(cache: Cache) -> None:
    cache.write("c", "k", "wf-1", b"1", now=100.0)
    cache.write("c", "k", "wf-2", b"2", now=200.0)
    assert cache.read("c", "k", 10.0, now=205.0) == b"2"
    (entry,) = cache.entries("c")
    assert (entry.key, entry.node, entry.created_at, entry.last_hit_at) == ("k", "wf-2", 200.0, 205.0)


def test_caches_are_apart_and_can_be_emptied(cache: Cache) -> None:
    for name, key in (("a", "k"), ("a", "l"), ("b", "k")):
        cache.write(name, key, "n", b"{}", now=1.0)
    assert cache.caches() == ["a", "b"]
    cache.delete("a", "k")
    assert [entry.key for entry in cache.entries("a")] == ["l"]
    cache.delete("a")
    assert cache.caches() == ["b"]
    with pytest.raises(NotFound, match="no cache named 'a'"):
        cache.delete("a")
    with pytest.raises(NotFound, match="no key 'z' in the cache 'b'"):
        cache.delete("b", "z")
