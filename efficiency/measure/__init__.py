"""One thing measured a file. Run in child processes only."""
