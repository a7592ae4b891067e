#!/usr/bin/env python3
"""A directory whose MKDIR first tells the kernel that an entry of the same directory is no longer valid.

The kernel takes the directory's lock for that, which the mkdir holds until it is answered: the notification waits.
"""

import os
import struct
import sys

import rawfuse

MKDIR, INVAL_ENTRY = 9, 3
device = rawfuse.mount(sys.argv[1])
while True:
    try:
        opcode, unique, nodeid = rawfuse.next_request(device)
    except (EOFError, OSError):
        break
    if opcode == MKDIR:
        body = struct.pack("<QII", nodeid, 5, 0) + b"other\0"
        os.write(device, struct.pack("<IiQ", 16 + len(body), INVAL_ENTRY, 0) + body)
        rawfuse.reply(device, unique, error=30)
    else:
        rawfuse.answer(device, opcode, unique, nodeid)
