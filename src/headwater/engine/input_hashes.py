"""The public path of what is in `headwater.sdk.language.input_hashes`."""

from __future__ import annotations

from headwater.sdk.language.input_hashes import hash_of_input

__all__ = ["hash_of_input"]
