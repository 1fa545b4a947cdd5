//! Typical inputs, and the ranges that a float model's values take on them.

use std::{collections::BTreeMap, path::Path};

use super::balance::{Levels, Reading};
use crate::error::Error;

/// Lines of text that the engine carries, written for this purpose.
pub const TEXTS: &str = include_str!("texts.txt");
/// The longest calibration file that is read.
const MAX_LEN: u64 = 64 << 20;
/// A row's squares count up to this many times the median row's.
const OUTLIER: f64 = 8.0;

fn read(path: &Path) -> Result<String, Error> {
    let len = std::fs::metadata(path).map_err(Error::read(path))?.len();
    if len > MAX_LEN {
        return Err(Error::Import(format!("the calibration file has {len} bytes, more than {MAX_LEN}")));
    }
    std::fs::read_to_string(path).map_err(Error::read(path))
}

/// The lines of a calibration file, or the engine's own.
pub(super) fn texts(path: Option<&Path>) -> Result<Vec<String>, Error> {
    let text = path.map_or_else(|| Ok(TEXTS.into()), read)?;
    let lines: Vec<String> = text.lines().map(str::trim).filter(|l| !l.is_empty()).map(Into::into).collect();
    if lines.len() < 2 {
        return Err(Error::Import(format!("{} lines are too few to calibrate with", lines.len())));
    }
    Ok(lines)
}

/// Images and, where the file has them, their labels.
pub(super) struct Images {
    /// Pixels.
    pub images: Vec<Vec<u8>>,
    /// As many labels as images, or none.
    pub labels: Vec<u8>,
}

/// Images from lines of `pixels` comma-separated values, each perhaps followed by the label.
pub(super) fn images(path: &Path, pixels: usize, max_value: u8) -> Result<Images, Error> {
    let (mut images, mut labels) = (vec![], vec![]);
    for (i, line) in read(path)?.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let bad = |reason: String| Error::Import(format!("calibration line {}: {reason}", i + 1));
        let number = |v: &str| v.trim().parse::<u8>().map_err(|e| bad(format!("{v:?}: {e}")));
        let mut image = line.split(',').map(number).collect::<Result<Vec<u8>, _>>()?;
        if image.len() == pixels + 1 {
            labels.extend(image.pop());
        }
        if image.len() != pixels || image.iter().any(|v| *v > max_value) {
            return Err(bad(format!("not {pixels} values of 0 to {max_value}")));
        }
        images.push(image);
    }
    if images.is_empty() || !(labels.is_empty() || labels.len() == images.len()) {
        return Err(Error::Import("the calibration file needs images, with labels for all or for none".into()));
    }
    Ok(Images { images, labels })
}

/// What was seen of one site's columns.
struct Columns {
    largest: Vec<f32>,
    squares: Vec<f64>,
    rows: usize,
    finite: bool,
}

impl Default for Columns {
    fn default() -> Self {
        Self { largest: vec![], squares: vec![], rows: 0, finite: true }
    }
}

/// Per site and column the magnitudes seen.
pub(super) struct Ranges<Site> {
    sites: BTreeMap<Site, Columns>,
}

impl<Site> Default for Ranges<Site> {
    fn default() -> Self {
        Self { sites: BTreeMap::new() }
    }
}

impl<Site: Ord + Copy> Ranges<Site> {
    /// Takes in rows of `cols` values, those of one text.
    ///
    /// The squares of rows that are far larger than the others, as decoders make of a text's first token, count as if
    /// they were not: such a row must not decide alone how precise each column is for all others.
    pub(super) fn see(&mut self, site: Site, cols: usize, rows: &[f32]) {
        let columns = self.sites.entry(site).or_default();
        columns.largest.resize(cols, 0.0);
        columns.squares.resize(cols, 0.0);
        let sizes: Vec<f64> =
            rows.chunks_exact(cols).map(|row| row.iter().map(|v| f64::from(*v).powi(2)).sum()).collect();
        let mut sorted = sizes.clone();
        sorted.sort_by(f64::total_cmp);
        let limit = OUTLIER * sorted.get(sizes.len() / 2).copied().unwrap_or(0.0);
        for (row, size) in rows.chunks_exact(cols).zip(&sizes) {
            row.iter().zip(&mut columns.largest).for_each(|(v, largest)| *largest = largest.max(v.abs()));
            columns.finite &= size.is_finite();
            columns.rows += 1;
            let part = if *size > limit { limit / size } else { 1.0 };
            row.iter().zip(&mut columns.squares).for_each(|(v, squares)| *squares += f64::from(*v).powi(2) * part);
        }
    }

    /// Whether every value was a finite number.
    pub(super) fn is_finite(&self) -> bool {
        self.sites.values().all(|columns| columns.finite)
    }

    /// The largest magnitude in each column of a site.
    pub(super) fn columns(&self, site: Site) -> &[f32] {
        self.sites.get(&site).map_or(&[], |columns| &columns.largest)
    }

    /// The mean square of each column of a site.
    pub(super) fn power(&self, site: Site) -> Vec<f64> {
        self.sites.get(&site).map_or(vec![], |c| c.squares.iter().map(|s| s / c.rows.max(1) as f64).collect())
    }

    /// The real amount that one step of each channel of `from` stands for, where a matrix product with this weight,
    /// `[outputs][channels]`, reads them to give `to`.
    pub(super) fn balance(&self, from: Site, weight: &[f32], to: Site, levels: &Levels) -> Vec<f64> {
        let (power, output_power) = (&self.power(from), &self.power(to));
        Reading { largest: self.columns(from), power, weight, output_power }.balance_to(levels)
    }

    /// The largest magnitude of a site.
    pub(super) fn largest(&self, site: Site) -> f64 {
        f64::from(self.columns(site).iter().copied().fold(0.0, f32::max))
    }
}
