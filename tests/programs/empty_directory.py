#!/usr/bin/env python3
"""An empty read-only file system that stays in the foreground: `empty_directory.py MOUNTPOINT`."""

import sys

import rawfuse

rawfuse.serve(rawfuse.mount(sys.argv[1]))
