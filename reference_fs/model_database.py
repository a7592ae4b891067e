"""What outlives a mount: inodes, names, content and attributes in one SQLite database.

Owns the tables, the file and the lock on its directory; knows nothing of when something is saved
(`model_journal`). A batch of rows is saved in one transaction, so that a process killed at any moment leaves all of
a batch or nothing of it (sqlite.org/wal.html).
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reference_fs.model import StoreError

FILE = "vexfs.sqlite"
APPLICATION = 0x56455846  # "VEXF", so that no other program's database is taken for ours
FORMAT = 1
PATIENCE = 2.0  # seconds: a daemon whose mount has just gone is still saving
TABLES = """
CREATE TABLE inode (
    ino INTEGER PRIMARY KEY, mode INTEGER NOT NULL, uid INTEGER NOT NULL, gid INTEGER NOT NULL,
    rdev INTEGER NOT NULL, nlink INTEGER NOT NULL, size INTEGER NOT NULL, target BLOB NOT NULL,
    atime INTEGER NOT NULL, atime_ns INTEGER NOT NULL, mtime INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    ctime INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, btime INTEGER NOT NULL, btime_ns INTEGER NOT NULL);
CREATE TABLE entry (
    parent INTEGER NOT NULL, name BLOB NOT NULL, ino INTEGER NOT NULL, offset INTEGER NOT NULL,
    PRIMARY KEY (parent, name)) WITHOUT ROWID;
CREATE TABLE chunk (
    ino INTEGER NOT NULL, number INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (ino, number));
CREATE TABLE xattr (
    ino INTEGER NOT NULL, name BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (ino, name)) WITHOUT ROWID;
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""
COLUMNS = {"inode": 16, "entry": 4, "chunk": 3, "xattr": 3, "counter": 2}

Row = tuple[Any, ...]


@dataclass(slots=True)
class Batch:
    """Rows that belong together. Those `gone` are deleted first, each by the first columns of its table's key."""

    gone: dict[str, list[Row]] = field(default_factory=lambda: {table: [] for table in COLUMNS})
    rows: dict[str, list[Row]] = field(default_factory=lambda: {table: [] for table in COLUMNS})


KEYS = {"inode": ("ino",), "entry": ("parent", "name"), "chunk": ("ino", "number"), "xattr": ("ino",), "counter": ()}


class Database:
    """The database in a directory, made where there is none, and nobody else's until closed.

    A connection is opened when it is needed: SQLite's do not survive the fork of a daemon that goes to the
    background, where the lock on the directory does. Raises StoreError.
    """

    def __init__(self, directory: str) -> None:
        self.directory = os.path.abspath(directory)
        self._connection: sqlite3.Connection | None = None
        self._lock = self._locked()
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def error(self, text: object) -> StoreError:
        """The error that says which store, and what."""
        return StoreError(f"store {self.directory}: {text}")

    def read(self, table: str, order: str) -> Iterator[Row]:
        """All rows of a table. Raises StoreError."""
        try:
            yield from self._open().execute(f"SELECT * FROM {table} ORDER BY {order}")
        except sqlite3.Error as error:
            raise self.error(f"damaged: {error}") from None

    def write(self, batches: Iterable[Batch]) -> None:
        """Save them in one transaction that has reached the disk when this returns. Raises sqlite3.Error."""
        connection = self._open()
        with connection:
            for batch in batches:
                for table, keys in batch.gone.items():
                    _delete(connection, table, keys)
                for table, rows in batch.rows.items():
                    places = ",".join("?" * COLUMNS[table])
                    connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({places})", rows)

    def disconnect(self) -> None:
        """Close the connection, which folds the log into the database; the store stays ours."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        """Let others have the store."""
        self.disconnect()
        os.close(self._lock)

    def _locked(self) -> int:
        """A descriptor that holds flock(2) on the directory; whoever is killed lets go of it."""
        try:
            os.makedirs(self.directory, mode=0o700, exist_ok=True)
            lock = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise self.error(error.strerror) from None
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return lock
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(lock)
                    raise self.error("in use by another process") from None
                time.sleep(0.02)

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            path = Path(self.directory, FILE)
            connection = sqlite3.connect(path, timeout=PATIENCE, check_same_thread=False)
            connection.execute("PRAGMA synchronous = FULL")  # in WAL mode less does not survive a power cut
            self._connection = connection
        return self._connection

    def _prepare(self) -> None:
        try:
            connection = self._open()
            (application,), (version,) = (
                connection.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")
            )
            tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if not (application or version or tables):
                connection.execute("PRAGMA journal_mode = WAL")
                marks = f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {FORMAT};"
                connection.executescript(f"BEGIN; {TABLES} {marks} COMMIT;")
                return
            if application != APPLICATION:
                raise self.error(f"{FILE} is the database of another program")
            if version > FORMAT:
                raise self.error(f"of a newer VexFS (format {version}; this one knows up to {FORMAT})")
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise self.error(f"damaged: {' '.join(found.split())}")
        except sqlite3.OperationalError as error:
            raise self.error(error) from None
        except sqlite3.DatabaseError as error:
            raise self.error(f"damaged: {error}") from None


def _delete(connection: sqlite3.Connection, table: str, keys: list[Row]) -> None:
    """Keys may be whole, or only the first column: all of an inode."""
    for length in (1, 2):
        some = [key for key in keys if len(key) == length]
        if some:
            where = " AND ".join(f"{column} = ?" for column in KEYS[table][:length])
            connection.executemany(f"DELETE FROM {table} WHERE {where}", some)
