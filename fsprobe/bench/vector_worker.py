"""The expendable process that holds one database, or makes the vectors.

Owns one job from its message to its answer, and what memory and disk it took; knows nothing of the session. It may be
lost at any call of a library that is not ours, and ends with whoever started it.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import psutil

from fsprobe.bench import vector_data
from fsprobe.bench.calls import TooSlow
from fsprobe.bench.vector_databases import DATABASES, INSTALL, NotAvailable
from fsprobe.bench.vector_work import BATCH, disk, measure
from fsprobe.bench.worker import Told
from fsprobe.posix import linux
from fsprobe.posix.channel import Channel, ChannelClosed

NOT_AVAILABLE = "not available here"


def _make(job: dict[str, Any], clock: Told) -> dict[str, Any]:
    clock.begin("making the vectors", job["limit"])
    vector_data.make(job["data"], job["count"], job["dimensions"], job["seed"])
    return {}


def _measure(job: dict[str, Any], clock: Told) -> dict[str, Any]:
    database = DATABASES[job["system"]]
    clock.begin("reading the vectors", job["limit"])
    data = vector_data.load(job["data"])
    data.stored[:BATCH].tolist()  # what Python takes for that once is not the database's
    clock.phase(f"importing {database.module}")
    __import__(database.module)
    before = _rss()
    clock.phase("opening")
    os.makedirs(job["place"])
    with database.open(job["place"], job["dimensions"], job["weaviate"]) as opened:
        found = measure(opened.insert, opened.query, data, clock)
        if opened.local:
            after = _rss()
            found |= {"memory_mb": (after - before) / 1e6, "process_mb": after / 1e6}
        clock.phase("closing")
    if opened.local:
        found["disk_mb"] = disk(job["place"])
    try:
        found["version"] = version(database.package)
    except PackageNotFoundError:
        found["version"] = ""
    return found


def _rss() -> int:
    """Resident bytes of this process and those below it."""
    own = psutil.Process()
    return sum(one.memory_info().rss for one in [own, *own.children(recursive=True)])


def answer(job: dict[str, Any], clock: Told) -> dict[str, Any]:
    """What came of a job: figures or a mark."""
    try:
        return {"found": (_measure if "system" in job else _make)(job, clock)}
    except TooSlow:
        return {"mark": "too slow", "detail": f"not done after {job['limit']:g} s, in {clock.name}"}
    except NotAvailable as error:
        return {"mark": NOT_AVAILABLE, "detail": str(error)}
    except ImportError as error:
        return {"mark": NOT_AVAILABLE, "detail": f"it cannot be imported ({error}): {INSTALL}"}
    except Exception as error:  # noqa: BLE001 - whatever a library that is not ours may raise
        said = str(error).strip().partition("\n")[0][:300]
        return {"mark": "failed", "detail": f"{type(error).__name__} in {clock.name}: {said}"}


def main() -> None:
    """`python -m fsprobe.bench.vector_worker CHANNEL_FD PARENT`."""
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(sys.argv[2]):
        os._exit(1)
    channel = Channel.inherited(int(sys.argv[1]))
    try:
        job = channel.receive(10.0)[0]
        channel.send({**answer(job, Told(channel)), "ended": time.monotonic()})
    except (ChannelClosed, TimeoutError):
        pass
    finally:
        os._exit(0)  # threads of a library would keep it
