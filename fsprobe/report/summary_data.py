"""The one-page summary as plain data: what was measured on what, tables, plots, conformance, caveats.

Owns what is said; every number comes from a result file, and what was not measured is left out or marked. Knows nothing
of formats.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

NATIVE = "native"
_HEADLINE = ("metadata", "data", "files")
_LONGEST = 34


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: a figure, what belongs to it in smaller letters, and whether it is a mark in place of a figure."""

    text: str
    note: str = ""
    bad: bool = False

    @property
    def line(self) -> str:
        """On one line."""
        return f"{self.text} {self.note}".strip()


@dataclass(frozen=True, slots=True)
class Table:
    """The first column names the row."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Plot:
    """Lines of points, on logarithmic axes. series: by target its (x, y); missing: targets with a mark, and which."""

    title: str
    unit: str
    series: Mapping[str, tuple[tuple[float, float], ...]]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dots:
    """For each row how many times the native cost (or part of its speed) each target has; None with a mark."""

    title: str
    names: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[float | None, str], ...]], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page. glance: the few figures to begin with, None where there are none."""

    title: str
    facts: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]
    glance: Table | None = None
    dots: tuple[Dots, ...] = ()
    plots: tuple[Plot, ...] = ()
    caveats: tuple[str, ...] = field(default=())


def page_of(benches: Sequence[Mapping[str, Any]], results: Sequence[Mapping[str, Any]]) -> Page:
    """The page of benchmark results and conformance results."""
    facts: list[tuple[str, str]] = []
    tables: list[Table] = []
    glances: list[Table] = []
    dots: list[Dots] = []
    plots: list[Plot] = []
    caveats: list[str] = []
    for bench in benches:
        facts += _facts(bench)
        glances += _glance(bench, results)
        tables += [*_slower(bench), *_speed(bench), *_daemons(bench), *_latency(bench), *_vectors(bench)]
        dots += _dots(bench)
        plots += _plots(bench)
        caveats += _caveats(bench)
    if results:
        tables.append(_conformance(results))
    first, more = (glances[0], glances[1:]) if glances else (None, [])
    return Page("Performance side by side", tuple(dict.fromkeys(facts)), (*more, *tables), first, tuple(dots),
                tuple(plots), tuple(dict.fromkeys(caveats)))  # fmt: skip


def short(name: str) -> str:
    """A target's name that fits over a column."""
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"


def number(value: float) -> str:
    """Three digits that count, without an exponent."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"


def times_of(value: float) -> str:
    """`12.3×`."""
    return f"{number(value)}×"


def _facts(bench: Mapping[str, Any]) -> list[tuple[str, str]]:
    machine, options = bench["machine"], bench["options"]
    load = machine.get("load")
    room = f", {machine['memory_bytes'] / 2**30:.0f} GiB" if "memory_bytes" in machine else ""
    system = f"Linux {machine['kernel']} {machine.get('architecture', '')}".strip()
    told = [("machine", f"{system}, {machine['processors']} processors{room}"),
            ("measured", f"{machine.get('started', '')} by fsprobe {machine.get('fsprobe', '')}")]  # fmt: skip
    if bench.get("seconds"):
        told[-1] = (told[-1][0], f"{told[-1][1]}, in {bench['seconds']:.0f} s")
    if load:
        told.append(("load", f"{load[0]:.1f} in the minute before the end"))
    if bench["rows"]:
        told += _how(bench, options)
    told += [(short(target["name"]), f"{target['fs_type'] or 'did not mount'}: {' '.join(target['argv'])}")
             for target in bench["targets"]]  # fmt: skip
    return told


def _how(bench: Mapping[str, Any], options: Mapping[str, Any]) -> list[tuple[str, str]]:
    taken = [len(cell["samples"]) for row in bench["rows"] for cell in row["cells"].values() if "samples" in cell]
    fewest, most = min(taken, default=0), max(taken, default=0)
    turns = f"{fewest} to {most} turns" if fewest != most else f"{most} turn{'s' * (most != 1)}"
    tools = sorted({row["tool"] for row in bench["rows"] if row["group"] == "data"})
    data = {"fio": f"data by {bench['fio']}", "own": "data by fsprobe's own loops"}
    told = [turns + " after one of warm-up", f"seed {options.get('seed')}", *(data[tool] for tool in tools)]
    if options.get("nice", 0) < 0:
        told.append(f"at nice {options['nice']}")
    if options.get("quick"):
        told.append("quick")
    if options.get("inject"):
        told.append(f"through the relay with {', '.join(options['inject'])}")
    return [("work", ", ".join(told))]


def _mark(cell: Mapping[str, Any]) -> Cell:
    return Cell(f"✗ {cell['mark']}", bad=True)


def figure(cell: Mapping[str, Any]) -> Cell:
    """`12.3 ±4 %`, or the mark."""
    if "mark" in cell:
        return _mark(cell)
    spread = f"±{cell['spread'] * 50:.0f} %" if cell.get("spread") is not None else ""
    return Cell(number(cell["median"]), spread)


def _names(bench: Mapping[str, Any]) -> list[str]:
    return [target["name"] for target in bench["targets"]]


def _glance(bench: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> list[Table]:
    """A row for each target: how much slower than native, group by group, and its conformance."""
    if not bench["rows"]:
        return []
    groups = [group for group in _HEADLINE if any(row["group"] == group for row in bench["rows"])]
    known = {str(result["target"].get("name")): result for result in results}
    rows = []
    for target in bench["targets"]:
        name = target["name"]
        if name == NATIVE:
            continue
        cells = [Cell(short(name)), *(_slowness(bench, name, group) for group in groups)]
        start, used = bench["start"].get(name), target.get("usage") or {}
        cells.append(_mark(start) if start and "mark" in start else
                     Cell(f"{number(start['median'])} ms") if start else Cell(""))  # fmt: skip
        cells.append(Cell(f"{used['rss_max'] / 1e6:.1f} MB") if "rss_max" in used else Cell(""))
        cells += [_verdicts(known[name]) if name in known else Cell("not checked")] if results else []
        rows.append(tuple(cells))
    heads = ("", *(f"{group}, slower than native" for group in groups), "mount to first answer", "most memory")
    heads += ("conformance",) if results else ()
    note = "geometric mean of the ratios to native over the rows that have a figure"
    return [Table("at a glance", heads, tuple(rows), note)] if groups else []


def _slowness(bench: Mapping[str, Any], name: str, group: str) -> Cell:
    """The mean of a group's ratios, each as times slower, over the rows with a figure; how many have none."""
    rows = [row for row in bench["rows"] if row["group"] == group]
    found = [slower(row, row["cells"][name]) for row in rows]
    known = [value for value in found if value]
    if not known:
        return Cell("✗ no figure", bad=True)
    mean = math.exp(sum(math.log(value) for value in known) / len(known))
    lost = len(rows) - len(known)
    return Cell(times_of(mean), f"✗ {lost} of {len(rows)} rows" if lost else f"{len(rows)} rows", bool(lost))


def slower(row: Mapping[str, Any], cell: Mapping[str, Any]) -> float | None:
    """How many times slower than native, whichever way the unit counts."""
    times = cell.get("to_native")
    if not times or "mark" in cell:
        return None
    return float(times) if row["better"] == "lower" else 1.0 / float(times)


def _verdicts(result: Mapping[str, Any]) -> Cell:
    counts = result["summary"].get("counts") or {}
    bad = {name: count for name, count in counts.items() if count and name in ("FAIL", "HANG", "CRASH", "NOTRUN")}
    told = " · ".join(f"{name} {count}" for name, count in counts.items() if count and name in (*bad, "PASS"))
    return Cell(told or "nothing was checked", bad=bool(bad) or not told)


def _slower(bench: Mapping[str, Any]) -> list[Table]:
    """What --against found."""
    found = bench.get("against")
    if not found:
        return []
    rows = [(Cell(one["row"]), Cell(short(one["target"])), Cell(one["before"]), Cell(one["now"], bad=True),
             Cell(times_of(one["times"]) if one["times"] is not None else "")) for one in found["slower"]]  # fmt: skip
    again = len(found["not_again"])
    once = f"; {again} more seemed so at first, and were not when measured again" if again else ""
    note = (f"{len(rows)} of {found['compared']} cells are more than {found['tolerance']} slower or larger than in the "
            f"earlier result{once}")  # fmt: skip
    return [Table("slower than before", ("", "target", "then", "now", "times"), tuple(rows), note)]


def _speed(bench: Mapping[str, Any]) -> list[Table]:
    names = _names(bench)
    made = []
    for group in dict.fromkeys(row["group"] for row in bench["rows"]):
        rows = []
        for row in bench["rows"]:
            if row["group"] == group:
                cells = [_with_ratios(row["cells"][name], name, names[0]) for name in names]
                rows.append((Cell(row["id"], row["unit"].replace("us", "µs")), *cells))
        many = len(names) > 2
        note = "median ± half the distance of the quartiles; n: times native" + (", f: times the first" if many else "")
        made.append(Table(group, ("", *map(short, names)), tuple(rows), note))
    return made


def _with_ratios(cell: Mapping[str, Any], name: str, first: str) -> Cell:
    told = figure(cell)
    times = [f"{times_of(cell[key])}{of}" for key, of in (("to_native", "n"), ("to_first", "f"))
             if cell.get(key) is not None and name != NATIVE and (of == "n" or name != first)]  # fmt: skip
    return Cell(told.text, " ".join([told.note, *times]).strip(), told.bad)


def _daemons(bench: Mapping[str, Any]) -> list[Table]:
    rows = []
    for target in bench["targets"]:
        start, used = bench["start"].get(target["name"]), target.get("usage") or {}
        if start or used:
            memory = [Cell(f"{used[key] / 1e6:.1f}" if key in used else "")
                      for key in ("rss_idle", "rss_max", "uss_max")]  # fmt: skip
            rows.append((Cell(short(target["name"])), figure(start) if start else Cell(""), *memory,
                         Cell(f"{used['cpu_s']:.2f}" if "cpu_s" in used else ""), Cell(str(target.get("starts", "")))))
    heads = ("", "mount to first answer [ms]", "RSS idle [MB]", "RSS most [MB]", "USS most [MB]", "CPU [s]", "starts")
    return [Table("the daemons", heads, tuple(rows), "processor time over all of the work")] if rows else []


def _latency(bench: Mapping[str, Any]) -> list[Table]:
    """An operation in each row, the targets side by side."""
    found = bench["latency"]
    if not found:
        return []
    ops = sorted({op for told in found.values() if "mark" not in told for op in told})
    rows = []
    for op in ops:
        cells = []
        for told in found.values():
            us = told.get(op) if "mark" not in told else None
            cells.append(Cell(" · ".join(number(us[key]) for key in ("p50", "p95", "p99")), f"of {us['requests']:,}")
                         if us else _mark(told) if "mark" in told else Cell(""))  # fmt: skip
        rows.append((Cell(op), *cells))
    if not ops:
        rows.append((Cell("all"), *(_mark(told) for told in found.values())))
    note = "p50 · p95 · p99 in µs of the requests that the work caused: a pass of its own, through fsprobe's relay"
    return [Table("latency on the wire", ("", *map(short, found)), tuple(rows), note)]


_VECTOR = (
    ("insert_per_s", "vectors/s in batches"),
    *((f"insert_ms_{name}", f"single insert, {name} [ms]") for name in ("mean", "p50", "p95", "p99")),
    ("first_query_ms", "first query [ms]"),
    *((f"query_ms_{name}", f"query, {name} [ms]") for name in ("mean", "p50", "p95", "p99")),
    ("query_per_s", "queries/s"), ("recall", "recall@10"), ("memory_mb", "memory [MB]"), ("disk_mb", "disk [MB]"),
)  # fmt: skip


def _vectors(bench: Mapping[str, Any]) -> list[Table]:
    """A table for each size, a column for each system."""
    made = []
    for size in dict.fromkeys((row["count"], row["dimensions"]) for row in bench["vectors"]):
        systems = [row for row in bench["vectors"] if (row["count"], row["dimensions"]) == size]
        rows = [(Cell(head), *(_vector(row, key) for row in systems)) for key, head in _VECTOR]
        heads = ("", *(short(row["system"]) for row in systems))
        made.append(Table(f"vectors: {size[0]:,} × {size[1]:,}", heads, tuple(rows)))
    return made


def _vector(row: Mapping[str, Any], key: str) -> Cell:
    """A figure; of a system without any its mark, once."""
    if row["status"] != "ok":
        return Cell(f"✗ {row['status']}", bad=True) if key == _VECTOR[0][0] else Cell("")
    return Cell(number(row[key]) if key in row else "")


def _without(bench: Mapping[str, Any]) -> list[str]:
    """Why a system has no figures."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for row in bench["vectors"]:
        if row["status"] != "ok":
            size = f"{row['count']:,} × {row['dimensions']:,}"
            found.setdefault((row["system"], row["status"], row["detail"]), []).append(size)
    return [f"{system} has no figures for {', '.join(sizes)}: {status}: {detail}."
            for (system, status, detail), sizes in found.items()]  # fmt: skip


def _dots(bench: Mapping[str, Any]) -> list[Dots]:
    names = [name for name in _names(bench) if name != NATIVE]
    made = []
    for group in _HEADLINE:
        rows = []
        for row in bench["rows"]:
            if row["group"] == group:
                cells = [row["cells"][name] for name in names]
                rows.append((row["id"], tuple((slower(row, cell), str(cell.get("mark", ""))) for cell in cells)))
        if any(value for _, cells in rows for value, _ in cells):
            made.append(Dots(group, tuple(names), tuple(rows)))
    return made


def _plots(bench: Mapping[str, Any]) -> list[Plot]:
    made = []
    for series in dict.fromkeys(row["series"] for row in bench["rows"] if row["series"]):
        rows = [row for row in bench["rows"] if row["series"] == series]
        lines, missing = {}, []
        for name in _names(bench):
            cells = [(row, row["cells"][name]) for row in rows]
            known = tuple((float(row["x"]), cell["median"]) for row, cell in cells if cell.get("median"))
            missing += [f"{short(name)} at {row['x']:,}: {cell['mark']}" for row, cell in cells if "mark" in cell]
            if known:
                lines[name] = known
        if lines:
            made.append(Plot(series, rows[0]["unit"].replace("us", "µs"), lines, tuple(missing)))
    return made


def _conformance(results: Sequence[Mapping[str, Any]]) -> Table:
    rows = []
    for result in results:
        counts = result["summary"].get("counts") or {}
        told = " · ".join(f"{name} {number}" for name, number in counts.items() if number)
        causes = [str(one.get("summary", "")) for one in result.get("diagnoses") or ()]
        rows.append((Cell(str(result["target"].get("name"))), Cell(told), Cell(str(result["summary"].get("exit_code"))),
                     Cell("; ".join(causes[:3]) + (f"; and {len(causes) - 3} more" if len(causes) > 3 else ""))))
    return Table("conformance", ("", "checks", "exit", "causes"), tuple(rows), "from the results of fsprobe run")


def _caveats(bench: Mapping[str, Any]) -> list[str]:
    said: list[str] = []
    if bench.get("interrupted"):
        said.append("It was interrupted: cells that are not there yet say so, and the others rest on fewer turns.")
    if bench["rows"]:
        said += ["Reads come from a fresh open, writes go over a file that is there; what the page cache of the kernel "
                 "holds then, and what it has yet to write after a write without fsync, is part of the figure.",
                 "What one process does runs on one processor together with the daemon; what several do, on all.",
                 "The memory is the daemon's; what the kernel caches for it is not counted."]  # fmt: skip
        said += _marks(bench)
    said += _without(bench)
    native = next((target["fs_type"] for target in bench["targets"] if target["name"] == NATIVE), "")
    if native == "tmpfs":
        said.append("Native is tmpfs, in memory: on a disk, what goes there costs a target and native the same more.")
    load, processors = bench["machine"].get("load"), bench["machine"].get("processors") or 1
    if load and load[0] > 1.5 * processors:
        said.append("The machine was busy with other things: trust the ratios more than the figures.")
    said += [f"Against the earlier result: {note}." for note in (bench.get("against") or {}).get("notes", ())]
    said += [f"Left behind: {path}" for path in bench.get("left") or ()]
    return said + [str(text) for text in bench["options"].get("caveats") or ()]


def _marks(bench: Mapping[str, Any]) -> list[str]:
    """Why cells have no figure, each reason once."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for row in bench["rows"]:
        for name, cell in row["cells"].items():
            if "mark" in cell:
                found.setdefault((name, cell["mark"], cell.get("detail", "")), []).append(row["id"])
    said = []
    for (name, mark, detail), rows in found.items():
        where = rows[0] if len(rows) == 1 else f"{rows[0]} and {len(rows) - 1} more"
        said.append(f"{short(name)} has no figure for {where}: {mark}{f' ({detail})' if detail else ''}.")
    return said
