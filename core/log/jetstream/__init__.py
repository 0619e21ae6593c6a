"""The log on NATS JetStream."""

from headwater.core.log.jetstream.log import JetStreamLog, open_log
from headwater.core.log.jetstream.streams import StreamSettings

__all__ = ["JetStreamLog", "StreamSettings", "open_log"]
