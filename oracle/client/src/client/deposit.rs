//! What must leave a payer's account so that a job's deposit arrives: some mints take a fee of every transfer.

use provena_market::state::Offer;

use crate::chain::{ChainError, ChainReader};

/// Where the extensions of a Token-2022 mint begin.
const EXTENSIONS: usize = 166;
/// The extension that says what transfers cost.
const TRANSFER_FEE_CONFIG: u16 = 1;
/// Where its two fees begin, the older and the newer one: after two authorities and the fees that were withheld.
const FEES: usize = 32 + 32 + 8;
/// Bytes of a fee: the epoch from which it is taken, the most of it, and its basis points.
const FEE_LEN: usize = 8 + 8 + 2;
const WHOLE: u128 = 10_000;

/// The base units of the offer's mint that must be sent so that `net` arrive.
///
/// # Errors
/// A failure to read, or [`ChainError::Malformed`] for a mint whose fee takes all.
pub(super) async fn to_send<C: ChainReader + ?Sized>(chain: &C, offer: &Offer, net: u64) -> Result<u64, ChainError> {
    if offer.is_native() {
        return Ok(net);
    }
    let missing = ChainError::Missing { what: "mint", address: offer.mint };
    let account = chain.account(&offer.mint).await?.ok_or(missing)?;
    gross(&account.data, net).ok_or_else(|| ChainError::Malformed {
        what: "mint",
        address: offer.mint,
        reason: "no amount is enough for its transfer fee".to_owned(),
    })
}

/// The least that must be sent so that `net` arrive, whichever of a mint's two fees is taken.
fn gross(mint: &[u8], net: u64) -> Option<u64> {
    let fees = fees(mint).unwrap_or_default();
    fees.iter().map(|fee| fee.gross(net)).try_fold(net, |most, gross| Some(most.max(gross?)))
}

/// What a transfer costs.
#[derive(Clone, Copy, Default)]
struct Fee {
    most: u64,
    bps: u16,
}

impl Fee {
    fn gross(&self, net: u64) -> Option<u64> {
        let capped = net.checked_add(self.most);
        match WHOLE.checked_sub(u128::from(self.bps))? {
            0 => capped,
            // What is left of this, rounded down, is no less than `net`.
            left => match u64::try_from((u128::from(net) * WHOLE).div_ceil(left)) {
                Ok(gross) => Some(capped.map_or(gross, |capped| capped.min(gross))),
                Err(_) => capped,
            },
        }
    }
}

fn fees(mint: &[u8]) -> Option<[Fee; 2]> {
    let mut rest = mint.get(EXTENSIONS..)?;
    loop {
        let (head, behind) = rest.split_first_chunk::<4>()?;
        let (kind, len) = (u16::from_le_bytes([head[0], head[1]]), u16::from_le_bytes([head[2], head[3]]));
        let (body, behind) = behind.split_at_checked(usize::from(len))?;
        if kind == TRANSFER_FEE_CONFIG {
            let fee = |at: usize| {
                let bytes = body.get(at..at + FEE_LEN)?;
                let most = u64::from_le_bytes(*bytes.get(8..)?.first_chunk()?);
                Some(Fee { most, bps: u16::from_le_bytes(*bytes.get(16..)?.first_chunk()?) })
            };
            return Some([fee(FEES)?, fee(FEES + FEE_LEN)?]);
        }
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_after_the_fee_is_what_was_wanted() {
        for bps in [0, 1, 100, 3_333, 9_999, 10_000] {
            for most in [0, 1, 5_000, u64::MAX] {
                let fee = Fee { most, bps };
                for net in [1, 2, 99, 100, 101, 1_000_003, 1_000_000_000] {
                    let Some(gross) = fee.gross(net) else {
                        assert_eq!((bps, most), (10_000, u64::MAX), "{net}");
                        continue;
                    };
                    let arrives = |sent: u64| {
                        let taken = (u128::from(sent) * u128::from(bps)).div_ceil(WHOLE);
                        sent - u64::try_from(taken).unwrap().min(most)
                    };
                    assert!(arrives(gross) >= net, "{bps} {most} {net}");
                    assert!(gross == net || arrives(gross - 1) < net, "{bps} {most} {net}: {gross} is too much");
                }
            }
        }
    }

    #[test]
    fn the_dearer_of_two_fees_counts() {
        let fee = |most: u64, bps: u16| [&[0; 8][..], &most.to_le_bytes(), &bps.to_le_bytes()].concat();
        let body = [vec![0; FEES], fee(1_000, 100), fee(10, 200)].concat();
        let len = u16::try_from(body.len()).unwrap().to_le_bytes();
        // Another extension lies before it.
        let mint = [vec![0; EXTENSIONS], vec![9, 0, 2, 0, 7, 7], vec![1, 0], len.to_vec(), body].concat();
        assert_eq!(gross(&mint, 990), Some(1_000));
        assert_eq!(gross(&mint, 100_000), Some(101_000));
        assert_eq!(gross(&[0; 82], 100), Some(100), "a mint without extensions");
        assert_eq!(gross(&[0; EXTENSIONS + 3], 100), Some(100));
    }
}
