"""What fsck is to a disk: everything that is wrong in a store's database, by SQL alone.

Owns the rules that hold in every consistent tree; knows nothing of how VexFS saves or loads one.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

S_IFMT, S_IFDIR, S_IFREG = 0o170000, 0o040000, 0o100000
DIRECTORY = f"(mode & {S_IFMT}) = {S_IFDIR}"

RULES: dict[str, str] = {
    "there is one root": f"SELECT 1 WHERE (SELECT count(*) FROM inode WHERE ino = 1 AND {DIRECTORY}) != 1",
    "entries lead to inodes": "SELECT * FROM entry WHERE ino NOT IN (SELECT ino FROM inode)",
    "entries are in directories":
        f"SELECT * FROM entry WHERE parent NOT IN (SELECT ino FROM inode WHERE {DIRECTORY})",
    "offsets are used once": "SELECT parent, offset FROM entry GROUP BY parent, offset HAVING count(*) > 1",
    "a file has as many names as it says":
        f"SELECT ino, nlink FROM inode AS i WHERE NOT {DIRECTORY}"
        " AND nlink != (SELECT count(*) FROM entry WHERE ino = i.ino)",
    "a directory has one name": f"SELECT ino FROM inode AS i WHERE {DIRECTORY} AND ino != 1"
        " AND (SELECT count(*) FROM entry WHERE ino = i.ino) != 1",
    "a directory counts those in it":
        f"SELECT ino, nlink FROM inode AS i WHERE {DIRECTORY} AND nlink != 2 + (SELECT count(*) FROM entry"
        f" JOIN inode AS d ON d.ino = entry.ino WHERE entry.parent = i.ino AND (d.mode & {S_IFMT}) = {S_IFDIR})",
    "everything can be reached from the root":
        "WITH RECURSIVE tree(ino) AS (SELECT 1 UNION SELECT entry.ino FROM entry JOIN tree ON entry.parent = tree.ino)"
        " SELECT ino FROM inode WHERE ino NOT IN tree",
    "content belongs to files":
        f"SELECT ino FROM chunk WHERE ino NOT IN (SELECT ino FROM inode WHERE (mode & {S_IFMT}) = {S_IFREG})",
    "attributes belong to inodes": "SELECT ino FROM xattr WHERE ino NOT IN (SELECT ino FROM inode)",
    "no number is used again": "SELECT ino FROM inode WHERE ino >= (SELECT value FROM counter WHERE name = 'next_ino')",
}  # fmt: skip


def wrong_in(store: Path) -> list[str]:
    """The rules that are broken, with the first row that breaks them."""
    connection = sqlite3.connect(store / "vexfs.sqlite")
    try:
        found = [(rule, connection.execute(query).fetchone()) for rule, query in RULES.items()]
        found.append(("the database is whole", None if _whole(connection) else ("quick_check",)))
    finally:
        connection.close()
    return [f"{rule}: {row}" for rule, row in found if row is not None]


def _whole(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("PRAGMA quick_check").fetchone() == ("ok",))
