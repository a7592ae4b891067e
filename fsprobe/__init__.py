"""fsprobe: test and debug any FUSE file system, without changing it."""

__version__ = "0.1.0"
