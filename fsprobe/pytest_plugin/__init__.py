"""The pytest plugin `fsprobe`: checks of a target as items, and fixtures that mount a target for a project's tests."""
