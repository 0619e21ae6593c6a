"""Work items as bytes. A run's creation travels inside as the bytes of its commit, with all that the codec promises for those."""

from __future__ import annotations

import msgspec

from headwater.core.errors import CommitUnreadable
from headwater.core.events import RunCreated
from headwater.core.log import subjects
from headwater.core.log.codec import message_decoder
from headwater.core.log.edge import read_commit, write_commit
from headwater.core.log.protocol import WorkItem
from headwater.core.values.limits import Int32, Token, Uuid

_NO_CREATION = b"null"


class _Wire(msgspec.Struct, frozen=True, kw_only=True):
    run_id: Uuid
    queue_id: Token
    generation: Int32
    creation: msgspec.Raw = msgspec.Raw(_NO_CREATION)


_encode = msgspec.json.Encoder().encode
_decode = message_decoder(_Wire)


def encode_item(item: WorkItem) -> bytes:
    """Return the item as the bytes of one message.

    Raises:
        CommitTooLarge: the creation it carries does not fit into one.
        InvalidArgument: it holds what could not be read back.

    """
    creation = _NO_CREATION if item.creation is None else write_commit(subjects.run(item.run_id), item.creation)
    return _encode(_Wire(run_id=item.run_id, queue_id=item.queue_id, generation=item.generation, creation=msgspec.Raw(creation)))


def decode_item(data: bytes) -> WorkItem:
    """Return the item in these bytes.

    Raises:
        CommitUnreadable: they hold none that this version can read.

    """
    wire = _decode(data)
    carried = bytes(wire.creation)
    if carried == _NO_CREATION:
        return WorkItem(run_id=wire.run_id, queue_id=wire.queue_id, generation=wire.generation)
    creation = read_commit(subjects.run(wire.run_id), carried)
    if not creation.events or not isinstance(creation.events[0], RunCreated):
        raise CommitUnreadable("The commit that the work item carries does not create its run.")
    return WorkItem(run_id=wire.run_id, queue_id=wire.queue_id, generation=wire.generation, creation=creation)


def item_on(subject: str, data: bytes) -> WorkItem:
    """Return the item in the bytes of a message on this subject.

    Raises:
        CommitUnreadable: they hold none that this version can read, or one of another run or queue.

    """
    item = decode_item(data)
    if subject != subjects.scheduled(item.queue_id, item.run_id):
        raise CommitUnreadable(f"It is about run {item.run_id} in queue {item.queue_id}, which is not what its subject says.")
    return item
