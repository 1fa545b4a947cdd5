//! Letters on pictures, from fonts that come with the program.

use epaint_default_fonts::{HACK_REGULAR, NOTO_EMOJI_REGULAR, UBUNTU_LIGHT};
use ttf_parser::{Face, GlyphId, OutlineBuilder};
use zeno::{Command, Fill, Vector};

use super::canvas::{Canvas, Colour};

/// A typeface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// Words.
    Light,
    /// Hashes.
    Mono,
}

/// How a line is set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    /// The typeface.
    pub face: Type,
    /// Pixels of an em.
    pub size: f32,
    /// Pixels between letters, beside their own widths.
    pub apart: f32,
}

impl Line {
    /// Words of this size.
    pub(super) fn light(size: f32) -> Self {
        Self { face: Type::Light, size, apart: 0.0 }
    }

    /// How wide a text becomes.
    pub(super) fn width(self, text: &str) -> f32 {
        self.set(text, (0.0, 0.0)).1
    }

    /// Writes a text whose baseline begins at `at`.
    pub(super) fn write(self, canvas: &mut Canvas, text: &str, at: (f32, f32), colour: Colour, strength: f32) {
        canvas.path(&self.set(text, at).0, Fill::NonZero, colour, strength);
    }

    /// As [`Line::write`], with its end at `at`.
    pub(super) fn write_before(self, canvas: &mut Canvas, text: &str, at: (f32, f32), colour: Colour, strength: f32) {
        self.write(canvas, text, (at.0 - self.width(text), at.1), colour, strength);
    }

    /// The outlines of a text, and its width. Letters that no font has are left out.
    fn set(self, text: &str, (x, y): (f32, f32)) -> (Vec<Command>, f32) {
        let first = if self.face == Type::Mono { HACK_REGULAR } else { UBUNTU_LIGHT };
        let faces: Vec<Face<'_>> =
            [first, NOTO_EMOJI_REGULAR].iter().filter_map(|font| Face::parse(font, 0).ok()).collect();
        let mut outline = Outline { path: Vec::new(), x, y, scale: 1.0 };
        for letter in text.chars() {
            let Some((face, glyph)) = faces.iter().find_map(|face| Some((face, face.glyph_index(letter)?))) else {
                continue;
            };
            outline.scale = self.size / f32::from(face.units_per_em());
            face.outline_glyph(glyph, &mut outline);
            outline.x += advance(face, glyph) * outline.scale + self.apart;
        }
        (outline.path, outline.x - x)
    }
}

/// Whether the fonts have every letter of a text.
pub(super) fn can_write(text: &str) -> bool {
    let faces: Vec<Face<'_>> =
        [UBUNTU_LIGHT, NOTO_EMOJI_REGULAR].iter().filter_map(|font| Face::parse(font, 0).ok()).collect();
    text.chars().all(|letter| faces.iter().any(|face| face.glyph_index(letter).is_some()))
}

fn advance(face: &Face<'_>, glyph: GlyphId) -> f32 {
    face.glyph_hor_advance(glyph).map_or(0.0, f32::from)
}

/// Outlines in pixels, with y downwards.
struct Outline {
    path: Vec<Command>,
    x: f32,
    y: f32,
    scale: f32,
}

impl Outline {
    fn at(&self, x: f32, y: f32) -> Vector {
        Vector::new(self.x + x * self.scale, self.y - y * self.scale)
    }
}

impl OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        self.path.push(Command::MoveTo(self.at(x, y)));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.path.push(Command::LineTo(self.at(x, y)));
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.path.push(Command::QuadTo(self.at(x1, y1), self.at(x, y)));
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.path.push(Command::CurveTo(self.at(x1, y1), self.at(x2, y2), self.at(x, y)));
    }

    fn close(&mut self) {
        self.path.push(Command::Close);
    }
}
