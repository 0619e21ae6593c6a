"""Keeping open pages as new as the log: one feed, fanned out."""
