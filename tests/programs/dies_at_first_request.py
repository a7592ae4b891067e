#!/usr/bin/env python3
"""Mounts, answers INIT, and ends at the next request: `dies_at_first_request.py MOUNTPOINT [--segfault]`."""

import os
import signal
import sys

import rawfuse

device = rawfuse.mount(sys.argv[1])
rawfuse.answer(device, *rawfuse.next_request(device))
opcode, _, _ = rawfuse.next_request(device)
print(f"dies_at_first_request: cannot handle opcode {opcode}", file=sys.stderr, flush=True)
if "--segfault" in sys.argv:
    signal.signal(signal.SIGSEGV, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGSEGV)
os._exit(70)
