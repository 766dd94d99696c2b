"""docs/dstack.md names every rule, provider and dialect."""

from __future__ import annotations

import re
from pathlib import Path

from argosy.dialects.dstack.eras import ERAS
from argosy.dialects.dstack.providers import PROVIDERS

ROOT = Path(__file__).resolve().parents[4]


def test_the_page_is_complete() -> None:
    page = (ROOT / "docs" / "dstack.md").read_text()
    sources = (ROOT / "src" / "argosy" / "dialects" / "dstack").glob("*.py")
    used = {rule for path in sources for rule in re.findall(r'"(dstack-[a-z-]+|field-twice)"', path.read_text())}
    assert len(used) > 10
    assert set(re.findall(r"^\| `([a-z-]+)` \| (?:error|warning|note)", page, re.MULTILINE)) == used
    assert all(f"`{name}`" in page for name in PROVIDERS)
    assert set(re.findall(r"^\| ([AB]\d) \|", page, re.MULTILINE)) == set(ERAS)
