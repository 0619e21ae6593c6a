"""The fold: commits in, changes of rows out. No I/O and no clock here; the same log always gives the same rows."""
