#!/usr/bin/env python3
"""pyfuse3_memfs whose SETATTR hangs: `pyfuse3_hangs.py KIND MOUNTPOINT`.

`lost` awaits what never comes, `lock` takes a lock twice and so stops the loop.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

import pyfuse3
import trio
from pyfuse3_memfs import MemFS

KIND, MOUNTPOINT = sys.argv[1:3]


class Hangs(MemFS):
    async def setattr(self, inode: int, attr: Any, fields: Any, fh: Any, ctx: Any) -> Any:
        if KIND == "lost":
            await trio.sleep_forever()
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()


pyfuse3.init(Hangs(), MOUNTPOINT, {*pyfuse3.default_options, "fsname=pyfuse3_hangs"})
trio.run(pyfuse3.main)
