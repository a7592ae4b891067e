"""Whole screens against golden files. `FSPROBE_GOLDEN=write pytest tests/report` writes them anew: read the diff."""

from __future__ import annotations

import io
import json
import os
import re
import termios
import threading
from functools import partial
from typing import Any

import jsonschema
import pytest
from rich.cells import cell_len

from fsprobe.report.terminal import print_report, render
from fsprobe.results.document import SCHEMA_FILE
from tests.report import documents, recorded
from tests.report.golden_file import assert_golden

MADE = {
    "good, by hand": documents.good, "before-fix, by hand": documents.before_fix, "hang": documents.hang,
    "not-mounted, by hand": documents.not_mounted,
}  # fmt: skip
SCREENS = {"hostile": documents.hostile} | {name: partial(recorded.load, name) for name in recorded.NAMES}
ALL = MADE | SCREENS


def screen(document: dict[str, Any], *, verbose: bool = False) -> str:
    stream = io.StringIO()
    print_report(document, stream, verbose=verbose)
    return stream.getvalue()


@pytest.mark.parametrize("name", SCREENS)
def test_screen_is_the_golden_one(name):
    """A change of layout that nobody looked at would reach every user."""
    assert_golden(name, screen(SCREENS[name]()))


@pytest.mark.parametrize("verbose", [False, True])
@pytest.mark.parametrize("name", ALL)
def test_no_line_is_wider_than_80_cells(name, verbose):
    """On a terminal of 80 columns a longer line breaks the table."""
    long = [line for line in screen(ALL[name](), verbose=verbose).split("\n") if cell_len(line) > 80]
    assert not long


@pytest.mark.parametrize("name", ALL)
def test_documents_of_these_tests_fit_the_schema(name):
    """Screens proven on documents that no run makes would prove nothing."""
    jsonschema.validate(ALL[name](), json.loads(SCHEMA_FILE.read_text()))


def test_hostile_names_cannot_move_the_cursor_or_speak_for_fsprobe():
    """A file name under test could clear the screen, colour it, or add a line that says PASS."""
    shown = screen(documents.hostile(), verbose=True)
    assert not set(shown) & {"\x1b", "\x07", "\u202e", "\udcff", "\r"}
    assert "[bold red]a[/]" in shown
    evil = [line for line in shown.split("\n") if line.startswith("PASS 999")]
    assert not evil


def test_what_was_not_answered_is_counted_and_never_green():
    """UNSUPPORTED, SKIP and NOTRUN read as success otherwise."""
    lines = render(documents.good())
    counts = next(line for line in lines if "PASS 120" in line.plain)
    assert "UNSUPPORTED 1 · SKIP 2 · PASS 120" in counts.plain
    styled = {counts.plain[span.start : span.end]: str(span.style) for span in counts.spans}
    assert styled["PASS 120"] == "green"
    assert "green" not in styled["UNSUPPORTED 1"] + styled["SKIP 2"]


def test_touch_is_blamed_on_setattr_and_the_handlers_are_named():
    """The question of every first user: why does touch say Function not implemented?"""
    lines = screen(documents.before_fix()).split("\n")
    [touch] = [line for line in lines if line.startswith("touch ")]
    assert touch.split()[1] == "SETATTR" and touch.endswith("Function not implemented")
    row = next(line for line in lines if line.startswith("   SETATTR "))
    assert "chmod chown truncate" in row


def test_ascii_stream_gets_the_report_all_the_same():
    """LANG=C and a pipe would end in a UnicodeEncodeError instead of a report."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    print_report(documents.before_fix(), stream)
    stream.flush()
    assert b"FAIL 24 | WARN 1" in raw.getvalue()


def test_failed_start_says_why_in_its_first_lines():
    """The reason has to be on the screen even where no check ran and no cause is known."""
    document = documents.not_mounted() | {"diagnoses": [], "error": {"fact": "./x does not exist", "causes": []}}
    assert "./x does not exist." in screen(document).split("\n")[1]


def test_the_answer_is_on_the_smallest_screen_when_the_run_is_over():
    """A terminal of 24 lines shows the end of a report; what is wrong must stand there, and which commands fail."""
    last = "\n".join(screen(recorded.load("before-fix")).split("\n")[-24:])
    assert "5 operations are not implemented: SETATTR, UNLINK, RENAME, MKDIR, RMDIR." in last
    assert "touch" in last and "Operations.SETATTR" in last and "exit 1" in last


def test_harmless_enosys_is_told_from_the_fault_without_colour():
    """Twenty rows of ENOSYS, of which five matter, send the author to write what nobody needs."""
    lines = screen(recorded.load("before-fix")).split("\n")
    optional = next(number for number, line in enumerate(lines) if line.startswith("OPTIONAL"))
    faults = [line.split()[0] for line in lines[:optional] if " ENOSYS " in line]
    assert faults == ["SETATTR", "UNLINK", "RENAME", "MKDIR", "RMDIR"]
    flush = next(line for line in lines[optional:] if line.startswith("FLUSH"))
    assert "ENOSYS → success" in flush


def test_names_of_work_files_do_not_hide_what_a_command_said():
    """`touch: setting times of '.fsprobe-…` says nothing; the end of the message does."""
    shown = screen(recorded.load("before-fix"))
    assert ".fsprobe-" not in shown.replace("the first: .fsprobe-", "")
    assert "changing permissions of 'f': Function not implemented" in shown


@pytest.mark.parametrize("name", ["before-fix", "lost-reply"])
def test_the_example_shows_the_exchange_that_failed(name):
    """Three exchanges of a tidying up prove nothing."""
    lines = screen(recorded.load(name)).split("\n")
    shown = [line for line in lines if " SETATTR …/" in line or " SETATTR /" in line]
    assert shown and all("→ ENOSYS" in line or "→ no reply" in line for line in shown)


def test_a_command_is_charged_to_the_root_and_a_check_to_what_it_knows():
    """`rm -r` that fails because rmdir lies would send the author to unlink."""
    document = documents.good()
    check = documents.check("shell.rm-r", "FAIL", "UNLINK", title="`rm -r` removes it.", observed="d is still there")
    lies = {"cause": "silent-noop", "op": "RMDIR", "confidence": "likely", "summary": "RMDIR does nothing",
            "evidence": [], "fix": "", "checks": [check["id"]], "ops": ["RMDIR"]}  # fmt: skip
    document["checks"].append(check)
    document |= {"diagnoses": [lies]}
    document["summary"] |= {"exit_code": 1}
    shown = screen(document)
    assert "1 command fails: rm by RMDIR." in shown
    assert "rm -r         RMDIR       d is still there" in shown


def test_strict_says_what_it_counts():
    """Exit 1 under a headline that says all is well would look like a fault of fsprobe."""
    document = documents.good()
    document["summary"] |= {"exit_code": 1}
    assert "unexpected by --strict: UNSUPPORTED 1." in screen(document).split("\n")[1]


@pytest.mark.parametrize(("columns", "most"), [(60, 80), (80, 80), (100, 100), (200, 110)])
@pytest.mark.parametrize("verbose", [False, True])
def test_lines_are_as_wide_as_the_terminal_within_bounds(columns, most, verbose):
    """On a wide terminal the end of every error message would be cut off for nothing."""
    for make in ALL.values():
        shown = on_terminal(make(), columns, verbose=verbose).split("\n")
        widths = [cell_len(re.sub(r"\x1b\[[0-9;]*m", "", line.rstrip("\r"))) for line in shown]
        assert max(widths) <= most
    shown = on_terminal(recorded.load("before-fix"), columns)
    assert (max(map(cell_len, re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines())) > 80) == (most > 80)


def on_terminal(document, columns, *, verbose=False):
    """What a terminal of so many columns gets."""
    leader, follower = os.openpty()
    termios.tcsetwinsize(follower, (24, columns))
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: read_all(leader, got), daemon=True)
    reader.start()
    with os.fdopen(follower, "w", encoding="utf-8") as file:
        print_report(document, file, verbose=verbose)
    reader.join(10)
    os.close(leader)
    return b"".join(got).decode()


def read_all(fd, got):
    try:
        while part := os.read(fd, 65536):
            got.append(part)
    except OSError:  # EIO: the other side is closed
        pass


def test_a_fault_of_fsprobe_is_laid_at_no_operations_door():
    """An author would look for a mistake in STATFS, and in df, because fsprobe's own worker ended."""
    failed = [
        documents.check("shell.df", "ERROR", "STATFS", title="`df` works.", observed="fsprobe's own worker ended"),
        documents.check("posix.statfs.sane", "ERROR", "STATFS", observed="fsprobe's own worker ended"),
    ]
    shown = screen(documents.document("vexfs", {"STATFS": documents.untested()}, failed, 3))
    assert "\n2 checks failed by a fault of fsprobe itself" in shown and "STATFS is wrong" not in shown
    assert "command fails" not in shown and "BECAUSE OF" not in shown
    other = documents.check("shell.touch", "FAIL", "SETATTR", title="`touch` works.", observed="exit 1")
    shown = screen(documents.document("vexfs", {"SETATTR": documents.untested()}, [*failed, other], 1))
    assert "SETATTR is wrong in part.\n1 command fails: touch by SETATTR." in shown


@pytest.mark.parametrize(("verdict", "told"), [("HANG", "hangs: its reply is malformed"), ("FAIL", "kernel refuses")])
def test_a_reply_that_is_refused_hangs_only_where_it_does(verdict, told):
    """A wrong type in a reply is EIO at once: who reads that it hangs looks for a lock."""
    document = documents.good()
    check = documents.check("protocol.mknod.fifo", verdict, "MKNOD", observed="mode 0o100644 is not of the type")
    refused = {"cause": "malformed-reply", "op": "MKNOD", "confidence": "likely", "summary": "MKNOD …",
               "evidence": [], "fix": "", "checks": [check["id"]], "ops": ["MKNOD"]}  # fmt: skip
    document["checks"].append(check)
    document |= {"diagnoses": [refused]}
    document["summary"] |= {"exit_code": 1}
    assert told in screen(document).split("\n")[1]
