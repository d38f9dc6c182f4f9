"""What happens to a model's answers when the data shift: growing shifts, the ranges they reach, recalibration."""
