"""What pytest loads of fsprobe, whether it is used or not: options, the marker, and doors to the rest.

Owns when the rest is imported. It imports nothing but the table of settings, as a project that has nothing to do with
FUSE pays for whatever stands here.
"""

from __future__ import annotations

import pytest

from fsprobe.pytest_plugin import settings


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options and ini keys."""
    settings.register(parser)


def pytest_configure(config: pytest.Config) -> None:
    """The checks of a target become items where one is configured, and nobody asked for other tests only."""
    config.addinivalue_line("markers", settings.marker_line())
    target = settings.given(config, "target")
    if target is not None and settings.given(config, "no_checks") is None and _wants_checks(config, target):
        from fsprobe.pytest_plugin.conformance import Conformance

        config.pluginmanager.register(Conformance(config, target), "fsprobe-checks")


def _wants_checks(config: pytest.Config, target: settings.Value) -> bool:
    """A target of the configuration file is checked by a plain `pytest`, not by `pytest tests/test_one.py`."""
    if target.origin.startswith("option") or config.args_source is not config.ArgsSource.ARGS:
        return True
    return any(str(arg).startswith("fsprobe::") for arg in config.args)
