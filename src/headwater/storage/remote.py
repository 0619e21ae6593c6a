"""The public path of what is in `headwater.sdk.storage.remote`."""

from __future__ import annotations

from headwater.sdk.storage.remote import IN_A_BUCKET, IN_A_REPOSITORY, RemoteStorage, list_of, optional, place_of, required, settings_of

__all__ = ["IN_A_BUCKET", "IN_A_REPOSITORY", "RemoteStorage", "list_of", "optional", "place_of", "required", "settings_of"]
