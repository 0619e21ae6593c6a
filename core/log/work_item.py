"""Work items as bytes. A run's creation travels inside as the bytes of its commit, with all that the codec promises for those."""

from __future__ import annotations

import msgspec

from headwater.core.codec import decode, encode
from headwater.core.errors import CommitUnreadable
from headwater.core.log.protocol import WorkItem

_NO_CREATION = b"null"


class _Wire(msgspec.Struct, frozen=True, kw_only=True):
    run_id: str
    queue_id: str
    generation: int
    creation: msgspec.Raw = msgspec.Raw(_NO_CREATION)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Wire)


def encode_item(item: WorkItem) -> bytes:
    """Return the item as the bytes of one message.

    Raises:
        CommitTooLarge: the creation it carries does not fit into one.

    """
    creation = _NO_CREATION if item.creation is None else encode(item.creation)
    return _encoder.encode(_Wire(run_id=item.run_id, queue_id=item.queue_id, generation=item.generation, creation=msgspec.Raw(creation)))


def decode_item(data: bytes) -> WorkItem:
    """Return the item in these bytes.

    Raises:
        CommitUnreadable: they hold none that this version can read.

    """
    try:
        wire = _decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise CommitUnreadable(f"These bytes are not a work item: {error}") from error
    carried = bytes(wire.creation)
    creation = None if carried == _NO_CREATION else decode(carried)
    return WorkItem(run_id=wire.run_id, queue_id=wire.queue_id, generation=wire.generation, creation=creation)
