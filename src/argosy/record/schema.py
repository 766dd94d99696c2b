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

_NAMED_DATA = (
    """
    CREATE TABLE data_names (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        namespace TEXT NOT NULL,
        name TEXT NOT NULL,
        type TEXT NOT NULL DEFAULT '',
        description TEXT NOT NULL DEFAULT '',
        created_at REAL NOT NULL,
        last_version INTEGER NOT NULL DEFAULT 0,
        UNIQUE (kind, namespace, name)
    ) STRICT
    """,
    """
    CREATE TABLE data_versions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name INTEGER NOT NULL REFERENCES data_names (id) ON DELETE CASCADE,
        version INTEGER NOT NULL,
        digest TEXT NOT NULL,
        files INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL,
        created_at REAL NOT NULL,
        note TEXT NOT NULL DEFAULT '',
        details TEXT NOT NULL DEFAULT '{}',
        source TEXT NOT NULL DEFAULT '',
        run TEXT NOT NULL DEFAULT '',
        run_name TEXT NOT NULL DEFAULT '',
        node TEXT NOT NULL DEFAULT '',
        step TEXT NOT NULL DEFAULT '',
        artifact TEXT NOT NULL DEFAULT '',
        UNIQUE (name, version)
    ) STRICT
    """,
    "CREATE UNIQUE INDEX data_versions_by_origin ON data_versions (run, node, artifact, name) WHERE node <> ''",
    "CREATE INDEX data_versions_by_run ON data_versions (run, id) WHERE run <> ''",
    """
    CREATE TABLE data_tags (
        name INTEGER NOT NULL REFERENCES data_names (id) ON DELETE CASCADE,
        tag TEXT NOT NULL,
        version INTEGER NOT NULL REFERENCES data_versions (id) ON DELETE CASCADE,
        set_at REAL NOT NULL,
        PRIMARY KEY (name, tag)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX data_tags_by_version ON data_tags (version)",
    """
    CREATE TABLE data_uses (
        run TEXT NOT NULL,
        place TEXT NOT NULL,
        run_name TEXT NOT NULL,
        used_at REAL NOT NULL,
        kind TEXT NOT NULL,
        asked TEXT NOT NULL,
        found TEXT NOT NULL,
        digest TEXT NOT NULL,
        version INTEGER NOT NULL,
        from_run TEXT NOT NULL,
        PRIMARY KEY (run, place)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX data_uses_by_version ON data_uses (version)",
    "CREATE INDEX data_uses_by_source ON data_uses (from_run) WHERE from_run <> ''",
    """
    CREATE TABLE run_workflows (
        workflow TEXT NOT NULL,
        run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        PRIMARY KEY (workflow, run)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX run_workflows_by_run ON run_workflows (run)",
    """
    CREATE TABLE object_versions (
        kind TEXT NOT NULL,
        namespace TEXT NOT NULL,
        name TEXT NOT NULL,
        version INTEGER NOT NULL,
        created_at REAL NOT NULL,
        manifest BLOB NOT NULL,
        PRIMARY KEY (kind, namespace, name, version)
    ) STRICT
    """,
    """
    INSERT INTO object_versions
    SELECT kind, namespace, name, 1, updated_at, manifest FROM objects
    WHERE kind IN ('WorkflowTemplate', 'ClusterWorkflowTemplate', 'CronWorkflow')
    """,
    "ALTER TABLE objects ADD COLUMN labels TEXT NOT NULL DEFAULT '{}'",
    "ALTER TABLE objects ADD COLUMN archived_at REAL",
)

# Runs as experiments: parameters as rows, metrics with what lists show of them apart from their histories, notes.
_EXPERIMENTS = (
    """
    CREATE TABLE run_parameters (
        run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        value TEXT,
        number REAL,
        PRIMARY KEY (run, name)
    ) STRICT, WITHOUT ROWID
    """,
    "ALTER TABLE runs ADD COLUMN workflow TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX run_parameters_by_name ON run_parameters (name)",
    # A damaged run's parameters are passed over: its lists say that they cannot be read.
    """
    INSERT INTO run_parameters
    SELECT runs.id, given.key, given.value, CASE
        WHEN json_valid(given.value) AND json_type(CASE WHEN json_valid(given.value) THEN given.value END)
            IN ('integer', 'real') THEN CAST(given.value AS REAL) END
    FROM runs, json_each(CASE WHEN json_valid(runs.parameters) THEN runs.parameters ELSE '{}' END) AS given
    WHERE json_type(CASE WHEN json_valid(runs.parameters) THEN runs.parameters ELSE '{}' END) = 'object'
    """,
    """
    CREATE TABLE run_metrics (
        run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        node TEXT NOT NULL,
        step TEXT NOT NULL,
        source TEXT NOT NULL,
        count INTEGER NOT NULL,
        first REAL,
        last REAL,
        min REAL,
        max REAL,
        mean REAL,
        last_step INTEGER NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (run, name, node)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX run_metrics_by_name ON run_metrics (name)",
    """
    CREATE TABLE metric_histories (
        run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        node TEXT NOT NULL,
        points BLOB NOT NULL,
        PRIMARY KEY (run, name, node)
    ) STRICT
    """,
    """
    CREATE TABLE gathering (
        run INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
        done INTEGER NOT NULL DEFAULT 0,
        notes TEXT NOT NULL DEFAULT '[]'
    ) STRICT
    """,
    "CREATE INDEX gathering_not_done ON gathering (run) WHERE done = 0",
    "INSERT INTO gathering (run) SELECT id FROM runs",
    """
    CREATE TABLE run_notes (
        run INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
        label TEXT NOT NULL DEFAULT '',
        comment TEXT NOT NULL DEFAULT '',
        marked INTEGER NOT NULL DEFAULT 0
    ) STRICT
    """,
    """
    CREATE TABLE run_tags (
        run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        tag TEXT NOT NULL,
        PRIMARY KEY (run, tag)
    ) STRICT, WITHOUT ROWID
    """,
)

# Outcomes of steps, kept to be used again.
_REUSE = (
    """
    CREATE TABLE reuse (
        key TEXT NOT NULL PRIMARY KEY,
        template TEXT NOT NULL,
        place TEXT NOT NULL,
        run TEXT NOT NULL,
        run_name TEXT NOT NULL,
        parts BLOB NOT NULL,
        asked_at REAL NOT NULL,
        outcome BLOB,
        stored_at REAL NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX reuse_by_place ON reuse (template, place, asked_at)",
    "ALTER TABLE runs ADD COLUMN reused INTEGER NOT NULL DEFAULT 0",
)

# Values of Secrets are sealed: what was there before has yet to be (`Catalog.seal_old`).
_SEALED = (
    "INSERT INTO counters SELECT 'clear_secrets', 1 WHERE EXISTS (SELECT 1 FROM objects WHERE kind = 'Secret')"
    " OR EXISTS (SELECT 1 FROM generations WHERE instr(source, 'Secret') > 0)",
)

_KNOWN_FILES = (
    """
    CREATE TABLE known_files (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        device INTEGER NOT NULL,
        inode INTEGER NOT NULL,
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        ctime_ns INTEGER NOT NULL,
        digest TEXT NOT NULL,
        UNIQUE (device, inode)
    ) STRICT
    """,
)

# One entry a schema version, oldest first; entry n brings a file from version n to n + 1.
# An entry that was ever released is never changed: a later one corrects it.
MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, _NAMED_DATA, _EXPERIMENTS, _REUSE, _SEALED, _KNOWN_FILES)
