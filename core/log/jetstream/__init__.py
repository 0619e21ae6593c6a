"""The log on NATS JetStream."""

from headwater.core.log.jetstream import (
    nats_without_websocket as nats_without_websocket,  # before all others: it decides how the client library is loaded
)
from headwater.core.log.jetstream.log import JetStreamLog, open_log
from headwater.core.log.jetstream.log_times import LogTimes
from headwater.core.log.jetstream.streams import StreamSettings

__all__ = ["JetStreamLog", "LogTimes", "StreamSettings", "open_log"]
