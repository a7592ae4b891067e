"""Performance side by side: the work, the turns that targets take, the numbers, and the regression test."""
