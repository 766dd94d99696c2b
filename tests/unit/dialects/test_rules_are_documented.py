"""docs/errors.md has each rule of the readers, and no rule that does not exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
RULE = re.compile(r'"((?:file|yaml|json|field|kind|api|number|pod)-[a-z-]+)"')


def test_rules() -> None:
    sources = [*(ROOT / "src/argosy/syntax").glob("*.py"), *(ROOT / "src/argosy/dialects").glob("*.py")]
    used = {rule for path in sources for rule in RULE.findall(path.read_text())}
    reading = (ROOT / "docs/errors.md").read_text().partition("## Reading files")[2].partition("\n## ")[0]
    documented = set(re.findall(r"^\| `([a-z-]+)` \|", reading, re.MULTILINE))
    assert len(used) > 15
    assert documented == used
