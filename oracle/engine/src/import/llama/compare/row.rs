//! One token's two distributions, compared while their logits come a few words at a time.

/// What is known of a distribution after some of its logits.
#[derive(Clone, Copy)]
struct Soft {
    /// The largest logit, and the first word that has it.
    largest: (f64, usize),
    /// The sum of exp(logit - largest).
    total: f64,
    /// The logit of the token that really follows.
    next: Option<f64>,
    /// The sum of squares.
    squares: f64,
}

impl Soft {
    const NOTHING: Self = Self { largest: (f64::NEG_INFINITY, 0), total: 0.0, next: None, squares: 0.0 };

    /// Of the words that begin with `first`; there is at least one.
    fn new(first: usize, logits: &[f32], next: Option<usize>) -> Self {
        let best = logits.iter().enumerate().fold(0, |best, (i, l)| if *l > logits[best] { i } else { best });
        let largest = f64::from(logits[best]);
        Self {
            largest: (largest, first + best),
            total: logits.iter().map(|l| (f64::from(*l) - largest).exp()).sum(),
            next: next.and_then(|next| logits.get(next.checked_sub(first)?)).map(|l| f64::from(*l)),
            squares: logits.iter().map(|l| f64::from(*l).powi(2)).sum(),
        }
    }

    /// With the words that follow; gives by how much the largest grew for these and for those, as negative numbers.
    fn join(&mut self, more: Self) -> [f64; 2] {
        let largest = if more.largest.0 > self.largest.0 { more.largest } else { self.largest };
        let grown = [self.largest.0 - largest.0, more.largest.0 - largest.0];
        *self = Self {
            largest,
            total: self.total * grown[0].exp() + more.total * grown[1].exp(),
            next: self.next.or(more.next),
            squares: self.squares + more.squares,
        };
        grown
    }

    /// Minus the logarithmic probability of the token that really follows.
    fn surprise(&self) -> Option<f64> {
        self.next.map(|next| self.largest.0 + self.total.ln() - next)
    }
}

/// One token's distributions: float's and int-v1's.
#[derive(Clone)]
pub(super) struct Row {
    /// The token that really follows, where one does.
    next: Option<usize>,
    float: Soft,
    ints: Soft,
    /// The sum over words of exp(f) (f - i), f and i being the logits less the largest ones.
    apart: f64,
    /// The sum of products of logits.
    products: f64,
}

impl Row {
    /// Before any logits; `next` is the token that really follows.
    pub(super) fn new(next: Option<u32>) -> Self {
        let next = next.map(|next| next as usize);
        Self { next, float: Soft::NOTHING, ints: Soft::NOTHING, apart: 0.0, products: 0.0 }
    }

    /// Takes in both logits of the words that begin with `first`.
    pub(super) fn see(&mut self, first: usize, floats: &[f32], ints: &[f32]) {
        if floats.is_empty() {
            return;
        }
        let (float, int) = (Soft::new(first, floats, self.next), Soft::new(first, ints, self.next));
        let pairs = || floats.iter().zip(ints).map(|(f, i)| (f64::from(*f), f64::from(*i)));
        let apart = pairs().map(|(f, i)| {
            let (f, i) = (f - float.largest.0, i - int.largest.0);
            f.exp() * (f - i)
        });
        let (apart, before, total) = (apart.sum::<f64>(), self.apart, self.float.total);
        self.products += pairs().map(|(f, i)| f * i).sum::<f64>();
        let [f, i] = [self.float.join(float), self.ints.join(int)];
        // Both sums were over what is left after taking off another largest logit.
        let moved = |sum: f64, total: f64, f: f64, i: f64| f.exp() * (sum + total * (f - i));
        let old = if total > 0.0 { moved(before, total, f[0], i[0]) } else { 0.0 };
        self.apart = old + moved(apart, float.total, f[1], i[1]);
    }

    /// The divergence of int-v1 from float in nats.
    pub(super) fn divergence(&self) -> f64 {
        self.apart / self.float.total - self.float.total.ln() + self.ints.total.ln()
    }

    /// Whether the likeliest words are the same.
    pub(super) fn agrees(&self) -> bool {
        self.float.largest.1 == self.ints.largest.1
    }

    /// The cosine of the logits; 0 when one side is zero.
    pub(super) fn cosine(&self) -> f64 {
        let lengths = (self.float.squares * self.ints.squares).sqrt();
        if lengths == 0.0 { 0.0 } else { self.products / lengths }
    }

    /// Of the token that really follows, where one does: minus its logarithmic probability, float's and int-v1's.
    pub(super) fn surprise(&self) -> Option<[f64; 2]> {
        Some([self.float.surprise()?, self.ints.surprise()?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The logarithms of the softmax of logits.
    fn log_softmax(logits: &[f32]) -> Vec<f64> {
        let total: f64 = logits.iter().map(|l| f64::from(*l).exp()).sum();
        logits.iter().map(|l| f64::from(*l) - total.ln()).collect()
    }

    #[test]
    fn a_row_in_pieces_of_any_length_has_the_figures_of_the_whole() {
        let float: Vec<f32> = (0..53).map(|i| ((i * 37 % 53) as f32 * 0.61).sin() * 6.0 + i as f32 * 0.05).collect();
        let ints: Vec<f32> = float.iter().enumerate().map(|(i, f)| f * 1.01 + (i as f32).cos() * 0.3).collect();
        let (p, q) = (log_softmax(&float), log_softmax(&ints));
        let divergence: f64 = p.iter().zip(&q).map(|(p, q)| p.exp() * (p - q)).sum();
        assert!(divergence > 1e-3);
        for piece in [1, 2, 7, 52, 53, 80] {
            let mut row = Row::new(Some(31));
            for (i, (float, ints)) in float.chunks(piece).zip(ints.chunks(piece)).enumerate() {
                row.see(i * piece, float, ints);
            }
            assert!((row.divergence() - divergence).abs() < 1e-12, "{piece}");
            assert!((row.cosine() - crate::float::cosine(&float, &ints)).abs() < 1e-12, "{piece}");
            let surprise = row.surprise().unwrap();
            assert!((surprise[0] + p[31]).abs() < 1e-12 && (surprise[1] + q[31]).abs() < 1e-12, "{piece}");
            let best = |l: &[f32]| (0..l.len()).rev().max_by(|a, b| l[*a].total_cmp(&l[*b])).unwrap();
            assert_eq!((row.float.largest.1, row.ints.largest.1), (best(&float), best(&ints)), "{piece}");
            assert_eq!(row.agrees(), best(&float) == best(&ints));
        }
    }

    #[test]
    fn logits_that_are_all_equal_are_not_apart_at_all() {
        let mut row = Row::new(None);
        for first in [0, 5, 10] {
            row.see(first, &[3.7; 5], &[-1.3; 5]);
        }
        assert_eq!((row.divergence(), row.agrees(), row.surprise()), (0.0, true, None));
    }
}
