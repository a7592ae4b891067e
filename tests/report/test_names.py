"""The names of work files on the screen."""

from __future__ import annotations

import pytest

from fsprobe.report.names import plain_names

WORK = ".fsprobe-0123abcd-2s"
IDS = ("shell.touch", "shell.touch-d", "shell.historic.touch", "posix.create.mode", "protocol.open.truncate")


@pytest.mark.parametrize(("text", "plain"), [
    (f"touch: setting times of '{WORK}-touch-f'", "touch: setting times of 'f'"),
    (f"'{WORK}-touch-d-f'", "'f'"),
    (f"'{WORK}-historic.touch-test.txt'", "'test.txt'"),
    (f"SETATTR /{WORK}/touch/f size=0", "SETATTR …/f size=0"),
    ("SETATTR /.fsprobe-0123abcd-1w-44-f size=0", "SETATTR /f size=0"),
    ('RENAME /.fsprobe-0123abcd-1w/79/ "old" to /.fsprobe-0123abcd-1w/79/ "new"', 'RENAME …/ "old" to …/ "new"'),
    ('RMDIR /.fsprobe-0123abcd-1w/ "40"', 'RMDIR …/ "40"'),
    ("GETATTR /.fsprobe-0123abcd-2m/13.posix.create.mode →", "GETATTR … →"),
    ("/.fsprobe-0123abcd-2m/13.posix.create.mode/aged/", "…/aged/"),
    (".fsprobe-0123abcd-2m.40.shared", "shared"),
    ("/home/.fsprobe/f", "/home/.fsprobe/f"),
])  # fmt: skip
def test_prefix_is_taken_away_and_the_name_stays(text, plain):
    """A line of 80 cells has room for a message or for a prefix of 30."""
    checks = [{"id": id, "observed": text, "reproduce": text} for id in IDS]
    [shown, *_] = plain_names({"checks": checks, "diagnoses": []})["checks"]
    assert (shown["observed"], shown["reproduce"]) == (plain, text)
