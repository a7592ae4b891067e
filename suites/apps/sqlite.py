"""sqlite3: locks, journals and shared memory, as every browser, phone and mail program uses them."""

from __future__ import annotations

from fsprobe.checks import Unsupported, shell_check
from fsprobe.checks.shell import Shell

NEEDS = ("write", "program:sqlite3")
SOURCE = "catalogue 3.36 (application recipes); sqlite.org/atomiccommit.html"
TABLE = "CREATE TABLE t(id INTEGER PRIMARY KEY, word TEXT)"
FILL = (
    "INSERT INTO t(word) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<{rows}) "
    "SELECT printf('%0100d', i) FROM n"
)
SOUND = "PRAGMA integrity_check; SELECT count(*), sum(id) FROM t"


def _sql(sh: Shell, db: str, statements: str) -> str:
    """What sqlite3 prints, its waiting for locks bounded."""
    return sh.ok(_command(db, statements)).output


def _command(db: str, statements: str) -> str:
    return f"sqlite3 -batch -bail -cmd '.timeout 5000' {db} \"{statements};\""


def _expect(sh: Shell, db: str, rows: int) -> None:
    sh.expect_output(_command(db, SOUND), f"ok\n{rows}|{rows * (rows + 1) // 2}")


@shell_check(
    "apps.sqlite.rollback", op="WRITE", also=("CREATE", "FSYNC", "UNLINK", "READ", "GETATTR"), source=SOURCE,
    needs=NEEDS, killers=("WRITE:errno=EIO", "FSYNC:errno=EIO", "READ:flip", "UNLINK:errno=EIO", "CREATE:errno=EIO"),
)
def rollback(sh: Shell) -> None:
    """A rollback journal: what is committed stays, what is rolled back never was, and no journal is left."""
    db = sh.name("rollback.db")
    _sql(sh, db, f"{TABLE}; BEGIN; {FILL.format(rows=300)}; COMMIT")
    _sql(sh, db, "PRAGMA cache_size=2; BEGIN; UPDATE t SET word='lost', id=id+1000; ROLLBACK")
    _expect(sh, db, 300)
    sh.expect_gone(f"{db}-journal")


@shell_check(
    "apps.sqlite.truncate", op="SETATTR", also=("WRITE", "CREATE", "UNLINK"), source="sqlite.org/pragma.html",
    needs=NEEDS, killers=("SETATTR:errno=EIO", "SETATTR:fake"),
)
def truncate(sh: Shell) -> None:
    """A journal that is truncated instead of removed, and VACUUM, which shortens the database."""
    db = sh.name("truncate.db")
    _sql(sh, db, f"PRAGMA journal_mode=TRUNCATE; {TABLE}; {FILL.format(rows=500)}; DELETE FROM t WHERE id > 100")
    sh.expect_equal(f"size of {db}-journal", sh.ok(f"stat -c %s {db}-journal").output, "0")
    before = sh.ok(f"stat -c %s {db}").output
    _sql(sh, db, "VACUUM")
    after = sh.ok(f"stat -c %s {db}").output
    sh.expect_equal("whether VACUUM makes the file shorter", int(after) < int(before), True)
    _expect(sh, db, 100)


@shell_check(
    "apps.sqlite.hot-journal", op="READ", also=("WRITE", "SETATTR", "UNLINK", "FSYNC"), source=SOURCE, needs=NEEDS,
    killers=("READ:flip", "READ:errno=EIO", "WRITE:fake"),
)
def hot_journal(sh: Shell) -> None:
    """A program that is killed in the middle of a transaction has changed nothing: the next one rolls it back."""
    db = sh.name("hot.db")
    _sql(sh, db, f"{TABLE}; {FILL.format(rows=300)}")
    # The cache of two pages makes it write to the database before it commits.
    change = "PRAGMA cache_size=2; BEGIN; UPDATE t SET word=printf('%0100d', -id), id=id+5000;"
    sh.ok(
        f"( coproc S {{ exec sqlite3 -batch {db}; }}; printf '%s\\n' \"{change}\" '.print ready' >&${{S[1]}}; "
        "read -r -t 8 line <&${S[0]}; kill -9 $S_PID; wait $S_PID; [ \"$line\" = ready ] )"
    )
    sh.ok(f"[ -s {db}-journal ]")
    _expect(sh, db, 300)
    sh.expect_gone(f"{db}-journal")


@shell_check(
    "apps.sqlite.wal", op="READ", also=("WRITE", "SETATTR", "CREATE", "UNLINK", "FSYNC", "SETLK"),
    source="sqlite.org/wal.html; catalogue 3.36 (mmap)", needs=NEEDS,
    killers=("WRITE:errno=EIO", "READ:flip", "UNLINK:errno=EIO"),
)
def wal(sh: Shell) -> None:
    """A write-ahead log with its index in shared memory: writers, a reader beside them, and a checkpoint."""
    db = sh.name("wal.db")
    mode = _sql(sh, db, f"PRAGMA journal_mode=WAL; {TABLE}")
    if mode != "wal":
        raise Unsupported(f"sqlite3 keeps to the journal mode {mode!r}: no shared memory here (mmap with MAP_SHARED)")
    _sql(sh, db, f"BEGIN; {FILL.format(rows=200)}; COMMIT")
    # The second program reads while the first one still has the log open.
    both = f"{FILL.format(rows=100)};\\n.shell sqlite3 -batch {db} 'SELECT count(*) FROM t'\\n"
    sh.expect_output(f"printf \"{both.replace('%', '%%')}\" | sqlite3 -batch {db}", "300")
    _sql(sh, db, "PRAGMA wal_checkpoint(TRUNCATE)")
    _expect(sh, db, 300)
    sh.expect_gone(f"{db}-wal")


@shell_check(
    "apps.sqlite.two-writers", op="SETLK", also=("WRITE", "READ", "FSYNC", "UNLINK"),
    source="sqlite.org/lockingv3.html; catalogue 3.22.1", needs=NEEDS, parallel=True,
    killers=("WRITE:errno=EIO", "READ:flip", "UNLINK:errno=EIO"),
)
def two_writers(sh: Shell) -> None:
    """Two programs that write to one database at the same time wait for each other: no row is lost."""
    db = sh.name("two.db")
    _sql(sh, db, TABLE)
    rows = "; ".join(["INSERT INTO t(word) VALUES('x')"] * 8)
    one = _command(db, rows)
    sh.ok(f"( {one} & p=$!; {one}; a=$?; wait $p && exit $a )")
    _expect(sh, db, 16)
