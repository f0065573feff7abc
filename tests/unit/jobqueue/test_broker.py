from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from redis import Redis

from tests.system.child import free_port
from tests.system.redis_server import RedisServer, new_redis, running_redis
from wetread.domain import AnalysisId, Lane
from wetread.errors import Unreachable
from wetread.jobqueue.broker import TASK, CeleryQueue, make_app


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with running_redis(tmp_path / "redis", new_redis()) as server:
        yield server


def test_a_message_is_an_analysis_id_in_json_on_its_lane(redis: RedisServer) -> None:
    with make_app(redis.url) as app:
        CeleryQueue(app).put(AnalysisId(7), Lane.URGENT)

    with closing(Redis(port=redis.port)) as client:
        [raw] = client.lrange("urgent", 0, -1)
        message = json.loads(raw)
    assert message["headers"]["task"] == TASK
    assert message["content-type"] == "application/json"
    assert json.loads(base64.b64decode(message["body"]))[:2] == [[7], {}]


def test_depth_counts_every_lane(redis: RedisServer) -> None:
    with make_app(redis.url) as app:
        queue = CeleryQueue(app)
        empty = queue.depth()
        queue.put(AnalysisId(1), Lane.URGENT)
        queue.put(AnalysisId(2), Lane.ROUTINE)

        assert (empty, queue.depth()) == (0, 2)


def test_a_broker_that_is_away_is_unreachable_at_once(tmp_path: Path) -> None:
    with make_app(f"redis://127.0.0.1:{free_port()}/0") as app:
        queue = CeleryQueue(app)
        started = time.monotonic()

        for _ in range(3):
            with pytest.raises(Unreachable):
                queue.put(AnalysisId(7), Lane.ROUTINE)

        assert time.monotonic() - started < 3
        with pytest.raises(Unreachable):
            queue.depth()


def test_nothing_but_json_is_taken_from_the_broker() -> None:
    with make_app("redis://127.0.0.1:1/0") as app:
        assert list(app.conf.accept_content) == ["json"]
        assert app.conf.task_serializer == "json"
        assert app.conf.task_acks_late
        assert app.conf.worker_prefetch_multiplier == 1
