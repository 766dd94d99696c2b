"""data templates on the local repository and on content of the store."""

from __future__ import annotations

from pathlib import Path

import pytest
from leaf_surroundings import Surroundings


@pytest.fixture
def here(tmp_path: Path) -> Surroundings:
    made = Surroundings(tmp_path)
    for name in ("in/a.pdf", "in/deep/b.pdf", "in/c.txt", "out/d.pdf"):
        place = tmp_path / "repository" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(name)
    return made


def listed(here: Surroundings, source: dict[str, object], *expressions: str) -> str | None:
    steps = [{"expression": one} for one in expressions]
    ended = here.run({"data": {"source": {"artifactPaths": source}, "transformation": steps}})
    assert ended.phase == "Succeeded", ended.message
    assert ended.outputs is not None
    return ended.outputs.result


def test_keys_below_a_key(here: Surroundings) -> None:
    assert listed(here, {"s3": {"key": "in"}}) == '["in/a.pdf","in/c.txt","in/deep/b.pdf"]'


def test_all_keys_of_the_repository(here: Surroundings) -> None:
    assert listed(here, {}) == '["in/a.pdf","in/c.txt","in/deep/b.pdf","out/d.pdf"]'


def test_transformations_follow_each_other(here: Surroundings) -> None:
    steps = ('filter(data, {# endsWith ".pdf"})', 'map(data, {# + ".ready"})')
    assert listed(here, {"s3": {"key": "in"}}, *steps) == '["in/a.pdf.ready","in/deep/b.pdf.ready"]'
    assert "3 paths listed" in here.log()


def test_a_transformation_may_end_the_list(here: Surroundings) -> None:
    assert listed(here, {"s3": {"key": "in"}}, "len(data)") == "3"


def test_files_of_an_artifact_in_the_store(here: Surroundings, tmp_path: Path) -> None:
    digest = here.store.put(tmp_path / "repository")
    assert listed(here, {"digest": digest}) == '["in/a.pdf","in/c.txt","in/deep/b.pdf","out/d.pdf"]'


def test_a_wrong_transformation_is_named(here: Surroundings) -> None:
    steps = [{"expression": "data"}, {"expression": "filter(data"}]
    ended = here.run({"data": {"source": {"artifactPaths": {"s3": {"key": "in"}}}, "transformation": steps}})
    assert (ended.phase, "transformation 1" in ended.message) == ("Failed", True)


def test_nothing_at_the_key_fails(here: Surroundings) -> None:
    ended = here.run({"data": {"source": {"artifactPaths": {"s3": {"key": "elsewhere"}}}, "transformation": []}})
    assert (ended.phase, "elsewhere" in ended.message) == ("Failed", True)


def test_what_cannot_be_listed_says_so(here: Surroundings) -> None:
    source = {"artifactPaths": {"http": {"url": "http://127.0.0.1:1/"}}}
    ended = here.run({"data": {"source": source, "transformation": []}})
    assert (ended.phase, "list" in ended.message) == ("Failed", True)


def test_cancelled(here: Surroundings) -> None:
    steps = [{"expression": "data"}]
    data = {"source": {"artifactPaths": {"s3": {"key": "in"}}}, "transformation": steps}
    assert here.run({"data": data}, cancelled=lambda: True).phase == "Failed"
