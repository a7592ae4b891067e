"""What `fsprobe diagnose` found, on the screen: the verdict first, then the evidence, then what to do.

Owns the words and their order; knows nothing of how it was found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fsprobe.report.text import fold, safe

_WIDTH, _LABEL = 80, 14
_FRAMES, _KERNEL = 6, 4
_MOST = 12
_UNTOLD = ("0", "")


def lines(record: Mapping[str, Any]) -> Iterable[str]:
    """The lines for one connection."""
    yield from _verdict(record["verdict"])
    yield ""
    for mount in record["mounts"] or [{}]:
        yield from _told("mount", _mount(mount))
    count = record["waiting"]
    yield from _told("connection", f"{record['connection']}" + ("" if count is None else f", {_open(count)}"))
    if record["traffic"] is not None:
        seen = record["traffic"]
        yield from _told("traffic", f"{seen['answered']} answers in {seen['seconds']:.1f} s")
    for daemon in record["daemons"]:
        yield from _daemon(daemon, record)
    yield from _callers(record["callers"])
    for text in record["unseen"]:
        yield from _told("not seen", text)
    if record["verdict"]["next"]:
        yield ""
        yield "WHAT TO DO"
        for advice in record["verdict"]["next"]:
            command, _, why = advice.partition("   # ")
            yield f"  {safe(command)}" if why else "  " + "\n  ".join(fold(safe(command), _WIDTH - 2))
            if why:
                yield from (f"      {line}" for line in fold(safe(why), _WIDTH - 6))


def _verdict(verdict: Mapping[str, Any]) -> Iterable[str]:
    word = {True: "stuck", False: "not stuck", None: "cannot tell"}[verdict["stuck"]]
    how = f", {'proven' if verdict['proven'] else 'likely'}" if verdict["cause"] else ""
    cause = f" · {verdict['cause']}{how}" if verdict["cause"] else ""
    yield f"{word}{cause}"
    yield from fold(safe(verdict["summary"]), _WIDTH)


def _mount(mount: Mapping[str, Any]) -> str:
    if not mount:
        return "not in this mount namespace, nor in the daemon's"
    return safe(f"{mount['fs_type']} on {mount['mountpoint']} ({mount['source']}; {mount['super_options']})")


def _open(number: int) -> str:
    return "1 request open" if number == 1 else f"{number} requests open"


def _daemon(daemon: Mapping[str, Any], record: Mapping[str, Any]) -> Iterable[str]:
    command = " ".join(daemon.get("cmdline") or [daemon.get("exe") or "?"])
    guessed = "" if record["sure"] else " (likely: this kernel does not say who serves it)"
    yield from _told("daemon", f"pid {daemon['pid']}  {safe(command)}{guessed}")
    told = next((one for one in record["stacks"] if one["pid"] == daemon["pid"]), None)
    frames = {one["tid"]: one["frames"] for one in told["threads"]} if told else {}
    threads = daemon.get("threads", [])
    for thread in threads[:_MOST]:
        yield from _thread(thread, frames.get(thread["tid"], []))
    if len(threads) > _MOST:
        yield from _told("", f"and {len(threads) - _MOST} threads more")
    if told and told["note"]:
        yield from _told("", f"no stack of its own code: {safe(told['note'])}")


def _thread(thread: Mapping[str, Any], frames: list[str]) -> Iterable[str]:
    where = thread["wchan"] if thread["wchan"] not in _UNTOLD else "?"
    call = f", on {thread['file']}" if thread.get("file") and thread["state"] != "R" else ""
    yield from _told("", safe(f"thread {thread['tid']} {thread['name']}: {thread['state']} in {where}{call}"))
    for frame in frames[:_FRAMES]:
        yield from _told("", "  " + safe(frame))
    if not frames and thread["stack"]:
        kernel = [line.rpartition(" ")[2].partition("+")[0] for line in thread["stack"].splitlines()]
        yield from _told("", "  kernel: " + safe(" < ".join(kernel[:_KERNEL])))


def _callers(callers: list[Mapping[str, Any]]) -> Iterable[str]:
    for index, one in enumerate(callers[:_MOST]):
        op = one["op"] + ("" if one["sure"] or not one["op"] else "?")
        age = "" if one["seconds"] is None else f" for {one['seconds']:.1f} s"
        what = " ".join(word for word in (op, one["path"]) if word) or "something"
        call = f", in {one['call']}" if one["call"] else ""
        text = f"{one['name']}[{one['tid']}] waits for {what}{age}{call} (state {one['state']})"
        yield from _told("callers" if index == 0 else "", safe(text))
    if len(callers) > _MOST:
        yield from _told("", f"and {len(callers) - _MOST} more")


def _told(label: str, text: str) -> Iterable[str]:
    for index, line in enumerate(fold(text, _WIDTH - _LABEL)):
        yield f"{('  ' + label if index == 0 and label else ''):<{_LABEL}}{line}"
