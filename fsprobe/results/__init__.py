"""Verdicts and the result document."""
