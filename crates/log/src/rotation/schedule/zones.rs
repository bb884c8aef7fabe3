//! Tests of the schedule where the clocks are changed: the cases that `TimedRotatingFileHandler` is tested with, and
//! zones that are stranger.

use super::*;

/// New York by its rule: 2012-03-11 has 23 hours, 2012-11-04 has 25.
const EASTERN: &str = "EST+05EDT,M3.2.0,M11.1.0";

fn eastern(when: When) -> Schedule {
    Schedule::new(when).zone(EASTERN).expect("a rule")
}

/// The local time that follows on a local time; where that comes twice, on the first.
fn next(schedule: &Schedule, from: &str) -> String {
    let from: jiff::civil::DateTime = from.parse().expect("a time");
    let from = from.to_zoned(schedule.zone.clone()).expect("in range").timestamp().as_second();
    schedule.zoned(schedule.next_second(from)).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

#[track_caller]
fn check(schedule: &Schedule, cases: &[(&str, &str)]) {
    for (from, expected) in cases {
        assert_eq!(next(schedule, from), *expected, "from {from}");
    }
}

#[test]
fn midnights() {
    check(
        &eastern(When::Midnight),
        &[
            ("2012-03-10T23:59:59", "2012-03-11T00:00:00"),
            ("2012-03-11T00:00:00", "2012-03-12T00:00:00"),
            ("2012-03-11T01:00:00", "2012-03-12T00:00:00"),
            ("2012-11-03T23:59:59", "2012-11-04T00:00:00"),
            ("2012-11-04T00:00:00", "2012-11-05T00:00:00"),
            ("2012-11-04T01:00:00", "2012-11-05T00:00:00"),
        ],
    );
    check(
        &eastern(When::Midnight).every(3),
        &[
            ("2012-03-08T23:59:59", "2012-03-11T00:00:00"),
            ("2012-03-09T00:00:00", "2012-03-12T00:00:00"),
            ("2012-11-01T23:59:59", "2012-11-04T00:00:00"),
            ("2012-11-02T00:00:00", "2012-11-05T00:00:00"),
        ],
    );
}

#[test]
fn times_of_day() {
    check(
        &eastern(When::Midnight).at(12, 0, 0),
        &[
            ("2012-03-10T11:59:59", "2012-03-10T12:00:00"),
            ("2012-03-10T12:00:00", "2012-03-11T12:00:00"),
            ("2012-11-03T12:00:00", "2012-11-04T12:00:00"),
        ],
    );
    check(
        &eastern(When::Midnight).at(2, 0, 0),
        &[
            ("2012-03-10T01:59:59", "2012-03-10T02:00:00"),
            ("2012-03-10T02:00:00", "2012-03-11T03:00:00"),
            ("2012-03-11T01:59:59", "2012-03-11T03:00:00"),
            ("2012-03-11T03:00:00", "2012-03-12T02:00:00"),
            ("2012-11-03T02:00:00", "2012-11-04T02:00:00"),
            ("2012-11-04T01:59:59", "2012-11-04T02:00:00"),
            ("2012-11-04T02:00:00", "2012-11-05T02:00:00"),
        ],
    );
    check(
        &eastern(When::Midnight).at(2, 30, 0),
        &[
            ("2012-03-10T02:30:00", "2012-03-11T03:30:00"),
            ("2012-03-11T01:59:59", "2012-03-11T03:30:00"),
            ("2012-03-11T03:30:00", "2012-03-12T02:30:00"),
        ],
    );
    check(
        &eastern(When::Midnight).at(1, 30, 0),
        &[
            ("2012-03-11T01:29:59", "2012-03-11T01:30:00"),
            ("2012-03-11T03:00:00", "2012-03-12T01:30:00"),
            ("2012-11-04T01:29:59", "2012-11-04T01:30:00"),
            ("2012-11-04T01:30:00", "2012-11-05T01:30:00"),
        ],
    );
}

#[test]
fn sundays() {
    let sunday = || eastern(When::Weekday(6));
    check(
        &sunday(),
        &[
            ("2012-03-04T23:59:59", "2012-03-05T00:00:00"),
            ("2012-03-05T00:00:00", "2012-03-12T00:00:00"),
            ("2012-03-05T01:00:00", "2012-03-12T00:00:00"),
            ("2012-10-28T23:59:59", "2012-10-29T00:00:00"),
            ("2012-10-29T00:00:00", "2012-11-05T00:00:00"),
        ],
    );
    check(
        &sunday().at(0, 0, 0),
        &[
            ("2012-03-10T23:59:59", "2012-03-11T00:00:00"),
            ("2012-03-11T00:00:00", "2012-03-18T00:00:00"),
            ("2012-11-03T23:59:59", "2012-11-04T00:00:00"),
            ("2012-11-04T00:00:00", "2012-11-11T00:00:00"),
        ],
    );
    check(
        &sunday().every(3),
        &[("2012-02-19T23:59:59", "2012-03-05T00:00:00"), ("2012-02-20T00:00:00", "2012-03-12T00:00:00")],
    );
}

/// Files of days, each begun at the end of the one before.
fn names(schedule: &Schedule, from: &str, count: usize) -> Vec<String> {
    let mut second = from.parse::<Timestamp>().expect("a time").as_second();
    let mut name = || {
        second = schedule.next_second(second);
        schedule.name(second)
    };
    (0..count).map(|_| name()).collect()
}

#[test]
fn a_day_without_a_midnight_has_a_file() {
    // Brazil's summer began at midnight: 2018-11-04 began at one o'clock.
    let zone = "<-03>3<-02>,M11.1.0/0,M2.3.0/0";
    let schedule = Schedule::new(When::Midnight).zone(zone).expect("a rule");
    check(
        &schedule,
        &[("2018-11-03T12:00:00", "2018-11-04T01:00:00"), ("2018-11-04T01:00:00", "2018-11-05T00:00:00")],
    );
    let expected = ["2018-11-02", "2018-11-03", "2018-11-04", "2018-11-05"];
    assert_eq!(names(&schedule, "2018-11-02T12:00:00Z", 4), expected);
    // And ended there: the last hour of 2018-02-17 came twice.
    let expected = ["2018-02-16", "2018-02-17", "2018-02-18"];
    assert_eq!(names(&schedule, "2018-02-16T12:00:00Z", 3), expected);
}

#[test]
fn a_day_that_a_zone_left_out_has_none() {
    // Samoa went from 2011-12-29 to 2011-12-31. Without the machine's zone files there is nothing to be tested.
    let Ok(schedule) = Schedule::new(When::Midnight).zone("Pacific/Apia") else { return };
    let expected = ["2011-12-28", "2011-12-29", "2011-12-31", "2012-01-01"];
    assert_eq!(names(&schedule, "2011-12-28T20:00:00Z", 4), expected);
}

#[test]
fn the_end_of_a_month_is_no_difficulty() {
    let schedule = Schedule::new(When::Midnight).utc();
    let expected = ["2023-02-27", "2023-02-28", "2023-03-01"];
    assert_eq!(names(&schedule, "2023-02-27T12:00:00Z", 3), expected);
    let sundays = Schedule::new(When::Weekday(6)).utc();
    assert_eq!(names(&sundays, "2023-12-28T12:00:00Z", 2), ["2023-12-25", "2024-01-01"]);
}

#[test]
fn what_is_beyond_the_calendar_never_comes() {
    for when in [When::Second, When::Day, When::Midnight, When::Weekday(3)] {
        let never = Schedule::new(when).utc().every(u32::MAX);
        let second = "2024-03-09T10:20:30Z".parse::<Timestamp>().expect("a time").as_second();
        assert!(never.next_second(second) > second);
        assert!(never.next_after(SystemTime::now()) > SystemTime::now());
        assert!(never.is_name(&never.name(second)));
        assert_eq!(never.next_second(i64::MAX), i64::MAX);
    }
}

#[test]
fn a_zone_must_be_known() {
    let told = Schedule::new(When::Day).zone("Middle/Earth").expect_err("no zone").to_string();
    assert_eq!(told, "`Middle/Earth` is no time zone that this machine knows, nor a rule for one");
}
