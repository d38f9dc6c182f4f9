"""Measure what efficiency techniques for PyTorch models cost and give, on your own machine."""

__version__ = "0.2.0"
