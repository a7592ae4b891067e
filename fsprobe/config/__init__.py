"""What is configured: the target, so far."""
