"""The page on conformance says what the tables of these tests say."""

import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_current() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "conformance-table"))
    assert (ROOT / "docs" / "conformance.md").read_text() == script["table"](), "run scripts/conformance-table"
