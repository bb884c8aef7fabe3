//! The same figures as a picture: bars on a logarithmic axis, without anything from elsewhere.

use std::fmt::Write;

use super::{Report, limit, seconds};
use crate::figures::{Outcome, Row, median};

const WIDTH: f64 = 900.0;
const LABELS: f64 = 360.0;
const BARS: f64 = 420.0;
const STEP: f64 = 20.0;
const HEAD: f64 = 50.0;

/// A logarithmic axis over whole powers of ten.
#[derive(Debug)]
struct Axis {
    low: i32,
    high: i32,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64>) -> Self {
        let (mut least, mut most) = (f64::MAX, f64::MIN);
        for value in values.filter(|value| *value > 0.0) {
            (least, most) = (least.min(value.log10()), most.max(value.log10()));
        }
        if least > most {
            return Self { low: 0, high: 1 };
        }
        let low = least.floor() as i32;
        // The shortest bar is to be seen too.
        let low = if least - f64::from(low) < 0.1 { low - 1 } else { low };
        Self { low, high: (most.ceil() as i32).max(low + 1) }
    }

    fn at(&self, seconds: f64) -> f64 {
        let share = (seconds.log10() - f64::from(self.low)) / f64::from(self.high - self.low);
        LABELS + BARS * share.clamp(0.0, 1.0)
    }
}

/// The whole picture.
pub(super) fn plot(report: &Report) -> String {
    let rows = || report.sections.iter().flat_map(|section| &section.rows);
    let axis = Axis::over(rows().filter_map(|row| length(&row.outcome)));
    let lines = report.sections.len() * 2 + rows().count();
    let height = HEAD + STEP * lines as f64 + 10.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"white\"/>\n"
    );
    let title = format!(
        "Wall time in seconds, logarithmic, ours in blue; {}, {}",
        report.machine.processor, report.date
    );
    text(&mut svg, 10.0, 18.0, "font-weight=\"bold\"", &title);
    grid(&mut svg, &axis, height);
    let mut y = HEAD;
    for section in &report.sections {
        y += STEP;
        text(&mut svg, 10.0, y + 14.0, "font-weight=\"bold\"", section.workload.title());
        for row in &section.rows {
            y += STEP;
            bar(&mut svg, &axis, y, row);
        }
        y += STEP;
    }
    svg.push_str("</svg>\n");
    svg
}

fn grid(svg: &mut String, axis: &Axis, height: f64) {
    for power in axis.low..=axis.high {
        let x = axis.at(10_f64.powi(power));
        let line = format!(
            "<line x1=\"{x:.1}\" y1=\"{HEAD}\" x2=\"{x:.1}\" y2=\"{:.1}\" stroke=\"#dddddd\"/>\n",
            height - 10.0
        );
        svg.push_str(&line);
        text(
            svg,
            x,
            HEAD - 6.0,
            "text-anchor=\"middle\" fill=\"#666666\"",
            &format!("{}", 10_f64.powi(power)),
        );
    }
}

/// A program's name, its bar and what stands at the end of it.
fn bar(svg: &mut String, axis: &Axis, y: f64, row: &Row) {
    text(svg, LABELS - 8.0, y + 14.0, "text-anchor=\"end\"", &row.name);
    let Some(seconds_taken) = length(&row.outcome) else {
        let said = short(&row.outcome.words().unwrap_or_default());
        return text(svg, LABELS + 4.0, y + 14.0, "fill=\"#999999\"", &said);
    };
    let end = axis.at(seconds_taken);
    let colour = if row.ours { "#2b6cb0" } else { "#a0aec0" };
    let rectangle = format!(
        "<rect x=\"{LABELS}\" y=\"{:.1}\" width=\"{:.1}\" height=\"14\" fill=\"{colour}\"/>\n",
        y + 3.0,
        end - LABELS
    );
    svg.push_str(&rectangle);
    let said = row.outcome.words().unwrap_or_else(|| seconds(seconds_taken));
    text(svg, end + 4.0, y + 14.0, "", &said);
}

/// How long a bar is: the median, or the limit that was exceeded.
fn length(outcome: &Outcome) -> Option<f64> {
    match outcome {
        Outcome::Measured(figures) => median(&figures.walls),
        other => limit(other).map(|limit| limit.as_secs_f64()),
    }
}

/// Only the kind of what went wrong has a place in a picture.
fn short(said: &str) -> String {
    said.split_once(':').map_or(said, |(kind, _)| kind).to_owned()
}

fn text(svg: &mut String, x: f64, y: f64, attributes: &str, content: &str) {
    let content = content.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" {attributes}>{content}</text>")
        .expect("a string takes all that is written");
}

#[cfg(test)]
mod tests {
    use super::super::tests::example;
    use super::*;

    /// Checks that every element that is opened is closed, in turn.
    fn assert_well_formed(svg: &str) {
        let mut open = Vec::new();
        for tag in svg.split('<').skip(1) {
            let (tag, rest) = tag.split_once('>').expect("every tag has an end");
            assert!(!rest.contains('>'), "a bare > in {rest}");
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name), "closed in turn");
            } else if !tag.ends_with('/') {
                open.push(tag.split_whitespace().next().expect("a tag has a name"));
            }
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        }
        assert!(open.is_empty(), "{open:?}");
    }

    #[test]
    fn the_picture_is_well_formed_and_has_a_bar_for_each_time() {
        let svg = plot(&example());
        assert_well_formed(&svg);
        assert_eq!(svg.matches("height=\"14\"").count(), 4);
        assert!(
            svg.contains("ours &amp; &lt;sons&gt;")
                && svg.contains("over 600 s")
                && svg.contains(">skipped<")
        );
    }

    #[test]
    fn ten_times_as_long_is_one_step_of_the_axis() {
        let axis = Axis::over([0.5, 50.0].into_iter());
        assert_eq!((axis.low, axis.high), (-1, 2));
        assert!((axis.at(10.0) - axis.at(1.0) - BARS / 3.0).abs() < 1e-9);
        let nothing = Axis::over(std::iter::empty());
        assert_eq!((nothing.low, nothing.high), (0, 1));
    }
}
