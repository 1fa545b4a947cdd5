//! Mints that take a fee of every transfer (Token-2022's extension): what must be sent so that an amount arrives, and what
//! must be done before an account that received some can be closed.

use provena_common::token::TOKEN_2022_PROGRAM;
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;

/// Where the extensions of a mint or an account begin.
const EXTENSIONS: usize = 166;
/// A mint's extension that says what transfers cost.
const CONFIG: u16 = 1;
/// Where its two fees begin, the older and the newer one: after two authorities and the fees that were withheld.
const FEES: usize = 32 + 32 + 8;
/// Bytes of a fee: the epoch from which it is taken, the most of it, and its basis points.
const FEE_LEN: usize = 8 + 8 + 2;
/// An account's extension that counts the fees which are withheld in it.
const AMOUNT: u16 = 2;
const WHOLE: u128 = 10_000;
/// `HarvestWithheldTokensToMint`: the extension's instructions, and which of them.
const HARVEST: [u8; 2] = [26, 4];

/// The least that must be sent so that `net` arrive, whichever of the mint's two fees is taken; `net` where there is no fee,
/// `None` where nothing is enough. `mint` are the account's bytes.
#[must_use]
pub fn gross(mint: &[u8], net: u64) -> Option<u64> {
    let Some(fees) = extension(mint, CONFIG).and_then(fees) else { return Some(net) };
    fees.iter().map(|fee| fee.gross(net)).try_fold(net, |most, gross| Some(most.max(gross?)))
}

/// What lets a token account be closed in which fees are withheld: anybody may move them to the mint. `None` where none are;
/// `account` are its bytes.
#[must_use]
pub fn harvest(mint: &Pubkey, address: &Pubkey, account: &[u8]) -> Option<Instruction> {
    let withheld = extension(account, AMOUNT)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))?;
    let accounts = vec![AccountMeta::new(*mint, false), AccountMeta::new(*address, false)];
    let harvest = Instruction { program_id: TOKEN_2022_PROGRAM, accounts, data: HARVEST.to_vec() };
    (withheld > 0).then_some(harvest)
}

/// What a transfer costs.
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

fn fees(config: &[u8]) -> Option<[Fee; 2]> {
    let fee = |at: usize| {
        let bytes = config.get(at..at + FEE_LEN)?;
        let most = u64::from_le_bytes(*bytes.get(8..)?.first_chunk()?);
        Some(Fee { most, bps: u16::from_le_bytes(*bytes.get(16..)?.first_chunk()?) })
    };
    Some([fee(FEES)?, fee(FEES + FEE_LEN)?])
}

/// The body of an account's extension of this kind.
fn extension(data: &[u8], wanted: u16) -> Option<&[u8]> {
    let mut rest = data.get(EXTENSIONS..)?;
    loop {
        let (head, behind) = rest.split_first_chunk::<4>()?;
        let (kind, len) = (u16::from_le_bytes([head[0], head[1]]), u16::from_le_bytes([head[2], head[3]]));
        let (body, behind) = behind.split_at_checked(usize::from(len))?;
        if kind == wanted {
            return Some(body);
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

    /// An account with another extension before the one in question.
    fn account(kind: u16, body: &[u8]) -> Vec<u8> {
        let len = u16::try_from(body.len()).unwrap().to_le_bytes();
        [&[0; EXTENSIONS][..], &[9, 0, 2, 0, 7, 7], &kind.to_le_bytes(), &len, body].concat()
    }

    #[test]
    fn the_dearer_of_two_fees_counts() {
        let fee = |most: u64, bps: u16| [&[0; 8][..], &most.to_le_bytes(), &bps.to_le_bytes()].concat();
        let mint = account(CONFIG, &[vec![0; FEES], fee(1_000, 100), fee(10, 200)].concat());
        assert_eq!(gross(&mint, 990), Some(1_000));
        assert_eq!(gross(&mint, 100_000), Some(101_000));
        assert_eq!(gross(&[0; 82], 100), Some(100), "a mint without extensions");
        assert_eq!(gross(&[0; EXTENSIONS + 3], 100), Some(100));
    }

    #[test]
    fn withheld_fees_are_moved_out_of_the_way_and_nothing_else_is() {
        let [mint, address] = [1, 2].map(|byte| Pubkey::new_from_array([byte; 32]));
        let harvest = |withheld: u64| harvest(&mint, &address, &account(AMOUNT, &withheld.to_le_bytes()));
        assert_eq!(harvest(0), None);
        let found = harvest(1).unwrap();
        assert_eq!((found.program_id, found.data.as_slice()), (TOKEN_2022_PROGRAM, &[26, 4][..]));
        assert_eq!(found.accounts, [AccountMeta::new(mint, false), AccountMeta::new(address, false)]);
        assert_eq!(super::harvest(&mint, &address, &[0; 165]), None, "an account of the older program");
    }
}
