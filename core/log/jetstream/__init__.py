"""The log on NATS JetStream."""

from headwater.core.log.jetstream import bare_nats as bare_nats  # before all others: it decides how the client library is loaded
from headwater.core.log.jetstream.log import JetStreamLog, open_log
from headwater.core.log.jetstream.streams import StreamSettings

__all__ = ["JetStreamLog", "StreamSettings", "open_log"]
