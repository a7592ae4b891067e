"""What is known of the target and of this machine: the `target` and `environment` of the result.

Owns gathering those facts from a start's evidence and its INIT exchange; knows nothing of checks.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import platform
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fsprobe import __version__, wire
from fsprobe.diagnose.library import UNKNOWN, Library, marker_text, recognise
from fsprobe.runners.setup import ANYTHING
from fsprobe.trace.exchange import Exchange

# A script names its library by an import; larger files are no scripts.
_SCRIPT_LIMIT = 1 << 20


def environment(expect: str | None = None) -> dict[str, Any]:
    """This machine and user, when it is, and what the target is meant to be, where that was said."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    said = {} if expect is None else {"expect": expect}
    return {"fsprobe": __version__, "kernel": platform.release(), "uid": os.geteuid(), "started": started, **said}


def sha256(path: str) -> str:
    """The digest of a file, "" where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def library_of(
    processes: Sequence[dict[str, Any]], argv: Sequence[str], agreed: Mapping[str, Any] | None = None
) -> Library:
    """The daemon's FUSE library from the maps, executable and script of its processes, else from its INIT reply.

    agreed: what `init_facts` found.
    """
    for process in processes:
        text = _markers(process["exe"]) + b"\n" + b"\n".join(_script(word) for word in [*argv, *process["cmdline"]])
        found = recognise(process["maps"], text, process["cmdline"])
        if found != UNKNOWN:
            return found
    if not agreed:
        return UNKNOWN
    init = {"minor": int(agreed["protocol"].partition(".")[2]), "max_write": agreed["max_write"]}
    return recognise([line for process in processes for line in process["maps"]], b"", (), init)


def _markers(path: str) -> bytes:
    try:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            return marker_text(view)
    except (OSError, ValueError):
        return b""


def _script(word: str) -> bytes:
    try:
        if not word.endswith(".py") or os.path.getsize(word) > _SCRIPT_LIMIT:
            return b""
        with open(word, "rb") as file:
            return marker_text(file.read())
    except OSError:
        return b""


def init_facts(exchanges: Sequence[Exchange]) -> dict[str, Any]:
    """Protocol and flags agreed in INIT; empty where the exchange was not seen or does not decode."""
    for exchange in exchanges:
        if exchange.opcode == wire.Opcode.INIT and exchange.reply is not None and exchange.error == 0:
            try:
                request = wire.decode_request(exchange.request).body
                reply = wire.decode_reply(exchange.reply, wire.Opcode.INIT).body
                agreed = wire.negotiate(request, reply)
            except wire.PeerError:
                continue
            return {
                "protocol": f"{agreed.major}.{agreed.minor}",
                "init_flags": wire.flag_names(wire.InitFlag, agreed.flags),
                "max_write": agreed.max_write,
            }
    return {}


def program(argv: Sequence[str]) -> str:
    """The file that a command runs."""
    return shutil.which(argv[0]) or argv[0] if argv else ""


def take_down(environment: dict[str, Any], features: Mapping[str, str]) -> list[str]:
    """What a layer found that it can be asked, into the environment of the result. Returns what is newly degraded."""
    present = {name for name, reason in features.items() if not reason}
    environment["capabilities"] = sorted({*environment.get("capabilities", []), *present})
    if not features.get("read-only", "absent"):
        environment["read_only"] = True
    known = environment.get("degraded", [])
    new = [features[ANYTHING]] if features.get(ANYTHING) and features[ANYTHING] not in known else []
    environment["degraded"] = [*known, *new]
    return new
