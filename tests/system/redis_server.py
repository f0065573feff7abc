"""A real Redis on a port of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.conftest import find_tool
from tests.system.child import child, free_port
from tests.system.deadline import wait_until


@dataclass(frozen=True, slots=True)
class RedisServer:
    """Where it is reached."""

    port: int

    @property
    def url(self) -> str:
        """Wetread's `queue.url`."""
        return f"redis://127.0.0.1:{self.port}/0"

    def flush(self) -> None:
        """Forget everything, as an operator's FLUSHALL does."""
        with closing(Redis(port=self.port)) as client:
            client.flushall()

    def is_up(self) -> bool:
        """Whether it answers."""
        with closing(Redis(port=self.port)) as client:
            try:
                return bool(client.ping())
            except RedisConnectionError:
                return False


def new_redis() -> RedisServer:
    """A port for a Redis that is yet to be started."""
    return RedisServer(free_port())


@contextmanager
def running_redis(folder: Path, server: RedisServer) -> Iterator[RedisServer]:
    """Run it without persistence while the context is open: the ledger is the truth."""
    folder.mkdir(exist_ok=True)
    options = ["--port", str(server.port), "--bind", "127.0.0.1", "--dir", str(folder)]
    command = [find_tool("redis-server"), *options, "--save", "", "--appendonly", "no"]
    with child(command, log=folder / "redis.log"):
        wait_until(server.is_up, within_s=10, what="Redis up")
        yield server
