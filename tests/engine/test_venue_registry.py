"""What a venue file may not say of transfer windows, accounts of a firm and compliance years; when windows open."""

from __future__ import annotations

from datetime import date, time

import pytest

from engine.venue import Calendar, TransferWindow, Venue, VenueError, parse_venue

pytestmark = pytest.mark.nojit

INSTRUMENT = '[[instruments]]\nsymbol = "A"\nasset = "A"\ncurrency = "C"\nfloor = "1"\nceiling = "2"\n'
HEAD = 'name = "x"\nassets = ["A"]\ncurrencies = ["C"]\n'


def window(opens: str, closes: str) -> str:
    return f"[[calendar.transfer_windows]]\nopens = {opens}\ncloses = {closes}\n"


def year(*lines: str) -> str:
    return "[[compliance_years]]\n" + "\n".join(lines) + "\n"


FAULTS = [
    ("accounts_per_firm = -1\n", "key `accounts_per_firm`: -1 is out of range; write 0 to 16383"),
    ("accounts_per_firm = 16384\n", "key `accounts_per_firm`: 16384 is out of range; write 0 to 16383"),
    ("accounts_per_firm = true\n", "key `accounts_per_firm`: expected `int`, got `bool`"),
    ("accounts_per_firms = 1\n", "key `accounts_per_firms`: unknown key; did you mean `accounts_per_firm`?"),
    (
        window("15:00:00", "09:00:00"),
        "key `calendar.transfer_windows[0].closes`: 09:00:00 is not after 15:00:00; write a later time of that day",
    ),
    (window("09:00:00", "09:00:00"), "transfer_windows[0].closes`: 09:00:00 is not after 09:00:00; write a later"),
    (
        window("'09:00:00Z'", "10:00:00"),
        "transfer_windows[0].opens`: has a zone of its own; write local time, such as 09:00:00",
    ),
    (
        window("09:00:00", "10:00:00") + window("'11:00:00Z'", "12:00:00"),
        "transfer_windows[1].opens`: has a zone of its own; write local time",
    ),
    (
        window("13:00:00", "15:00:00") + window("09:00:00", "10:00:00"),
        "`calendar.transfer_windows`: not in order of time, or two of them touch; sort them, and write one for both",
    ),
    (
        window("09:00:00", "10:00:00") + window("10:00:00", "11:00:00"),
        "transfer_windows`: not in order of time, or two",
    ),
    (window("9", "10:00:00"), "transfer_windows[0].opens`: expected `time`, got `int`"),
    ("[[calendar.transfer_windows]]\nopens = 09:00:00\n", "key `calendar.transfer_windows[0].closes`: missing"),
    (
        year("year = 1999", "surrender_by = 2026-12-31"),
        "compliance_years[0].year`: 1999 is no year; write 2000 to 2999",
    ),
    (
        year("year = 3000", "surrender_by = 2026-12-31"),
        "compliance_years[0].year`: 3000 is no year; write 2000 to 2999",
    ),
    (
        year("year = 2025", "surrender_by = 2026-12-31") * 2,
        "key `compliance_years[1].year`: 2025 stands twice; write one table for it",
    ),
    (year("year = 2025"), "key `compliance_years[0]`: states no date; write allocation_by, surrender_by, or both"),
    (
        year("year = 2025", "allocation_by = 2027-01-01", "surrender_by = 2026-12-31"),
        "key `compliance_years[0].allocation_by`: 2027-01-01 is after surrender_by; write a date up to 2026-12-31",
    ),
    (year("year = 2025", "surrender_by = 20261231"), "compliance_years[0].surrender_by`: expected `date"),
    (year("surrender_by = 2026-12-31"), "key `compliance_years[0].year`: missing"),
]


@pytest.mark.parametrize(("written", "said"), FAULTS, ids=[str(n) for n in range(len(FAULTS))])
def test_a_fault_names_file_key_and_remedy(written: str, said: str) -> None:
    with pytest.raises(VenueError) as error:
        parse_venue(HEAD + written + INSTRUMENT, "small.toml")
    assert str(error.value).startswith("small.toml: key `")
    assert said in str(error.value)


def test_windows_need_pre_funding() -> None:
    text = 'name = "x"\nprefunded = false\n' + window("09:00:00", "10:00:00") + INSTRUMENT.replace('asset = "A"\n', "")
    with pytest.raises(VenueError, match=r"transfer_windows`: nothing is transferred without pre-funding; leave the"):
        parse_venue(text.replace('currency = "C"\n', ""), "x.toml")


def test_a_whole_file_and_its_genesis() -> None:
    text = HEAD + "accounts_per_firm = 3\n" + window("08:00:00", "09:00:00") + window("10:00:00", "23:59:59")
    text += year("year = 2025", "allocation_by = 2026-09-30") + year("year = 2026", "surrender_by = 2027-12-31")
    venue = parse_venue(text + INSTRUMENT, "x.toml")
    assert [(w.opens, w.closes) for w in venue.calendar.transfer_windows] == [
        (time(8), time(9)),
        (time(10), time(23, 59, 59)),
    ]
    assert [(y.year, y.allocation_by, y.surrender_by) for y in venue.compliance_years] == [
        (2025, date(2026, 9, 30), None),
        (2026, None, date(2027, 12, 31)),
    ]
    assert Venue.from_json(venue.to_json()) == venue


def test_an_older_genesis_has_none_of_it() -> None:
    """A journal that was created before the keys goes on as it was."""
    venue = parse_venue(HEAD + INSTRUMENT, "x.toml")
    assert (venue.accounts_per_firm, venue.compliance_years, venue.calendar.transfer_windows) == (0, (), ())
    assert not venue.calendar.acts


def test_window_moments_are_local_time() -> None:
    """In summer and in winter, on trading days alone."""
    windows = (TransferWindow(time(9), time(15, 30)),)
    calendar = Calendar(timezone="Europe/Berlin", holidays=(date(2025, 12, 25),), transfer_windows=windows)
    for day, offset in ((date(2025, 7, 1), 2), (date(2025, 12, 1), 1)):
        moments = calendar.transfer_moments(day)
        start = int((day - date(1970, 1, 1)).total_seconds())
        assert moments == [
            ((start + (9 - offset) * 3600) * 10**9, True),
            ((start + (15 - offset) * 3600 + 1800) * 10**9, False),
        ]
    assert calendar.transfer_moments(date(2025, 12, 25)) == calendar.transfer_moments(date(2025, 12, 27)) == []
