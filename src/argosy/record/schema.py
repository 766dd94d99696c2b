"""The tables of the record and how an older file becomes a newer one (`docs/record-format.md`).

It knows SQL text only; `argosy.record.database` carries it out.
"""

from __future__ import annotations

# Marks the file as Argosy's (`PRAGMA application_id`): the letters "Argo".
APPLICATION_ID = 0x4172676F

_FIRST = (
    """
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        uid TEXT NOT NULL UNIQUE,
        namespace TEXT NOT NULL,
        created_at REAL NOT NULL,
        generation INTEGER NOT NULL DEFAULT 1,
        phase TEXT NOT NULL DEFAULT 'Pending',
        message TEXT NOT NULL DEFAULT '',
        progress TEXT NOT NULL DEFAULT '',
        started_at REAL NOT NULL DEFAULT 0,
        finished_at REAL NOT NULL DEFAULT 0,
        finished INTEGER NOT NULL DEFAULT 0,
        template TEXT NOT NULL DEFAULT '',
        labels TEXT NOT NULL DEFAULT '{}',
        parameters TEXT NOT NULL DEFAULT '{}'
    ) STRICT
    """,
    "CREATE INDEX runs_by_age ON runs (created_at, id)",
    """
    CREATE TABLE generations (
        run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        generation INTEGER NOT NULL,
        created_at REAL NOT NULL,
        manifest BLOB NOT NULL,
        source TEXT NOT NULL,
        options BLOB NOT NULL,
        status BLOB,
        PRIMARY KEY (run, generation)
    ) STRICT
    """,
    """
    CREATE TABLE facts (
        run INTEGER NOT NULL,
        generation INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        crc INTEGER NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (run, generation, seq),
        FOREIGN KEY (run, generation) REFERENCES generations (run, generation) ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE leases (
        run INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
        fence INTEGER NOT NULL DEFAULT 0,
        host TEXT,
        pid INTEGER,
        boot_id TEXT,
        start_ticks INTEGER,
        expires_at REAL NOT NULL DEFAULT 0
    ) STRICT
    """,
    """
    CREATE TABLE inbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        asked_at REAL NOT NULL,
        body BLOB NOT NULL
    ) STRICT
    """,
    "CREATE INDEX inbox_by_run ON inbox (run, id)",
    """
    CREATE TABLE objects (
        kind TEXT NOT NULL,
        namespace TEXT NOT NULL,
        name TEXT NOT NULL,
        uid TEXT NOT NULL,
        resource_version INTEGER NOT NULL,
        created_at REAL NOT NULL,
        updated_at REAL NOT NULL,
        manifest BLOB NOT NULL,
        PRIMARY KEY (kind, namespace, name)
    ) STRICT
    """,
    """
    CREATE TABLE counters (
        name TEXT PRIMARY KEY,
        value INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "INSERT INTO counters VALUES ('resource_version', 0), ('lock_asked', 0)",
    """
    CREATE TABLE locks (
        key TEXT NOT NULL,
        run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        node TEXT NOT NULL,
        held INTEGER NOT NULL,
        priority INTEGER NOT NULL,
        created_at REAL NOT NULL,
        asked INTEGER NOT NULL,
        since REAL NOT NULL,
        PRIMARY KEY (key, run, node)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX locks_by_holder ON locks (run, node)",
    "CREATE INDEX locks_by_turn ON locks (key, held, run, priority, created_at, asked)",
    """
    CREATE TABLE memos (
        cache TEXT NOT NULL,
        key TEXT NOT NULL,
        node TEXT NOT NULL,
        outputs BLOB NOT NULL,
        created_at REAL NOT NULL,
        last_hit_at REAL NOT NULL,
        PRIMARY KEY (cache, key)
    ) STRICT, WITHOUT ROWID
    """,
)

# One entry a schema version, oldest first; entry n brings a file from version n to n + 1.
# An entry that was ever released is never changed: a later one corrects it.
MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST,)
