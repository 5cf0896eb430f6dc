//! A plot as pixels, for where SVG is not shown.
//!
//! Lines are stepped, dots are filled squares without corners, and letters have three by five dots: enough to read the axes. A
//! rasteriser of a registry, with fonts, would be a hundred crates.

use super::{Anchor, SIDE, Shape};

/// Pixels for each unit.
const SCALE: f64 = 1.5;

/// Pixels for each dot of a letter.
const LETTER: i64 = 3;

/// Letters, digits and signs: five rows of three dots each, from the top, the left dot being the highest of three bits.
const GLYPHS: [(char, [u8; 5]); 48] = [
    (' ', [0, 0, 0, 0, 0]),
    ('0', [7, 5, 5, 5, 7]),
    ('1', [2, 6, 2, 2, 7]),
    ('2', [7, 1, 7, 4, 7]),
    ('3', [7, 1, 3, 1, 7]),
    ('4', [5, 5, 7, 1, 1]),
    ('5', [7, 4, 7, 1, 7]),
    ('6', [7, 4, 7, 5, 7]),
    ('7', [7, 1, 2, 2, 2]),
    ('8', [7, 5, 7, 5, 7]),
    ('9', [7, 5, 7, 1, 7]),
    ('A', [2, 5, 7, 5, 5]),
    ('B', [6, 5, 6, 5, 6]),
    ('C', [3, 4, 4, 4, 3]),
    ('D', [6, 5, 5, 5, 6]),
    ('E', [7, 4, 6, 4, 7]),
    ('F', [7, 4, 6, 4, 4]),
    ('G', [3, 4, 5, 5, 3]),
    ('H', [5, 5, 7, 5, 5]),
    ('I', [7, 2, 2, 2, 7]),
    ('J', [1, 1, 1, 5, 2]),
    ('K', [5, 5, 6, 5, 5]),
    ('L', [4, 4, 4, 4, 7]),
    ('M', [5, 7, 7, 5, 5]),
    ('N', [6, 5, 5, 5, 5]),
    ('O', [2, 5, 5, 5, 2]),
    ('P', [6, 5, 6, 4, 4]),
    ('Q', [2, 5, 5, 6, 3]),
    ('R', [6, 5, 6, 5, 5]),
    ('S', [3, 4, 2, 1, 6]),
    ('T', [7, 2, 2, 2, 2]),
    ('U', [5, 5, 5, 5, 7]),
    ('V', [5, 5, 5, 5, 2]),
    ('W', [5, 5, 7, 7, 5]),
    ('X', [5, 5, 2, 5, 5]),
    ('Y', [5, 5, 2, 2, 2]),
    ('Z', [7, 1, 2, 4, 7]),
    ('.', [0, 0, 0, 0, 2]),
    (',', [0, 0, 0, 2, 4]),
    (':', [0, 2, 0, 2, 0]),
    ('-', [0, 0, 7, 0, 0]),
    ('+', [0, 2, 7, 2, 0]),
    ('@', [2, 5, 7, 4, 3]),
    ('/', [1, 1, 2, 4, 4]),
    ('_', [0, 0, 0, 0, 7]),
    ('#', [5, 7, 5, 7, 5]),
    ('(', [1, 2, 2, 2, 1]),
    (')', [4, 2, 2, 2, 4]),
];

struct Canvas {
    side: i64,
    pixels: Vec<u8>,
}

/// The plot as a PNG file.
///
/// # Errors
///
/// The encoder's words.
pub fn png(shapes: &[Shape]) -> Result<Vec<u8>, String> {
    let side = (SIDE * SCALE) as i64;
    let mut canvas = Canvas { side, pixels: vec![255; (side * side * 3) as usize] };
    for shape in shapes {
        match shape {
            Shape::Line { ends, color, is_dashed } => canvas.line(*ends, *color, *is_dashed),
            Shape::Path { points, color } => {
                for pair in points.windows(2) {
                    for more in [0.0, 1.0 / SCALE] {
                        let (from, to) = (pair[0], pair[1]);
                        canvas.line([from.0, from.1 + more, to.0, to.1 + more], *color, false);
                    }
                }
            }
            Shape::Dot { at: (x, y), color, .. } => canvas.dot(pixel(*x), pixel(*y), *color),
            Shape::Text { at: (x, y), anchor, text, color } => {
                canvas.text(pixel(*x), pixel(*y), *anchor, text, *color);
            }
        }
    }
    let mut bytes = Vec::new();
    let side = u32::try_from(side).map_err(|error| error.to_string())?;
    let mut encoder = ::png::Encoder::new(&mut bytes, side, side);
    encoder.set_color(::png::ColorType::Rgb);
    encoder.set_depth(::png::BitDepth::Eight);
    let told = |error: ::png::EncodingError| error.to_string();
    let mut writer = encoder.write_header().map_err(told)?;
    writer.write_image_data(&canvas.pixels).map_err(told)?;
    writer.finish().map_err(told)?;
    Ok(bytes)
}

fn pixel(units: f64) -> i64 {
    (units * SCALE).round() as i64
}

impl Canvas {
    fn set(&mut self, x: i64, y: i64, color: u32) {
        if (0..self.side).contains(&x) && (0..self.side).contains(&y) {
            let at = ((y * self.side + x) * 3) as usize;
            self.pixels[at..at + 3].copy_from_slice(&color.to_be_bytes()[1..]);
        }
    }

    fn line(&mut self, ends: [f64; 4], color: u32, is_dashed: bool) {
        /// Pixels of a dash, and of a gap.
        const DASH: i64 = 7;
        let [x1, y1, x2, y2] = ends.map(|units| units * SCALE);
        let n_steps = (x2 - x1).abs().max((y2 - y1).abs()).ceil().max(1.0);
        for step in 0..=n_steps as i64 {
            if is_dashed && (step / DASH) % 2 == 1 {
                continue;
            }
            let share = step as f64 / n_steps;
            let at = |from: f64, to: f64| (from + (to - from) * share).round() as i64;
            self.set(at(x1, x2), at(y1, y2), color);
        }
    }

    fn dot(&mut self, x: i64, y: i64, color: u32) {
        /// Half the side of the square, in pixels.
        const RADIUS: i64 = 3;
        for dy in -RADIUS..=RADIUS {
            for dx in -RADIUS..=RADIUS {
                if dx.abs() + dy.abs() <= RADIUS + 1 {
                    self.set(x + dx, y + dy, color);
                }
            }
        }
    }

    fn text(&mut self, x: i64, y: i64, anchor: Anchor, text: &str, color: u32) {
        let advance = 4 * LETTER;
        let width = advance * text.chars().count() as i64 - LETTER;
        let left = match anchor {
            Anchor::Start => x,
            Anchor::Middle => x - width / 2,
            Anchor::End => x - width,
        };
        let top = y - 5 * LETTER / 2;
        for (number, letter) in text.chars().enumerate() {
            let upper = letter.to_ascii_uppercase();
            // What there is no glyph for is a gap: the SVG has it.
            let rows =
                GLYPHS.iter().find(|(known, _)| *known == upper).map_or([0; 5], |found| found.1);
            for (row, bits) in rows.iter().enumerate() {
                for column in 0..3 {
                    if bits & (4 >> column) != 0 {
                        let x = left + advance * number as i64 + LETTER * column;
                        self.square(x, top + LETTER * row as i64, color);
                    }
                }
            }
        }
    }

    fn square(&mut self, x: i64, y: i64, color: u32) {
        for dy in 0..LETTER {
            for dx in 0..LETTER {
                self.set(x + dx, y + dy, color);
            }
        }
    }
}
