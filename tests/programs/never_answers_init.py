#!/usr/bin/env python3
"""Mounts, reads INIT and never answers it: `never_answers_init.py MOUNTPOINT`."""

import sys
import time

import rawfuse

device = rawfuse.mount(sys.argv[1])
rawfuse.next_request(device)
print("never_answers_init: waiting", file=sys.stderr, flush=True)
time.sleep(600)
