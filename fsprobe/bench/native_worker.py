"""The worker of a native directory, as a program.

Owns its start; the work is `worker`'s.
"""

from __future__ import annotations

import sys

from fsprobe.bench import worker
from fsprobe.posix.channel import Channel


def main() -> None:
    """`python -m fsprobe.bench.native_worker CHANNEL_FD`."""
    worker.main(Channel.inherited(int(sys.argv[1])))
