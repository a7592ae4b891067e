"""VexFS that comes to grief in the middle of a benchmark: `bench_daemon.py KIND MOUNTPOINT`.

`aborts`, `hangs`, `detaches` and `forgets` do so at the first RENAME: the last loses what is written from then on.
`slow` takes a millisecond for each OPEN. `sound` is the reference.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Any

from fsprobe.posix import linux
from fsprobe.wire import Request, WriteOut
from reference_fs.model import Store
from reference_fs.options import Options
from reference_fs.profiles import HEALTHY
from reference_fs.raw_device import open_mounted
from reference_fs.raw_front import serve
from reference_fs.raw_operations import Operations
from reference_fs.raw_replies import Timeouts

KIND, MOUNTPOINT = sys.argv[1:3]


class Grief(Operations):
    """One mistake."""

    forgets = False

    def RENAME2(self, request: Request) -> None:
        if KIND == "aborts":
            os.abort()
        if KIND == "hangs":
            threading.Event().wait()
        if KIND == "detaches":
            linux.umount(os.fsencode(MOUNTPOINT))
        self.forgets = KIND == "forgets"
        super().RENAME2(request)

    RENAME = RENAME2

    def OPEN(self, request: Request) -> Any:
        if KIND == "slow":
            time.sleep(0.001)
        return super().OPEN(request)

    def WRITE(self, request: Request) -> Any:
        if self.forgets:
            return WriteOut(len(request.body.data))
        return super().WRITE(request)


def main() -> None:
    store = Store(enforce=True, uid=os.geteuid(), gid=os.getegid())
    device = open_mounted(MOUNTPOINT, Options(default_permissions=False, allow_other=os.geteuid() == 0))
    serve(device, Grief(store, Timeouts.of(0, 0, 0), HEALTHY), HEALTHY)


main()
