//! Plots: the scatter plot of two contestants and the cactus plot of all.
//!
//! A plot is a list of shapes in a square of its own units, which `svg` writes as text and `png` as pixels; so both
//! say the same. No library of plots was taken: two kinds of plots are fewer lines than what sets one up.

mod png;
pub(crate) mod svg;

use std::collections::BTreeSet;

use crate::compare::{Class, Comparison};
use crate::table::{Cell, Table};

pub use png::png;
pub use svg::svg;

/// The side of a plot, in its units.
pub const SIDE: f64 = 640.0;

/// Where the axes begin and end, in units from the left and from the top.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 616.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 560.0;

/// The shortest time that is drawn, in seconds: what is shorter stands at the axis.
const FLOOR_S: f64 = 0.001;

/// A part of a plot.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// From one place to another.
    Line {
        /// Its ends: x, y, x, y.
        ends: [f64; 4],
        /// Red, green, blue.
        color: u32,
        /// Whether it is dashed.
        is_dashed: bool,
    },
    /// From each place to the next.
    Path {
        /// The places.
        points: Vec<(f64, f64)>,
        /// Red, green, blue.
        color: u32,
    },
    /// A query.
    Dot {
        /// Where.
        at: (f64, f64),
        /// Red, green, blue.
        color: u32,
        /// The query's id.
        query: String,
        /// What is said of it.
        title: String,
    },
    /// Words.
    Text {
        /// Where: the middle of their height, and the end that [`Shape::Text::anchor`] says.
        at: (f64, f64),
        /// Which part of them is there.
        anchor: Anchor,
        /// The words.
        text: String,
        /// Red, green, blue.
        color: u32,
    },
}

/// Which part of a text stands at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The beginning.
    Start,
    /// The middle.
    Middle,
    /// The end.
    End,
}

const INK: u32 = 0x30_30_30;
const GRID: u32 = 0xdd_dd_dd;
const FAINT: u32 = 0xa0_a0_a0;

/// The colours of contestants in the cactus plot, which can be told apart without seeing red and green (Okabe and Ito, 2008).
const COLORS: [u32; 7] =
    [0x00_72_b2, 0xd5_5e_00, 0x00_9e_73, 0xcc_79_a7, 0xe6_9f_00, 0x56_b4_e9, 0x00_00_00];

/// The colour of a class.
pub fn color(class: Class) -> u32 {
    match class {
        Class::Contradiction => 0xff_00_ff,
        Class::Lost => 0xd5_5e_00,
        Class::Unstable => 0xe6_9f_00,
        Class::Slower => 0xcc_79_a7,
        Class::Faster => 0x56_b4_e9,
        Class::Won => 0x00_9e_73,
        Class::Same | Class::Neither | Class::Missing => 0x70_70_70,
    }
}

/// The place of a time on an axis from `low` to `high`, both in units.
fn place(seconds: f64, limit_s: f64, low: f64, high: f64) -> f64 {
    let share = (seconds.clamp(FLOOR_S, limit_s) / FLOOR_S).ln() / (limit_s / FLOOR_S).ln();
    low + (high - low) * share
}

fn text(at: (f64, f64), anchor: Anchor, text: &str) -> Shape {
    Shape::Text { at, anchor, text: text.to_owned(), color: INK }
}

/// A time in as few digits as it takes.
fn seconds(time: f64) -> String {
    format!("{time} s")
}

/// Powers of ten within the limit, and the limit.
fn ticks(limit_s: f64) -> Vec<f64> {
    let powers = [0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0];
    let mut ticks: Vec<f64> = powers.into_iter().filter(|tick| *tick < limit_s * 0.8).collect();
    ticks.push(limit_s);
    ticks
}

/// The scatter plot of the talk: a dot for each query, to the right as long as the old one takes, upwards as long as the new one does.
/// What is not solved stands on the edge at the limit.
pub fn scatter(comparison: &Comparison<'_>) -> Vec<Shape> {
    let cells = comparison.pairs.iter().flat_map(|pair| [pair.old, pair.new]).flatten();
    let limit_s = cells.map(|cell| cell.limit_s).fold(FLOOR_S * 10.0, f64::max);
    let x = |time: f64| place(time, limit_s, LEFT, RIGHT);
    let y = |time: f64| place(time, limit_s, BOTTOM, TOP);
    let mut shapes = Vec::new();
    let line = |ends, color, is_dashed| Shape::Line { ends, color, is_dashed };
    for tick in ticks(limit_s) {
        let is_edge = (tick - limit_s).abs() < f64::EPSILON;
        let color = if is_edge { color(Class::Lost) } else { GRID };
        shapes.push(line([x(tick), TOP, x(tick), BOTTOM], color, is_edge));
        shapes.push(line([LEFT, y(tick), RIGHT, y(tick)], color, is_edge));
        shapes.push(text((x(tick), BOTTOM + 14.0), Anchor::Middle, &seconds(tick)));
        shapes.push(text((LEFT - 6.0, y(tick)), Anchor::End, &seconds(tick)));
    }
    shapes.push(line([LEFT, BOTTOM, RIGHT, TOP], INK, false));
    for (factor, word) in [(10.0, "10 x slower"), (0.1, "10 x faster")] {
        let (from, to) = (FLOOR_S.max(FLOOR_S / factor), limit_s.min(limit_s / factor));
        shapes.push(line([x(from), y(from * factor), x(to), y(to * factor)], FAINT, true));
        // Where they begin, few queries are.
        let at = match factor > 1.0 {
            true => (LEFT + 8.0, y(FLOOR_S * factor) - 14.0),
            false => (x(FLOOR_S / factor) + 14.0, BOTTOM - 10.0),
        };
        shapes.push(text(at, Anchor::Start, word));
    }
    // The rare ones last, so that they are on top.
    let mut pairs: Vec<_> = comparison.pairs.iter().collect();
    pairs.sort_by_key(|pair| std::cmp::Reverse(pair.class));
    for pair in pairs {
        let (Some(old), Some(new)) = (pair.old, pair.new) else { continue };
        let time = |cell: &Cell| match cell.n_solved {
            0 => limit_s,
            _ => comparison.clock.of(cell),
        };
        let said = |cell: &Cell| match cell.n_solved {
            0 => format!("{} after {:.3} s", cell.word, comparison.clock.of(cell)),
            _ => format!("{:.3} s", comparison.clock.of(cell)),
        };
        let title =
            format!("{} {}: {}, then {}", pair.query, pair.class.word(), said(old), said(new));
        let (at, color) = ((x(time(old)), y(time(new))), color(pair.class));
        shapes.push(Shape::Dot { at, color, query: pair.query.to_owned(), title });
    }
    let clock = comparison.clock.words();
    let (old, new) = (&comparison.old, &comparison.new);
    let below = ((LEFT + RIGHT) / 2.0, BOTTOM + 34.0);
    shapes.push(text(below, Anchor::Middle, &format!("{old}, {clock}")));
    shapes.push(text((LEFT, TOP - 22.0), Anchor::Start, &format!("{new}, {clock}")));
    shapes.extend(legend(comparison));
    shapes
}

/// How many of which class there are, in their colours.
fn legend(comparison: &Comparison<'_>) -> Vec<Shape> {
    /// How much room a letter takes in either kind of picture, in units.
    const LETTER: f64 = 8.2;
    /// What is between two entries.
    const GAP: f64 = 18.0;
    let is_drawn = |class: &Class| *class != Class::Missing && comparison.n(*class) > 0;
    let entries: Vec<(Class, String)> = Class::ALL
        .into_iter()
        .filter(is_drawn)
        .map(|class| (class, format!("{} {}", class.word(), comparison.n(class))))
        .collect();
    let mut shapes = Vec::new();
    let (mut x, mut y) = (LEFT, BOTTOM + 54.0);
    for (class, text) in entries {
        let width = LETTER * text.len() as f64;
        if x + width > RIGHT {
            (x, y) = (LEFT, y + 16.0);
        }
        let color = color(class);
        shapes.push(Shape::Text { at: (x, y), anchor: Anchor::Start, text, color });
        x += width + GAP;
    }
    shapes
}

/// The cactus plot: a line for each contestant, how many queries (to the right) it solves within which time (upwards)
/// each, of the queries that were put to all.
pub fn cactus(table: &Table, members: &[usize], clock: crate::compare::Clock) -> Vec<Shape> {
    let mut series: Vec<(String, Vec<f64>)> = Vec::new();
    let mut limit_s = FLOOR_S * 10.0;
    let is_of_all = |cells: &&Vec<Option<Cell>>| members.iter().all(|at| cells[*at].is_some());
    let n_queries = table.queries.values().filter(is_of_all).count();
    for at in members {
        let mut times = Vec::new();
        let of_all = table.queries.values().filter(is_of_all);
        for cell in of_all.filter_map(|cells| cells[*at].as_ref()) {
            limit_s = cell.limit_s.max(limit_s);
            if cell.is_solved() {
                times.push(clock.of(cell));
            }
        }
        times.sort_by(f64::total_cmp);
        series.push((table.label(*at), times));
    }
    let n_max = n_queries.max(1);
    let x = |n: usize| LEFT + (RIGHT - LEFT) * n as f64 / n_max as f64;
    let y = |time: f64| place(time, limit_s, BOTTOM, TOP);
    let mut shapes = Vec::new();
    for tick in ticks(limit_s) {
        let line = [LEFT, y(tick), RIGHT, y(tick)];
        shapes.push(Shape::Line { ends: line, color: GRID, is_dashed: false });
        shapes.push(text((LEFT - 6.0, y(tick)), Anchor::End, &seconds(tick)));
    }
    let quarters: BTreeSet<usize> = (0..=4).map(|quarter| n_max * quarter / 4).collect();
    for n in quarters {
        let line = [x(n), TOP, x(n), BOTTOM];
        shapes.push(Shape::Line { ends: line, color: GRID, is_dashed: false });
        shapes.push(text((x(n), BOTTOM + 14.0), Anchor::Middle, &n.to_string()));
    }
    for (number, (label, times)) in series.iter().enumerate() {
        let color = COLORS[number % COLORS.len()];
        // Of neighbours that stand within a pixel, one is enough.
        let mut points: Vec<(f64, f64)> = Vec::new();
        for (n, time) in times.iter().enumerate() {
            let point = (x(n + 1), y(*time));
            let is_near = |last: &(f64, f64)| {
                (last.0 - point.0).abs() < 0.5 && (last.1 - point.1).abs() < 0.5
            };
            if n + 1 == times.len() || !points.last().is_some_and(is_near) {
                points.push(point);
            }
        }
        shapes.push(Shape::Path { points, color });
        let at = (LEFT + 12.0, TOP + 14.0 + 18.0 * number as f64);
        let text = format!("{label}: {}", times.len());
        shapes.push(Shape::Text { at, anchor: Anchor::Start, text, color });
    }
    let below = format!("queries solved, of {n_queries}");
    shapes.push(text(((LEFT + RIGHT) / 2.0, BOTTOM + 34.0), Anchor::Middle, &below));
    let above = format!("{} of each", clock.words());
    shapes.push(text((LEFT, TOP - 22.0), Anchor::Start, &above));
    shapes
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::compare::{Clock, Slack, compare};
    use crate::record::Record;
    use crate::record::testing::row;

    fn table() -> Table {
        let rows = vec![
            row("p", "a", "sat", 100),
            row("p", "b", "sat", 1000),
            row("q", "a", "sat", 5),
            row("q", "b", "walltime", 30_000),
        ];
        Table::new(&Record { rows, notes: Vec::new() }).unwrap()
    }

    #[test]
    fn what_is_not_solved_stands_on_the_edge() {
        let table = table();
        let slack = Slack { factor: 2.0, seconds: 0.1 };
        let pair = compare(&table, (0, 1), &BTreeMap::new(), Clock::Wall, slack).unwrap();
        let shapes = scatter(&pair);
        let dots: Vec<_> = shapes
            .iter()
            .filter_map(|shape| match shape {
                Shape::Dot { at, query, .. } => Some((query.as_str(), at.1)),
                _ => None,
            })
            .collect();
        assert_eq!(dots[1], ("q", TOP));
        assert!(dots[0].0 == "p" && dots[0].1 > TOP);
        let text = svg(&shapes);
        assert!(text.contains("data-query=\"q\"") && text.contains(">30 s<"), "{text}");
    }

    #[test]
    fn a_picture_has_what_the_drawing_has() {
        let table = table();
        let shapes = cactus(&table, &[0, 1], Clock::Wall);
        let bytes = png(&shapes).unwrap();
        assert_eq!(bytes[..8], *b"\x89PNG\r\n\x1a\n");
        let mut reader = ::png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(info.width, info.height);
        let colors: BTreeSet<&[u8]> = pixels.chunks(3).collect();
        assert!(colors.contains(&[0x00, 0x72, 0xb2][..]), "the first contestant's line");
    }
}
