"""The public path of what is in `headwater.sdk.client.registered_names`."""

from __future__ import annotations

from headwater.sdk.client.registered_names import line_in_script, note_registered, refuse_second, registering_at

__all__ = ["line_in_script", "note_registered", "refuse_second", "registering_at"]
