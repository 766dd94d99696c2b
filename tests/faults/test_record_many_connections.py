"""Several connections of one process to the record, while other processes come and go."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from argosy.record.database import Database

_WRITER = """
import sys
from pathlib import Path
from argosy.record.database import Database
with Database.open(Path(sys.argv[1])) as database, database.write():
    database.execute("UPDATE counters SET value = value + 1 WHERE name = 'lock_asked'")
"""


def test_a_second_connection_does_not_drop_the_locks_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "argosy.db"
    with Database.open(path) as first:
        asked = "SELECT value FROM counters WHERE name = 'lock_asked'"
        for number in range(1, 4):
            Database.open(path).close()
            # Were the first connection's locks gone, the writer would think itself the last and remove the log.
            subprocess.run([sys.executable, "-c", _WRITER, str(path)], check=True)
            assert first.rows(asked) == [(number,)]
            with Database.open(path) as other:
                assert other.rows(asked) == [(number,)]
