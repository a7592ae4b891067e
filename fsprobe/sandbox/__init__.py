"""Namespaces, mounts, processes, and what this machine offers."""
