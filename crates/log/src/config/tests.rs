//! Tests of what a configuration may say, and of how it is told what it may not.

use super::*;
use crate::{Format, Record};

fn start(text: &str) -> Result<Listener, ConfigError> {
    Config::from_toml(text)?.start()
}

/// The error with its sources.
fn refusal(text: &str) -> String {
    crate::chain(&start(text).expect_err("it makes no sense")).to_string()
}

#[test]
fn a_file_handler_does_what_its_table_says() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("a.log");
    let text = format!(
        "[listener]\nname = 'program'\n[handlers.file]\nkind = 'file'\npath = '{}'\nlevel = 'info'\n\
         directives = 'trace,noisy=off'\nprocesses = ['Worker-*', 'program']\nformat = '{{process}}: {{message}}'\n",
        path.display()
    );
    let listener = start(&text).expect("listener");
    for (level, target, process) in [
        (Level::INFO, "here", ""),
        (Level::DEBUG, "here", ""),
        (Level::ERROR, "noisy", ""),
        (Level::INFO, "here", "Worker-7"),
        (Level::INFO, "here", "Other"),
    ] {
        listener.handle().submit(Record { process: process.into(), ..Record::new(level, target, "m") });
    }
    assert!(listener.stop(Duration::from_secs(5)).is_complete());
    assert_eq!(std::fs::read_to_string(path).expect("log file"), "program: m\nWorker-7: m\n");
}

#[test]
fn unknown_keys_are_refused_by_name() {
    for (text, key) in [
        ("[listner]", "unknown field `listner`"),
        ("[listener]\nlevel = 'info'", "unknown field `level`"),
        ("[handlers.c]\nkind = 'console'\ncolour = true", "unknown field `colour`"),
        ("[handlers.f]\nkind = 'file'\npath = 'x'\nmaxBytes = 1", "unknown field `maxBytes`"),
        ("[handlers.f]\nkind = 'syslog'", "unknown variant `syslog`"),
        ("[handlers.f]\nkind = 'file'", "missing field `path`"),
    ] {
        let refusal = refusal(text);
        assert!(refusal.contains(key), "{text}: {refusal}");
    }
}

#[test]
fn values_that_make_no_sense_are_refused_with_their_key() {
    let file = "[handlers.f]\nkind = 'file'\npath = '/dev/null'\n";
    for (text, expected) in [
        (format!("{file}when = 'X'"), "handlers.f.when: `X` is none of S, M"),
        (format!("{file}when = 'S'\nat = '12:00'"), "handlers.f.at: `12:00` is no time of day"),
        (format!("{file}utc = true"), "handlers.f.utc: has no effect without `when`"),
        (format!("{file}max_bytes = 1"), "handlers.f.max_bytes: has no effect without `backups` or `when`"),
        (format!("{file}backups = 1"), "handlers.f.backups: has no effect without `max_bytes` or `when`"),
        (format!("{file}gzip = true"), "handlers.f.gzip: has no effect without `max_bytes` or `when`"),
        (format!("{file}{file}"), "duplicate key"),
        (format!("{file}format = 'jsn'"), "the log pattern `jsn` has no part in braces"),
        (format!("{file}level = 'loud'"), "handlers.f.level: "),
        (format!("{file}directives = 'a=b=c'"), "handlers.f.directives: "),
        (format!("{file}max_bytes = '10 bananas'"), "`10 bananas` is no size"),
        (format!("{file}format = '{{when}}'"), "names an unknown part `when`"),
        ("[listener]\nlevels = 'a=b=c'".into(), "listener.levels: "),
        ("[listener]\npatience = 'soon'".into(), "`soon` is no time"),
        ("[listener.patience_for]\nloud = '1s'".into(), "listener.patience_for.loud: "),
        (
            "[handlers.f]\nkind = 'file'\npath = '/no/such/a.log'".into(),
            "handlers.f: cannot open log file /no/such/a.log",
        ),
    ] {
        let refusal = refusal(&text);
        assert!(refusal.contains(expected), "{text}: {refusal}");
    }
}

#[test]
fn levels_are_read_in_any_case() {
    for level in ["warn", "WARN", "Warn"] {
        let console =
            format!("[handlers.c]\nkind = 'console'\nlevel = '{level}'\ndirectives = '{level},a={level}'");
        let text =
            format!("[listener]\nlevels = '{level}'\n[listener.patience_for]\n{level} = '1s'\n{console}");
        assert!(start(&text).expect(level).stop(Duration::from_secs(5)).is_complete());
    }
}

#[test]
fn levels_of_a_running_listener_can_be_changed() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("a.log");
    let config = |name: &str, level: &str, levels: &str| {
        let kind = format!("kind = 'file'\npath = '{}'\nformat = '{{message}}'", path.display());
        let text = format!("[listener]\nlevels = '{levels}'\n[handlers.{name}]\n{kind}\nlevel = '{level}'");
        Config::from_toml(&text).expect("a configuration")
    };
    let listener = config("file", "warn", "info").start().expect("listener");
    let handle = listener.handle();
    let say = |level, message: &str| {
        assert!(handle.submit(Record::new(level, "here", message)));
        assert!(handle.sync(Duration::from_secs(30)));
    };
    say(Level::INFO, "too early");
    config("file", "debug", "debug,noisy=off").update_levels(&handle).expect("levels");
    say(Level::DEBUG, "one");
    for (wrong, told) in [
        (config("fiel", "error", "info"), "handlers.fiel: there is no log handler called \"fiel\""),
        (config("file", "loud", "info"), "handlers.file.level: "),
        (
            config("file", "error", "info,a=b=c"),
            "listener.levels: log level directives `info,a=b=c` are invalid",
        ),
    ] {
        let error = wrong.update_levels(&handle).expect_err("it makes no sense").to_string();
        assert!(error.starts_with(told), "{error}");
    }
    say(Level::DEBUG, "two");
    handle.set_handler_levels("file", "off,elsewhere=info").expect("levels");
    say(Level::ERROR, "too late");
    assert!(handle.set_handler_levels("file", "loud").is_err());
    assert!(listener.stop(Duration::from_secs(5)).is_complete());
    assert_eq!(std::fs::read_to_string(path).expect("log file"), "one\ntwo\n");
}

#[test]
fn two_handlers_cannot_rotate_one_file() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("a.log");
    let handler = |name: &str| {
        format!("[handlers.{name}]\nkind = 'file'\npath = '{}'\nmax_bytes = 1\nbackups = 1\n", path.display())
    };
    let refusal = refusal(&format!("{}{}", handler("one"), handler("two")));
    assert!(refusal.starts_with("handlers.two: cannot open log file "), "{refusal}");
}

#[test]
fn levels_may_be_a_table() {
    let config = Config::from_toml("[listener.levels]\ndefault = 'info'\nnoisy = 'warn'").expect("levels");
    assert_eq!(config.listener.levels, "info,noisy=warn");
}

#[test]
fn what_is_written_is_read_back() {
    let file = FileConfig {
        format: Format::Json,
        max_bytes: 10 << 20,
        when: Some("W6".into()),
        at: Some("12:30".into()),
        gzip: true,
        ..FileConfig::new("a.log")
    };
    let handlers = [
        (
            "console".to_owned(),
            HandlerConfig::Console(ConsoleConfig { colors: Some(true), ..ConsoleConfig::default() }),
        ),
        ("file".to_owned(), HandlerConfig::File(file)),
    ];
    let mut config = Config { handlers: handlers.into(), ..Config::default() };
    config.listener.patience_for.insert("debug".into(), Duration::from_millis(250));
    let text = serde_json::to_string(&config).expect("data");
    assert_eq!(serde_json::from_str::<Config>(&text).expect("the same data"), config);
}

#[test]
fn sizes_and_times_of_day_are_read_as_people_write_them() {
    for (text, bytes) in [("0", 0), ("12", 12), ("10KiB", 10 << 10), ("5 mb", 5_000_000), ("1GiB", 1 << 30)] {
        assert_eq!(values::size::parse(text), Some(bytes), "{text}");
    }
    assert_eq!(values::size::parse("99999999999GiB"), None);
    assert_eq!(values::time_of_day("12:30"), Some((12, 30, 0)));
    assert_eq!(values::time_of_day("23:59:59"), Some((23, 59, 59)));
    for text in ["", "12", "24:00", "12:60", "12:30:00:00", "a:b"] {
        assert_eq!(values::time_of_day(text), None, "{text}");
    }
}
