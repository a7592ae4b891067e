"""Messages there and back: what is decoded is what was sent, and garbage never ends in a traceback."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsprobe import wire
from fsprobe.wire import Opcode, PeerError
from tests.wire.messages import as_seen_by, bodies

MINORS = st.integers(8, 45)
few = settings(max_examples=20, deadline=None)


@pytest.mark.parametrize("opcode", Opcode, ids=lambda opcode: opcode.name)
@few
@given(data=st.data(), minor=MINORS, ext=st.booleans())
def test_every_request_survives_the_wire(opcode: Opcode, data: Any, minor: int, ext: bool) -> None:
    """A wrong request decoder would show the user arguments that no program passed."""
    body = data.draw(bodies(wire.REQUESTS[opcode]))
    extensions = data.draw(st.sampled_from([b"", b"8 bytes!", bytes(24)]))
    raw = wire.build_request(
        opcode,
        7,
        body,
        unique=2**63 + 9,
        uid=1,
        gid=2,
        pid=3,
        minor=minor,
        extensions=extensions,
        setxattr_ext=ext,
    )
    request = wire.decode_request(raw, minor, ext)
    fixed = (16 if ext else 8) if opcode == Opcode.SETXATTR else None
    if extensions and not wire.LAYOUTS[type(body)].tails:
        # Behind a body without a tail they could be a longer struct; kernels only put them behind names
        assert request.opcode == opcode
        return
    assert request.body == as_seen_by(body, minor, fixed)
    assert request.extensions == extensions
    header = request.header
    assert (header.len, header.unique, header.nodeid) == (len(raw), 2**63 + 9, 7)
    assert (header.uid, header.gid, header.pid) == (1, 2, 3)
    assert header.total_extlen == (len(extensions) // 8 if minor >= 38 else 0)


@pytest.mark.parametrize("opcode", sorted(set(Opcode) - wire.NO_REPLY), ids=lambda opcode: opcode.name)
@few
@given(data=st.data(), minor=MINORS)
def test_every_reply_survives_the_wire(opcode: Opcode, data: Any, minor: int) -> None:
    """A wrong reply decoder would blame a daemon for attributes it never sent."""
    kind = wire.REPLIES[opcode]
    body = None if kind is None else data.draw(bodies(kind))
    raw = wire.build_reply(5, body, opcode=opcode, minor=minor)
    assert wire.decode_reply(raw, opcode, minor).body == as_seen_by(body, minor)
    error = wire.decode_reply(wire.build_reply(5, error=38, opcode=opcode), opcode, minor)
    assert (error.error, error.header.error, error.body) == (38, -38, None)


@pytest.mark.parametrize("code", wire.Notification, ids=lambda code: code.name)
@few
@given(data=st.data())
def test_every_notification_survives_the_wire(code: wire.Notification, data: Any) -> None:
    kind = wire.NOTIFICATIONS[code]
    body = None if kind is None else data.draw(bodies(kind))
    raw = wire.build_notification(code, body)
    assert wire.decode_notification(raw) == wire.Notice(code, body)
    assert struct.unpack_from("=IiQ", raw) == (len(raw), code, 0)


def messages() -> st.SearchStrategy[tuple[Opcode, bytes, bytes]]:
    """An opcode, a request of it and a reply to it, whole."""

    @st.composite
    def build(draw: Any) -> tuple[Opcode, bytes, bytes]:
        opcode = draw(st.sampled_from(list(Opcode)))
        kind = wire.REPLIES[opcode]
        body = None if kind is None else draw(bodies(kind))
        request = wire.build_request(opcode, 1, draw(bodies(wire.REQUESTS[opcode])), unique=3)
        return opcode, request, wire.build_reply(3, body, opcode=opcode)

    return build()


@settings(max_examples=150, deadline=None)
@given(message=messages(), data=st.data(), minor=MINORS, ext=st.booleans())
def test_cut_or_garbled_bytes_give_a_peer_error_and_nothing_else(
    message: tuple[Opcode, bytes, bytes], data: Any, minor: int, ext: bool
) -> None:
    """One hostile daemon must not end the whole run with a traceback."""
    opcode, request, reply = message
    for raw in (request, reply):
        cut = raw[: data.draw(st.integers(0, len(raw) - 1))]
        with pytest.raises(PeerError):
            wire.decode_request(cut, minor, ext) if raw is request else wire.decode_reply(cut, opcode, minor)
        noise = bytearray(cut)
        if len(noise) >= 4 and data.draw(st.booleans()):
            noise[:4] = struct.pack("=I", len(noise))
        for _ in range(data.draw(st.integers(0, 3))):
            if noise:
                noise[data.draw(st.integers(0, len(noise) - 1))] = data.draw(st.integers(0, 255))
        for partial in (False, True):
            for decode in (
                lambda raw, partial: wire.decode_request(raw, minor, ext, partial=partial),
                lambda raw, partial: wire.decode_reply(raw, opcode, minor, partial=partial),
                lambda raw, partial: wire.decode_notification(raw, partial=partial),
            ):
                try:
                    decode(bytes(noise), partial)
                except PeerError:
                    pass
        for known in (True, False):
            assert isinstance(wire.judge_reply(noise, len(noise), known, opcode, minor, bytes(cut)), str)


@settings(max_examples=100, deadline=None)
@given(raw=st.binary(max_size=80))
def test_extensions_of_any_bytes_give_blocks_or_a_peer_error(raw: bytes) -> None:
    try:
        wire.decode_extensions(raw)
    except PeerError:
        pass


def test_the_head_of_a_message_is_enough_for_its_arguments() -> None:
    """The trace keeps heads only; a WRITE of a megabyte must still show its offset."""
    write = wire.WriteIn(fh=3, offset=77, data=b"x" * 5000)
    head = wire.build_request(Opcode.WRITE, 9, write, unique=1)[:640]
    request = wire.decode_request(head, partial=True)
    assert (request.body.offset, request.body.size, len(request.body.data)) == (77, 5000, 640 - 80)
    names = wire.DirentList(tuple(wire.Dirent(n, n, 8, b"entry-%03d" % n) for n in range(50)))
    reply = wire.build_reply(1, names, opcode=Opcode.READDIR)[:400]
    entries = wire.decode_reply(reply, Opcode.READDIR, partial=True).body.entries
    assert entries == names.entries[: len(entries)]
    assert len(entries) == 9


def test_bytes_as_a_kernel_wrote_them() -> None:
    """Against a memory of our own mistakes: a LOOKUP written by hand, byte by byte."""
    raw = bytes.fromhex(
        "2f000000 01000000 0800000000000000 0100000000000000 e8030000 64000000 2a000000 00000000"
        "68656c6c6f210000"[:-2]
    )
    request = wire.decode_request(raw)
    assert request.opcode is Opcode.LOOKUP
    assert request.body == wire.Lookup(b"hello!")
    assert (request.header.uid, request.header.gid, request.header.pid) == (1000, 100, 42)


def test_an_unknown_opcode_is_kept_and_named() -> None:
    """A kernel newer than fsprobe must not make it blind."""
    raw = wire.build_request(99, 4, b"payload", unique=8)
    assert wire.decode_request(raw).body == b"payload"
    assert wire.opcode_name(99) == "OPCODE_99"
    assert wire.decode_notification(wire.build_notification(44, b"zz")) == wire.Notice(44, b"zz")
    assert wire.flag_names(wire.OpenFlag, 0x8001) == ["DIRECT_IO", "0x8000"]
    assert wire.flag_names(wire.InitFlag, 1 << 42 | 1 << 60) == ["REQUEST_TIMEOUT", hex(1 << 60)]


def test_newer_kernels_longer_structs_are_read_whatever_the_minor() -> None:
    """Kernels send 40 bytes of read_in to a daemon of minor 8, and 16 of getattr_in."""
    read = wire.ReadIn(fh=1, offset=2, size=3, flags=0o2)
    raw = wire.build_request(Opcode.READ, 1, read, unique=1)
    assert wire.decode_request(raw, 8).body == read


def test_getxattr_with_size_0_answers_a_size() -> None:
    ask = wire.Getxattr(size=0, name=b"user.x")
    raw = wire.build_reply(1, wire.GetxattrOut(size=12), opcode=Opcode.GETXATTR)
    assert wire.decode_reply(raw, Opcode.GETXATTR, request=ask).body == wire.GetxattrOut(size=12)
    assert isinstance(wire.decode_reply(raw, Opcode.GETXATTR).body, wire.DataOut)


def test_security_contexts_and_groups_are_read() -> None:
    blocks = wire.build_contexts((wire.SecurityContext(b"security.selinux", b"label\0"),))
    blocks += wire.build_groups((4, 1000))
    found = wire.decode_extensions(blocks)
    assert found[0].contexts == (wire.SecurityContext(b"security.selinux", b"label\0"),)
    assert found[1].groups == (4, 1000)
    make = wire.Mkdir(mode=0o755, name=b"d")
    raw = wire.build_request(Opcode.MKDIR, 1, make, unique=2, extensions=blocks)
    assert wire.decode_request(raw).extensions == blocks


@pytest.mark.parametrize(
    "broken",
    [
        lambda: wire.build_request(Opcode.LOOKUP, 1, wire.Lookup(b"a\0b"), unique=1),
        lambda: wire.build_request(Opcode.LOOKUP, 1, wire.Unlink(b"a"), unique=1),
        lambda: wire.build_request(Opcode.GETATTR, -1, wire.GetattrIn(), unique=1),
        lambda: wire.build_request(Opcode.GETATTR, 1, None, unique=1),
        lambda: wire.build_request(Opcode.READLINK, 1, None, unique=1, extensions=b"odd"),
        lambda: wire.build_reply(1, wire.AttrOut(attr=wire.Attr(mode=2**32)), opcode=Opcode.GETATTR),
        lambda: wire.build_reply(1, wire.AttrOut(), 5, opcode=Opcode.GETATTR),
        lambda: wire.build_reply(1, error=-5, opcode=Opcode.GETATTR),
        lambda: wire.build_reply(1, wire.EntryOut(), opcode=Opcode.UNLINK),
        lambda: wire.build_reply(1, None, opcode=Opcode.GETATTR),
        lambda: wire.build_reply(1, wire.InitOut(unused=b"short"), opcode=Opcode.INIT),
        lambda: wire.build_notification(wire.Notification.POLL),
        lambda: wire.field_offset(wire.AttrOut, "attr.nonsense"),
    ],
)
def test_what_cannot_be_said_is_our_own_error(broken: Any) -> None:
    """A check with a typo must not send half a message and blame the daemon."""
    with pytest.raises(wire.LocalError):
        broken()


def test_a_field_can_be_changed_in_place() -> None:
    """The fault rules alter one attribute of a reply that is otherwise passed on as it came."""
    body = wire.CreateOut(wire.EntryOut(nodeid=4, attr=wire.Attr(size=11)), wire.OpenOut(fh=6))
    for minor in (8, 45):
        raw = bytearray(wire.pack(body, minor))
        for path, value in (("entry.attr.size", 12), ("open.fh", 9)):
            offset, code = wire.field_offset(wire.CreateOut, path, minor)
            struct.pack_into("=" + code, raw, offset, value)
        changed = wire.unpack(wire.CreateOut, bytes(raw), minor=minor)[0]
        assert (changed.entry.attr.size, changed.open.fh, changed.entry.nodeid) == (12, 9, 4)
