"""The tables against the C header: a wrong offset would make every decoded message a lie.

A header newer than the installed one is named by the environment variable FSPROBE_FUSE_HEADER.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from enum import IntEnum
from pathlib import Path

import pytest

from fsprobe import wire
from fsprobe.wire.layout import LAYOUTS

HEADER = Path(os.environ.get("FSPROBE_FUSE_HEADER", "/usr/include/linux/fuse.h"))

# enum, the header's prefix, names that the prefix alone does not give
ENUMS: list[tuple[type[IntEnum], str]] = [
    (wire.Opcode, "FUSE_"),
    (wire.Notification, "FUSE_NOTIFY_"),
    (wire.InitFlag, "FUSE_"),
    (wire.CuseInitFlag, "CUSE_"),
    (wire.OpenFlag, "FOPEN_"),
    (wire.OpenInFlag, "FUSE_OPEN_"),
    (wire.SetattrValid, "FATTR_"),
    (wire.AttrFlag, "FUSE_ATTR_"),
    (wire.GetattrFlag, "FUSE_GETATTR_"),
    (wire.ReleaseFlag, "FUSE_RELEASE_"),
    (wire.LkFlag, "FUSE_LK_"),
    (wire.WriteFlag, "FUSE_WRITE_"),
    (wire.ReadFlag, "FUSE_READ_"),
    (wire.IoctlFlag, "FUSE_IOCTL_"),
    (wire.PollFlag, "FUSE_POLL_"),
    (wire.FsyncFlag, "FUSE_FSYNC_"),
    (wire.SetxattrFlag, "FUSE_SETXATTR_"),
    (wire.InvalEntryFlag, "FUSE_"),
    (wire.SetupmappingFlag, "FUSE_SETUPMAPPING_FLAG_"),
    (wire.ExtType, "FUSE_"),
]
C_NAMES = {
    (wire.Opcode, "CUSE_INIT"): "CUSE_INIT",
    (wire.IoctlFlag, "BIT32"): "FUSE_IOCTL_32BIT",
    (wire.ExtType, "GROUPS"): "FUSE_EXT_GROUPS",
}
C_FIELDS = {
    ("fuse_statx", "spare0"): "__spare0",
    ("fuse_statx", "spare2"): "__spare2",
    ("fuse_sx_time", "reserved"): "__reserved",
}
# What came after the oldest header this is run against (7.38), and with which minor.
NEWER = {
    "fuse_sx_time": 39,
    "fuse_statx": 39,
    "fuse_statx_in": 39,
    "fuse_statx_out": 39,
    "fuse_init_out.max_stack_depth": 40,
    "fuse_open_out.backing_id": 40,
    "fuse_init_out.request_timeout": 43,
    "fuse_init_out.unused": 43,
    "fuse_copy_file_range_out": 45,
    "fuse_notify_prune_out": 45,
    # FUSE_EXT_GROUPS and CREATE_SUPP_GROUP are of 7.38, but not in the first headers of it
    "FUSE_EXT_GROUPS": 39,
    "FUSE_CREATE_SUPP_GROUP": 39,
    "FUSE_DIRECT_IO_ALLOW_MMAP": 39,
    "FUSE_STATX": 39,
    "FUSE_PASSTHROUGH": 40,
    "FUSE_NO_EXPORT_SUPPORT": 40,
    "FUSE_HAS_RESEND": 40,
    "FOPEN_PASSTHROUGH": 40,
    "FUSE_NOTIFY_RESEND": 40,
    "FUSE_ALLOW_IDMAP": 41,
    "FUSE_OVER_IO_URING": 42,
    "FUSE_REQUEST_TIMEOUT": 43,
    "FUSE_NOTIFY_INC_EPOCH": 44,
    "FUSE_COPY_FILE_RANGE_64": 45,
    "FUSE_NOTIFY_PRUNE": 45,
}
# Structs that are not a body's fixed part: decoded by hand (dirents, extensions) or not on this wire.
BY_HAND = {
    "fuse_dirent",
    "fuse_direntplus",
    "fuse_secctx",
    "fuse_secctx_header",
    "fuse_ext_header",
    "fuse_supp_groups",
    "fuse_backing_map",
    "fuse_uring_ent_in_out",
    "fuse_uring_req_header",
    "fuse_uring_cmd_req",
}


def structs_of(text: str) -> dict[str, list[str]]:
    """Every struct of the header and its fields."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return {
        name: re.findall(r"(\w+)(?:\[[^]]*\])?\s*;", body)
        for name, body in re.findall(r"struct\s+(\w+)\s*\{([^}]*)\}", text)
    }


@pytest.fixture(scope="module")
def header() -> str:
    if not HEADER.exists():
        pytest.skip(f"no FUSE header at {HEADER} (Debian: linux-libc-dev)")
    return HEADER.read_text()


@pytest.fixture(scope="module")
def minor(header: str) -> int:
    found = re.search(r"FUSE_KERNEL_MINOR_VERSION\s+(\d+)", header)
    assert found
    return int(found.group(1))


@pytest.fixture(scope="module")
def compiled(header: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """What the C compiler makes of the header: sizes, offsets and constants, by name."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler (Debian: gcc)")
    structs = structs_of(header)
    lines = []
    for layout in LAYOUTS.values():
        if layout.c_name in structs:
            lines.append(f'S("{layout.c_name}", sizeof(struct {layout.c_name}))')
            for field in layout.fields:
                c_field = C_FIELDS.get((layout.c_name, field.name), field.name)
                if c_field in structs[layout.c_name]:
                    lines.append(
                        f'S("{layout.c_name}.{field.name}", offsetof(struct {layout.c_name}, {c_field}))'
                    )
    words = set(re.findall(r"\w+", header))
    lines += [f'S("{name}", {name})' for name in sorted({n for n, _ in constants()} & words)]
    folder = tmp_path_factory.mktemp("header")
    source = folder / "layout.c"
    source.write_text(
        "#include <stddef.h>\n#include <stdio.h>\n"
        f'#include "{HEADER}"\n'
        '#define S(n, v) printf("%s %llu\\n", n, (unsigned long long)(v));\n'
        "int main(void) {\n" + "\n".join(lines) + "\nreturn 0; }\n"
    )
    subprocess.run([compiler, "-w", "-o", folder / "layout", source], check=True, timeout=60)
    output = subprocess.run([folder / "layout"], check=True, capture_output=True, text=True, timeout=10)
    return {name: int(value) for name, value in (line.split() for line in output.stdout.splitlines())}


def constants() -> list[tuple[str, int]]:
    """The header's name of every member of our enums, and its value here."""
    return [
        (C_NAMES.get((enum, member.name), prefix + member.name), member.value & 0xFFFFFFFFFFFFFFFF)
        for enum, prefix in ENUMS
        for member in enum
    ]


def missing(names: list[str], present: dict[str, int], minor: int) -> list[str]:
    """Names that this header should have and has not."""
    return [
        name
        for name in names
        if name not in present and NEWER.get(name, NEWER.get(name.partition(".")[0], 0)) <= minor
    ]


def test_sizes_and_offsets_are_the_compilers(compiled: dict[str, int], minor: int) -> None:
    names = []
    for layout in LAYOUTS.values():
        if not layout.c_name:
            continue
        names.append(layout.c_name)
        if layout.c_name in compiled:
            assert layout.codec.size == compiled[layout.c_name], layout.c_name
            assert layout.sizes[-1][1] <= layout.codec.size
        for field in layout.fields:
            name = f"{layout.c_name}.{field.name}"
            names.append(name)
            if name in compiled and not (minor < NEWER.get(name, 0)):
                assert field.offset == compiled[name], name
    assert missing(names, compiled, minor) == []


def test_every_opcode_and_flag_has_the_headers_value(compiled: dict[str, int], minor: int) -> None:
    for name, value in constants():
        # The header writes bit 31 as a negative int
        if name in compiled:
            assert value == compiled[name] & (0xFFFFFFFF if value < 2**32 else ~0), name
    assert missing([name for name, _ in constants()], compiled, minor) == []


def test_no_struct_opcode_or_notification_of_the_header_is_left_out(header: str, minor: int) -> None:
    known = {layout.c_name for layout in LAYOUTS.values()} | BY_HAND
    if minor > wire.PROTOCOL_MINOR:
        pytest.skip(f"header 7.{minor} is newer than 7.{wire.PROTOCOL_MINOR}, which is what is known")
    assert set(structs_of(header)) - known == set()
    for block, enum in (("fuse_opcode", wire.Opcode), ("fuse_notify_code", wire.Notification)):
        body = re.search(rf"enum {block} \{{(.*?)\}};", header, re.S)
        assert body
        values = {int(v) for n, v in re.findall(r"(\w+)\s*=\s*(\d+)", body.group(1)) if "RESERVED" not in n}
        assert values <= {int(member) for member in enum}


def test_compat_sizes_are_the_headers(header: str) -> None:
    compat = {name: int(size) for name, size in re.findall(r"#define FUSE_COMPAT_(\w+_SIZE)\s+(\d+)", header)}
    ours = {
        "ENTRY_OUT_SIZE": wire.size_of(wire.EntryOut, 8),
        "ATTR_OUT_SIZE": wire.size_of(wire.AttrOut, 8),
        "MKNOD_IN_SIZE": wire.size_of(wire.Mknod, 11),
        "WRITE_IN_SIZE": wire.size_of(wire.WriteIn, 8),
        "STATFS_SIZE": wire.size_of(wire.StatfsOut, 3),
        "SETXATTR_IN_SIZE": wire.size_of(wire.Setxattr),
        "INIT_OUT_SIZE": wire.size_of(wire.InitOut, 4),
        "22_INIT_OUT_SIZE": wire.size_of(wire.InitOut, 22),
    }
    assert compat == {name: size for name, size in ours.items() if name in compat}
    assert len(compat) >= 6


def test_the_newer_parts_too(compiled: dict[str, int], minor: int) -> None:
    if minor < wire.PROTOCOL_MINOR:
        newer = sorted(name for name, since in NEWER.items() if since > minor)
        pytest.skip(
            f"{HEADER} is 7.{minor}: {len(newer)} newer names not checked; set FSPROBE_FUSE_HEADER"
        )
    assert missing(list(NEWER), compiled, minor) == []
