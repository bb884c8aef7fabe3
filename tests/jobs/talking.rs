//! A job that talks in every way there is: `tracing`, `log`, standard output, standard error.
//!
//! It configures no logging: that is the framework's part.

use gristmill::{App, Emitter, Group, Job, NoArgs, Out, Result, Values, map_text, reduce_fn};

pub(crate) fn register(app: App) -> App {
    app.job("talk", |_: NoArgs| Job::new(map_text(talk)).reduce_with(reduce_fn(talk_again)))
}

fn talk(line: &str, out: &mut Emitter<'_, String, u64>) -> Result {
    tracing::error!(line, "traced error");
    tracing::info!(line, "traced info");
    tracing::debug!(line, "traced debug");
    log::warn!("logged warning of {line}");
    log::info!("logged info of {line}");
    println!("printed {line}");
    eprintln!("complained {line}");
    out.emit(line, 1)
}

fn talk_again(key: Group<'_, String>, mut values: Values<'_, u64>, out: &mut Out<'_, String, u64>) -> Result {
    let mut sum = 0;
    while let Some(value) = values.next()? {
        sum += value;
    }
    tracing::info!("reducing {}", key.get()?);
    out.emit(key.decode::<&str>()?, &sum)
}
