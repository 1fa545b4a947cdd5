//! Weights and biases as integers.

use provena_arith::fixed::Scale;
use rayon::prelude::*;

use super::{compensate::Compensation, scale::encode_all};
use crate::{
    artifact::{ArtifactBuilder, ArtifactWriter},
    error::Error,
};

/// A float matrix product and how its input was quantised.
pub(super) struct Dense<'a> {
    /// `[outputs][inputs]`.
    pub weight: &'a [f32],
    /// `[outputs]`.
    pub bias: &'a [f32],
    /// The real amount of one step of each input channel.
    pub input_steps: &'a [f64],
}

/// The integers of a matrix product.
pub(super) struct Quantised {
    /// `[outputs][inputs]`.
    pub weight: Vec<i8>,
    /// `[outputs]`.
    pub bias: Vec<i32>,
    /// The real amount of one step of each output's accumulator.
    pub steps: Vec<f64>,
    /// The largest magnitude that each accumulator can reach, whatever the input.
    pub largest: Vec<f64>,
}

impl Dense<'_> {
    /// Rounds each row with a step of its own.
    ///
    /// # Errors
    /// [`Error::Import`] when an accumulator could wrap.
    pub(super) fn quantise(&self) -> Result<Quantised, Error> {
        self.round(|step| step, nearest)
    }

    /// As [`Dense::quantise`], with the losses of a row's weights made up for by others.
    ///
    /// # Errors
    /// As [`Dense::quantise`].
    pub(super) fn quantise_with(&self, compensation: &Compensation) -> Result<Quantised, Error> {
        self.round(|step| step, |row, step| compensation.round(row, step))
    }

    /// Rounds all rows with one step, which must be no finer than each row's own.
    ///
    /// # Errors
    /// [`Error::Import`] when an accumulator could wrap.
    pub(super) fn quantise_to(&self, step: f64) -> Result<Quantised, Error> {
        self.round(|own| own.max(step), nearest)
    }

    fn round(
        &self,
        choose: impl Fn(f64) -> f64 + Sync,
        integers: impl Fn(&[f64], f64) -> Vec<i8> + Sync,
    ) -> Result<Quantised, Error> {
        let inputs = self.input_steps.len();
        let mut all = Quantised { weight: vec![], bias: vec![], steps: vec![], largest: vec![] };
        let rows = self.weight.par_chunks_exact(inputs).zip(self.bias).map(|(row, bias)| {
            let row: Vec<f64> = row.iter().zip(self.input_steps).map(|(w, s)| f64::from(*w) * s).collect();
            let range = row.iter().map(|w| w.abs()).fold(0.0, f64::max);
            // The second bound keeps the bias of a row without weights within the accumulator.
            let step = choose((range / 127.0).max(f64::from(bias.abs()) / f64::from(1 << 26)).max(1e-30));
            (step, integers(&row, step))
        });
        let rows: Vec<(f64, Vec<i8>)> = rows.collect();
        for ((step, ints), bias) in rows.into_iter().zip(self.bias) {
            let bias = (f64::from(*bias) / step).round();
            // Half more than the high byte's 127 where x is split: its low byte counts, too.
            let largest = bias.abs() + 1.0 + ints.iter().map(|w| 127.5 * f64::from(w.unsigned_abs())).sum::<f64>();
            if largest >= f64::from(1 << 30) {
                return Err(Error::Import(format!("a row of {inputs} weights can exceed 32 bits")));
            }
            all.weight.extend(ints);
            all.bias.push(bias as i32);
            all.steps.push(step);
            all.largest.push(largest);
        }
        Ok(all)
    }
}

/// Each weight for itself.
fn nearest(row: &[f64], step: f64) -> Vec<i8> {
    row.iter().map(|w| (w / step).round().clamp(-127.0, 127.0) as i8).collect()
}

impl Quantised {
    /// Adds `<name>.weight` and `<name>.bias`.
    pub(super) fn put(&self, builder: &mut ArtifactBuilder, name: &str) {
        let outputs = self.bias.len();
        builder.i8(format!("{name}.weight"), outputs, self.weight.len() / outputs, &self.weight);
        builder.i32(format!("{name}.bias"), &self.bias);
    }

    /// Adds `<name>.scale`, which brings each accumulator to steps of `to` real amount.
    ///
    /// # Errors
    /// [`Error::Import`] when that could wrap.
    pub(super) fn put_scale(&self, builder: &mut ArtifactBuilder, name: &str, to: &[f64]) -> Result<(), Error> {
        builder.scales(format!("{name}.scale"), &self.scale(to)?);
        Ok(())
    }

    /// Writes `<name>.weight` and `<name>.bias`.
    ///
    /// # Errors
    /// Those of the writer.
    pub(super) fn write(&self, writer: &mut ArtifactWriter, name: &str) -> Result<(), Error> {
        writer.i8(&format!("{name}.weight"), &self.weight)?;
        writer.i32(&format!("{name}.bias"), &self.bias)
    }

    /// Writes `<name>.scale`, which brings each accumulator to steps of `to` real amount.
    ///
    /// # Errors
    /// [`Error::ImportTensor`] when that could wrap, and those of the writer.
    pub(super) fn write_scale(&self, writer: &mut ArtifactWriter, name: &str, to: &[f64]) -> Result<(), Error> {
        let name = format!("{name}.scale");
        writer.scales(&name, &about(&name, self.scale(to))?)
    }

    fn scale(&self, to: &[f64]) -> Result<Vec<Scale>, Error> {
        encode_all(self.steps.iter().zip(to).zip(&self.largest).map(|((from, to), largest)| (from / to, *largest)))
    }
}

/// Names the tensor that an error is about.
pub(super) fn about<T>(name: &str, result: Result<T, Error>) -> Result<T, Error> {
    result.map_err(|error| match error {
        Error::Import(reason) => Error::import_tensor(name, reason),
        other => other,
    })
}
