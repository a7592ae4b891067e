"""A daemon may leave CREATE out, because the kernel then asks MKNOD and OPEN: no check may need it."""

from __future__ import annotations

import pytest

from tests.command import Command


@pytest.mark.mount
def test_without_create_nothing_fails(fsprobe: Command) -> None:
    """Sound daemons without CREATE were red in checks of other operations, with no cause named."""
    result = fsprobe("run", "vexfs:raw", "--inject", "CREATE:errno=ENOSYS", "--select", "protocol.*")
    assert result.exit_code == 0 and result.document, result
    assert not [one for one in result.document["diagnoses"] if one["confidence"] != "note"]
