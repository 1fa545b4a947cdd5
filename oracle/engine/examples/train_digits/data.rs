//! The images: 1,797 handwritten digits of 8 x 8 pixels.

use std::io::Read;
use std::path::{Path, PathBuf};

/// Pixels of an image.
pub(crate) const PIXELS: usize = SIDE * SIDE;
/// Digits there are.
pub(crate) const CLASSES: usize = 10;
/// The brightest pixel; the darkest is 0.
pub(crate) const MAX_PIXEL: f32 = 16.0;
/// Every image whose number leaves this remainder ...
const TEST_REMAINDER: usize = 4;
/// ... divided by this is held out.
const TEST_EVERY: usize = 5;
/// Pixels along each side of an image.
pub(crate) const SIDE: usize = 8;

/// A digit and what it shows.
pub(crate) struct Image {
    /// Row after row, from 0 to 1.
    pub pixels: Vec<f32>,
    /// 0 to 9.
    pub label: usize,
}

/// The split images.
pub(crate) struct Set {
    /// What the classifier learns from.
    pub training: Vec<Image>,
    /// What it never sees.
    pub test: Vec<Image>,
}

/// Where `cargo xtask fetch` puts the data.
pub(crate) fn path() -> PathBuf {
    provena_engine::places::assets().unwrap_or_default().join("digits/digits.csv.gz")
}

impl Set {
    /// Reads the data and splits it by the committed rule.
    pub(crate) fn load(path: &Path) -> Result<Self, String> {
        let fail = |error: std::io::Error| format!("{}: {error}; run `cargo xtask fetch`", path.display());
        let mut text = String::new();
        let file = std::fs::File::open(path).map_err(fail)?;
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).map_err(fail)?;
        let mut set = Self { training: Vec::new(), test: Vec::new() };
        for (number, line) in text.lines().enumerate() {
            let image =
                Image::parse(line).ok_or_else(|| format!("{}: line {} is no digit", path.display(), number + 1))?;
            let part = if number % TEST_EVERY == TEST_REMAINDER { &mut set.test } else { &mut set.training };
            part.push(image);
        }
        Ok(set)
    }
}

impl Image {
    /// Reads 64 pixels and a label.
    fn parse(line: &str) -> Option<Self> {
        let values: Vec<f32> = line.split(',').map(|value| value.trim().parse().ok()).collect::<Option<_>>()?;
        let (&label, pixels) = values.split_last()?;
        let valid = pixels.len() == PIXELS && (0.0..CLASSES as f32).contains(&label);
        valid.then(|| Self { pixels: pixels.iter().map(|pixel| pixel / MAX_PIXEL).collect(), label: label as usize })
    }

    /// The same digit moved by whole pixels; what enters is dark.
    pub(crate) fn shifted(&self, right: isize, down: isize) -> Self {
        let mut pixels = vec![0.0; PIXELS];
        for (place, pixel) in pixels.iter_mut().enumerate() {
            let row = (place / SIDE).checked_add_signed(-down).filter(|&row| row < SIDE);
            let column = (place % SIDE).checked_add_signed(-right).filter(|&column| column < SIDE);
            if let (Some(row), Some(column)) = (row, column) {
                *pixel = self.pixels[row * SIDE + column];
            }
        }
        Self { pixels, label: self.label }
    }
}
