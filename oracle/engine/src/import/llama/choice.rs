//! What a decoder's matrix products read: one signed byte per value, or two.
//!
//! Bytes take half of the products, but a decoder's activations have channels and tokens that are far larger than all
//! others, which eight bits often cannot hold beside them. Both variants are therefore quantised from the same
//! calibration and measured against the float model on the same texts, and the artifact has two bytes unless one is as
//! good: see [`bytes_suffice`]. The card states both.
//!
//! The second variant takes no more memory, whatever the decoder's size, since both are made and measured layer by
//! layer; it takes about a quarter of the import's time, which grows with the weights like all the rest, and until one
//! is chosen the room of a second artifact on the disk.

use super::compare::Measured;
use crate::{artifact::Activations, import::Figure};

/// How many times the divergence of two bytes that of one byte may be.
const DIVERGENCE: f64 = 1.25;
/// How much smaller the share of tokens whose likeliest successor agrees may be.
const AGREEMENT: f64 = 0.005;

/// What is tried for every decoder.
pub(super) const TRIED: [Activations; 2] = [Activations::Split, Activations::Bytes];

/// Whether one byte is as good as two.
pub(super) fn bytes_suffice(bytes: &Measured, split: &Measured) -> bool {
    bytes.divergence <= DIVERGENCE * split.divergence && bytes.agreement >= split.agreement - AGREEMENT
}

/// Bits of an activation.
pub(super) const fn bits(activations: Activations) -> u32 {
    match activations {
        Activations::Bytes => 8,
        Activations::Split => 16,
    }
}

/// What the card says about the choice: the bits that the artifact has, and how near each variant came.
pub(super) fn figures(chosen: Activations, measured: &[(Activations, &Measured)]) -> Vec<Figure> {
    let mut all = vec![Figure { name: "bits of an activation".into(), value: f64::from(bits(chosen)) }];
    for (activations, measured) in measured {
        let figure = |name: &str, value| Figure {
            name: format!("{name} with activations of {} bits", bits(*activations)),
            value,
        };
        all.push(figure("mean KL divergence", measured.divergence));
        all.push(figure("share of agreeing tokens", measured.agreement));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(divergence: f64, agreement: f64) -> Measured {
        Measured { figures: vec![], divergence, agreement }
    }

    #[test]
    fn one_byte_suffices_where_it_is_as_good_within_the_limits() {
        let split = measured(0.004, 0.96);
        for (divergence, agreement, suffices) in [
            (0.004, 0.96, true),
            (0.0049, 0.956, true),
            (0.0051, 0.96, false),
            (0.004, 0.954, false),
            (f64::NAN, 0.96, false),
        ] {
            assert_eq!(bytes_suffice(&measured(divergence, agreement), &split), suffices, "{divergence} {agreement}");
        }
        assert!(bytes_suffice(&measured(0.0, 1.0), &measured(0.0, 1.0)));
    }
}
