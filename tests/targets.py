"""The real and the broken daemons that tests run fsprobe on, as a table of commands.

Owns the command lines and how the compiled ones are built; knows nothing of pytest.
"""

from __future__ import annotations

import fcntl
import gzip
import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
EXAMPLES = Path("/usr/share/doc/libfuse3-dev/examples")
# What libfuse's own build defines on Linux. Without them utimens, fallocate and xattr are left out.
FEATURES = (
    "-DHAVE_UTIMENSAT",
    "-DHAVE_POSIX_FALLOCATE",
    "-DHAVE_SETXATTR",
    "-DHAVE_COPY_FILE_RANGE",
    "-DHAVE_STATX",
)
# A cache of its own for each start: one that another user has written to is of no use.
RCLONE = "--config /dev/null --vfs-cache-mode writes --cache-dir {source}.cache"
# The subdir module confines the examples that mirror "/" to one directory.
CONFINED = "-o modules=subdir,subdir={source}"


class Missing(Exception):
    """This machine does not have what a target needs; the text is the reason for a skip."""


@dataclass(frozen=True, slots=True)
class Target:
    """A daemon of somebody else (or a small one of ours) and its command line.

    command: a template for `fsprobe run`; `{bin}`, `{programs}`, `{python}` and `{image}` are
    filled in here, `{mountpoint}` and `{source}` by fsprobe. background: the same daemon, detaching itself.
    """

    command: str
    background: str = ""
    programs: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    example: str = ""
    defines: tuple[str, ...] = FEATURES
    image: bool = False
    read_only: bool = False


def _example(
    name: str, options: str = "", *, read_only: bool = False, defines: tuple[str, ...] = FEATURES
) -> Target:
    command = " ".join(f"{{bin}}/{name} {options} -f {{mountpoint}}".split())
    return Target(
        command,
        command.replace(" -f ", " "),
        example=name.split(".")[0],
        defines=defines,
        read_only=read_only,
    )


TARGETS: dict[str, Target] = {
    "bindfs": Target("bindfs -f {source} {mountpoint}", "bindfs {source} {mountpoint}", programs=("bindfs",)),
    "unionfs-fuse": Target(
        "unionfs-fuse -f {source}=RW {mountpoint}",
        "unionfs-fuse {source}=RW {mountpoint}",
        programs=("unionfs-fuse",),
    ),
    "hello": _example("hello", read_only=True),
    "hello_ll": _example("hello_ll", read_only=True),
    "passthrough": _example("passthrough", CONFINED),
    # As somebody builds it by hand from the one file: no utimens, so `touch` fails.
    "passthrough-bare": _example("passthrough.bare", CONFINED, defines=()),
    "passthrough_fh": _example("passthrough_fh", CONFINED),
    "passthrough_ll": _example("passthrough_ll", "-o source={source}"),
    "passthrough_ll-writeback": _example("passthrough_ll", "-o source={source} -o writeback"),
    "rclone": Target(
        f"rclone mount {RCLONE} {{source}} {{mountpoint}}",
        f"rclone mount --daemon {RCLONE} {{source}} {{mountpoint}}",
        programs=("rclone",),
    ),
    "squashfuse": Target(
        "squashfuse -f {image} {mountpoint}",
        "squashfuse {image} {mountpoint}",
        programs=("squashfuse", "mksquashfs"),
        image=True,
        read_only=True,
    ),
    "pyfuse3": Target(
        "{python} {programs}/pyfuse3_memfs.py {mountpoint} -f",
        "{python} {programs}/pyfuse3_memfs.py {mountpoint}",
        modules=("pyfuse3", "trio"),
    ),
    "mfusepy": Target(
        "{python} {programs}/mfusepy_memfs.py {mountpoint} -f",
        "{python} {programs}/mfusepy_memfs.py {mountpoint}",
        modules=("mfusepy",),
    ),
}

BROKEN: dict[str, str] = {
    "exits-at-once": "{programs}/exits_at_once",
    "prints-usage": "{programs}/prints_usage",
    "floods-output": "{programs}/floods_output",
    "never-mounts": "{programs}/never_mounts",
    "not-executable": "{programs}/not_executable",
    "no-interpreter": "{programs}/no_interpreter",
    "does-not-exist": "{programs}/does_not_exist",
    "dies-before-init": "{python} {programs}/dies_before_init.py {mountpoint}",
    "dies-at-first-request": "{python} {programs}/dies_at_first_request.py {mountpoint}",
    "segfaults-at-first-request": "{python} {programs}/dies_at_first_request.py {mountpoint} --segfault",
    "never-answers-init": "{python} {programs}/never_answers_init.py {mountpoint}",
    "refuses-init": "{python} {programs}/refuses_init.py {mountpoint}",
    "forks-to-background": "{python} {programs}/forks_to_background.py {mountpoint}",
    "forks-before-mount": "{python} {programs}/forks_to_background.py {mountpoint} --before-mount",
    "empty-directory": "{python} {programs}/empty_directory.py {mountpoint}",
}
"""Small daemons of tests/programs, most of them bad at starting; the last three are sound."""


def command_of(name: str, shared: Path, *, background: bool = False, python: str = sys.executable) -> str:
    """The template of a target of either table, with whatever it needs built below `shared`.

    Raises Missing with the reason where this machine cannot run it.
    """
    if name in BROKEN:
        return _fill(BROKEN[name], shared, python)
    target = TARGETS[name]
    for program in target.programs:
        if shutil.which(program) is None:
            raise Missing(f"{program} is not installed")
    for module in target.modules:
        if importlib.util.find_spec(module) is None:
            raise Missing(f"the Python package {module} is not installed")
    text = target.background if background else target.command
    if target.example:
        _build_example(text.split()[0].rpartition("/")[2], target, shared)
    if target.image:
        _build_image(shared)
    return _fill(text, shared, python)


def share_programs(shared: Path) -> None:
    """A copy of the small programs that every user can read, wherever the clone lies."""
    place = shared / "programs"
    shutil.copytree(PROGRAMS, place, ignore=shutil.ignore_patterns("__pycache__", "bin"))
    for path in (shared, place):
        path.chmod(0o755)
    (shared / "bin").mkdir()


def _fill(text: str, shared: Path, python: str) -> str:
    places = {
        "bin": shared / "bin",
        "programs": shared / "programs",
        "python": python,
        "image": shared / "tree.sqfs",
    }
    for place, value in places.items():
        text = text.replace(f"{{{place}}}", str(value))
    return text


def _build_example(name: str, target: Target, shared: Path) -> None:
    binary = shared / "bin" / name
    with open(shared / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # let go at close; several test processes share the folder
        if binary.exists():
            return
        sources = _example_sources(shared)
        if shutil.which("gcc") is None or shutil.which("pkg-config") is None:
            raise Missing("gcc and pkg-config are not installed")
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "fuse3"], capture_output=True, text=True)
        if flags.returncode:
            raise Missing("libfuse3-dev is not installed")
        source = sources / f"{target.example}.c"
        command = [
            "gcc",
            "-O1",
            "-w",
            *target.defines,
            str(source),
            "-o",
            f"{binary}.new",
            *flags.stdout.split(),
        ]
        built = subprocess.run([*command, f"-I{sources}"], capture_output=True, text=True, timeout=60)
        if built.returncode:
            raise Missing(f"{source} does not compile: {built.stderr.strip().splitlines()[0]}")
        os.rename(f"{binary}.new", binary)


def _example_sources(shared: Path) -> Path:
    """Where the examples lie as plain text; a package may hold some of them compressed."""
    if not EXAMPLES.is_dir():
        raise Missing(f"the examples of libfuse3-dev are not in {EXAMPLES}")
    place = shared / "examples"
    if not place.exists():
        shutil.copytree(EXAMPLES, place)
        for packed in place.glob("*.gz"):
            packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
    return place


def _build_image(shared: Path) -> None:
    image, tree = shared / "tree.sqfs", shared / "tree"
    with open(shared / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if image.exists():
            return
        make_tree(tree)
        command = ["mksquashfs", str(tree), f"{image}.new", "-quiet", "-no-progress", "-noappend"]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        os.rename(f"{image}.new", image)


def make_tree(root: Path) -> None:
    """A small known tree: text, an empty file, 200 kB, a deep folder, links, unusual names and modes."""
    (root / "deep" / "er" / "still").mkdir(parents=True)
    (root / "hello.txt").write_text("hello\n")
    (root / "empty").touch()
    (root / "large.bin").write_bytes(bytes(range(256)) * 800)
    (root / "deep" / "er" / "file").write_text("deep\n")
    (root / "a name with spaces").write_text("spaces\n")
    (root / "näme").write_text("unicode\n")
    (root / "link").symlink_to("hello.txt")
    (root / "dangling").symlink_to("nowhere")
    os.link(root / "hello.txt", root / "hard")
    (root / "script").write_text("#!/bin/sh\necho ran\n")
    (root / "script").chmod(0o755)
    (root / "private").write_text("mine\n")
    (root / "private").chmod(0o600)
