"""The public path of what is in `headwater.sdk.storage.pickled`."""

from __future__ import annotations

from headwater.sdk.storage.pickled import load_saved_flow, pickled, save_flow, sha256_of, unpickled, unpickled_with_modules

__all__ = ["load_saved_flow", "pickled", "save_flow", "sha256_of", "unpickled", "unpickled_with_modules"]
