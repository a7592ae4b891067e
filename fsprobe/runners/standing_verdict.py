"""Whether a FUSE connection is stuck, why, and what to do: a pure function of what a look at it has found.

Owns the order of the rules, the sentences and the advice; reads nothing. The causes are those of a run's hangs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fsprobe.results.verdicts import Cause

# What to do beside aborting: {pid} is the daemon's.
_ADVICE: Mapping[str, tuple[str, ...]] = {
    Cause.STOPPED: ("kill -CONT {pid}   # it goes on where it was stopped",),
    Cause.BLOCKED_OUTPUT: (
        "cat /proc/{pid}/fd/{output} > /dev/null   # empties the pipe: the daemon goes on while this runs",
        "start it with its output to a file or the journal; a daemon must not depend on being read",
    ),
    Cause.DEADLOCK_OWN_MOUNT: (
        "the handler must not use a path on its own mount: open what lies below before mounting, and use openat",
    ),
    Cause.DEADLOCK_LOCK: ("the stack above names the place; take locks in one order, and none twice",),
    Cause.LOST_REPLY: (
        "every path of a handler has to answer, errors and exceptions too; a reply that the kernel refuses is lost",
        "fsprobe run TARGET   # names the operation, and a reply that is refused",
    ),
    Cause.BLOCKED_IO: ("give such calls a timeout, and answer EIO or ETIMEDOUT",),
    Cause.BUSY_LOOP: ("the stack above names the loop",),
}
_LOCKS = ("SETLK", "SETLKW")
_LONG = 2.0  # seconds, beyond which a caller is stuck though others are served
_ABORT = "fsprobe diagnose {place} --abort   # frees every caller, with an error; then fusermount3 -uz {place}"


def judge(record: Mapping[str, Any], found: Mapping[str, Any] | None, moved: bool, *, visible: bool) -> dict[str, Any]:
    """{"stuck": bool | None, "cause", "proven", "summary", "next"}. stuck None: this user cannot tell.

    found: the explanation by the daemon's threads, None where they give none. moved: others wait now than before.
    visible: whether a daemon that there is would be seen.
    """
    if not record["daemons"]:
        return _no_daemon(record, visible)
    open_requests = _open(record)
    if found is not None and found["cause"] == Cause.STOPPED:
        return _verdict(record, True, Cause.STOPPED, True, found["sentence"] + _asked(open_requests))
    if not open_requests:
        if record["waiting"] is None and record["unseen"]:
            return _verdict(record, None, "", False, "nothing is seen to wait, but not all can be seen")
        return _verdict(record, False, "", True, "nothing waits: no request is open")
    proven = found is not None and bool(found["proven"])
    answered = (record["traffic"] or {}).get("answered", 0)
    if not proven and record["callers"] and all(one["op"] in _LOCKS for one in record["callers"]):
        told = "callers wait for a lock on a file, which is answered when it is free"
        return _verdict(record, False, "", False, told)
    longest = max((one["seconds"] or 0.0 for one in record["callers"]), default=0.0)
    if not proven and (moved or (answered and longest < _LONG)):
        told = f"{answered} were answered meanwhile" if answered else "others wait now than a moment ago"
        return _verdict(record, False, "", False, f"it is at work: {_requests(open_requests)} open, and {told}")
    if found is None:
        told = f"{_requests(open_requests)} open, and the daemon's threads do not say why"
        return _verdict(record, True, "", False, told)
    return _verdict(record, True, found["cause"], proven, found["sentence"] + _asked(open_requests))


def _open(record: Mapping[str, Any]) -> int:
    return max(record["waiting"] or 0, len(record["callers"]))


def _requests(number: int) -> str:
    return "1 request is" if number == 1 else f"{number} requests are"


def _asked(number: int) -> str:
    return f"; {_requests(number)} open" if number else ""


def _no_daemon(record: Mapping[str, Any], visible: bool) -> dict[str, Any]:
    if not visible:
        return _verdict(record, None, "", False, "no process that this user can see holds the connection")
    told = "no process holds the connection: the daemon is gone, and every call gets ENOTCONN"
    made = _verdict(record, True, Cause.CRASHED, True, told)
    place = record["mounts"][0]["mountpoint"] if record["mounts"] else "DIR"
    return {**made, "next": [f"fusermount3 -uz {place}   # takes the dead mount away", "then start the daemon again"]}


def _verdict(record: Mapping[str, Any], stuck: bool | None, cause: str, proven: bool, summary: str) -> dict[str, Any]:
    pid = record["daemons"][0]["pid"] if record["daemons"] else 0
    output = "1" if "standard output" in summary else "2"
    place = record["mounts"][0]["mountpoint"] if record["mounts"] else str(pid)
    lines = [*_ADVICE.get(cause, ()), _ABORT] if stuck else []
    advice = [line.format(pid=pid, output=output, place=place) for line in lines]
    return {"stuck": stuck, "cause": str(cause), "proven": proven, "summary": summary, "next": advice}
