"""A Go daemon's last words: which handler waits, and for what."""

from __future__ import annotations

from fsprobe.results.verdicts import Cause
from fsprobe.runners import goroutines

DUMP = """SIGQUIT: quit
PC=0x47 m=0 sigcode=0

goroutine 1 [IO wait, 2 minutes]:
internal/poll.(*FD).Read(0xc00, {0x0, 0x1})
	/usr/lib/go/src/internal/poll/fd_unix.go:167 +0x25a fp=0xc00 sp=0xc01 pc=0x4
main.main()
	/src/main.go:9 +0x1

goroutine 7 gp=0xc000 m=nil [sync.Mutex.Lock]:
sync.runtime_SemacquireMutex(0x1)
	/usr/lib/go/src/runtime/sema.go:71 +0x25
sync.(*Mutex).Lock(...)
	/usr/lib/go/src/sync/mutex.go:90
main.(*File).Read(0xc0, {0x1, 0x2})
	/src/file.go:42 +0x4f
github.com/hanwen/go-fuse/v2/fs.(*rawBridge).Read(0xc1)
	/go/pkg/mod/github.com/hanwen/go-fuse/v2@v2.4.0/fs/bridge.go:8 +0x1
github.com/hanwen/go-fuse/v2/fuse.(*Server).handleRequest(0xc1)
	/go/pkg/mod/github.com/hanwen/go-fuse/v2@v2.4.0/fuse/server.go:8 +0x1
"""
FETCHES = DUMP.replace("goroutine 7 gp=0xc000 m=nil [sync.Mutex.Lock]", "goroutine 8 [select]").partition("goroutine 8")


def test_the_handler_that_waits_for_a_lock() -> None:
    """A dozen goroutines are idle by nature; the one that serves a request is told, with its line."""
    read = goroutines.parse(DUMP.splitlines())
    told = [(one.number, one.state, one.serves) for one in read]
    assert told == [(7, "sync.Mutex.Lock", True), (1, "IO wait", False)]
    found = goroutines.why(read)
    assert found is not None and found[0] is Cause.DEADLOCK_LOCK
    assert found[1] == (
        "goroutine 7 of the daemon waits for a lock in main.(*File).Read (/src/file.go:42) (sync.Mutex.Lock)"
    )


def test_who_holds_the_lock_and_waits_outside_is_the_root() -> None:
    """The others only wait for the lock that it holds."""
    found = goroutines.why(goroutines.parse((DUMP + "\n" + "".join(FETCHES[1:])).splitlines()))
    assert found is not None and found[0] is Cause.BLOCKED_IO and found[1].startswith("goroutine 8")


def test_no_goroutine_at_work_tells_nothing() -> None:
    """The main goroutine waits for ever in every daemon."""
    assert goroutines.why(goroutines.parse(DUMP.partition("goroutine 7")[0].splitlines())) is None
    assert goroutines.parse(["panic: oh"]) == []
