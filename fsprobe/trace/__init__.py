"""Exchanges: recording, querying, describing."""
