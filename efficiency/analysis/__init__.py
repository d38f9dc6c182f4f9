"""From raw samples to numbers and verdicts: arrays and frames in, numbers out; no torch, no I/O."""
