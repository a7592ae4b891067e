#!/usr/bin/env python3
"""Mounts and answers INIT with an error: `refuses_init.py MOUNTPOINT`."""

import errno
import sys

import rawfuse

device = rawfuse.mount(sys.argv[1])
_, unique, _ = rawfuse.next_request(device)
rawfuse.reply(device, unique, error=errno.EPROTO)
rawfuse.serve(device)
