"""The hand-over with real processes: however a daemon mounts, it is given a socket and the relay the device."""

from __future__ import annotations

import errno
import os
import select
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fsprobe.posix import seccomp
from fsprobe.relay.handover import HandOver
from fsprobe.trace.exchange import Exchange
from fsprobe.wire import Opcode
from tests.relay.errand import Place

PROGRAMS = Path(__file__).parent.parent / "programs"
needs_root = pytest.mark.skipif(
    os.getuid() != 0 or not os.access("/dev/fuse", os.R_OK | os.W_OK), reason="needs root and /dev/fuse"
)
pytestmark = pytest.mark.mount


@pytest.fixture(scope="module")
def _place() -> Iterator[Place]:
    found = Place()
    yield found
    found.sandbox.close()


@pytest.fixture
def place(_place: Place) -> Iterator[Place]:
    """One sandbox for all: a run, too, starts its target again and again in the same one."""
    yield _place
    _place.sandbox.call("stop")
    _place.sandbox.exchanges()
    _place.sandbox.events.clear()


def program(way: str, *more: str) -> list[str]:
    return [sys.executable, str(PROGRAMS / "hand_over.py"), way, "{mnt}", *more]


def opcodes(exchanges: list[Exchange]) -> list[int]:
    return [exchange.opcode for exchange in exchanges]


def holders_of_the_device(place: Place) -> list[int]:
    found = []
    for pid in place.processes():
        try:
            names = os.listdir(f"/proc/{pid}/fd")
            if any(os.readlink(f"/proc/{pid}/fd/{name}") == "/dev/fuse" for name in names):
                found.append(pid)
        except OSError:
            continue  # the worker of an errand, on its way out
    return found


@needs_root
@pytest.mark.parametrize("way", ["direct", "helper", "clone"])
def test_the_mount_works_and_only_the_relay_holds_its_device(place: Place, way: str) -> None:
    """Who else holds the device keeps a hung mount, and every process stuck in it, alive."""
    place.start(program(way))
    mounted = place.wait_for("mounted")
    assert mounted["mountpoint"] == place.mountpoint and mounted["minor"] > 0
    place.wait_for("ready")
    assert place.errand("list", place.mountpoint) == []
    assert stat.S_ISDIR(place.errand("stat", place.mountpoint))
    # Only where a worker still lives it could have the device, too.
    assert holders_of_the_device(place) == [place.processes()[1]]
    seen = opcodes(place.sandbox.exchanges())
    assert seen[0] == Opcode.INIT and Opcode.OPENDIR in seen and Opcode.READDIR in seen
    ended = place.sandbox.call("stop")
    assert ended == {"killed": [], "left": []}, "the daemon ends by SIGTERM"
    assert place.errand("is-mount", place.mountpoint) is False


@needs_root
def test_nothing_of_a_run_shows_outside_its_namespace(place: Place) -> None:
    """A mount that others can enter hangs their `df`."""
    place.start(program("direct"))
    place.wait_for("ready")
    assert place.mountpoint not in Path("/proc/self/mountinfo").read_text()


@needs_root
def test_a_worker_holds_its_two_descriptors_only(place: Place) -> None:
    """The host's channel in a worker's hands would keep the sandbox from noticing that the session has gone."""
    place.start(program("direct"))
    place.wait_for("ready")
    assert place.errand("descriptors") == ["3 socket", "4 /dev/null"]


@needs_root
def test_the_daemon_has_its_socket_and_nothing_of_ours(place: Place) -> None:
    """With our end of the session's channel it would keep a dead sandbox looking alive."""
    place.start(program("direct"))
    place.wait_for("ready")
    (pid,) = [p for p in place.processes() if b"hand_over.py" in Path(f"/proc/{p}/cmdline").read_bytes()]
    links = [os.readlink(f"/proc/{pid}/fd/{name}").partition(":")[0] for name in os.listdir(f"/proc/{pid}/fd")]
    assert sorted(links) == ["/dev/null", "pipe", "pipe", "socket"]


@needs_root
def test_the_daemon_unmounts_by_itself(place: Place) -> None:
    """umount2 by the daemon is carried out for it: it may have no right to."""
    place.start(program("unmount"))
    place.wait_for("ready")
    assert place.said() == "umount2 0"
    place.wait_for("unmounted")
    assert place.errand("is-mount", place.mountpoint) is False
    told = [event for event in place.sandbox.events if event["event"] == "exit"]
    assert told == [], "the child that unmounted is none of the daemon's"


@needs_root
def test_the_new_mount_interface_is_told_to_be_absent(place: Place) -> None:
    """libfuse 3.17 tries fsopen first, and would mount past the relay."""
    place.start(program("fsopen"), "wire")
    assert place.said() == f"fsopen {errno.ENOSYS}"


@needs_root
@pytest.mark.parametrize(
    ("flags", "shown"),
    [
        ([], ""),
        (["O_NONBLOCK"], "+nonblock"),
        (["O_CLOEXEC"], "+cloexec"),
        (["O_NONBLOCK", "O_CLOEXEC"], "+nonblock+cloexec"),
    ],
)
def test_the_socket_has_the_flags_of_the_device(place: Place, flags: list[str], shown: str) -> None:
    """A daemon with a loop of its own blocks for ever in a read; one that forks leaks its device."""
    place.start(program("open", *flags), "wire")
    place.wait_for("mounted")
    assert place.said() == f"device{shown} then socket{shown}"


@needs_root
@pytest.mark.parametrize("way", ["open", "openat2"])
@pytest.mark.parametrize(("flags", "shown"), [([], ""), (["O_NONBLOCK", "O_CLOEXEC"], "+nonblock+cloexec")])
def test_without_a_device_the_open_itself_gives_the_socket(
    place: Place, way: str, flags: list[str], shown: str
) -> None:
    """In a container without /dev/fuse a daemon can be probed all the same."""
    place.start(program(way, *flags), "wire-early")
    assert place.wait_for("mounted")["mountpoint"] == place.mountpoint, "named by a relative path"
    assert place.said() == f"socket{shown} then socket{shown}"
    assert place.errand("init", layer="wire") == "7.31"


@needs_root
def test_a_device_that_another_process_reads_is_handed_over_when_it_is_opened(place: Place) -> None:
    """glusterfs forks to mount: a socket in the child's hands would leave the parent with a device that says EPERM."""
    for mode in ("mount", "wire"):
        place.start(program("fork"), mode)
        place.wait_for("device-shared")
        place.wait_for("exit")
        place.sandbox.call("stop")
        place.sandbox.events.clear()
    place.start(program("fork"), "wire-early")
    place.wait_for("mounted")
    assert place.errand("init", layer="wire") == "7.31"
    place.sandbox.call("stop")
    place.sandbox.events.clear()
    place.start(program("fork"), "mount-early")
    place.wait_for("ready")
    assert place.errand("list", place.mountpoint) == []
    assert holders_of_the_device(place) == [place.processes()[1]]
    assert Opcode.READDIR in opcodes(place.sandbox.exchanges())


@needs_root
@pytest.mark.parametrize("way", ["direct", "helper", "clone"])
def test_the_early_hand_over_does_for_every_other_way(place: Place, way: str) -> None:
    """Where it is needed for one process, it must not break what the others do."""
    place.start(program(way), "mount-early")
    place.wait_for("ready")
    assert place.errand("list", place.mountpoint) == []
    assert place.sandbox.call("stop") == {"killed": [], "left": []}


@needs_root
def test_a_mount_that_fails_fails_for_the_daemon(place: Place) -> None:
    """It would serve a mount that is not there, and its own message would be lost."""
    place.start([*program("open")[:-1], "/nonexistent-place/mnt"])
    place.wait_for("exit")
    place.start([word.replace("{mnt}", "{mnt}/missing") for word in program("open")])
    place.wait_for("exit")
    assert "mounted" not in [event["event"] for event in place.sandbox.events]


@needs_root
def test_a_second_reply_is_told_but_leaves_nobody_hanging(place: Place) -> None:
    """The device refuses it with ENOENT; only where a request is open can it matter."""
    place.start([sys.executable, str(PROGRAMS / "hand_over.py"), "direct", "{mnt}"], rules=("GETATTR:unique,nth=1",))
    place.wait_for("ready")
    with pytest.raises(TimeoutError):
        place.errand("stat", place.mountpoint, seconds=0.3)
    assert place.wait_for("malformed")["open"] is True
    (hung,) = place.sandbox.call("status")["open"]
    assert place.sandbox.call("answer", uniques=[hung["unique"]], error=errno.EIO) == 1
    assert stat.S_ISDIR(place.errand("stat", place.mountpoint))


@needs_root
def test_a_notification_that_waits_in_the_kernel_does_not_stop_the_relay(place: Place) -> None:
    """The reply that would end its wait comes through the same relay: a deadlock that no daemon has alone."""
    place.start([sys.executable, str(PROGRAMS / "notifies_in_mkdir.py"), "{mnt}"])
    place.wait_for("ready")
    for _ in range(3):
        assert place.errand("mkdir", f"{place.mountpoint}/d", seconds=3) == "EROFS"
    assert place.errand("list", place.mountpoint) == []


@needs_root
def test_a_program_that_is_not_there(place: Place) -> None:
    """The errno of the exec is the whole explanation."""
    with pytest.raises(FileNotFoundError):
        place.start(["/nonexistent-program", "{mnt}"])
    assert place.sandbox.call("others") == []


class Deaf:
    """A listener that must not be listened to: before Linux 6.11 NOTIF_RECV waits for ever without a caller."""

    def receive(self) -> seccomp.Notification | None:
        raise AssertionError("this would wait for ever")


@pytest.mark.parametrize(("events", "goes_on"), [(select.EPOLLHUP, False), (select.EPOLLERR, True)])
def test_a_filter_without_callers_is_let_go(events: int, goes_on: bool) -> None:
    """The relay would stop for good when the daemon has ended, or spin."""
    listener: Any = Deaf()
    assert HandOver(listener, "mount", None, print, lambda _: True, print).on_event(events) is goes_on
