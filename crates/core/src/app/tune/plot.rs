//! The measurements as a picture: chunk size against time, a line per number of workers, bars for partitions.
//!
//! It knows the format SVG and nothing of files or jobs.

use std::fmt::Write;

use super::measured::Measured;
use super::search::{Axis, Comparison};
use super::words::{label, size};

const WIDTH: f64 = 760.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 130.0;
const TOP: f64 = 60.0;
const HEIGHT: f64 = 300.0;
/// Where the bars begin, and how high they are.
const BARS_TOP: f64 = 460.0;
const BARS_HEIGHT: f64 = 110.0;
/// Told apart by people who see colours differently as well.
const COLOURS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#555555"];

/// The whole picture. `title` is the job's name.
pub(super) fn svg(title: &str, comparisons: &[Comparison], sample_bytes: u64) -> String {
    let lines = lines(comparisons, sample_bytes);
    let bars = comparisons.iter().find(|comparison| comparison.axis == Axis::Partitions);
    let height = if bars.is_some() { BARS_TOP + BARS_HEIGHT + 60.0 } else { TOP + HEIGHT + 70.0 };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    let heading = format!("{title}: seconds for a sample of {}", size(sample_bytes));
    text(&mut out, LEFT, 28.0, "start", &heading);
    if lines.is_empty() {
        text(&mut out, LEFT, TOP + 20.0, "start", "chunk sizes were not compared");
    } else {
        chart(&mut out, &lines);
    }
    if let Some(bars) = bars {
        bar_chart(&mut out, bars, sample_bytes);
    }
    out + "</svg>\n"
}

/// A point: chunk size, seconds, spread, and whether it is the default.
#[derive(Debug, Clone, Copy)]
struct Point {
    bytes: f64,
    seconds: f64,
    spread: f64,
    default: bool,
}

struct Line {
    workers: usize,
    points: Vec<Point>,
}

fn lines(comparisons: &[Comparison], sample_bytes: u64) -> Vec<Line> {
    let chunk_sizes = |axis| matches!(axis, Axis::ChunkSize | Axis::Line);
    let drawn = comparisons.iter().filter(|comparison| chunk_sizes(comparison.axis));
    let line = |comparison: &Comparison| {
        let measured = comparison.entries.iter().filter(|entry| entry.is_judged());
        let mut points: Vec<Point> = measured.map(|entry| point(entry, sample_bytes)).collect();
        points.sort_by(|a, b| a.bytes.total_cmp(&b.bytes));
        let workers = comparison.entries[0].runs.first()?.workers;
        (!points.is_empty()).then_some(Line { workers, points })
    };
    let mut lines: Vec<Line> = drawn.filter_map(line).collect();
    lines.sort_by_key(|line| line.workers);
    lines
}

fn point(entry: &Measured, sample_bytes: u64) -> Point {
    let tasks = entry.runs.first().map_or(1, |run| run.tasks.max(1));
    let bytes = entry.setting.chunk.map_or(sample_bytes as f64 / tasks as f64, |chunk| chunk as f64);
    Point { bytes, seconds: entry.median(), spread: entry.spread(), default: entry.setting.chunk.is_none() }
}

/// From measured values to places in the picture.
struct Scale {
    least: f64,
    most: f64,
    seconds: f64,
}

impl Scale {
    fn of(lines: &[Line]) -> Self {
        let points = || lines.iter().flat_map(|line| &line.points);
        let powers = || points().map(|point| point.bytes.max(1.0).log2());
        let seconds = points().map(|point| point.seconds + point.spread).fold(0.0, f64::max);
        let (least, most) = (powers().fold(f64::MAX, f64::min) - 0.5, powers().fold(0.0, f64::max) + 0.5);
        Self { least, most, seconds: (seconds * 1.08).max(1e-6) }
    }

    fn x(&self, bytes: f64) -> f64 {
        let part = (bytes.max(1.0).log2() - self.least) / (self.most - self.least);
        LEFT + part * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, seconds: f64) -> f64 {
        TOP + HEIGHT * (1.0 - seconds / self.seconds)
    }
}

fn chart(out: &mut String, lines: &[Line]) {
    let scale = Scale::of(lines);
    axes(out, &scale);
    for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let path = line
            .points
            .iter()
            .map(|point| format!("{:.1},{:.1}", scale.x(point.bytes), scale.y(point.seconds)));
        let path = path.collect::<Vec<_>>().join(" ");
        push(
            out,
            &format!("<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>"),
        );
        for point in &line.points {
            mark(out, &scale, point, colour);
        }
        let last = line.points.last().map_or((0.0, 0.0), |point| (point.bytes, point.seconds));
        let name =
            if line.workers == 1 { "1 worker".to_owned() } else { format!("{} workers", line.workers) };
        text(out, scale.x(last.0) + 12.0, scale.y(last.1) + 4.0, "start", &name);
    }
    let below = "chunk size; a hollow mark is the default";
    text(out, (LEFT + WIDTH - RIGHT) / 2.0, TOP + HEIGHT + 42.0, "middle", below);
}

/// A dot with a bar for the spread.
fn mark(out: &mut String, scale: &Scale, point: &Point, colour: &str) {
    let (x, y) = (scale.x(point.bytes), scale.y(point.seconds));
    let (high, low) = (scale.y(point.seconds + point.spread), scale.y(point.seconds - point.spread));
    push(out, &format!("<path d=\"M{x:.1} {high:.1}V{low:.1}\" stroke=\"{colour}\" stroke-width=\"1.5\"/>"));
    let fill = if point.default { "#fff" } else { colour };
    push(
        out,
        &format!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{fill}\" stroke=\"{colour}\" stroke-width=\"2\"/>"
        ),
    );
}

fn axes(out: &mut String, scale: &Scale) {
    let (right, bottom) = (WIDTH - RIGHT, TOP + HEIGHT);
    for seconds in ticks(scale.seconds) {
        let y = scale.y(seconds);
        push(out, &format!("<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"#ddd\"/>"));
        text(out, LEFT - 8.0, y + 4.0, "end", &short(seconds));
    }
    push(out, &format!("<path d=\"M{LEFT} {TOP}V{bottom}H{right}\" fill=\"none\" stroke=\"#222\"/>"));
    let powers = (scale.least.ceil() as i32..=scale.most.floor() as i32).filter(|power| power % 2 == 0);
    for power in powers {
        let bytes = 2f64.powi(power);
        let x = scale.x(bytes);
        push(out, &format!("<path d=\"M{x:.1} {bottom}v5\" stroke=\"#222\"/>"));
        text(out, x, bottom + 20.0, "middle", &size(bytes as u64));
    }
    text(out, LEFT - 8.0, TOP - 12.0, "end", "seconds");
}

/// Four to ten round numbers from 0 to `most`.
fn ticks(most: f64) -> Vec<f64> {
    let power = 10f64.powf((most / 4.0).log10().floor());
    let step =
        [5.0, 2.0, 1.0].iter().map(|step| step * power).find(|step| most / step >= 4.0).unwrap_or(power);
    (0..=(most / step) as u32).map(|tick| f64::from(tick) * step).collect()
}

fn short(number: f64) -> String {
    let text = format!("{number:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn bar_chart(out: &mut String, comparison: &Comparison, sample_bytes: u64) {
    let bars: Vec<&Measured> = comparison.entries.iter().filter(|entry| entry.is_judged()).collect();
    let most = bars.iter().map(|bar| bar.median() + bar.spread()).fold(1e-9, f64::max);
    text(out, LEFT, BARS_TOP - 14.0, "start", "partitions");
    let bottom = BARS_TOP + BARS_HEIGHT;
    for (place, bar) in bars.iter().enumerate() {
        let x = LEFT + 10.0 + place as f64 * 90.0;
        let (height, spread) = (bar.median() / most * BARS_HEIGHT, bar.spread() / most * BARS_HEIGHT);
        let top = bottom - height;
        let (middle, colour) = (x + 30.0, COLOURS[0]);
        push(
            out,
            &format!(
                "<rect x=\"{x}\" y=\"{top:.1}\" width=\"60\" height=\"{height:.1}\" fill=\"{colour}\" opacity=\"0.7\"/>"
            ),
        );
        let (high, low) = (top - spread, (top + spread).min(bottom));
        push(
            out,
            &format!("<path d=\"M{middle} {high:.1}V{low:.1}\" stroke=\"#222\" stroke-width=\"1.5\"/>"),
        );
        text(out, middle, bottom + 17.0, "middle", &label(Axis::Partitions, bar, sample_bytes));
        text(
            out,
            middle,
            bottom + 33.0,
            "middle",
            &format!("{} s", short((bar.median() * 1e3).round() / 1e3)),
        );
    }
    push(out, &format!("<path d=\"M{LEFT} {bottom}H{}\" stroke=\"#222\"/>", WIDTH - RIGHT));
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    push(out, &format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>"));
}

fn push(out: &mut String, element: &str) {
    writeln!(out, "{element}").expect("a string takes everything");
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::measured::{Run, Setting};
    use super::*;

    fn entry(chunk: Option<u64>, partitions: Option<u32>, workers: usize, millis: u64) -> Measured {
        let run = |more| {
            let wall = Duration::from_millis(millis + more);
            Run { wall, tasks: 4, workers, partitions: partitions.unwrap_or(2) }
        };
        let setting = Setting { chunk, workers: Some(workers), partitions };
        Measured { runs: [0, 5, 9].map(run).to_vec(), ..Measured::new(setting) }
    }

    fn comparisons() -> Vec<Comparison> {
        let line = |workers, millis| {
            let chunks = [None, Some(64 << 10), Some(4 << 20)];
            chunks.map(|chunk| entry(chunk, None, workers, millis)).to_vec()
        };
        let partitions = [None, Some(1), Some(16)].map(|number| entry(None, number, 2, 200));
        vec![
            Comparison::new(Axis::ChunkSize, line(2, 200)),
            Comparison::new(Axis::Partitions, partitions.to_vec()),
            Comparison::new(Axis::Line, line(1, 380)),
        ]
    }

    /// Names of the elements, each of which must have been closed.
    fn elements(svg: &str) -> Vec<&str> {
        let (mut open, mut all) = (Vec::new(), Vec::new());
        for tag in svg.split('<').skip(1) {
            let (tag, after) = tag.split_once('>').expect("every tag ends");
            assert!(!after.contains('>'), "{after}");
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
            let name = tag.split([' ', '/']).next().unwrap_or_default();
            match tag.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop(), Some(name)),
                None => {
                    all.push(name);
                    if !tag.ends_with('/') {
                        open.push(name);
                    }
                }
            }
        }
        assert!(open.is_empty(), "{open:?}");
        all
    }

    #[test]
    fn the_picture_is_well_formed_and_shows_every_measurement() {
        let svg = svg("a<b>&c", &comparisons(), 16 << 20);
        let elements = elements(&svg);
        let count = |name| elements.iter().filter(|element| **element == name).count();
        assert_eq!((count("polyline"), count("circle"), count("rect")), (2, 6, 1 + 3));
        assert!(
            svg.contains("a&lt;b&gt;&amp;c") && svg.contains(">1 worker<") && svg.contains(">2 workers<")
        );
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    #[test]
    fn nothing_to_draw_is_a_picture_too() {
        let svg = svg("job", &[], 0);
        assert_eq!(elements(&svg)[0], "svg");
    }

    #[test]
    fn ticks_are_few_and_round() {
        assert_eq!(ticks(0.45).len(), 5);
        for most in [0.001, 0.37, 0.99, 1.0, 7.3, 100.0] {
            assert!((4..=11).contains(&ticks(most).len()), "{most}: {:?}", ticks(most));
        }
    }
}
