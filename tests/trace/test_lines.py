"""Lines of a live trace and its filters, on recordings."""

from __future__ import annotations

import json
from io import StringIO

import jsonschema
import pytest

import fsprobe.trace.export
from fsprobe import wire
from fsprobe.errors import UsageError
from fsprobe.trace.entry import ANSWERED, OPEN, Decoder, Entry
from fsprobe.trace.export import ChromeTrace, JsonLines
from fsprobe.trace.filters import Filters, parse
from fsprobe.trace.kernel_events import Assembler
from fsprobe.trace.lines import Lines
from fsprobe.wire import Opcode
from tests.trace.recording import Recording

NOW = 10_000_000_000


def file(nodeid: int) -> wire.EntryOut:
    return wire.EntryOut(nodeid=nodeid, attr=wire.Attr(ino=nodeid, mode=0o100644, nlink=1))


def recorded() -> list[Entry]:
    """A file that is looked up, changed, missed, renamed, and forgotten."""
    recording, decoder = Recording(), Decoder()
    exchanges = [
        recording.exchange(Opcode.LOOKUP, 1, wire.Lookup(b"a"), file(2)),
        recording.exchange(Opcode.SETATTR, 2, wire.SetattrIn(valid=wire.SetattrValid.MODE, mode=0o600), None, 38),
        recording.exchange(Opcode.LOOKUP, 1, wire.Lookup(b"b"), None, 2, microseconds=2500),
        recording.exchange(Opcode.RENAME, 1, wire.Rename(newdir=1, oldname=b"a", newname=b"\x1b[2J"), None),
        recording.exchange(Opcode.FORGET, 2, wire.ForgetIn(nlookup=1), None, None),
        recording.exchange(Opcode.GETATTR, 1, wire.GetattrIn(), None, None, note="answered by fsprobe"),
    ]
    return [decoder.entry(one, "touch") for one in exchanges]


def entry(seq: int, start: int, end: int | None, *, pid: int = 1, opcode: int = 15, error: int | None = 0) -> Entry:
    state = OPEN if end is None else ANSWERED
    return Entry(seq, seq, opcode, state, start, end, error if end else None, pid, "dd", "READ /a", "→ OK", b"/a")


def test_lines_read_like_straces() -> None:
    """Time, caller, operation, path, arguments, result, latency: no name can pass for something else."""
    lines = Lines(offset_ns=0)
    shown = [lines.line(one)[16:] for one in recorded()]
    assert shown == [
        'touch[1]          LOOKUP / "a" → node 2 file 0644 size=0 nlink=1 uid=0 gid=0 35 µs',
        "touch[1]          SETATTR /a mode=0600 → ENOSYS 35 µs",
        'touch[1]          LOOKUP / "b" → ENOENT 2.50 ms',
        'touch[1]          RENAME / "a" to / "\\x1b[2J" → OK 35 µs',
        "touch[1]          FORGET /\\x1b[2J nlookup=1",
        "touch[1]          GETATTR / → no reply [answered by fsprobe]",
    ]


def test_open_request_is_unfinished_and_resumed() -> None:
    """A hang is seen while it lasts, once, and how it ended is seen, too."""
    lines = Lines(offset_ns=0)
    pending, ended = entry(7, 0, None), entry(7, 0, 3_500_000_000)
    assert lines.unfinished(pending).endswith("dd[1]             READ /a <unfinished …>")
    assert lines.unfinished(pending) == ""
    assert lines.line(ended).endswith("<… READ /a resumed> → OK 3.50 s")
    assert lines.line(ended).endswith(" READ /a → OK 3.50 s"), "a later line of the same number stands alone"
    told = lines.left_open(entry(8, 0, None), NOW, taken=False)
    assert told.endswith("READ /a <unfinished … open for 10.00 s, not read by the daemon>")


@pytest.mark.parametrize(
    ("filters", "seqs"),
    [
        (parse(["lookup,FUSE_RENAME"], [], [], 0), [1, 3, 4]),
        (parse([], ["/a"], [], 0), [1, 2, 4]),
        (parse([], ["*2J"], [], 0), [4, 5]),
        (parse([], [], ["ENOENT"], 0), [3]),
        (parse([], [], ["any"], 0), [2, 3]),
        (parse([], [], ["38"], 0), [2]),
        (parse([], [], [], 1.0), [3, 6]),
        (parse(["LOOKUP"], ["/a"], [], 0), [1]),
        (Filters(), [1, 2, 3, 4, 5, 6]),
    ],
)
def test_filters(filters: Filters, seqs: list[int]) -> None:
    """Of thousands of lines the ones that are asked for, by all conditions at once."""
    assert [one.seq for one in recorded() if filters.keep(one, one.start_ns + 2_000_000)] == seqs


@pytest.mark.parametrize(("ops", "errnos", "hint"), [(["LOKUP"], [], "LOOKUP"), ([], ["ENOET"], "ENOENT")])
def test_misspelt_filter_is_told(ops: list[str], errnos: list[str], hint: str) -> None:
    """A filter that matches nothing would look like a file system that is not used."""
    with pytest.raises(UsageError, match="there is no such") as caught:
        parse(ops, [], errnos, 0)
    assert hint in caught.value.causes[0]


def test_json_lines_keep_their_schema() -> None:
    """Programs read them; names that are no UTF-8 and terminal escapes must not break one."""
    text = StringIO()
    export = JsonLines(text, 0, {"source": "relay", "target": "t"})
    for one in [*recorded(), entry(9, 0, None)]:
        export.entry(one, NOW)
    export.close({"seconds": 1.0, "requests": 7, "shown": 7, "open": 1, "dropped": 0, "operations": {}})
    assert text.getvalue().isascii()
    rows = [json.loads(line) for line in text.getvalue().splitlines()]
    path = fsprobe.trace.export.__file__.replace("export.py", "trace.schema.json")
    with open(path) as file:
        validator = jsonschema.Draft202012Validator(json.load(file))
    for row in rows:
        validator.validate(row)
    assert [row["state"] for row in rows[1:-1]] == ["answered"] * 4 + ["silent", "lost", "open"]
    assert rows[2]["errno"] == "ENOSYS"
    assert rows[4]["path"] == "/a"
    assert rows[4]["to"] == "/\x1b[2J"
    assert rows[7]["age_us"] == NOW / 1000


def test_chrome_lanes_hold_no_requests_at_once() -> None:
    """Perfetto would draw a request within another that has nothing to do with it."""
    text = StringIO()
    export = ChromeTrace(text)
    spans = [(0, 50), (10, 20), (15, 60), (55, 70), (60, 90), (5, 100)]
    for seq, (start, end) in enumerate(sorted(spans, key=lambda span: span[1])):
        export.entry(entry(seq, start * 1000, end * 1000), NOW)
    export.entry(entry(99, 95_000, None, pid=2), NOW)
    export.close({})
    events = json.loads(text.getvalue())
    rows = [one for one in events if one["ph"] == "X"]
    assert len(rows) == len(spans) + 1
    for one in rows:
        for other in rows:
            if one is not other and one["tid"] == other["tid"]:
                assert one["ts"] + one["dur"] <= other["ts"] or other["ts"] + other["dur"] <= one["ts"]
    assert rows[-1]["name"] == "READ (unfinished)"
    assert rows[-1]["pid"] != rows[0]["pid"], "each caller has a row"
    assert {one["args"]["name"] for one in events if one["ph"] == "M"} >= {"dd 1", "dd 2", "lane 1", "lane 3"}


def test_kernel_lines_are_joined() -> None:
    """A mount that nobody may restart: requests, their errors, those that were open before, and lost events."""
    assembler = Assembler(lambda pid: f"process-{pid}")
    ended = assembler.feed([
        "my prog-2-812 [1] ...1. 11141.503905: fuse_request_send: connection 40 req 4 opcode 3 (FUSE_GETATTR) len 56 ",
        "          python-99    [000] ..... 11141.504187: fuse_request_end: connection 40 req 2 len 16 error -5",
        "  <...>-813 [001] ...1. 11141.505000: fuse_request_send: connection 40 req 6 opcode 1 (FUSE_LOOKUP) len 47 ",
        "CPU:0 [LOST 12 EVENTS]",
        "          python-99    [000] ..... 11141.505500: fuse_request_end: connection 40 req 6 len 16 error -2",
    ])  # fmt: skip
    assert [(one.command, one.pid, one.op, one.errno, one.latency_us) for one in ended] == [
        ("process-813", 813, "LOOKUP", "ENOENT", 500.0)
    ]
    assert (assembler.earlier, assembler.dropped) == (1, 12)
    assert [(one.command, one.pid, one.op) for one in assembler.open()] == [("my prog-2", 812, "GETATTR")]
