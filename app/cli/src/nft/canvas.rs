//! A square of pixels on which shapes are laid one over the other.

use zeno::{Command, Mask, Placement, Style};

/// A colour, each part 0 to 1, in sRGB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Colour(pub [f32; 3]);

impl Colour {
    /// OKLCH: lightness 0 to 1, chroma 0 to about 0.3, hue in turns. Equal steps look equal.
    pub(super) fn oklch(lightness: f32, chroma: f32, turns: f32) -> Self {
        let (sin, cos) = (turns * std::f32::consts::TAU).sin_cos();
        let (a, b) = (chroma * cos, chroma * sin);
        let l = (lightness + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
        let m = (lightness - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
        let s = (lightness - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
        let linear = [
            4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s,
            -1.268_438 * l + 2.609_757_4 * m - 0.341_319_4 * s,
            -0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s,
        ];
        let gamma = |part: f32| match part.clamp(0.0, 1.0) {
            part if part <= 0.003_130_8 => 12.92 * part,
            part => 1.055 * part.powf(1.0 / 2.4) - 0.055,
        };
        Self(linear.map(gamma))
    }
}

/// The square.
pub(super) struct Canvas {
    side: usize,
    pixels: Vec<[f32; 3]>,
}

impl Canvas {
    /// A square of `side` pixels whose colour goes from `top` to `bottom` along its diagonal.
    pub(super) fn new(side: usize, top: Colour, bottom: Colour) -> Self {
        let mut pixels = Vec::with_capacity(side * side);
        for y in 0..side {
            for x in 0..side {
                let way = (x as f32 * 0.35 + y as f32) / (side as f32 * 1.35);
                pixels.push(std::array::from_fn(|part| top.0[part] + (bottom.0[part] - top.0[part]) * way));
            }
        }
        Self { side, pixels }
    }

    /// Pixels along an edge.
    pub(super) fn side(&self) -> usize {
        self.side
    }

    /// The pixels as red, green and blue bytes, row after row.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let byte = |part: &f32| (part.clamp(0.0, 1.0) * 255.0).round() as u8;
        self.pixels.iter().flat_map(|pixel| pixel.iter().map(byte)).collect()
    }

    /// Lays a path over what is there.
    pub(super) fn path<'a>(&mut self, path: &[Command], style: impl Into<Style<'a>>, colour: Colour, strength: f32) {
        let (mask, Placement { left, top, width, height }) = Mask::new(path).style(style).render();
        let Ok(pitch) = usize::try_from(width) else { return };
        for row in 0..i64::from(height) {
            for column in 0..i64::from(width) {
                let (x, y) = (column + i64::from(left), row + i64::from(top));
                let (Ok(x), Ok(y), Ok(column), Ok(row)) =
                    (usize::try_from(x), usize::try_from(y), usize::try_from(column), usize::try_from(row))
                else {
                    continue;
                };
                let cover = mask.get(row * pitch + column).copied().unwrap_or(0);
                if cover > 0 && x < self.side {
                    self.blend(x, y, colour, strength * f32::from(cover) / 255.0);
                }
            }
        }
    }

    /// Light around a point, which fades to nothing at `radius`.
    pub(super) fn glow(&mut self, (x, y): (f32, f32), radius: f32, colour: Colour, strength: f32) {
        let from = |centre: f32| (centre - radius).max(0.0) as usize;
        let side = self.side;
        let until = |centre: f32| ((centre + radius).max(0.0) as usize + 1).min(side);
        for row in from(y)..until(y) {
            for column in from(x)..until(x) {
                let away = ((column as f32 - x).powi(2) + (row as f32 - y).powi(2)).sqrt() / radius;
                if away < 1.0 {
                    self.blend(column, row, colour, strength * (1.0 - away).powi(2));
                }
            }
        }
    }

    fn blend(&mut self, x: usize, y: usize, colour: Colour, strength: f32) {
        if let Some(pixel) = self.pixels.get_mut(y * self.side + x) {
            for (part, new) in pixel.iter_mut().zip(colour.0) {
                *part += (new - *part) * strength;
            }
        }
    }
}
