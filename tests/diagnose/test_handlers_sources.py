"""Handler names against the libraries themselves: what the report prints has to compile, and to be what is called."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
from collections.abc import Callable, Coroutine
from errno import errorcode
from pathlib import Path
from typing import Any

import pyfuse3
import pytest

from fsprobe.diagnose.handlers import FAMILIES, missing_answers
from fsprobe.diagnose.rows import Handler

# --- C: the compiler compares

HEADERS = [
    ("libfuse2", "fuse/fuse.h", "fuse_operations", 26),
    ("libfuse3", "fuse3/fuse.h", "fuse_operations", 35),
    ("libfuse2-low", "fuse/fuse_lowlevel.h", "fuse_lowlevel_ops", 26),
    ("libfuse-low", "fuse3/fuse_lowlevel.h", "fuse_lowlevel_ops", 35),
]


@pytest.mark.parametrize(("family", "header", "struct", "version"), HEADERS)
def test_c_rows_compile_as_members_of_the_real_struct(
    family: str, header: str, struct: str, version: int, tmp_path: Path
) -> None:
    """A pasted declaration with a wrong type is a warning at best, and memory that is overwritten at worst."""
    path = Path("/usr/include", header)
    if not path.exists():
        pytest.skip(f"{path} is not installed")
    offered = path.read_text()
    members = {
        handler.word: handler.signature
        for found in FAMILIES[family].values()
        for handler in found
        if f"(*{handler.word})" in offered or not re.search(r"/\* from libfuse 3\.\d+ on \*/$", handler.signature)
    }
    lines = [f"#define FUSE_USE_VERSION {version}", "#define _FILE_OFFSET_BITS 64", f"#include <{header}>"]
    for word, signature in members.items():
        lines.append(re.sub(rf"\b{word}\(", f"my_{word}(", signature, count=1) + ";")
    lines += [f"struct {struct} all = {{", *(f"    .{word} = my_{word}," for word in members), "};"]
    source = tmp_path / "rows.c"
    source.write_text("\n".join(lines) + "\n")
    argv = ["gcc", "-fsyntax-only", "-Werror", f"-I{path.parent}", str(source)]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        pytest.skip("gcc is not installed")
    assert done.returncode == 0, done.stderr
    assert len(members) > 30


# --- Python: the classes themselves


def _class(family: str) -> Any:
    module = pytest.importorskip({"fusepy": "fuse"}.get(family, family))
    return module.Operations


def _handlers(family: str) -> list[tuple[str, Handler]]:
    return [(op, handler) for op, found in FAMILIES[family].items() for handler in found]


def _arguments(signature: str) -> list[str]:
    function = ast.parse(f"{signature}: ...").body[0]
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    return [argument.arg for argument in function.args.args]


@pytest.mark.parametrize("family", ["pyfuse3", "fusepy", "mfusepy"])
def test_python_rows_have_the_arguments_of_the_real_methods(family: str) -> None:
    """A handler with one argument too few raises at its first call, and the caller gets EIO or worse."""
    operations = _class(family)
    for _, handler in _handlers(family):
        method = getattr(operations, handler.word)  # None: it is called where somebody defines it
        if method is not None:
            assert _arguments(handler.signature) == list(inspect.signature(method).parameters), handler
            assert inspect.iscoroutinefunction(method) == handler.signature.startswith("async "), handler


def test_fusepy_calls_lock_as_the_row_says() -> None:
    """Its class has no such method to compare with, only the call."""
    source = inspect.getsource(pytest.importorskip("fuse").FUSE.lock)
    called = re.search(r"operations\('lock', (.*?)\)\s*$", " ".join(source.split()))
    assert called
    passed = ["path" if "path" in word else word.strip() for word in called[1].split(",")]
    assert _arguments(FAMILIES["fusepy"]["SETLK"][0].signature) == ["self", *passed]


def _answer(method: Callable[..., Any]) -> str:
    """What a base class's method says: an errno's name, or "ok"."""
    arguments = ["/nothing" if name == "path" else None for name in list(inspect.signature(method).parameters)]
    try:
        result = method(*arguments)
        if isinstance(result, Coroutine):
            result.send(None)
    except StopIteration:
        return "ok"
    except (OSError, pyfuse3.FUSEError) as error:
        name = errorcode[error.errno]
        return {"ENOTSUP": "EOPNOTSUPP"}.get(name, name)
    return "ok"


@pytest.mark.parametrize(("family", "called"), [("pyfuse3", 25), ("fusepy", 25), ("mfusepy", 2)])
def test_what_the_base_class_answers_is_what_the_table_says(family: str, called: int) -> None:
    """By that answer a missing handler is told from a decision: EROFS of fusepy from a read-only file system."""
    instance = _class(family)()
    seen: dict[str, set[str]] = {}
    for op, handler in _handlers(family):
        # what mfusepy marks so is not given to libfuse: it answers by itself, as for a handler that C lacks
        method = getattr(instance, handler.word)
        given = method is not None and not getattr(method, "libfuse_ignore", False)
        if given and op not in ("INIT", "DESTROY", "FORGET", "BATCH_FORGET"):
            seen.setdefault(op, set()).add(_answer(method))
    wrong = {op: answers for op, answers in seen.items() if not answers <= set(missing_answers(family, op))}
    assert wrong == {}
    assert len(seen) >= called


_ASK_LLFUSE = """
import inspect, json, llfuse
print(json.dumps({name: list(inspect.signature(method).parameters)
                  for name, method in inspect.getmembers(llfuse.Operations, callable) if name[0] != "_"}))
"""
_ASK_FUSE_PYTHON = "import fuse, json; print(json.dumps(fuse.Fuse._attrs))"


def _of_the_system(code: str, what: str) -> Any:
    """What the system's own Python says: Debian has packages of these for it, the package index none to install."""
    try:
        done = subprocess.run(["/usr/bin/python3", "-c", code], capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        pytest.skip("there is no /usr/bin/python3")
    if done.returncode:
        pytest.skip(f"the system's Python has no {what}: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout)


def test_llfuse_rows_have_the_arguments_of_the_real_methods() -> None:
    """The older sister of pyfuse3 differs in three methods."""
    real = _of_the_system(_ASK_LLFUSE, "llfuse")
    for _, handler in _handlers("llfuse"):
        assert _arguments(handler.signature) == real[handler.word], handler


def test_fuse_python_calls_what_the_rows_name() -> None:
    """It looks for the methods of its own list, and calls no other."""
    real = _of_the_system(_ASK_FUSE_PYTHON, "fuse-python")
    assert {handler.word for _, handler in _handlers("fuse-python")} <= set(real)


# --- Go: the text of the interfaces

_GO_SOURCES = Path("/usr/share/gocode/src")
_GO_FUSE = "github.com/hanwen/go-fuse"
# Where each library declares its handlers, and what came after the version that Debian 12 has.
GO = {
    "go-fuse": ([f"{_GO_FUSE}/fs/api.go"],
                {"OnForget", "OpendirHandle", "Readdirent", "Releasedir", "Fsyncdir", "Ioctl", "Statx"}),
    "go-fuse-raw": ([f"{_GO_FUSE}/fuse/api.go"], {"Ioctl", "Statx"}),
    "go-fuse-nodefs": ([f"{_GO_FUSE}/fuse/nodefs/api.go"], set()),
    "go-fuse-pathfs": ([f"{_GO_FUSE}/fuse/pathfs/api.go", f"{_GO_FUSE}/fuse/nodefs/api.go"], set()),
    "bazil": (["bazil.org/fuse/fs/serve.go"],
              {"Poll", "Lock", "LockWait", "Unlock", "QueryLock", "FAllocate"}),
    "jacobsa": (["github.com/jacobsa/fuse/fuseutil/file_system.go"],
                {"StatFS", "MkNode", "CreateLink", "BatchForget", "ReadDirPlus", "Fallocate", "SyncFS",
                 "RemoveXattr", "GetXattr", "ListXattr", "SetXattr"}),
}  # fmt: skip


def _go_methods(text: str) -> set[str]:
    """`Name(types)(results)` of every method in the interfaces of a source."""
    text = re.sub(r"//[^\n]*", "", text)
    found = set()
    for body in re.findall(r"^type \w+ interface \{\n(.*?)^\}", text, re.DOTALL | re.MULTILINE):
        for line in re.sub(r"\(\s+|,\s*\n\s*", lambda m: "(" if m[0][0] == "(" else ", ", body).splitlines():
            if re.match(r"\s*[A-Z]\w*\(", line):
                found.add(_go_bare(line.strip()))
    return found


def _go_bare(method: str) -> str:
    """A declaration without the names of its arguments and results."""
    name, _, rest = method.partition("(")
    depth = [1]
    for letter in rest:
        depth.append(depth[-1] + {"(": 1, ")": -1}.get(letter, 0))
    at = depth.index(0) - 1
    results = rest[at + 1 :].strip().removeprefix("(").removesuffix(")")
    return f"{name}({', '.join(_go_types(rest[:at]))})({', '.join(_go_types(results))})"


def _go_types(listed: str) -> list[str]:
    """`a, b string, c *T` as string, string, *T; a list of bare types stays what it is."""
    parts = [part.strip() for part in listed.split(",") if part.strip()]
    spaced = [" " in part.replace("<-chan ", "<-chan_") for part in parts]
    if not any(spaced):
        return parts
    types: list[str] = []
    for part, named in reversed(list(zip(parts, spaced, strict=True))):
        types.append(part.partition(" ")[2] if named else types[-1])
    return types[::-1]


@pytest.mark.parametrize("family", GO)
def test_go_rows_are_methods_of_the_interfaces(family: str) -> None:
    """A method with another argument does not satisfy the interface, and Go says nothing: it is just never called."""
    files, newer = GO[family]
    paths = [_GO_SOURCES / file for file in files]
    if not all(path.exists() for path in paths):
        pytest.skip(f"the library's source is not installed: {paths[0]}")
    real = set().union(*(_go_methods(path.read_text()) for path in paths))
    rows = [re.sub(r"^func \(\w+ \*\w+\) ", "", handler.signature) for _, handler in _handlers(family)]
    assert len(real) > 10
    missing = {_go_bare(row) for row in rows if row.partition("(")[0] not in newer} - real
    assert missing == set()


def test_go_declarations_are_compared_by_types() -> None:
    """Names of arguments are free in Go; a type that differs is what matters."""
    assert _go_bare("Symlink(target, name string) (n *Inode, errno Errno)") == "Symlink(string, string)(*Inode, Errno)"
    assert _go_bare("Read(cancel <-chan struct{}, b []byte) Status") == "Read(<-chan struct{}, []byte)(Status)"
    assert _go_bare("StatFS(context.Context, *Op) error") == "StatFS(context.Context, *Op)(error)"
    source = "type X interface {\n\t// it\n\tA(\n\t\tb string,\n\t\tc T) error\n\tY\n}\n"
    assert _go_methods(source) == {"A(string, T)(error)"}
