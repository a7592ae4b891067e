"""The result on disk."""

from __future__ import annotations

import os
import threading

import pytest

from fsprobe.errors import UsageError
from fsprobe.report.json_file import write
from fsprobe.results.document import load
from tests.report import documents


def test_file_is_whole_and_nothing_is_beside_it(tmp_path):
    """CI would read half a result, or collect temporary files."""
    path = tmp_path / "result.json"
    path.write_text("old")
    write(documents.hang(), str(path))
    assert load(path) == documents.hang()
    assert os.listdir(tmp_path) == ["result.json"]
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()


def test_written_through_a_symbolic_link_and_into_a_pipe(tmp_path):
    """`--json /dev/fd/3` or a link in a fixed place would be replaced by a file."""
    (tmp_path / "link").symlink_to("real.json")
    write(documents.good(), str(tmp_path / "link"))
    assert (tmp_path / "link").is_symlink() and load(tmp_path / "real.json") == documents.good()
    os.mkfifo(tmp_path / "pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_text()), daemon=True)
    reader.start()
    write(documents.good(), str(tmp_path / "pipe"))
    reader.join(5)
    assert read and read[0].startswith("{")


def test_place_that_does_not_exist_is_told(tmp_path):
    """A traceback instead of a sentence, after a run of minutes."""
    with pytest.raises(UsageError, match="cannot be written"):
        write(documents.good(), str(tmp_path / "no" / "result.json"))


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
