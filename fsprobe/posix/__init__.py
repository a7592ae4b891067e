"""The kernel's interface: names, flags and the system calls that Python lacks."""
