#!/usr/bin/env python3
"""An empty file system that goes to the background: `forks_to_background.py MOUNTPOINT [--before-mount]`.

With --before-mount the command has ended before the mount is there, as with daemons that fork first.
"""

import os
import sys
import time

import rawfuse

early = "--before-mount" in sys.argv
device = -1 if early else rawfuse.mount(sys.argv[1])
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
null = os.open(os.devnull, os.O_RDWR)
for fd in (0, 1, 2):
    os.dup2(null, fd)
if early:
    time.sleep(0.3)
    device = rawfuse.mount(sys.argv[1])
rawfuse.serve(device)
