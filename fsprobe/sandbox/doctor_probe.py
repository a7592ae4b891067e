"""The probes that could hurt the process that makes them: each is run in a child of its own that then ends.

Owns trying the hand-over and the private mounts for real; knows nothing of what the answers mean. A version
number says little (containers, backports, security modules), so each step is made and its errno told.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
from collections.abc import Callable

from fsprobe.posix import linux, seccomp

_PLACE = "/tmp"  # covered by a private tmpfs before anything is made in it
_TRACEPOINT = "events/fuse/fuse_request_send"


def _step(call: Callable[[], object]) -> str:
    """"" where the call works, else why it does not."""
    try:
        call()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def hand_over() -> dict[str, str]:
    """Two trapped calls from end to end: read the caller's memory, take its descriptor, give it ours."""
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        _trapped_caller(theirs)
    theirs.close()
    found: dict[str, str] = {}
    ours.settimeout(5)
    try:
        word, fds = linux.receive_fds(ours, 256, 1)
        if not fds:
            return {"notify": word.decode() or "the child ended"}
        found["notify"] = ""
        listener = seccomp.Listener(fds[0])
        found |= _replace_descriptor(listener, child, ours.fileno())
        found |= _answer_with_descriptor(listener, ours.fileno())
    except (OSError, TimeoutError) as error:
        found.setdefault("notify", str(error))
    finally:
        ours.close()
        os.kill(child, 9)
        os.waitpid(child, 0)
    return found


def _replace_descriptor(listener: seccomp.Listener, child: int, fd: int) -> dict[str, str]:
    """The first call: what the hand-over does at mount(2)."""
    call = listener.receive()
    if call is None:
        return {"notify": "the trapped call was interrupted"}
    number = call.args[0]
    found = {
        "memory": _step(lambda: open(f"/proc/{child}/mem", "rb").close()),
        "pidfd_getfd": _step(lambda: os.close(linux.pidfd_getfd(child, number))),
        "addfd": _step(lambda: listener.put_fd(call, fd, number, close_on_exec=True)),
    }
    listener.answer(call)
    return found


def _answer_with_descriptor(listener: seccomp.Listener, fd: int) -> dict[str, str]:
    """The second call: what is done at open("/dev/fuse") where there is no device."""
    call = listener.receive()
    if call is None:
        return {"addfd_send": "the trapped call was interrupted"}
    reason = _step(lambda: listener.return_fd(call, fd, close_on_exec=True))
    if reason:
        listener.answer(call)
    return {"addfd_send": reason}


def _trapped_caller(sock: socket.socket) -> None:
    """The child: goes under a filter, hands the listener over and makes two calls that are trapped."""
    try:
        if not linux.has_sys_admin():
            linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
        trap = seccomp.Trap("fcntl", seccomp.NOTIFY, 1, linux.F_SETPIPE_SZ)
        listener = seccomp.install((trap,))
        socket.send_fds(sock, [b"listener"], [listener])
        end, _other = os.pipe()
        fcntl.fcntl(end, linux.F_SETPIPE_SZ, 4096)
        other, end = os.pipe()  # the first pair may be a socket by now
        fcntl.fcntl(other, linux.F_SETPIPE_SZ, 4096)
    except OSError as error:
        sock.send((error.strerror or "failed").encode())
    os._exit(0)


def private_mounts() -> dict[str, str]:
    """A mount namespace of our own, inside a user namespace where we are not root, and a FUSE mount in it."""
    root = linux.has_sys_admin()
    uid, gid = os.getuid(), os.getgid()
    found: dict[str, str] = {}
    if not root:
        found["userns"] = _step(lambda: _enter_user_namespace(uid, gid))
        if found["userns"]:
            return found
    found["mountns"] = _step(_enter_mount_namespace)
    if found["mountns"]:
        return found
    found["proc"] = _step(_mount_proc)
    found["fuse"] = _step(lambda: _mount_fuse(uid if not root else 0, gid if not root else 0))
    found["fusectl"] = _step(lambda: _mount_at("fusectl", f"{_PLACE}/fusectl"))
    found["tracefs"] = _step(lambda: _mount_at("tracefs", f"{_PLACE}/tracing"))
    if not found["tracefs"] and not os.path.isdir(f"{_PLACE}/tracing/{_TRACEPOINT}"):
        found["tracefs"] = "this kernel has no FUSE tracepoints"
    return found


def _enter_user_namespace(uid: int, gid: int) -> None:
    linux.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWNS)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _enter_mount_namespace() -> None:
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount(b"none", b"/", b"", linux.MS_REC | linux.MS_PRIVATE)
    linux.mount(b"tmpfs", _PLACE.encode(), b"tmpfs")


def _mount_proc() -> None:
    """A /proc of a pid namespace of our own, as the sandbox has: refused where a container covers parts of /proc."""
    linux.unshare(linux.CLONE_NEWPID)
    child = os.fork()
    if child == 0:
        try:
            linux.mount(b"proc", b"/proc", b"proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
        except OSError as error:
            os._exit(error.errno or 1)
        os._exit(0)
    number = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if number:
        raise OSError(number, os.strerror(number))


def _mount_fuse(uid: int, gid: int) -> None:
    """A mount that nobody serves and nobody touches; it goes with this process."""
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    os.mkdir(f"{_PLACE}/fuse")
    data = f"fd={device},rootmode=40000,user_id={uid},group_id={gid}"
    flags = linux.MS_NOSUID | linux.MS_NODEV
    linux.mount(b"fsprobe", f"{_PLACE}/fuse".encode(), b"fuse", flags, data.encode())


def _mount_at(kind: str, place: str) -> None:
    os.mkdir(place)
    linux.mount(kind.encode(), place.encode(), kind.encode())


PROBES: dict[str, Callable[[], dict[str, str]]] = {"hand-over": hand_over, "private-mounts": private_mounts}


def main(name: str) -> None:
    """Run one probe and print its steps as JSON."""
    json.dump(PROBES[name](), sys.stdout)
