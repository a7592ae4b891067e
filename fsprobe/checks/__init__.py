"""What a suite's author writes with: `from fsprobe.checks import mount_check, MUST, Finding`."""

from fsprobe.checks.check import (
    INFO,
    MUST,
    OPTIONAL,
    SHOULD,
    Blocked,
    Check,
    Finding,
    Level,
    Lost,
    Skip,
    Unsupported,
    mount_check,
    shell_check,
    wire_check,
)

__all__ = [
    "INFO", "MUST", "OPTIONAL", "SHOULD", "Blocked", "Check", "Finding", "Level", "Lost", "Skip", "Unsupported",
    "mount_check", "shell_check", "wire_check",
]
