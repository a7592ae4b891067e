#!/usr/bin/env python3
"""An empty file system that gets its mount in some way: `hand_over.py WAY MOUNTPOINT`.

WAY: direct, helper (by fusermount3), clone (serves a second descriptor), unmount (once it has served INIT),
open (opens the device with each pair of flags; says what it got), openat2, fsopen (says the errno), fork (a child
mounts what the parent reads, as glusterfs does).
Prints one line of what it found, then serves.
"""

import array
import ctypes
import fcntl
import os
import socket
import stat
import struct
import subprocess
import sys

import rawfuse

CLONE = 0x8004E500
FSOPEN, OPENAT2 = 430, 437
libc = ctypes.CDLL(None, use_errno=True)


def device_by_helper(mountpoint):
    """As libfuse does without root: fusermount3 opens the device, mounts, and sends it."""
    ours, theirs = socket.socketpair()
    env = {**os.environ, "_FUSE_COMMFD": str(theirs.fileno())}
    helper = subprocess.Popen(["fusermount3", "--", mountpoint], env=env, pass_fds=[theirs.fileno()])
    theirs.close()
    _, fds, _, _ = socket.recv_fds(ours, 4, 1)
    assert helper.wait() == 0
    return fds[0]


def flags_of(fd):
    """`socket|device`, and which of nonblock and cloexec are on."""
    kind = "socket" if stat.S_ISSOCK(os.fstat(fd).st_mode) else "device"
    on = [kind]
    if fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK:
        on.append("nonblock")
    if fcntl.fcntl(fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC:
        on.append("cloexec")
    return "+".join(on)


def opened(way, flags):
    """The device with exactly these flags: os.open would add O_CLOEXEC."""
    if way == "openat2":
        how = struct.pack("<QQQ", os.O_RDWR | flags, 0, 0)
        fd = libc.syscall(OPENAT2, -100, b"/dev/fuse", how, len(how))
    else:
        fd = libc.open(b"/dev/fuse", os.O_RDWR | flags)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "open")
    return fd


def mounted_on(fd, mountpoint):
    """mount(2) with a descriptor that is there; raises OSError."""
    data = f"fd={fd},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}".encode()
    if libc.mount(b"raw", os.fsencode(mountpoint), b"fuse.raw", 6, data):
        raise OSError(ctypes.get_errno(), "mount")
    return fd


def main():
    way, mountpoint, *more = sys.argv[1:]
    os.chdir(os.path.dirname(mountpoint))
    if way == "fsopen":
        failed = libc.syscall(FSOPEN, b"fuse", 0) < 0
        print("fsopen", ctypes.get_errno() if failed else 0, flush=True)
        return
    if way == "helper":
        device = device_by_helper(mountpoint)
    elif way == "fork":
        os.close(os.open("/dev/fuse", os.O_RDWR))  # looks whether it can be had
        device = os.open("/dev/fuse", os.O_RDWR)
        child = os.fork()
        if child == 0:
            try:
                mounted_on(device, mountpoint)
            except OSError:
                os._exit(1)
            os._exit(0)
        if os.waitpid(child, 0)[1]:
            sys.exit("the child could not mount")
    elif way in ("open", "openat2"):
        device = opened(way, sum(getattr(os, name) for name in more))
        before = flags_of(device)
        try:
            mounted_on(device, os.path.basename(mountpoint))  # relative: it is the caller's directory that counts
        except OSError as error:
            print("mount", error.errno, flush=True)
            return
        print(before, "then", flags_of(device), flush=True)
        os.set_blocking(device, True)
    else:
        device = rawfuse.mount(mountpoint)
    if way == "clone":
        second = os.open("/dev/fuse", os.O_RDWR)
        fcntl.ioctl(second, CLONE, array.array("I", [device]))
        os.close(device)
        device = second
    if way == "unmount":
        rawfuse.answer(device, *rawfuse.next_request(device))
        print("umount2", libc.umount2(os.fsencode(mountpoint), 2), flush=True)
    rawfuse.serve(device)


main()
