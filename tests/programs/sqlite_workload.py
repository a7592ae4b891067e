#!/usr/bin/env python3
"""SQLite as applications use it: `sqlite_workload.py FILE JOURNAL`. Two processes write to one database at a time.

Prints how many rows there are in the end, what the integrity check says, and what a reader saw of a rollback.
"""

from __future__ import annotations

import os
import sqlite3
import sys

ROWS = 40


def add(path: str, who: int) -> None:
    connection = sqlite3.connect(path, timeout=20)
    for number in range(ROWS):
        with connection:
            connection.execute("INSERT INTO row VALUES (?, ?)", (who, os.urandom(200)))
            if number % 10 == 9:
                connection.execute("DELETE FROM row WHERE rowid = (SELECT max(rowid) FROM row)")
                connection.execute("INSERT INTO row VALUES (?, ?)", (who, b"again"))
    connection.close()


def main() -> None:
    path, journal = sys.argv[1:]
    connection = sqlite3.connect(path, timeout=20)
    (mode,) = connection.execute(f"PRAGMA journal_mode = {journal}").fetchone()
    connection.execute("CREATE TABLE row (who INTEGER, data BLOB)")
    connection.commit()
    child = os.fork()
    if not child:
        add(path, 1)
        os._exit(0)
    add(path, 2)
    _, status = os.waitpid(child, 0)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM row")
    reader = sqlite3.connect(path, timeout=20)
    seen = reader.execute("SELECT count(*) FROM row").fetchone()[0] if journal == "wal" else 2 * ROWS
    reader.close()
    connection.rollback()
    connection.execute("VACUUM")
    (rows,) = connection.execute("SELECT count(*) FROM row").fetchone()
    (whole,) = connection.execute("PRAGMA integrity_check").fetchone()
    connection.close()
    print(mode, status, rows, seen, whole, os.listdir(os.path.dirname(path)))


main()
