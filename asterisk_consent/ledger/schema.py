"""The tables of a ledger file and their numbered migrations.

Rule: a migration, once released, is never changed; a file of a newer release is refused and left untouched.
``chain`` and ``payload`` are the evidence; :data:`PROJECTIONS` can be made again from them; ``checkpoint`` holds copies
of what was signed.
"""

import sqlite3

from asterisk_consent.errors import LedgerError

APPLICATION_ID = 0x41434C31
"""``ACL1``, at offset 68 of the file: tells a ledger from any other SQLite file."""

_FIRST_TABLES = (
    """
    CREATE TABLE {schema}.call (
        call_id TEXT NOT NULL,
        policy TEXT NOT NULL,
        policy_version INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        stream TEXT NOT NULL,
        language TEXT NOT NULL,
        outcome TEXT NOT NULL,
        direction TEXT NOT NULL,
        started_at INTEGER NOT NULL,
        recording_id TEXT,
        PRIMARY KEY (call_id, policy, policy_version)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE {schema}.recording (
        recording_id TEXT NOT NULL PRIMARY KEY,
        call_id TEXT NOT NULL,
        stream TEXT NOT NULL,
        state TEXT NOT NULL,
        channel TEXT NOT NULL DEFAULT '',
        allowed_seq INTEGER NOT NULL DEFAULT 0,
        allowed_at INTEGER NOT NULL DEFAULT 0,
        started_at INTEGER NOT NULL DEFAULT 0,
        ended_seq INTEGER NOT NULL DEFAULT 0,
        ended_at INTEGER NOT NULL DEFAULT 0,
        duration_ms INTEGER NOT NULL DEFAULT 0,
        size INTEGER NOT NULL DEFAULT 0,
        sha256 TEXT NOT NULL DEFAULT '',
        reason TEXT NOT NULL DEFAULT ''
    ) WITHOUT ROWID
    """,
)

_FIRST = (
    "CREATE TABLE main.chain (seq INTEGER PRIMARY KEY, header BLOB NOT NULL, hash BLOB NOT NULL)",
    "CREATE TABLE main.payload (seq INTEGER PRIMARY KEY, salt BLOB NOT NULL, body BLOB NOT NULL)",
    "CREATE TABLE main.probe (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL)",
    "INSERT INTO main.probe VALUES (1, 0)",
    *(table.format(schema="main") for table in _FIRST_TABLES),
    "CREATE INDEX main.call_by_seq ON call (seq)",
    *(
        f"CREATE TRIGGER main.{table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, 'the {table} table is append-only'); END"
        for table, verb in (("chain", "UPDATE"), ("chain", "DELETE"), ("payload", "UPDATE"))
    ),
)

_SECOND_TABLES = (
    "ALTER TABLE {schema}.call ADD COLUMN alias TEXT NOT NULL DEFAULT ''",
    """
    CREATE TABLE {schema}.approval (
        seq INTEGER PRIMARY KEY,
        policy TEXT NOT NULL,
        policy_version INTEGER NOT NULL,
        stream TEXT NOT NULL,
        approved_at INTEGER NOT NULL,
        sha256 TEXT NOT NULL
    )
    """,
)

_SECOND = (
    *(table.format(schema="main") for table in _SECOND_TABLES),
    "CREATE INDEX main.call_by_alias ON call (alias) WHERE alias != ''",
    "CREATE INDEX main.approval_by_policy ON approval (policy, policy_version)",
)

_THIRD = (
    "CREATE TABLE main.checkpoint (number INTEGER PRIMARY KEY, seq INTEGER NOT NULL, content TEXT NOT NULL)",
    "CREATE INDEX main.checkpoint_by_seq ON checkpoint (seq)",
)

_FOURTH_TABLES = (
    "ALTER TABLE {schema}.call ADD COLUMN subject TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE {schema}.call ADD COLUMN receipt TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE {schema}.recording ADD COLUMN erased_seq INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE {schema}.recording ADD COLUMN erased_at INTEGER NOT NULL DEFAULT 0",
    """
    CREATE TABLE {schema}.about (
        call_id TEXT NOT NULL,
        seq INTEGER NOT NULL,
        PRIMARY KEY (call_id, seq)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE {schema}.request (
        seq INTEGER PRIMARY KEY,
        call_id TEXT NOT NULL,
        stream TEXT NOT NULL,
        "right" TEXT NOT NULL,
        way TEXT NOT NULL,
        reference TEXT NOT NULL,
        entered_at INTEGER NOT NULL,
        erase_at INTEGER NOT NULL,
        settled_seq INTEGER NOT NULL DEFAULT 0,
        lifted_seq INTEGER NOT NULL DEFAULT 0
    )
    """,
    """
    CREATE TABLE {schema}.legal_hold (
        hold_id TEXT NOT NULL PRIMARY KEY,
        seq INTEGER NOT NULL,
        recording_id TEXT NOT NULL,
        call_id TEXT NOT NULL,
        stream TEXT NOT NULL,
        purpose TEXT NOT NULL,
        case_name TEXT NOT NULL,
        until INTEGER NOT NULL,
        reason TEXT NOT NULL,
        person TEXT NOT NULL,
        placed_at INTEGER NOT NULL,
        confirmed_seq INTEGER NOT NULL,
        released_seq INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE {schema}.objection (
        stream TEXT NOT NULL,
        subject TEXT NOT NULL,
        seq INTEGER NOT NULL,
        entered_at INTEGER NOT NULL,
        PRIMARY KEY (stream, subject)
    ) WITHOUT ROWID
    """,
)

_FOURTH = (
    *(table.format(schema="main") for table in _FOURTH_TABLES),
    "CREATE INDEX main.call_by_subject ON call (subject, stream) WHERE subject != ''",
    "CREATE INDEX main.call_by_receipt ON call (receipt) WHERE receipt != ''",
    "CREATE INDEX main.recording_by_call ON recording (call_id)",
    "CREATE INDEX main.request_by_call ON request (call_id)",
    "CREATE INDEX main.request_unsettled ON request (seq) WHERE settled_seq = 0",
    "CREATE INDEX main.legal_hold_by_call ON legal_hold (call_id)",
)

PROJECTIONS = ("call", "recording", "approval", "about", "request", "legal_hold", "objection")
PROJECTION_TABLES = (*_FIRST_TABLES, *_SECOND_TABLES, *_FOURTH_TABLES)
"""Statements that make the projections of this release, empty, in some schema."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, _SECOND, _THIRD, _FOURTH)
"""Statements that lead from version n to n + 1; the version is SQLite's ``user_version``."""


def check_schema(connection: sqlite3.Connection, *, where: str) -> int:
    """Return the version of the file; :class:`LedgerError` when it is no ledger or from a newer release."""
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    if application != APPLICATION_ID and (application or version or tables):
        raise LedgerError(
            "this file is not a ledger", where=where, remedy="Check `paths.ledger` in the configuration"
        )
    if version > len(MIGRATIONS):
        raise LedgerError(
            f"the ledger has schema {version}, this release knows {len(MIGRATIONS)}",
            where=where,
            remedy="Install the newer release again; the file was not touched",
        )
    return version


def migrate(connection: sqlite3.Connection, *, where: str) -> None:
    """Bring the file to this release's schema, inside the caller's transaction."""
    version = check_schema(connection, where=where)
    for number in range(version, len(MIGRATIONS)):
        for statement in MIGRATIONS[number]:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number + 1}")
    if version == 0:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
