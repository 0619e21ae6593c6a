"""The stored code of a run's flow, as its process loads it."""

from __future__ import annotations

import msgspec

from headwater.core.events import StorageReference


def is_sealed(storage: StorageReference) -> bool:
    """Tell whether the stored code is checked byte for byte, so that its tasks need not be compared with those registered."""
    return storage.sha256 is not None and not storage.stored_as_script


def reference_of(storage: StorageReference) -> dict[str, object]:
    """Return the reference as storage wants it."""
    return msgspec.to_builtins(storage)  # type: ignore[no-any-return]
