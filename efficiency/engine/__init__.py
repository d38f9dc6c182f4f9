"""Runs studies: a conductor without torch, and child processes that measure."""
