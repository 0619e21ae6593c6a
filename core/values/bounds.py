"""Bounds that the core and the flow language share."""

INLINE_RESULT_BYTES_MAX = 64 * 1024
"""How large a result of a task may be that lies in an event, as JSON."""
