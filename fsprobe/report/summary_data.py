"""The one-page summary as plain data: what was measured on what, tables, plots, conformance, caveats.

Owns what is said; every number comes from a result file, and what was not measured is left out. Knows nothing of
formats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text; the first column names the row."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Plot:
    """Lines of points, on logarithmic axes. series: by target its (x, y)."""

    title: str
    unit: str
    series: Mapping[str, tuple[tuple[float, float], ...]]


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page."""

    title: str
    facts: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]
    plots: tuple[Plot, ...] = ()
    caveats: tuple[str, ...] = field(default=())


def page_of(benches: Sequence[Mapping[str, Any]], results: Sequence[Mapping[str, Any]]) -> Page:
    """The page of benchmark results and conformance results."""
    facts: list[tuple[str, str]] = []
    tables: list[Table] = []
    plots: list[Plot] = []
    caveats: list[str] = []
    for bench in benches:
        facts += _facts(bench)
        tables += [*_speed(bench), *_daemons(bench), *_latency(bench), *_vectors(bench)]
        plots += _plots(bench)
        caveats += _caveats(bench)
    if results:
        tables.append(_conformance(results))
    return Page("fsprobe: performance side by side", tuple(dict.fromkeys(facts)), tuple(tables), tuple(plots),
                tuple(dict.fromkeys(caveats)))  # fmt: skip


def _facts(bench: Mapping[str, Any]) -> list[tuple[str, str]]:
    machine, options = bench["machine"], bench["options"]
    load = machine.get("load")
    told = [("machine", f"Linux {machine.get('kernel')} {machine.get('architecture', '')}, "
             f"{machine.get('processors')} processors, {machine.get('memory_bytes', 0) / 2**30:.0f} GiB"),
            ("measured", str(machine.get("started", "")))]  # fmt: skip
    if load:
        told.append(("load", f"{load[0]:.1f} in the minute before the end"))
    if bench["rows"] and options.get("rounds"):
        tool = bench["fio"] or "own loops (fio is not installed)"
        told.append(("work", f"{options['rounds']} rounds in turns after one of warm-up, seed {options['seed']}, "
                     f"data by {tool}{', quick' if options['quick'] else ''}"))  # fmt: skip
    told += [(target["name"], f"{target['fs_type'] or 'did not mount'} {' '.join(target['argv'])}".strip())
             for target in bench["targets"]]  # fmt: skip
    return told


def figure(cell: Mapping[str, Any]) -> str:
    """`12.3 ±4 %`, or the mark."""
    if "mark" in cell:
        return f"✗ {cell['mark']}"
    spread = f" ±{cell['spread'] * 50:.0f} %" if cell.get("spread") is not None else ""
    return f"{cell['median']:.4g}{spread}"


def _speed(bench: Mapping[str, Any]) -> list[Table]:
    names = [target["name"] for target in bench["targets"]]
    made = []
    for group in dict.fromkeys(row["group"] for row in bench["rows"]):
        rows = []
        for row in bench["rows"]:
            if row["group"] != group:
                continue
            cells = []
            for name in names:
                cell = row["cells"][name]
                times = [f"{cell[key]:.2f}{of}" for key, of in (("to_native", "n"), ("to_first", "f"))
                         if cell.get(key) is not None and name != "native" and (of == "n" or name != names[0])]
                cells.append(figure(cell) + (f" ({', '.join(times)})" if times else ""))
            rows.append((f"{row['id']} [{row['unit']}]", *cells))
        note = f"medians; n: times native, f: times {names[0]}; ± half the distance of the quartiles"
        made.append(Table(group, ("", *names), tuple(rows), note))
    return made


def _daemons(bench: Mapping[str, Any]) -> list[Table]:
    rows = []
    for target in bench["targets"]:
        start, used = bench["start"].get(target["name"]), target.get("usage") or {}
        if start or used:
            rows.append((target["name"], figure(start) if start else "",
                         *(f"{used[key] / 1e6:.1f}" if key in used else "" for key in ("rss_max", "uss_max")),
                         f"{used['cpu_s']:.2f}" if "cpu_s" in used else ""))  # fmt: skip
    heads = ("", "mount to first answer [ms]", "RSS [MB]", "USS [MB]", "CPU [s]")
    return [Table("the daemons", heads, tuple(rows))] if rows else []


def _latency(bench: Mapping[str, Any]) -> list[Table]:
    rows = []
    for name, ops in bench["latency"].items():
        if "mark" in ops:
            rows.append((name, f"✗ {ops['mark']}", "", "", "", ""))
            continue
        rows += [(name, op, str(us["requests"]), *(f"{us[key]:.0f}" for key in ("p50", "p95", "p99")))
                 for op, us in ops.items()]  # fmt: skip
    heads = ("", "operation", "requests", "p50 [us]", "p95 [us]", "p99 [us]")
    note = "a pass of its own, through fsprobe's relay"
    return [Table("latency on the wire", heads, tuple(rows), note)] if rows else []


_VECTOR = (("insert_ms_mean", "insert mean [ms]"), ("insert_ms_p95", "p95"), ("insert_per_s", "vectors/s"),
           ("query_ms_mean", "query mean [ms]"), ("query_ms_p95", "p95"), ("query_ms_p99", "p99"),
           ("query_per_s", "queries/s"), ("memory_mb", "memory [MB]"), ("recall", "recall@10"))  # fmt: skip


def _vectors(bench: Mapping[str, Any]) -> list[Table]:
    made = []
    for size in dict.fromkeys((row["count"], row["dimensions"]) for row in bench["vectors"]):
        rows = []
        for row in bench["vectors"]:
            if (row["count"], row["dimensions"]) != size:
                continue
            if row["status"] != "ok":
                rows.append((row["system"], f"✗ {row['status']}: {row['detail']}", *[""] * (len(_VECTOR) - 1)))
            else:
                rows.append((row["system"], *(f"{row[key]:.4g}" if key in row else "" for key, _ in _VECTOR)))
        heads = ("", *(head for _, head in _VECTOR))
        made.append(Table(f"vectors: {size[0]:,} × {size[1]:,}", heads, tuple(rows)))
    return made


def _plots(bench: Mapping[str, Any]) -> list[Plot]:
    made = []
    for series in dict.fromkeys(row["series"] for row in bench["rows"] if row["series"]):
        rows = [row for row in bench["rows"] if row["series"] == series]
        lines = {}
        for target in bench["targets"]:
            points = [(float(row["x"]), row["cells"][target["name"]].get("median")) for row in rows]
            known = tuple((x, y) for x, y in points if y)
            if known:
                lines[target["name"]] = known
        if lines:
            made.append(Plot(series, rows[0]["unit"], lines))
    return made


def _conformance(results: Sequence[Mapping[str, Any]]) -> Table:
    rows = []
    for result in results:
        counts = result["summary"].get("counts") or {}
        told = " · ".join(f"{name} {number}" for name, number in counts.items() if number)
        rows.append((str(result["target"].get("name")), told, str(result["summary"].get("exit_code"))))
    return Table("conformance", ("", "checks", "exit"), tuple(rows), "from the results of fsprobe run")


def _caveats(bench: Mapping[str, Any]) -> list[str]:
    said = []
    if bench["rows"]:
        said += ["Reads come from a fresh open; what the kernel's page cache holds by then is part of the figure.",
                 "The memory is the daemon's; what the kernel caches for it is not counted."]
        marks = {(target["name"], cell["mark"]) for row in bench["rows"] for target in bench["targets"]
                 if "mark" in (cell := row["cells"][target["name"]])}  # fmt: skip
        said += [f"{name} has cells without a figure: {mark}." for name, mark in sorted(marks)]
    load, processors = bench["machine"].get("load"), bench["machine"].get("processors") or 1
    if load and load[0] > 1.5 * processors:
        said.append("The machine was busy with other things: trust the ratios more than the figures.")
    return said + [str(text) for text in bench["options"].get("caveats") or ()]
