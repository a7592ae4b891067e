"""The table of the work: which rows there are, and which step measures them.

Owns names, sizes and units; knows nothing of how any of it is done (`work` and its neighbours do).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

KIB, MIB = 1024, 1 << 20
GROUPS = ("metadata", "data", "files", "scaling")
BLOCKS = ((4 * KIB, "4 KiB"), (128 * KIB, "128 KiB"), (MIB, "1 MiB"))
_CYCLE = ("create", "open+close", "rename", "unlink")
_IN_CROWD = ("stat", "readdir", "beside")
_NEEDS: dict[str, tuple[str, ...]] = {
    "create": (), "write": (), "mkdir": (), "create+read+delete": (), "create+unlink": (),
    "getxattr": ("create", "setxattr"), "read": ("write",), "delete": ("write",), "rmdir": ("mkdir",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the result. better: "lower" or "higher". series, x: its place in a plot of scaling."""

    id: str
    group: str
    unit: str = "us"
    better: str = "lower"
    series: str = ""
    x: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What is done in one go. kind, args: for `work.make`. rows: by the phase that measures each. beside: steps with
    the same word share a start of the target; others find nothing of theirs, as some daemons are slower for all that
    they have ever heard of.
    """

    kind: str
    args: dict[str, Any]
    rows: dict[str, Row]
    beside: str = ""

    @property
    def group(self) -> str:
        """That of its rows."""
        return next(iter(self.rows.values())).group

    def only(self, phase: str) -> Step:
        """The same for one phase alone, with those before it that it needs: another of them came to grief."""
        if self.kind != "cycle":
            return self
        calls = (*_NEEDS.get(phase, ("create",)), phase)
        return replace(self, args={**self.args, "calls": calls, "alone": True}, rows={phase: self.rows[phase]})

    @property
    def key(self) -> str:
        """No other step, and no part of one, has it."""
        return " | ".join([self.kind, *(row.id for row in self.rows.values()), "alone" if "alone" in self.args else ""])

    @property
    def alone(self) -> bool:
        """Whether one process does it, which then has one processor together with the daemon."""
        return int(self.args.get("processes", 1)) == 1

    def told(self) -> dict[str, Any]:
        """For the worker."""
        return {"kind": self.kind, "args": self.args, "measured": list(self.rows)}


def table(*, quick: bool) -> list[Step]:
    """Every step, in the order in which they are done. With quick those of a group share their start."""
    steps = [*_metadata(quick), *_data(quick), *_files(quick), *_scaling(quick)]
    return [replace(step, beside="") for step in steps] if quick else steps


def _cycle(group: str, calls: tuple[str, ...], names: dict[str, str], count: int, processes: int = 1,
           size: int = 0) -> Step:  # fmt: skip
    rows = {call: Row(name, group) for call, name in names.items()}
    return Step("cycle", {"calls": calls, "count": count, "processes": processes, "size": size}, rows)


def _one(kind: str, row: Row, beside: str = "", **args: Any) -> Step:
    return Step(kind, args, {kind: row}, beside)


def _metadata(quick: bool) -> list[Step]:
    entries, count = (1000, 40) if quick else (10_000, 100)
    found = []
    for processes in (1, 4):
        by = f", {processes} proc"
        found += [
            _cycle("metadata", _CYCLE, {call: call + by for call in _CYCLE}, count * processes, processes),
            _one("stat", Row("stat" + by, "metadata"), "stat", count=entries, processes=processes),
            _one("readdir", Row(f"readdir of {entries:,}{by}", "metadata"), "readdir", count=entries,
                 processes=processes),
        ]
    return found


def _data(quick: bool) -> list[Step]:
    found = []
    for size, label in BLOCKS:
        total = 4 * MIB if quick or size < 128 * KIB else 32 * MIB
        for order in ("seq", "rand"):
            for mode in ("read", "write", "write+fsync"):
                row = Row(f"{order} {mode} {label}", "data", "MB/s", "higher")
                found.append(_one("data", row, mode=mode, order=order, size=size, total=total))
    return found


def _files(quick: bool) -> list[Step]:
    count = 100 if quick else 1000
    parallel = "10 files in each of 10 processes: create, read, delete"
    return [
        _cycle("files", ("write", "read", "delete"), {
            "write": f"create {count:,} files of 1 KiB", "read": f"read {count:,} files of 1 KiB",
            "delete": f"delete {count:,} files of 1 KiB"}, count, size=KIB),
        _cycle("files", ("mkdir", "rmdir"), {"mkdir": "make 100 directories", "rmdir": "remove 100 directories"}, 100),
        _cycle("files", ("create", "setxattr", "getxattr", "unlink"), {
            "setxattr": "set an xattr on 100 files", "getxattr": "get an xattr of 100 files"}, 100),
        _one("copy", Row("copy of 10 MB", "files", "MB/s", "higher"), size=10_000_000),
        _cycle("files", ("create+read+delete",), {"create+read+delete": parallel}, 100, 10, KIB),
    ]  # fmt: skip


def _scaling(quick: bool) -> list[Step]:
    found: list[Step] = []

    def add(series: str, x: int, kind: str, unit: str = "us", better: str = "lower", phase: str = "",
            **args: Any) -> None:  # fmt: skip
        row = Row(f"{series}: {x:,}", "scaling", unit, better, series, x)
        beside = f"crowd of {args['count']}" if kind in _IN_CROWD else ""
        found.append(Step(kind, args, {phase or kind: row}, beside))

    for count in (100, 1000) if quick else (100, 1000, 10_000, 100_000):
        add("stat, by files in the directory", count, "stat", count=count, processes=1)
        add("create and unlink, by files in the directory", count, "beside", count=count)
        add("readdir per entry, by files in the directory", count, "readdir", count=count, processes=1, per_entry=True)
    for depth in (1, 16) if quick else (1, 4, 16, 64):
        add("open and close, by depth", depth, "depth", depth=depth)
    for kib in (4, 1024) if quick else (4, 64, 1024, 16_384):
        add("a whole file written and read, by KiB", kib, "whole", "MB/s", "higher", size=kib * KIB)
    for processes in (1, 4) if quick else (1, 2, 4, 8):
        add("create and unlink, by processes", processes, "cycle", phase="create+unlink", calls=("create+unlink",),
            count=40 * processes, processes=processes, size=0)  # fmt: skip
    return found
