#!/usr/bin/env python3
"""What a session does, and no more: `opens_a_sandbox.py LEVEL MODE COMMAND…`; `{mnt}` is the mountpoint.

Starts the command in a sandbox of that level; where it mounts, a worker then hangs in that mount. Says
what there is as one line of JSON, and ends in order at the end of its standard input.
"""

import json
import os
import sys
import time

from fsprobe.relay.client import Sandbox
from fsprobe.runners.setup import Setup


def main():
    level, mode, *command = sys.argv[1:]
    sandbox = Sandbox.open([], (level,))
    place = sandbox.call("place")
    sandbox.call("start", argv=[word.replace("{mnt}", place["mnt"]) for word in command], env=dict(os.environ),
                 cwd="/", mode=mode, layer="mount", rules=["STATFS:drop", "OPENDIR:drop"])  # fmt: skip
    wanted = "ready" if mode == "mount" else "mounted"
    while True:
        event = sandbox.next_event(5.0)
        assert event is not None, f"no {wanted}: {sandbox.call('status')}"
        if event["event"] == wanted:
            break
    if mode == "mount":
        setup = Setup("mount", place["mnt"], ".fsprobe-x", ())
        channel, _ = sandbox.worker("fsprobe.runners.worker:main", setup.to_wire())
        deadline = time.monotonic() + 5
        # One that passes by is open for a moment, too.
        while not any(o["age"] > 0.1 for o in sandbox.call("status")["open"]) and time.monotonic() < deadline:
            time.sleep(0.01)
    found = {
        "level": sandbox.level, "mounter": sandbox.mounter, "private": sandbox.private, "host": sandbox.host.pid,
        "keeper": sandbox.keeper.pid if sandbox.keeper else 0, "place": sandbox.path, "mnt": place["mnt"],
        "open": len(sandbox.call("status")["open"]), "daemons": len(sandbox.call("others")),
    }  # fmt: skip
    print(json.dumps(found), flush=True)
    sys.stdin.read()
    if mode == "mount":
        channel.close()
    sandbox.close()


main()
