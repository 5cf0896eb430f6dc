//! A plot as SVG: text that a page can hold, with the query of each dot.

use std::fmt::Write as _;

use super::{Anchor, SIDE, Shape};

/// The plot as a document of its own, which may also stand within a page.
pub fn svg(shapes: &[Shape]) -> String {
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {SIDE} {SIDE}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<style>circle {{ fill-opacity: 0.7 }}</style>\n<rect width=\"{SIDE}\" height=\"{SIDE}\" fill=\"white\"/>\n"
    );
    for shape in shapes {
        match shape {
            Shape::Line { ends: [x1, y1, x2, y2], color, is_dashed } => {
                let dash = if *is_dashed { " stroke-dasharray=\"5 4\"" } else { "" };
                let _ = writeln!(
                    out,
                    "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#{color:06x}\"{dash}/>"
                );
            }
            Shape::Path { points, color } => {
                let points: Vec<String> =
                    points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
                let _ = writeln!(
                    out,
                    "<polyline points=\"{}\" fill=\"none\" stroke-width=\"1.5\" stroke=\"#{color:06x}\"/>",
                    points.join(" ")
                );
            }
            Shape::Dot { at: (x, y), color, query, title } => {
                let _ = writeln!(
                    out,
                    "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"#{color:06x}\" \
                     data-query=\"{}\"><title>{}</title></circle>",
                    escaped(query),
                    escaped(title)
                );
            }
            Shape::Text { at: (x, y), anchor, text, color } => {
                let anchor = match anchor {
                    Anchor::Start => "start",
                    Anchor::Middle => "middle",
                    Anchor::End => "end",
                };
                let _ = writeln!(
                    out,
                    "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\" fill=\"#{color:06x}\">{}</text>",
                    y + 4.0,
                    escaped(text)
                );
            }
        }
    }
    out + "</svg>\n"
}

/// A text as XML and HTML write it.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
