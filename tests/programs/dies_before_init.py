#!/usr/bin/env python3
"""Mounts and ends without answering INIT: `dies_before_init.py MOUNTPOINT`."""

import os
import sys

import rawfuse

rawfuse.mount(sys.argv[1])
print("dies_before_init: out of memory", file=sys.stderr, flush=True)
os._exit(71)
