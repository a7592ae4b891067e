"""Between the kernel and the daemon: the hand-over, the pump, the rules."""
