//! How far rotary positions turn the pairs of a head.

use std::f64::consts::TAU;

use serde::Deserialize;

use crate::error::Error;

/// The angles by which positions turn queries and keys.
#[derive(Clone, Debug, PartialEq)]
pub struct Rotation {
    /// `[depth / 2]`: radians per position.
    pub frequencies: Vec<f64>,
    /// Queries and keys are both multiplied by it: YaRN's attention factor, else 1.
    pub factor: f64,
}

/// The fields of `rope_scaling` or `rope_parameters`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Scaling {
    rope_type: Option<String>,
    /// The older name of `rope_type`; some files have both.
    r#type: Option<String>,
    rope_theta: Option<f64>,
    factor: Option<f64>,
    original_max_position_embeddings: Option<f64>,
    // Llama 3's.
    low_freq_factor: Option<f64>,
    high_freq_factor: Option<f64>,
    // YaRN's.
    beta_fast: Option<f64>,
    beta_slow: Option<f64>,
    attention_factor: Option<f64>,
    mscale: Option<f64>,
    mscale_all_dim: Option<f64>,
    truncate: Option<bool>,
    // GGUF's.
    factors: Option<Vec<f64>>,
}

/// A positive, finite number that must be there.
fn need(value: Option<f64>, name: &str) -> Result<f64, Error> {
    match value {
        Some(value) if value.is_finite() && value > 0.0 => Ok(value),
        Some(value) => Err(Error::Import(format!("config.json: the rope scaling's {name} is {value}, not positive"))),
        None => Err(Error::Import(format!("config.json: the rope scaling lacks {name:?}"))),
    }
}

impl Scaling {
    /// The base of the frequencies, where this states it.
    pub(super) fn theta(&self) -> Option<f64> {
        self.rope_theta
    }

    /// The angles for heads of this width.
    ///
    /// # Errors
    /// [`Error::Import`] for a kind of scaling that is unknown or depends on the text's length, and for numbers that
    /// make no angles.
    pub(super) fn rotation(&self, depth: usize, theta: f64, max_positions: f64) -> Result<Rotation, Error> {
        let theta = need(Some(theta), "rope_theta")?;
        let plain = (0..depth / 2).map(|c| theta.powf(-((2 * c) as f64) / depth as f64));
        let (frequencies, factor): (Vec<f64>, f64) =
            match self.rope_type.as_deref().or(self.r#type.as_deref()).unwrap_or("default") {
                "default" | "none" => (plain.collect(), 1.0),
                "linear" => {
                    let factor = need(self.factor, "factor")?;
                    (plain.map(|f| f / factor).collect(), 1.0)
                }
                "llama3" => (self.llama3(plain)?, 1.0),
                "yarn" => self.yarn(plain, depth, theta, max_positions)?,
                "factors" => {
                    let factors = self.factors.as_deref().unwrap_or_default();
                    if factors.len() != depth / 2 {
                        let reason = format!(
                            "config.json: {} rope factors are not one per pair of {depth} channels",
                            factors.len()
                        );
                        return Err(Error::Import(reason));
                    }
                    let scaled = plain.zip(factors).map(|(f, by)| Ok(f / need(Some(*by), "factors")?));
                    (scaled.collect::<Result<_, Error>>()?, 1.0)
                }
                kind @ ("dynamic" | "longrope" | "su") => {
                    let reason =
                        format!("rope scaling {kind:?} is not supported: its angles depend on the text's length");
                    return Err(Error::Import(reason));
                }
                kind => {
                    let known = "default, linear, llama3 or yarn";
                    return Err(Error::Import(format!("rope scaling {kind:?} is not supported, only {known}")));
                }
            };
        if frequencies.iter().any(|f| !f.is_finite()) || !factor.is_finite() {
            return Err(Error::Import("config.json: the rope scaling's numbers make no angles".into()));
        }
        Ok(Rotation { frequencies, factor })
    }

    /// Llama 3.1: slow frequencies are divided, quick ones are not, with a ramp between.
    fn llama3(&self, plain: impl Iterator<Item = f64>) -> Result<Vec<f64>, Error> {
        let factor = need(self.factor, "factor")?;
        let low = need(self.low_freq_factor, "low_freq_factor")?;
        let high = need(self.high_freq_factor, "high_freq_factor")?;
        let original = need(self.original_max_position_embeddings, "original_max_position_embeddings")?;
        if high <= low {
            let reason =
                format!("config.json: the rope scaling's high_freq_factor {high} is not above low_freq_factor {low}");
            return Err(Error::Import(reason));
        }
        let scale = |f: f64| {
            let turns = original * f / TAU;
            let keep = ((turns - low) / (high - low)).clamp(0.0, 1.0);
            f * keep + f / factor * (1.0 - keep)
        };
        Ok(plain.map(scale).collect())
    }

    /// YaRN: as above with a ramp over the channels, and sharper attention.
    fn yarn(
        &self,
        plain: impl Iterator<Item = f64>,
        depth: usize,
        theta: f64,
        max_positions: f64,
    ) -> Result<(Vec<f64>, f64), Error> {
        let factor = need(self.factor, "factor")?;
        let original = need(self.original_max_position_embeddings.or(Some(max_positions)), "original length")?;
        let fast = need(self.beta_fast.or(Some(32.0)), "beta_fast")?;
        let slow = need(self.beta_slow.or(Some(1.0)), "beta_slow")?;
        // The channel whose pair turns so many times over the original length.
        let channel = |turns: f64| depth as f64 * (original / (turns * TAU)).ln() / (2.0 * theta.ln());
        let (mut first, mut last) = (channel(fast), channel(slow));
        if self.truncate.unwrap_or(true) {
            (first, last) = (first.floor(), last.ceil());
        }
        (first, last) = (first.max(0.0), last.min(depth as f64 - 1.0));
        if first == last {
            last += 0.001;
        }
        let scale = |(c, f): (usize, f64)| {
            let divided = ((c as f64 - first) / (last - first)).clamp(0.0, 1.0);
            f / factor * divided + f * (1.0 - divided)
        };
        let sharper = |by: f64| if factor <= 1.0 { 1.0 } else { 0.1 * by * factor.ln() + 1.0 };
        let attention = match (self.attention_factor, self.mscale, self.mscale_all_dim) {
            (Some(factor), ..) => need(Some(factor), "attention_factor")?,
            (None, Some(one), Some(all)) if one != 0.0 && all != 0.0 => sharper(one) / sharper(all),
            _ => sharper(1.0),
        };
        Ok((plain.enumerate().map(scale).collect(), attention))
    }
}

impl Rotation {
    /// Cosines `[depth / 2]`, then sines `[depth / 2]` of a position, without the factor.
    pub fn turn(&self, position: usize) -> Vec<f64> {
        let angles = || self.frequencies.iter().map(|f| position as f64 * f);
        angles().map(f64::cos).chain(angles().map(f64::sin)).collect()
    }
}
