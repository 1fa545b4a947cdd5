//! Shares of an asset's revenue, as people write them: `ADDRESS=60%`.

use std::str::FromStr;

use provena_royalty::{DEFAULT_TOTAL_SHARES, Holder};
use solana_pubkey::Pubkey;

use crate::amount::{parse_bps, show_bps};

/// All of something, in basis points.
pub const FULL: u16 = 10_000;

/// Somebody's part of the revenue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// A wallet, or for a parent the mint of its NFT.
    pub address: Pubkey,
    /// Hundredths of a percent.
    pub bps: u16,
}

/// Why shares are not a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// Somebody has two.
    #[error("{0} is named twice; give each holder one share")]
    Twice(Pubkey),
    /// More than there is.
    #[error("the shares add up to {0} hundredths of a percent, more than 100%")]
    TooMuch(u32),
    /// Less than there is, and the creator's own share is fixed.
    #[error("{} of the revenue would belong to nobody", show_bps(*.0))]
    Unowned(u16),
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || format!("`{text}` is not a share; write ADDRESS=25%");
        let (address, share) = text.split_once('=').ok_or_else(form)?;
        let address = address.parse().map_err(|_| format!("`{address}` is not an address; write ADDRESS=25%"))?;
        let bps = parse_bps(share)?;
        if bps == 0 { Err(format!("`{text}` gives nothing away")) } else { Ok(Self { address, bps }) }
    }
}

/// The initial holders of a pool: `wallets`, the parents' pools, and `creator` with what is left.
///
/// # Errors
/// [`ShareError`]: the shares exceed 100%, name somebody twice, or leave a rest while the creator is listed with a fixed
/// share.
pub fn holders(creator: &Pubkey, wallets: &[Share], parent_pools: &[Share]) -> Result<Vec<Holder>, ShareError> {
    let mut all: Vec<Share> = wallets.iter().chain(parent_pools).copied().collect();
    for (index, share) in all.iter().enumerate() {
        if all[..index].iter().any(|earlier| earlier.address == share.address) {
            return Err(ShareError::Twice(share.address));
        }
    }
    let given: u32 = all.iter().map(|share| u32::from(share.bps)).sum();
    let rest = u32::from(FULL).checked_sub(given).and_then(|rest| u16::try_from(rest).ok());
    let rest = rest.ok_or(ShareError::TooMuch(given))?;
    if rest > 0 {
        if all.iter().any(|share| share.address == *creator) {
            return Err(ShareError::Unowned(rest));
        }
        all.push(Share { address: *creator, bps: rest });
    }
    let unit = DEFAULT_TOTAL_SHARES / u64::from(FULL);
    Ok(all.iter().map(|share| Holder { holder: share.address, shares: u64::from(share.bps) * unit }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(byte: u8, bps: u16) -> Share {
        Share { address: Pubkey::new_from_array([byte; 32]), bps }
    }

    #[test]
    fn the_creator_gets_what_is_left_and_nothing_is_lost() {
        let creator = share(1, 0).address;
        let holders = holders(&creator, &[share(2, 2_500)], &[share(3, 3_000)]).unwrap();
        assert_eq!(holders.iter().map(|holder| holder.shares).sum::<u64>(), DEFAULT_TOTAL_SHARES);
        assert_eq!(holders[2].holder, creator);
        assert_eq!(holders[2].shares, 450_000_000);
    }

    #[test]
    fn refuses_too_much_duplicates_and_an_unowned_rest() {
        let creator = share(1, 0).address;
        let text = |wallets: &[Share]| holders(&creator, wallets, &[]).unwrap_err().to_string();
        assert!(text(&[share(2, 9_000), share(3, 1_001)]).contains("more than 100%"));
        assert!(text(&[share(2, 1), share(2, 1)]).contains("named twice"));
        assert!(text(&[share(1, 9_000)]).contains("10% of the revenue would belong to nobody"));
    }

    #[test]
    fn reads_what_people_write() {
        let address = share(7, 0).address;
        assert_eq!(format!("{address}=25%").parse(), Ok(Share { address, bps: 2_500 }));
        for (text, expected) in [("25%", "write ADDRESS=25%"), ("me=25%", "not an address")] {
            assert!(text.parse::<Share>().unwrap_err().contains(expected), "{text}");
        }
        assert!(format!("{address}=0%").parse::<Share>().unwrap_err().contains("gives nothing"));
    }
}
