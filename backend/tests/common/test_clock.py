"""Days and months as people in a zone have them."""

from datetime import UTC, date, datetime

from apps.common import clock


def test_a_day_begins_when_it_does_where_the_person_is() -> None:
    moment = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    assert clock.today_in("UTC", now=moment) == date(2026, 11, 22)
    assert clock.today_in("Asia/Tokyo", now=moment) == date(2026, 11, 23)


def test_a_month_begins_at_local_midnight() -> None:
    moment = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
    assert clock.month_start_in("America/New_York", now=moment) == datetime(2026, 11, 1, 4, 0, tzinfo=UTC)
    assert clock.month_start_in("UTC", now=moment) == datetime(2026, 12, 1, tzinfo=UTC)


def test_now_is_aware() -> None:
    assert clock.now().tzinfo is UTC
