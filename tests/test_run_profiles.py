"""The main job on the defects that hang and on those that mix files up: the verdict of each, with its cause."""

from __future__ import annotations

import pytest

from tests.command import Command
from tests.reading import diagnosis, document_of, verdicts, with_verdict

pytestmark = pytest.mark.mount


def test_flat_names(fsprobe: Command) -> None:
    """Data of one file in another, in a directory apart: CREATE is at fault, and the data is called wrong."""
    document = document_of(fsprobe("run", "vexfs:flat-names", "--op", "CREATE", "--no-mount"))
    assert verdicts(document)["protocol.create.same-name-twice"] == "FAIL"
    assert [check["op"] for check in document["checks"] if check["verdict"] == "FAIL"] == ["CREATE"]
    assert diagnosis(document, "CREATE")["cause"] == "wrong-data"


def test_unlink_drops_inode(fsprobe: Command) -> None:
    """Temporary files are unlinked while open everywhere: what is read from them is gone."""
    document = document_of(fsprobe("run", "vexfs:unlink-drops-inode", "--op", "UNLINK"))
    failed = {check["id"]: check["op"] for check in document["checks"] if check["verdict"] == "FAIL"}
    assert failed.keys() >= {"protocol.unlink.open-file", "posix.unlink.open-file"}
    told = [(one["op"], one["cause"]) for one in document["diagnoses"] if one["confidence"] != "note"]
    assert told == [("UNLINK", "wrong-data")], "whatever operation meets the missing file, UNLINK is to be mended"
    assert not with_verdict(document, "HANG", "CRASH", "ERROR", "NOTRUN")
