//! The picture of an asset: a motif of its kind, grown from its content's hash, over its title and figures.

use provena_arith::hash::sha256;
use zeno::{Command, Fill, PathBuilder as _, Stroke};

use super::{
    canvas::{Canvas, Colour},
    letters::{Line, Type, can_write},
};

/// Pixels along an edge.
const SIDE: usize = 1000;
/// From the edges to what is drawn.
const MARGIN: f32 = 80.0;
/// Sizes of a title, the largest that fits is taken.
const TITLE_SIZES: [f32; 5] = [84.0, 72.0, 60.0, 50.0, 40.0];

/// What is shown of an asset's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Motif {
    /// Layers of a network, for a model that reads pictures.
    Classifier,
    /// Points by nearness, for a model that embeds sentences.
    Encoder,
    /// Lines of words, for a language model.
    Decoder,
    /// A field of samples.
    Dataset,
}

/// What the picture is of.
pub(crate) struct Portrait<'a> {
    /// The asset's kind.
    pub motif: Motif,
    /// The asset's title.
    pub title: &'a str,
    /// Figures in a line, e.g. "134.5 M parameters".
    pub figures: &'a str,
    /// The content's Merkle root.
    pub root: &'a [u8; 32],
}

/// Numbers that follow from the root.
struct Seeds<'a> {
    root: &'a [u8; 32],
    drawn: u32,
    block: [u8; 32],
}

impl Seeds<'_> {
    /// The next number from 0 to 1.
    fn next(&mut self) -> f32 {
        let at = (self.drawn % 16) as usize * 2;
        if at == 0 {
            self.block = sha256(&[b"provena picture", self.root, &self.drawn.to_le_bytes()]);
        }
        self.drawn += 1;
        f32::from(u16::from_le_bytes([self.block[at], self.block[at + 1]])) / f32::from(u16::MAX)
    }

    /// The next number between two.
    fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.next()
    }
}

/// Three hues that go together.
#[derive(Clone, Copy)]
struct Palette {
    hue: f32,
    spread: f32,
}

impl Palette {
    /// A bright colour; `way` goes from one end of the palette to the other.
    fn bright(self, way: f32, lightness: f32) -> Colour {
        Colour::oklch(lightness, 0.155, self.hue + self.spread * (way - 0.5))
    }
}

/// Paints it.
pub(super) fn paint(portrait: &Portrait<'_>) -> Canvas {
    let mut seeds = Seeds { root: portrait.root, drawn: 0, block: [0; 32] };
    let hue = seeds.next();
    let spread = seeds.between(0.14, 0.3) * if seeds.next() < 0.5 { -1.0 } else { 1.0 };
    let palette = Palette { hue, spread };
    let mut canvas = Canvas::new(SIDE, Colour::oklch(0.21, 0.055, hue), Colour::oklch(0.12, 0.03, hue + spread));
    for _ in 0..3 {
        let at = (seeds.between(150.0, 850.0), seeds.between(120.0, 620.0));
        let colour = palette.bright(seeds.next(), 0.6);
        canvas.glow(at, seeds.between(300.0, 460.0), colour, 0.3);
    }
    match portrait.motif {
        Motif::Classifier => network(&mut canvas, &mut seeds, palette),
        Motif::Encoder => constellation(&mut canvas, &mut seeds, palette),
        Motif::Decoder => lines(&mut canvas, &mut seeds, palette),
        Motif::Dataset => field(&mut canvas, &mut seeds, palette),
    }
    words(&mut canvas, portrait, palette);
    canvas
}

fn circle((x, y): (f32, f32), radius: f32) -> Vec<Command> {
    let mut path: Vec<Command> = Vec::new();
    path.add_circle((x, y), radius);
    path
}

fn bend(from: (f32, f32), to: (f32, f32)) -> Vec<Command> {
    let middle = f32::midpoint(from.0, to.0);
    let mut path: Vec<Command> = Vec::new();
    path.move_to(from).curve_to((middle, from.1), (middle, to.1), to);
    path
}

/// A point with light around it.
fn star(canvas: &mut Canvas, at: (f32, f32), radius: f32, colour: Colour) {
    canvas.glow(at, radius * 4.5, colour, 0.5);
    canvas.path(&circle(at, radius), Fill::NonZero, colour, 1.0);
    canvas.path(&circle(at, radius * 0.42), Fill::NonZero, Colour([1.0; 3]), 0.85);
}

/// Layers of points, each joined with those of the next.
fn network(canvas: &mut Canvas, seeds: &mut Seeds<'_>, palette: Palette) {
    let layers = 4 + (seeds.next() * 2.99) as usize;
    let points: Vec<Vec<(f32, f32)>> = (0..layers)
        .map(|layer| {
            let count = 4 + (seeds.next() * 5.99) as usize;
            let x = 140.0 + 720.0 * layer as f32 / (layers - 1) as f32;
            let height = seeds.between(340.0, 500.0);
            (0..count).map(|n| (x, 400.0 + height * ((n as f32 + 0.5) / count as f32 - 0.5))).collect()
        })
        .collect();
    for (layer, pair) in points.windows(2).enumerate() {
        for from in &pair[0] {
            for to in &pair[1] {
                let weight = seeds.next();
                let colour = palette.bright((layer as f32 + weight) / layers as f32, 0.74);
                canvas.path(&bend(*from, *to), Stroke::new(0.8 + weight * 2.2), colour, 0.08 + weight.powi(3) * 0.6);
            }
        }
    }
    for (layer, layer_points) in points.iter().enumerate() {
        for point in layer_points {
            let radius = seeds.between(7.0, 15.0);
            star(canvas, *point, radius, palette.bright(layer as f32 / (layers - 1) as f32, 0.8));
        }
    }
}

/// Clouds of points, each joined with its nearest.
fn constellation(canvas: &mut Canvas, seeds: &mut Seeds<'_>, palette: Palette) {
    const CLOUDS: usize = 5;
    const POINTS: usize = 15;
    let mut points: Vec<((f32, f32), f32)> = Vec::new();
    for cloud in 0..CLOUDS {
        let turn = (cloud as f32 + seeds.next() * 0.6) / CLOUDS as f32 * std::f32::consts::TAU;
        let centre = (500.0 + 265.0 * turn.cos(), 390.0 + 175.0 * turn.sin());
        for _ in 0..POINTS {
            let away = seeds.next().powf(0.8) * 125.0;
            let angle = seeds.next() * std::f32::consts::TAU;
            points.push(((centre.0 + away * angle.cos(), centre.1 + away * angle.sin()), cloud as f32 / CLOUDS as f32));
        }
    }
    for (point, way) in &points {
        let distance = |other: &(f32, f32)| (other.0 - point.0).powi(2) + (other.1 - point.1).powi(2);
        let mut nearest: Vec<&((f32, f32), f32)> = points.iter().collect();
        nearest.sort_by(|a, b| distance(&a.0).total_cmp(&distance(&b.0)));
        for (rank, (other, _)) in nearest.iter().skip(1).take(4).enumerate() {
            let mut path: Vec<Command> = Vec::new();
            path.move_to(*point).line_to(*other);
            canvas.path(&path, Stroke::new(1.6), palette.bright(*way, 0.78), 0.42 - rank as f32 * 0.08);
        }
    }
    for (point, way) in &points {
        star(canvas, *point, seeds.between(3.5, 11.0), palette.bright(*way, 0.82));
    }
}

/// Lines of words of many lengths, the later the brighter.
fn lines(canvas: &mut Canvas, seeds: &mut Seeds<'_>, palette: Palette) {
    const LINES: usize = 9;
    const HEIGHT: f32 = 26.0;
    for line in 0..LINES {
        let way = line as f32 / (LINES - 1) as f32;
        let y = 160.0 + 54.0 * line as f32;
        let (mut x, end) = (130.0, if line == LINES - 1 { 520.0 } else { seeds.between(700.0, 870.0) });
        while x < end {
            let width = seeds.between(26.0, 150.0).min(end - x).max(HEIGHT);
            let strength = 0.2 + 0.65 * way * seeds.between(0.6, 1.0);
            let mut path: Vec<Command> = Vec::new();
            path.add_round_rect((x, y), width, HEIGHT, HEIGHT / 2.0, HEIGHT / 2.0);
            canvas.path(&path, Fill::NonZero, palette.bright(seeds.next() * 0.5 + way * 0.5, 0.76), strength);
            x += width + 16.0;
        }
        if line == LINES - 1 {
            let cursor = (x + 6.0, y + HEIGHT / 2.0);
            star(canvas, cursor, 13.0, palette.bright(1.0, 0.86));
        }
    }
}

/// A field of dots whose sizes go in waves.
fn field(canvas: &mut Canvas, seeds: &mut Seeds<'_>, palette: Palette) {
    const COLUMNS: usize = 19;
    const ROWS: usize = 12;
    let waves: Vec<[f32; 4]> = (0..4)
        .map(|_| [seeds.between(-0.55, 0.55), seeds.between(-0.55, 0.55), seeds.next() * 6.3, seeds.between(0.5, 1.0)])
        .collect();
    let total: f32 = waves.iter().map(|wave| wave[3]).sum();
    for row in 0..ROWS {
        for column in 0..COLUMNS {
            let (x, y) = (column as f32, row as f32);
            let height: f32 = waves.iter().map(|wave| wave[3] * (x * wave[0] + y * wave[1] + wave[2]).sin()).sum();
            let level = (0.5 + 0.75 * height / total + seeds.between(-0.08, 0.08)).clamp(0.04, 1.0);
            let at = (131.0 + 41.0 * x, 160.0 + 41.0 * y);
            let colour = palette.bright(x / COLUMNS as f32 * 0.6 + level * 0.4, 0.6 + 0.26 * level);
            if level > 0.8 {
                canvas.glow(at, 46.0, colour, 0.35);
            }
            canvas.path(&circle(at, 2.5 + 15.0 * level), Fill::NonZero, colour, 0.35 + 0.65 * level);
        }
    }
}

/// Kind and mark above, title, figures and root beneath.
fn words(canvas: &mut Canvas, portrait: &Portrait<'_>, palette: Palette) {
    let (side, white) = (SIDE as f32, Colour([0.97; 3]));
    let soft = palette.bright(0.5, 0.86);
    let kind = if portrait.motif == Motif::Dataset { "DATASET" } else { "MODEL" };
    let caption = Line { apart: 6.0, ..Line::light(27.0) };
    caption.write(canvas, kind, (MARGIN, 92.0), soft, 1.0);
    caption.write_before(canvas, "PROVENA", (side - MARGIN + 6.0, 92.0), soft, 0.75);

    let root: String = portrait.root.iter().map(|byte| format!("{byte:02x}")).collect();
    let title = if can_write(portrait.title) { portrait.title } else { kind };
    let (line, rows) = fitted(title, side - 2.0 * MARGIN);
    let mut y = 806.0 - (rows.len() - 1) as f32 * line.size * 0.55;
    for row in &rows {
        line.write(canvas, row, (MARGIN - 3.0, y), white, 1.0);
        y += line.size * 1.08;
    }
    let mono = Line { face: Type::Mono, size: 24.0, apart: 1.0 };
    Line::light(32.0).write(canvas, portrait.figures, (MARGIN, 922.0), soft, 0.95);
    let ends = format!("{}…{}", &root[..6], &root[58..]);
    mono.write_before(canvas, &ends, (side - MARGIN, 921.0), soft, 0.7);
}

/// A title in one line or two, as large as it goes.
fn fitted(title: &str, width: f32) -> (Line, Vec<String>) {
    for size in TITLE_SIZES {
        let line = Line::light(size);
        if line.width(title) <= width {
            return (line, vec![title.to_owned()]);
        }
        let breaks = title.match_indices(' ').map(|(at, _)| title.split_at(at));
        let fits = breaks.map(|(first, rest)| (first, rest.trim_start()));
        let halves = fits.filter(|(first, rest)| line.width(first) <= width && line.width(rest) <= width);
        let even =
            halves.min_by(|a, b| line.width(a.0).max(line.width(a.1)).total_cmp(&line.width(b.0).max(line.width(b.1))));
        if size <= 60.0
            && let Some((first, rest)) = even
        {
            return (line, vec![first.to_owned(), rest.to_owned()]);
        }
    }
    let line = Line::light(TITLE_SIZES[TITLE_SIZES.len() - 1]);
    let mut cut = title.to_owned();
    while line.width(&cut) > width && cut.pop().is_some() {}
    (line, vec![cut])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three assets, drawn twice: the same each time, and different from each other. `PROVENA_KEEP_PICTURES` names a folder
    /// where a person can look at them.
    #[test]
    fn a_picture_follows_from_what_the_asset_is() {
        let subject = |motif, title, figures, root| super::super::draw(&Portrait { motif, title, figures, root }).bytes;
        let roots = [sha256(&[b"a"]), sha256(&[b"b"]), sha256(&[b"c"]), sha256(&[b"d"])];
        let draw = || {
            [
                subject(Motif::Classifier, "Digits", "7,210 parameters", &roots[0]),
                subject(Motif::Dataset, "Scanned handwritten digits, 1998", "56 kB", &roots[1]),
                subject(Motif::Decoder, "SmolLM2", "134.5 M parameters", &roots[2]),
                subject(Motif::Encoder, "all-MiniLM-L6-v2", "22.7 M parameters", &roots[3]),
            ]
        };
        let pictures = draw();
        assert_eq!(pictures, draw());
        for (n, picture) in pictures.iter().enumerate() {
            assert!(picture.len() < 800_000, "{} bytes", picture.len());
            assert!(pictures[..n].iter().all(|other| other != picture));
            if let Some(folder) = std::env::var_os("PROVENA_KEEP_PICTURES") {
                std::fs::write(std::path::Path::new(&folder).join(format!("picture-{n}.png")), picture).unwrap();
            }
        }
    }

    #[test]
    fn long_titles_and_foreign_letters_have_a_picture_too() {
        let root = sha256(&[b"x"]);
        for title in ["W".repeat(32), "数字の読み取り".into(), "ü".into(), "a b".repeat(10)] {
            paint(&Portrait { motif: Motif::Dataset, title: &title, figures: "", root: &root });
        }
    }
}
