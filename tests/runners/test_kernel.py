"""The wire layer plays a careful kernel: it leaves nothing, gives back what it got, and never waits for ever."""

import errno
import os
import socket
import stat
import struct
import time

import pytest

from fsprobe import wire
from fsprobe.checks.check import Blocked, Finding, Lost, Skip, Unsupported, wire_check
from fsprobe.runners.kernel import WireLayer
from fsprobe.runners.setup import Setup
from fsprobe.runners.worker import run_check
from fsprobe.wire import InitFlag, Opcode
from tests.runners.memory_daemon import WANTED, MemoryDaemon, Node

TIMEOUT = 0.2


def connect(daemon, **setup):
    daemon.start()
    fd = os.dup(daemon.kernel.fileno())
    daemon.kernel.close()
    return WireLayer(Setup("wire", "", "fsprobe-test", (), timeout=TIMEOUT, socket_fd=fd, **setup))


def close(layer):
    layer.link._socket.close()


def asked(function):
    """A check made of a function with a docstring."""
    return wire_check("test.check", op="LOOKUP", source="test")(function).__fsprobe_check__


def outcome(layer, function):
    return run_check(layer, layer.features, asked(function))


@pytest.fixture
def served():
    """A correct daemon and a layer that is ready; at the end the daemon must have no complaint."""
    daemon = MemoryDaemon()
    layer = connect(daemon)
    layer.prepare()
    yield daemon, layer
    close(layer)
    daemon.join(5)
    assert daemon.wronged == []


def busy(k):
    """Makes, opens, renames and links all sorts, and tidies up none of it."""
    folder = k.given_dir("folder")
    inner = k.mkdir(folder, "inner").nodeid
    node, _ = k.create(inner, "file")
    k.hardlink(node.nodeid, k.dir, "second")
    k.rename(k.dir, "second", folder, "moved")
    k.symlink(k.dir, "link", "anywhere")
    k.opendir(folder)
    k.lookup(folder, "moved")


def test_nothing_is_left_of_a_check(served):
    """A live bucket would fill with the rubbish of checks, and a daemon run out of handles."""
    daemon, layer = served
    assert outcome(layer, busy).kind == "ok"
    daemon_has = daemon.nodes[layer.place.work]
    assert daemon_has.children == {}
    assert daemon.open_handles == set()
    assert layer.close() == []
    assert daemon.nodes[1].children == {}
    time.sleep(0.02)
    assert {n for n, node in daemon.nodes.items() if node.lookups} == set()


def test_what_a_broken_check_leaves_is_removed_too(served):
    """A check that stops half way must not block the removal of its directory."""
    daemon, layer = served

    def breaks(k):
        """It breaks."""
        folder = k.given_dir("folder")
        k.request(Opcode.MKNOD, folder, wire.Mknod(0o100644, name=b"unknown to the ledger"))
        raise Finding("this", "that")

    assert outcome(layer, breaks).kind == "finding"
    assert daemon.nodes[layer.place.work].children == {}
    assert layer.close() == []


def test_what_cannot_be_removed_is_named():
    """Someone has to know what to delete by hand."""
    daemon = MemoryDaemon(["RMDIR:fake"])
    layer = connect(daemon)
    layer.prepare()
    outcome(layer, busy)
    assert layer.close() == ["fsprobe-test"]
    close(layer)


def test_without_directories_names_get_a_prefix():
    """A daemon without MKDIR must still be checked, and other people's files in its root stay."""
    daemon = MemoryDaemon(refuse={"MKDIR": errno.ENOSYS})
    daemon.add(1, b"f", Node(0o100644, data=bytearray(b"not ours")))
    layer = connect(daemon)
    features = layer.prepare()
    assert features["write"] == "" and "ENOSYS" in features["mkdir"]

    def works(k):
        """It works in the root."""
        k.given_file("f", b"ours")
        k.rename(k.dir, "f", k.dir, "g")
        k.expect_equal([b"g"], k.names(k.dir), "names")
        k.expect_equal(b"ours", k.content(k.lookup(k.dir, "g").nodeid), "content")

    assert outcome(layer, works).kind == "ok"
    assert layer.close() == []
    assert list(daemon.nodes[1].children) == [b"f"]
    assert bytes(daemon.nodes[2].data) == b"not ours"
    close(layer)


def test_a_read_only_target_is_found_out_and_left_alone():
    """It would be called broken for refusing what it is meant to refuse."""
    daemon = MemoryDaemon(read_only=True)
    layer = connect(daemon)
    features = layer.prepare()
    assert features["write"] == "read-only target: MKDIR EROFS, CREATE EROFS, MKNOD EROFS"
    assert features["read-only"] == features["regular-file"] == features["symlink"] == ""

    def reads(k):
        """It reads what is there."""
        sample = k.some_file()
        k.expect_equal((b"file", None, 9000), (sample.name, sample.content, sample.attr.size), "sample")

    assert outcome(layer, reads).kind == "ok"
    assert layer.close() == []
    assert sorted(daemon.nodes[1].children) == [b"dir", b"file", b"link"]
    close(layer)


def test_a_mount_that_the_kernel_guards_is_not_asked_to_refuse():
    """A daemon mounted `ro` is never asked: ENOSYS there is nobody's fault."""
    layer = connect(MemoryDaemon(read_only=True), mount_flags=1)
    features = layer.prepare()
    assert "kernel refuses" in features["write"] and "kernel refuses" in features["read-only"]
    close(layer)


def test_an_operation_to_avoid_is_not_asked_while_getting_ready():
    """A daemon that dies of MKDIR would die of every start, and nothing else be known."""
    daemon = MemoryDaemon(["MKDIR:crash"])
    layer = connect(daemon, avoid=("MKDIR",))
    assert layer.prepare()["write"] == ""
    assert outcome(layer, lambda_docs("k.getattr(k.root)")).kind == "ok"
    close(layer)


def lambda_docs(text):
    scope = {}
    exec(f'def asks(k):\n    """It asks."""\n    {text}\n', scope)
    return scope["asks"]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("GETATTR:drop", "no answer to GETATTR within 0.2 s"),
        ("GETATTR:crash", "the daemon's end closed before it answered GETATTR"),
        ("GETATTR:length", "malformed reply to GETATTR: the length field says"),
        ("GETATTR:positive-errno", "positive error 5"),
        ("GETATTR:unique", "is open; the kernel refuses it, the caller hangs"),
    ],
)
def test_a_reply_that_never_counts_is_lost_at_once(rule, words):
    """A hang must be told as a hang, soon, and with what was wrong on the wire."""
    layer = connect(MemoryDaemon([rule]))
    layer.prepare()
    began = time.monotonic()
    result = outcome(layer, lambda_docs("k.getattr(k.root)"))
    assert (result.kind, words in result.observed) == ("lost", True), result
    assert time.monotonic() - began < 1
    close(layer)


def test_a_daemon_that_reads_nothing_does_not_hold_us():
    """A stopped daemon would stop the whole run."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    layer = WireLayer(Setup("wire", "", "w", (), timeout=TIMEOUT, socket_fd=ours.detach()))
    with pytest.raises(Lost, match="no answer to INIT"):
        layer.prepare()
    theirs.close()
    close(layer)


def test_a_body_that_the_kernel_refuses_is_a_finding_and_blocks_others():
    """The application gets EIO: the operation is at fault, and only that one."""
    layer = connect(MemoryDaemon(["MKNOD:attr.mode=0o40644"]))
    layer.prepare()
    result = outcome(layer, lambda_docs("k.mknod(k.dir, 'n', 0o100644)"))
    assert result.kind == "finding" and "caller gets EIO" in result.observed
    layer.link.absent.add(Opcode.CREATE)
    result = outcome(layer, lambda_docs("k.given_file('f')"))
    assert (result.kind, result.call, result.errno) == ("blocked", "MKNOD", errno.EIO)
    close(layer)


def test_a_nodeid_that_changes_its_type_is_a_finding(served):
    """The kernel marks such an inode bad for good."""
    daemon, layer = served

    def changes(k):
        """It changes."""
        node = k.given_file("f")
        daemon.nodes[node].mode = stat.S_IFDIR | 0o755
        k.getattr(node)

    result = outcome(layer, changes)
    assert "stays a regular file" in result.expected
    assert "directory" in result.observed


def test_no_open_needed_means_no_release():
    """ENOSYS from OPEN is a feature; a RELEASE of a handle that never was would be our fault."""
    daemon = MemoryDaemon(refuse={"OPEN": errno.ENOSYS, "OPENDIR": errno.ENOSYS, "FLUSH": errno.ENOSYS})
    layer = connect(daemon)
    layer.prepare()

    def opens(k):
        """It opens."""
        node = k.given_file("f", b"data")
        k.expect(k.open(node).stateless, "no handle", "a handle")
        k.expect_equal(b"data", k.content(node), "content")
        k.expect_equal([b"f"], k.names(k.dir), "names")

    assert outcome(layer, opens).kind == "ok"
    assert layer.close() == []
    close(layer)
    daemon.join(5)
    assert daemon.wronged == []


def test_where_the_kernel_asks_readdirplus_only_so_do_we():
    """A daemon of pyfuse3 has no READDIR, and no kernel ever asks it: it would be called broken."""
    daemon = MemoryDaemon(refuse={"READDIR": errno.ENOSYS}, wanted=WANTED & ~InitFlag.READDIRPLUS_AUTO)
    layer = connect(daemon)
    layer.prepare()

    def lists(k):
        """It lists."""
        k.given_file("f")
        k.expect_equal([b"f"], k.names(k.dir), "names")

    assert outcome(layer, lists).kind == "ok"
    assert layer.close() == []
    close(layer)
    daemon.join(5)
    assert daemon.wronged == []


def test_a_daemon_without_create_gets_mknod_and_open():
    """Many file systems have only these: every check that needs a file would be blocked."""
    layer = connect(MemoryDaemon(refuse={"CREATE": errno.ENOSYS}))
    layer.prepare()
    result = outcome(layer, lambda_docs("k.expect_equal(b'data', k.content(k.given_file('f', b'data')), 'content')"))
    assert result.kind == "ok", result
    close(layer)


@pytest.mark.parametrize("wanted", [WANTED, WANTED & ~InitFlag.SETXATTR_EXT, WANTED | InitFlag.DONT_MASK])
def test_what_was_agreed_in_init_decides(wanted):
    """Structures of the wrong size make a daemon see rubbish; a umask applied twice or never makes wrong modes."""
    daemon = MemoryDaemon(wanted=wanted)
    layer = connect(daemon)
    layer.prepare()
    seen = []

    def uses(k):
        """It uses both."""
        made, _ = k.create(k.dir, "f", 0o666, umask=0o027)
        seen.append(made.attr.mode)
        k.setxattr(made.nodeid, "user.a", b"value")
        k.expect_equal(b"value", k.getxattr(made.nodeid, "user.a"), "value")

    assert outcome(layer, uses).kind == "ok"
    assert seen == [0o100666 if wanted & InitFlag.DONT_MASK else 0o100640]
    close(layer)


def test_writes_are_no_larger_than_agreed(served):
    """A daemon answers larger ones with EINVAL, or breaks."""
    _, layer = served

    def writes(k):
        """It writes."""
        node, handle = k.create(k.dir, "f")
        k.expect_equal(400_000, k.write(handle, b"x" * 400_000), "bytes written")
        k.expect_equal(400_000, k.getattr(node.nodeid).size, "size")

    assert layer.negotiated.max_write == 128 << 10
    assert outcome(layer, writes).kind == "ok"


def test_notifications_are_kept_and_harm_nothing(served):
    """A daemon that invalidates while it answers would look as if it answered wrongly."""
    daemon, layer = served
    daemon.socket.send(wire.build_notification(wire.Notification.INVAL_INODE, wire.NotifyInvalInodeOut(1, -1, 0)))
    daemon.socket.send(struct.pack("=IiQ", 16, 77, 0))
    assert outcome(layer, lambda_docs("k.getattr(k.root)")).kind == "ok"
    assert [notice.code for notice in layer.link.notices] == [2, 77]


def test_words_of_a_check(served):
    """A suite's author must get the right kind of end from each helper."""
    _, layer = served
    kernel = layer._kernel()
    refuses = OSError(errno.EPERM, "no")
    with pytest.raises(Finding, match="expected ENOENT, observed success"), kernel.raises(errno.ENOENT):
        pass
    with pytest.raises(Finding, match="observed EPERM"), kernel.raises(errno.ENOENT):
        raise refuses
    with pytest.raises(Finding) as warned, kernel.raises(errno.ENOENT, warn=(errno.EPERM,)):
        raise refuses
    assert warned.value.warn
    with pytest.raises(Unsupported), kernel.raises(errno.ENOENT, optional=(errno.EPERM,)):
        raise refuses
    with pytest.raises(OSError), kernel.optional():
        raise refuses
    with pytest.raises(Unsupported), kernel.optional(errno.EPERM):
        raise refuses
    with pytest.raises(Blocked), kernel.setup("links"):
        raise refuses
    with pytest.raises(Skip, match="no links here"), kernel.setup("links", (errno.EPERM,)):
        raise refuses


def test_destroy_ends_the_connection_and_says_so(served):
    """A check after the end would be told as a hang."""
    daemon, layer = served
    assert outcome(layer, lambda_docs("k.given_file('f'); k.destroy()")).kind == "ok"
    assert daemon.nodes[1].children == {}
    result = outcome(layer, lambda_docs("k.getattr(k.root)"))
    assert (result.kind, result.observed) == ("skip", "the connection was ended by DESTROY")
    assert layer.close() == []


def test_a_late_answer_is_not_taken_for_another(served):
    """The next check would get the last one's reply and be judged by it."""
    daemon, layer = served
    kernel = layer._kernel()
    unique = kernel.link.send(Opcode.GETATTR, 1, wire.GetattrIn())
    assert kernel.answered(unique, 1)
    kernel.answer(unique)
    daemon.socket.send(wire.raw_reply(unique, 0, b"again"))
    assert kernel.getattr(1).ino == 1


def test_the_fake_daemon_minds_what_a_kernel_does():
    """If the daemon of these tests noticed nothing, they would prove nothing."""
    daemon = MemoryDaemon()
    layer = connect(daemon)
    layer.prepare()
    layer.link.send(Opcode.FORGET, 1, wire.ForgetIn(3))
    daemon.join(5)
    assert daemon.wronged == ["FORGET of 3 lookups of node 1"]
    close(layer)
