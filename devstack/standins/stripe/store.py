"""The stand-in's memory: one SQLite file, so that a restart (or a kill) loses nothing that was answered."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.standins.stripe.errors import Json, missing

SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, kind TEXT, body TEXT);
CREATE INDEX IF NOT EXISTS objects_kind ON objects (kind, seq);
CREATE TABLE IF NOT EXISTS idempotency (key TEXT PRIMARY KEY, request_hash TEXT, status INTEGER, body TEXT);
CREATE TABLE IF NOT EXISTS money (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER, kind TEXT, amount INTEGER, currency TEXT,
    payment_intent TEXT, reference TEXT
);
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT, sent_as TEXT, state TEXT, due_at REAL,
    attempts INTEGER DEFAULT 0, last_status INTEGER DEFAULT 0, mangling TEXT
);
CREATE TABLE IF NOT EXISTS requests (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER, method TEXT, path TEXT, idempotency_key TEXT, status INTEGER
);
"""


class Store:
    """Objects by id, and the tables beside them. Everything happens under one lock, in `transaction`."""

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.connection = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self.connection.row_factory = sqlite3.Row
        self.connection.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; {SCHEMA}")
        self._lock = threading.RLock()
        self._depth = 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all of the block or nothing; blocks of other threads wait, inner blocks can fail by themselves."""
        with self._lock:
            is_outer = self._depth == 0
            name = f"level_{self._depth}"
            self._depth += 1
            self.connection.execute("BEGIN IMMEDIATE" if is_outer else f"SAVEPOINT {name}")
            try:
                yield
            except BaseException:
                self.connection.execute("ROLLBACK" if is_outer else f"ROLLBACK TO {name}")
                raise
            else:
                self.connection.execute("COMMIT" if is_outer else f"RELEASE {name}")
            finally:
                self._depth -= 1

    def save(self, value: Json) -> Json:
        """Insert or replace an object; its `object` is the kind."""
        self.execute(
            "INSERT INTO objects (id, kind, body) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            value["id"],
            value["object"],
            json.dumps(value),
        )
        return value

    def find(self, object_id: str) -> Json | None:
        """Return an object of any kind, None for an unknown id."""
        row = self.one("SELECT body FROM objects WHERE id = ?", object_id)
        return None if row is None else dict(json.loads(row["body"]))

    def get(self, kind: str, object_id: str) -> Json:
        """Return an object of this kind; raises StripeError (404)."""
        found = self.find(object_id)
        if found is None or found["object"] != kind:
            raise missing(kind.replace(".", " "), object_id)
        return found

    def list_kind(self, kind: str) -> list[Json]:
        """Return all objects of a kind, newest first."""
        rows = self.all("SELECT body FROM objects WHERE kind = ? ORDER BY seq DESC", kind)
        return [json.loads(row["body"]) for row in rows]

    def execute(self, statement: str, *values: object) -> int:
        """Run a statement; return the number of rows that it changed."""
        with self._lock:
            return self.connection.execute(statement, values).rowcount

    def one(self, statement: str, *values: object) -> sqlite3.Row | None:
        """Return the first row of a query."""
        with self._lock:
            row: sqlite3.Row | None = self.connection.execute(statement, values).fetchone()
            return row

    def all(self, statement: str, *values: object) -> list[sqlite3.Row]:
        """Return all rows of a query."""
        with self._lock:
            return self.connection.execute(statement, values).fetchall()
