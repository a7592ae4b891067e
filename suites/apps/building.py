"""What builds software: make, the compiler, Python with its virtual environments and its cached bytecode."""

from __future__ import annotations

from fsprobe.checks import Skip, shell_check
from fsprobe.checks.shell import Shell

SOURCE = "catalogue 3.36 (application recipes)"
HELLO = r"""#include <stdio.h>\nint main(void) { puts("compiled"); return 0; }\n"""


def _executable(sh: Shell) -> None:
    """Raises Skip where nothing may be executed here."""
    fields = sh.mount_line().partition(" - ")
    if "noexec" in f"{fields[0].split(' ')[5:6]} {fields[2]}":
        raise Skip("mounted noexec: no program here may be started")


@shell_check(
    "apps.make.mtimes", op="GETATTR", also=("SETATTR", "CREATE", "WRITE", "LOOKUP"), source="man 1 make; " + SOURCE,
    needs=("write", "program:make"),
    killers=(
        "CREATE:errno=EIO,path=*/out", "SETATTR:errno=EIO,path=*/out",
        "SETATTR:fake,path=*/out",
    ),
)
def make_mtimes(sh: Shell) -> None:
    """`make` builds what is missing, the second time nothing, and what is older than its source again."""
    d = sh.name("d")
    rules = r"all: out\nout: in\n\tcat in > out\n\techo built >> log\n"
    sh.must(f"mkdir {d} && printf '{rules}' > {d}/Makefile && echo one > {d}/in && touch -d 2001-01-01 {d}/in")
    make = f"make -s --no-print-directory -C {d}"
    sh.ok(make)
    sh.ok(f"{make} -q")
    sh.ok(make)
    sh.expect_output(f"cat {d}/out {d}/log", "one\nbuilt")
    sh.ok(f"touch -d 2000-01-01 {d}/out && echo two > {d}/in && touch -d 2001-01-01 {d}/in")
    sh.ok(make)
    sh.expect_output(f"cat {d}/out {d}/log", "two\nbuilt\nbuilt")


@shell_check(
    "apps.make.parallel", op="CREATE", also=("WRITE", "MKDIR", "READ", "READDIR"), source="man 1 make; " + SOURCE,
    needs=("write", "program:make"), parallel=True,
    killers=("CREATE:errno=EIO,path=*.o", "READ:errno=EIO", "WRITE:fake"),
)
def make_parallel(sh: Shell) -> None:
    """`make -j8` writes twenty objects side by side and puts them together in order."""
    d = sh.name("d")
    rules = (
        r"objects := $(patsubst %%.in,%%.o,$(wildcard *.in))\nall: $(objects)\n\tcat $(sort $(objects)) > all\n"
        r"%%.o: %%.in\n\tcp $< $@\n"
    )
    sh.must(f"mkdir {d} && printf '{rules}' > {d}/Makefile && for n in $(seq 11 30); do echo $n > {d}/$n.in; done")
    sh.ok(f"make -s -j8 --no-print-directory -C {d}")
    sh.expect_output(f"seq 11 30 | cmp - {d}/all", "")
    sh.ok(f"make -q --no-print-directory -C {d}")


@shell_check(
    "apps.gcc", op="WRITE", also=("CREATE", "SETATTR", "READ", "OPEN", "RENAME"),
    source="catalogue 3.36; catalogue 3.13.5 (ETXTBSY)", needs=("write", "program:gcc"),
    killers=("WRITE:errno=EIO,path=*.o", "CREATE:errno=EIO,path=*.o", "READ:errno=EIO", "SETATTR:errno=EIO"),
)
def gcc(sh: Shell) -> None:
    """`gcc` compiles and links a program, which runs at once."""
    _executable(sh)
    source, binary = sh.name("hello.c"), sh.name("hello")
    sh.must(f"printf '{HELLO}' > {source}")
    sh.ok(f"gcc -c -o {binary}.o {source}")
    sh.ok(f"gcc -o {binary} {binary}.o")
    sh.expect_output(f"./{binary}", "compiled")


@shell_check(
    "apps.script", op="READ", also=("OPEN", "SETATTR", "CREATE"), source="man 2 execve; catalogue 3.13.5",
    needs=("write",), killers=("READ:errno=EIO", "SETATTR:errno=EIO", "SETATTR:fake"),
)
def script(sh: Shell) -> None:
    """A script is written, made executable and run, twenty times over: never busy, never half written."""
    _executable(sh)
    f = sh.name("script")
    one = f"printf '#!/bin/sh\\necho ran %s\\n' $n > {f}-$n && chmod 755 {f}-$n && ./{f}-$n || exit"
    runs = "\n".join(f"ran {n}" for n in range(1, 21))
    sh.expect_output(f"( for n in $(seq 20); do {one}; done )", runs)


@shell_check(
    "apps.python.venv", op="SYMLINK", also=("MKDIR", "CREATE", "WRITE", "SETATTR", "READLINK", "LOOKUP"),
    source=SOURCE, needs=("write", "symlink", "program:python3"),
    killers=("SYMLINK:errno=EIO", "MKDIR:errno=EIO", "WRITE:errno=EIO", "CREATE:errno=EIO"),
)
def venv(sh: Shell) -> None:
    """`python3 -m venv` makes an environment whose python knows that it is one."""
    d = sh.name("venv")
    done = sh.run("python3 -c 'import venv'")
    if done.status:
        raise Skip("python3 has no module venv")
    sh.ok(f"python3 -m venv --without-pip {d}")
    sh.expect_output(f"{d}/bin/python -c 'import sys; print(sys.prefix != sys.base_prefix)'", "True")
    sh.expect_output(f". {d}/bin/activate && command -v python; deactivate", f"{sh.dir}/{d}/bin/python")


@shell_check(
    "apps.python.bytecode", op="RENAME", also=("MKDIR", "CREATE", "WRITE", "READ", "GETATTR"), source=SOURCE,
    needs=("write", "program:python3"), killers=("READ:errno=EIO", "READDIR:errno=EIO", "RENAME:errno=EIO"),
)
def bytecode(sh: Shell) -> None:
    """`python3` imports a package from here, keeps its bytecode, and uses that the next time."""
    d = sh.name("package")
    sh.must(f"mkdir {d} && echo 'from .part import VALUE' > {d}/__init__.py && echo 'VALUE = 42' > {d}/part.py")
    program = f'import importlib as i; print(i.import_module(\"{d}\").VALUE)'
    python = f"env -u PYTHONDONTWRITEBYTECODE -u PYTHONPYCACHEPREFIX PYTHONPATH=. python3 -c '{program}'"
    cached = f"stat -c '%n %s %Y' {d}/__pycache__/*.pyc"
    sh.expect_output(python, "42")
    before = sh.ok(cached).output
    sh.expect_equal("files of bytecode", len(before.splitlines()), 2)
    sh.expect_output(python, "42")
    sh.expect_output(cached, before)
