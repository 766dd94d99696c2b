"""Lineage: what made data and what came of it, with deleted runs, circles and many runs."""

from argosy.catalog.lineage import Link, Tracer
from argosy.catalog.names import Content, Names, Origin, Version
from argosy.catalog.uses import Use, Uses
from argosy.record.database import Database

SOME = Content(digest=f"sha256:{'a' * 64}.tree", files=2, size_bytes=10)


def took(version: Version) -> Use:
    return Use(place="fit/d", kind=version.kind, asked=version.whole_name, found=version.ref, version=version.id)


def by(run: str) -> Origin:
    return Origin(run=run, run_name=f"name-{run}", node="n", step="s", artifact="out")


def words(links: list[Link]) -> list[object]:
    return [[f"{one.how} {one.name}", *words(one.below)] for one in links]


def test_both_ways(database: Database, names: Names, uses: Uses) -> None:
    raw = names.add("dataset", "raw", SOME, Origin(source="/data"))
    uses.record("r1", "name-r1", [took(raw)])
    clean = names.add("dataset", "clean", SOME, by("r1"))
    uses.record("r2", "name-r2", [took(clean)])
    net = names.add("model", "net", SOME, by("r2"))
    uses.record("r3", "name-r3", [Use(place="p", kind="run", asked="w", found="name-r2", from_run="r2")])
    tracer = Tracer(database, names, uses, limit=0)
    of_net = tracer.of_version(net)
    assert words(of_net.came_from) == [
        ["made by name-r2", ["took clean:1", ["made by name-r1", ["took raw:1", ["made from /data"]]]]]
    ]
    assert of_net.came_from[0].gone
    of_raw = tracer.of_version(raw)
    assert words(of_raw.led_to) == [
        [
            "taken by name-r1",
            ["made clean:1", ["taken by name-r2", ["made net:1"], ["taken by name-r3"]]],
        ]
    ]
    assert words(tracer.of_run("r3", "name-r3").came_from) == [
        ["took outputs of name-r2", ["took clean:1", ["made by name-r1", ["took raw:1", ["made from /data"]]]]]
    ]


def test_a_circle_ends(database: Database, names: Names, uses: Uses) -> None:
    model = names.add("tag", "m:latest", SOME, by("r1"))
    uses.record("r1", "name-r1", [took(model)])
    traced = Tracer(database, names, uses, limit=0).of_version(model)
    assert traced.came_from[0].below[0].again
    assert traced.led_to[0].below[0].again


def test_a_version_that_was_deleted_is_told(database: Database, names: Names, uses: Uses) -> None:
    raw = names.add("dataset", "raw", SOME, Origin(source="/data"))
    uses.record("r1", "name-r1", [took(raw)])
    names.delete("dataset", "raw:1")
    link = Tracer(database, names, uses, limit=0).of_run("r1", "name-r1").came_from[0]
    assert (link.name, link.gone) == ("raw:1", True)


def test_many_are_cut_and_counted_through_an_index(database: Database, names: Names, uses: Uses) -> None:
    raw = names.add("dataset", "raw", SOME, Origin(source="/data"))
    with database.write():
        for number in range(200):
            uses.record(f"r{number}", f"name-r{number}", [took(raw)])
    led_to = Tracer(database, names, uses, limit=20).of_version(raw).led_to
    assert (len(led_to), led_to[-1].more) == (20, 180)
    for sql in (
        "SELECT * FROM data_uses WHERE version = 1 AND version > 0",
        "SELECT * FROM data_uses WHERE run = 'r1'",
        "SELECT * FROM data_uses WHERE from_run = 'r1' AND from_run <> ''",
        "SELECT * FROM data_versions v WHERE v.run = 'r1' AND v.run <> ''",
    ):
        plan = " ".join(str(row[3]) for row in database.rows(f"EXPLAIN QUERY PLAN {sql}"))
        assert "SEARCH" in plan
        assert "SCAN" not in plan
