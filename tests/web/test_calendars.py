"""Calendar files: lines are folded at 75 bytes, and texts cannot add lines or properties."""

from datetime import datetime, timedelta, timezone

from web.calendars import CalendarEntry


def entry(**changes) -> CalendarEntry:
    values = {
        "uid": "1@example.org",
        "written_at": datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2))),
        "ends_at": datetime(2026, 1, 8, 12, tzinfo=timezone(timedelta(hours=-5))),
        "alarm": timedelta(hours=1),
        "summary": "Summary",
        "description": "Description",
        "url": "https://example.org/",
        "product_id": "-//Example//Product//EN",
    }
    return CalendarEntry(**values | changes)


def test_moments_are_utc():
    lines = entry().as_ics().decode().split("\r\n")

    assert [line for line in lines if line.startswith("DT")] == [
        "DTSTAMP:20251231T220000Z",
        "DTSTART:20260108T163000Z",
        "DTEND:20260108T170000Z",
    ]


def test_a_text_stays_one_property():
    lines = entry(summary="a;b,c\\d\r\nATTENDEE:x\u2028y").as_ics().decode().split("\r\n")

    assert [line for line in lines if line.startswith("SUMMARY")] == [
        "SUMMARY:a\\;b\\,c\\\\d\\nATTENDEE:x\\ny"
    ]
    assert not [line for line in lines if line.startswith("ATTENDEE")]


def test_lines_have_at_most_75_bytes_and_no_character_is_divided():
    summary = "Müller & Söhne – 合伙人 " * 20
    file = entry(summary=summary).as_ics()

    assert max(map(len, file.split(b"\r\n"))) == 75
    assert b"\n" not in file.replace(b"\r\n", b"")
    assert f"SUMMARY:{summary}\r\n" in file.decode().replace("\r\n ", "")
