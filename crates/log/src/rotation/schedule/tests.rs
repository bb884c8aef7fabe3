//! Tests of the schedule on the days on which calendars are difficult.

use super::*;
use proptest::prelude::*;

/// Central European time by its rule, so that the test needs no zone files.
const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

fn berlin(when: When) -> Schedule {
    Schedule::new(when).zone(BERLIN).expect("a rule")
}

fn second(text: &str) -> i64 {
    text.parse::<Timestamp>().expect("a time").as_second()
}

fn next(schedule: &Schedule, from: &str) -> String {
    Timestamp::from_second(schedule.next_second(second(from))).expect("in range").to_string()
}

#[test]
fn units_are_counted_from_the_beginning_of_the_file() {
    let from = "2024-03-09T10:20:30Z";
    for (when, expected) in [
        (When::Second, "2024-03-09T10:20:32Z"),
        (When::Minute, "2024-03-09T10:22:30Z"),
        (When::Hour, "2024-03-09T12:20:30Z"),
        (When::Day, "2024-03-11T10:20:30Z"),
    ] {
        assert_eq!(next(&Schedule::new(when).every(2).utc(), from), expected);
    }
}

#[test]
fn midnight_is_the_end_of_the_day() {
    let utc = Schedule::new(When::Midnight).utc();
    assert_eq!(next(&utc, "2024-02-28T23:59:59Z"), "2024-02-29T00:00:00Z");
    assert_eq!(next(&utc, "2024-02-29T00:00:00Z"), "2024-03-01T00:00:00Z");
    assert_eq!(next(&utc.clone().every(3), "2024-02-28T12:00:00Z"), "2024-03-02T00:00:00Z");
    assert_eq!(utc.name(second("2024-03-01T00:00:00Z")), "2024-02-29");
}

#[test]
fn a_time_of_day_may_take_its_place() {
    let noon = Schedule::new(When::Midnight).utc().at(12, 30, 0);
    assert_eq!(next(&noon, "2024-01-31T12:29:59Z"), "2024-01-31T12:30:00Z");
    assert_eq!(next(&noon, "2024-01-31T12:30:00Z"), "2024-02-01T12:30:00Z");
    assert_eq!(noon.name(second("2024-02-01T12:30:00Z")), "2024-01-31");
}

#[test]
fn weekdays_count_from_monday() {
    // 2024-01-01 was a Monday.
    for day in 0..7 {
        let schedule = Schedule::new(When::Weekday(day)).utc();
        let expected = format!("2024-01-{:02}T00:00:00Z", day + 2);
        assert_eq!(next(&schedule, "2024-01-01T00:00:00Z"), expected, "day {day}");
        assert_eq!(next(&schedule, &expected), format!("2024-01-{:02}T00:00:00Z", day + 9));
    }
    let noon = Schedule::new(When::Weekday(0)).utc().at(12, 0, 0);
    assert_eq!(next(&noon, "2024-01-01T11:00:00Z"), "2024-01-01T12:00:00Z");
    assert_eq!(next(&noon, "2024-01-01T12:00:00Z"), "2024-01-08T12:00:00Z");
    assert_eq!(next(&noon.every(2), "2024-01-01T11:00:00Z"), "2024-01-08T12:00:00Z");
}

#[test]
fn days_have_23_or_25_hours_when_the_clocks_change() {
    let midnight = berlin(When::Midnight);
    assert_eq!(next(&midnight, "2024-03-30T23:00:00Z"), "2024-03-31T22:00:00Z");
    assert_eq!(next(&midnight, "2024-10-26T22:00:00Z"), "2024-10-27T23:00:00Z");
    assert_eq!(midnight.name(second("2024-03-31T22:00:00Z")), "2024-03-31");
    assert_eq!(midnight.name(second("2024-10-27T23:00:00Z")), "2024-10-27");
    let sunday = berlin(When::Weekday(6));
    assert_eq!(next(&sunday, "2024-03-25T10:00:00Z"), "2024-03-31T22:00:00Z");
    assert_eq!(sunday.name(second("2024-03-31T22:00:00Z")), "2024-03-25");
}

#[test]
fn a_time_that_the_clocks_skip_comes_once_all_the_same() {
    let half_past_two = berlin(When::Midnight).at(2, 30, 0);
    assert_eq!(next(&half_past_two, "2024-03-31T00:30:00Z"), "2024-03-31T01:30:00Z");
    assert_eq!(next(&half_past_two, "2024-03-31T01:30:00Z"), "2024-04-01T00:30:00Z");
    // It comes twice on the day on which they go back: the first one counts.
    assert_eq!(next(&half_past_two, "2024-10-26T22:00:00Z"), "2024-10-27T00:30:00Z");
    assert_eq!(next(&half_past_two, "2024-10-27T00:30:00Z"), "2024-10-28T01:30:00Z");
}

#[test]
fn names_are_those_of_the_beginning() {
    let end = second("2024-03-09T10:20:30Z");
    for (when, expected) in [
        (When::Second, "2024-03-09_10-20-29"),
        (When::Minute, "2024-03-09_10-19"),
        (When::Hour, "2024-03-09_09"),
        (When::Day, "2024-03-08"),
    ] {
        let schedule = Schedule::new(when).utc();
        assert_eq!(schedule.name(end), expected);
        assert!(
            schedule.is_name(expected)
                && !schedule.is_name("bak")
                && !schedule.is_name(&format!("{expected}0"))
        );
    }
}

#[test]
fn units_are_read_in_either_case() {
    for text in ["S", "M", "H", "D", "midnight", "W0", "W6"] {
        let when: When = text.parse().expect("a unit");
        assert_eq!(when.to_string(), text);
        assert_eq!(text.to_ascii_lowercase().parse::<When>(), Ok(when));
    }
    for text in ["", "W", "W7", "X", "SS"] {
        let error = text.parse::<When>().expect_err("no unit").to_string();
        assert!(error.starts_with(&format!("`{text}` is none of S, M")), "{error}");
    }
}

proptest! {
    #[test]
    fn the_next_time_is_later_and_less_than_two_days_away(from in 0i64..4_000_000_000, at in prop::option::of((0u8..24, 0u8..60))) {
        let mut schedule = berlin(When::Midnight);
        if let Some((hour, minute)) = at {
            schedule = schedule.at(hour, minute, 0);
        }
        let next = schedule.next_second(from);
        prop_assert!(next > from && next <= from + 26 * 60 * 60, "{from} -> {next}");
    }
}
