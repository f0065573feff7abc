from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from wetread.deliver.pace import Pace
from wetread.domain import Destination, Hours

NIGHT = Hours(22 * 60, 6 * 60)
LUNCH = Hours(12 * 60, 13 * 60 + 30)


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local time with two changes a year, by rule: the machine's own zone does not count."""
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def pace(*hours: Hours, per_minute: int = 0) -> Pace:
    return Pace(Destination("pacs", "dicom", hours=hours, per_minute=per_minute))


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def local(text: str) -> float:
    """A winter's day: one hour before UTC."""
    return utc(f"2026-01-15T{text}") - 3600


@pytest.mark.parametrize(
    ("clock", "is_open"),
    [("11:59:59", False), ("12:00:00", True), ("13:29:59", True), ("13:30:00", False), ("00:00:00", False)],
)
def test_hours_within_a_day_begin_with_their_first_minute_and_end_before_their_last(
    clock: str, is_open: bool
) -> None:
    assert pace(LUNCH).is_open(local(clock)) is is_open


@pytest.mark.parametrize(
    ("clock", "is_open"),
    [("21:59:59", False), ("22:00:00", True), ("23:59:59", True), ("00:00:00", True), ("06:00:00", False)],
)
def test_hours_may_pass_midnight(clock: str, is_open: bool) -> None:
    assert pace(NIGHT).is_open(local(clock)) is is_open


def test_several_hours_add_up_and_none_means_always() -> None:
    assert pace(LUNCH, NIGHT).is_open(local("12:30:00"))
    assert pace(LUNCH, NIGHT).is_open(local("23:30:00"))
    assert not pace(LUNCH, NIGHT).is_open(local("18:00:00"))
    assert pace().is_open(local("18:00:00"))
    assert pace(Hours(0, 0)).is_open(local("18:00:00"))


def test_hours_begin_today_or_tomorrow() -> None:
    assert pace(LUNCH).opens_at(local("08:00:00")) == local("12:00:00")
    assert pace(LUNCH).opens_at(local("18:00:00")) == local("12:00:00") + 86400
    assert pace(LUNCH, NIGHT).opens_at(local("18:00:00")) == local("22:00:00")


def test_hours_follow_the_local_clock_through_the_change_to_summer_time() -> None:
    # 2026-03-29: 02:00 CET is 03:00 CEST. 22:00 the evening before is 21:00 UTC, 06:00 after it 04:00 UTC.
    night = pace(NIGHT)

    assert not night.is_open(utc("2026-03-28T20:59:59"))
    assert night.is_open(utc("2026-03-28T21:00:00"))
    assert night.is_open(utc("2026-03-29T03:59:59"))
    assert not night.is_open(utc("2026-03-29T04:00:00"))
    assert night.opens_at(utc("2026-03-29T12:00:00")) == utc("2026-03-29T20:00:00")


def test_hours_that_begin_in_the_hour_that_is_left_out_are_open_after_it() -> None:
    in_the_gap = pace(Hours(2 * 60 + 30, 5 * 60))

    assert not in_the_gap.is_open(utc("2026-03-29T00:59:59"))
    assert in_the_gap.is_open(utc("2026-03-29T01:00:00"))
    assert utc("2026-03-29T00:00:00") < in_the_gap.opens_at(utc("2026-03-29T00:00:00"))


def test_hours_in_the_hour_that_comes_twice_are_open_twice() -> None:
    twice = pace(Hours(2 * 60, 3 * 60))

    assert [twice.is_open(utc(f"2026-10-25T0{hour}:30:00")) for hour in range(3)] == [True, True, False]


def test_no_more_than_the_rate_goes_out_in_any_minute() -> None:
    slow = pace(per_minute=3)
    sent = []
    for tick in range(600):
        now = 1000.0 + tick / 2
        if slow.is_within_rate(now):
            slow.count(now)
            sent.append(now)

    assert sent[:4] == [1000.0, 1000.5, 1001.0, 1060.0]
    assert all(later - earlier >= 60 for earlier, later in zip(sent, sent[3:], strict=False))
    assert len(sent) == 15


def test_without_a_rate_nothing_waits() -> None:
    free = pace()
    for _ in range(1000):
        free.count(5.0)

    assert free.is_within_rate(5.0)


def test_a_clock_that_is_set_back_does_not_stop_the_delivery() -> None:
    slow = pace(per_minute=1)
    slow.count(10_000.0)

    assert slow.is_within_rate(10_000.0 - 3600)
    assert not slow.is_within_rate(10_001.0)


def test_hours_are_said_as_they_are_set() -> None:
    assert pace(NIGHT, LUNCH).words == "waits for its hours, 22:00-06:00 and 12:00-13:30"
