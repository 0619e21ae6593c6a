"""The three logs that keep one contract, and what may go wrong with each: for the contract suite."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from harness.servers import NatsCluster, NatsNode
from harness.tcp_proxy import CuttingProxy, cutting_proxy
from headwater.core.errors import OutcomeUnknown
from headwater.core.log.jetstream import open_log
from headwater.core.log.memory import MemoryLog, Moment, Operation
from headwater.core.log.protocol import Log


class Broker(ABC):
    """Where a log lies, with its faults."""

    name: str

    @abstractmethod
    def open(self) -> AbstractAsyncContextManager[Log]:
        """One more connection to the log."""

    @abstractmethod
    def open_breakable(self) -> AbstractAsyncContextManager[Breakable]:
        """A connection that can be broken."""

    @abstractmethod
    def kill(self) -> None:
        """Kill the process that takes appends, or the one process there is."""

    @abstractmethod
    def restart(self) -> None:
        """Start again what was killed; return when it works."""


class Breakable(ABC):
    """A connection with something unreliable between it and the log."""

    log: Log

    @abstractmethod
    def lose_the_reply_to(self, subject: str) -> None:
        """The next append on this subject takes effect, and its answer is lost."""

    @abstractmethod
    def cut(self) -> None:
        """Break the connection now; it may come back at once."""

    @property
    @abstractmethod
    def work_lost(self) -> int:
        """How often something was lost."""


class InMemory(Broker):
    name = "memory"

    def __init__(self) -> None:
        self._log = MemoryLog()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Log]:
        yield self._log

    @asynccontextmanager
    async def open_breakable(self) -> AsyncIterator[Breakable]:
        yield _BreakableMemory(self._log)
        self._log.interference = _undisturbed

    def kill(self) -> None:
        """What memory holds cannot be away; `restart` does what can be seen of it."""

    def restart(self) -> None:
        self._log.restart_broker()


@dataclass
class OneNode(Broker):
    node: NatsNode
    name = "one node"

    def open(self) -> AbstractAsyncContextManager[Log]:
        return open_log(self.node.url, name="contract", ensure_streams=True)

    def open_breakable(self) -> AbstractAsyncContextManager[Breakable]:
        return _through_proxy(self.node.url)

    def kill(self) -> None:
        self.node.kill()

    def restart(self) -> None:
        self.node.start()


@dataclass
class ThreeNodes(Broker):
    cluster: NatsCluster
    name = "three nodes"
    opened: int = 0

    def open(self) -> AbstractAsyncContextManager[Log]:
        # Each connection begins at another node, so that readers and writers do not share a replica.
        self.opened += 1
        urls = self.cluster.urls[self.opened % 3 :] + self.cluster.urls[: self.opened % 3]
        return open_log(",".join(urls), name="contract", ensure_streams=True, replicas=3)

    def open_breakable(self) -> AbstractAsyncContextManager[Breakable]:
        return _through_proxy(self.cluster.urls[0])

    def kill(self) -> None:
        self.cluster.leader_of("EVENTS").kill()

    def restart(self) -> None:
        self.cluster.start()


@dataclass
class _BreakableProxy(Breakable):
    log: Log
    proxy: CuttingProxy

    def lose_the_reply_to(self, subject: str) -> None:
        self.proxy.lose_the_reply_to(subject)

    def cut(self) -> None:
        self.proxy.cut()

    @property
    def work_lost(self) -> int:
        return self.proxy.cuts


@asynccontextmanager
async def _through_proxy(url: str) -> AsyncIterator[Breakable]:
    async with cutting_proxy(url) as proxy, open_log(proxy.url, name="contract, breakable") as log:
        yield _BreakableProxy(log, proxy)


@dataclass
class _BreakableMemory(Breakable):
    log: MemoryLog
    lost: list[str] = field(default_factory=list)

    def lose_the_reply_to(self, subject: str) -> None:
        def lose(operation: Operation, moment: Moment, given: str) -> None:
            if (operation, moment, given) == ("append", "done", subject) and given not in self.lost:
                self.lost.append(given)
                raise OutcomeUnknown("", "the reply was lost")

        self.log.interference = lose

    def cut(self) -> None:
        self.lost.append("everything")
        self.log.restart_broker()

    @property
    def work_lost(self) -> int:
        return len(self.lost)


def _undisturbed(_operation: Operation, _moment: Moment, _subject: str) -> None:
    """Nothing is lost."""
