//! Shares of an asset's revenue, as people write them: `ADDRESS=60%`.

use std::str::FromStr;

use provena_royalty::{DEFAULT_TOTAL_SHARES, Holder};
use solana_pubkey::Pubkey;

use crate::amount::Amount;

/// Decimals of a percentage: one share of a pool's [`DEFAULT_TOTAL_SHARES`] is ten millionths of a percent.
const PERCENT_DECIMALS: u8 = 7;
/// Shares in a basis point.
const SHARES_PER_BPS: u64 = DEFAULT_TOTAL_SHARES / 10_000;

const _: () = assert!(DEFAULT_TOTAL_SHARES == 100 * 10u64.pow(PERCENT_DECIMALS as u32));

/// Somebody's part of the revenue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// A wallet, or for a parent the mint of its NFT.
    pub address: Pubkey,
    /// Shares of [`DEFAULT_TOTAL_SHARES`].
    pub shares: u64,
}

/// Why shares are not a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// Somebody has two.
    #[error("{0} is named twice; give each holder one share")]
    Twice(Pubkey),
    /// More than there is.
    #[error("the shares add up to {}, more than 100%", show_shares(*.0))]
    TooMuch(u64),
    /// Less than there is, and the creator's own share is fixed.
    #[error("{} of the revenue would belong to nobody", show_shares(*.0))]
    Unowned(u64),
    /// More than a creator may name.
    #[error("{0} holders are too many; a pool begins with at most 65,535")]
    TooMany(usize),
}

impl Share {
    /// A share in hundredths of a percent.
    #[must_use]
    pub fn from_bps(address: Pubkey, bps: u16) -> Self {
        Self { address, shares: u64::from(bps) * SHARES_PER_BPS }
    }

    /// The same part of a pool that has so many shares, rounded up.
    #[must_use]
    pub fn of(&self, total: u64) -> u64 {
        let part = (u128::from(self.shares) * u128::from(total)).div_ceil(u128::from(DEFAULT_TOTAL_SHARES));
        u64::try_from(part).unwrap_or(u64::MAX)
    }

    /// Whether it is at least so many hundredths of a percent.
    #[must_use]
    pub fn reaches(&self, bps: u16) -> bool {
        self.shares >= u64::from(bps) * SHARES_PER_BPS
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || format!("`{text}` is not a share; write ADDRESS=25%");
        let (address, share) = text.split_once('=').ok_or_else(form)?;
        let address = address.parse().map_err(|_| format!("`{address}` is not an address; write ADDRESS=25%"))?;
        let shares = parse_shares(share)?;
        if shares == 0 { Err(format!("`{text}` gives nothing away")) } else { Ok(Self { address, shares }) }
    }
}

/// Reads a part of a pool such as `2.5%` or `250bps`, with up to seven decimals of a percent: shares of
/// [`DEFAULT_TOTAL_SHARES`].
///
/// # Errors
/// What was expected, in words.
pub fn parse_shares(text: &str) -> Result<u64, String> {
    let form = || format!("`{text}` is not a share; write 2.5% or 250bps");
    let shares = if let Some(percent) = text.strip_suffix('%') {
        Amount::parse(percent, PERCENT_DECIMALS).map_err(|error| error.to_string())?.base
    } else {
        let bps: u64 = text.strip_suffix("bps").and_then(|bps| bps.parse().ok()).ok_or_else(form)?;
        bps.saturating_mul(SHARES_PER_BPS)
    };
    if shares > DEFAULT_TOTAL_SHARES { Err(format!("`{text}` is more than 100%")) } else { Ok(shares) }
}

/// Writes shares of [`DEFAULT_TOTAL_SHARES`] as a percentage.
#[must_use]
pub fn show_shares(shares: u64) -> String {
    Amount { base: shares, decimals: PERCENT_DECIMALS }.to_string() + "%"
}

/// Writes `shares` of a pool of `total` as a percentage, to hundredths where it is not exact.
#[must_use]
pub fn show_part(shares: u64, total: u64) -> String {
    let parts = u128::from(shares) * 100 * 10u128.pow(PERCENT_DECIMALS.into());
    let exact = parts.checked_div(total.into()).filter(|part| part * u128::from(total) == parts);
    if let Some(exact) = exact.and_then(|exact| u64::try_from(exact).ok()) {
        return show_shares(exact);
    }
    crate::amount::show_bps(provena_royalty::view::basis_points(shares, total))
}

/// The initial holders of a pool: `wallets`, the parents' pools, and `creator` with what is left.
///
/// # Errors
/// [`ShareError`]: the shares exceed 100%, name somebody twice, are too many, or leave a rest while the creator is listed
/// with a fixed share.
pub fn holders(creator: &Pubkey, wallets: &[Share], parent_pools: &[Share]) -> Result<Vec<Holder>, ShareError> {
    let mut all: Vec<Share> = wallets.iter().chain(parent_pools).copied().collect();
    let mut seen = std::collections::HashSet::new();
    if let Some(twice) = all.iter().find(|share| !seen.insert(share.address)) {
        return Err(ShareError::Twice(twice.address));
    }
    let given = all.iter().fold(0u64, |sum, share| sum.saturating_add(share.shares));
    let rest = DEFAULT_TOTAL_SHARES.checked_sub(given).ok_or(ShareError::TooMuch(given))?;
    if rest > 0 {
        if seen.contains(creator) {
            return Err(ShareError::Unowned(rest));
        }
        all.push(Share { address: *creator, shares: rest });
    }
    if all.len() > usize::from(provena_royalty::MAX_INITIAL_HOLDERS) {
        return Err(ShareError::TooMany(all.len()));
    }
    Ok(all.iter().map(|share| Holder::new(share.address, share.shares)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(byte: u8, bps: u16) -> Share {
        Share::from_bps(Pubkey::new_from_array([byte; 32]), bps)
    }

    #[test]
    fn a_part_of_another_pool_is_never_less() {
        assert_eq!((share(2, 2_500).of(100), share(2, 2_501).of(100), share(2, 10_000).of(7)), (25, 26, 7));
        assert_eq!(share(2, 1).of(DEFAULT_TOTAL_SHARES), DEFAULT_TOTAL_SHARES / 10_000);
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
        assert_eq!(text(&[share(2, 9_000), share(3, 1_001)]), "the shares add up to 100.01%, more than 100%");
        assert!(text(&[share(2, 1), share(2, 1)]).contains("named twice"));
        assert!(text(&[share(1, 9_000)]).contains("10% of the revenue would belong to nobody"));
    }

    #[test]
    fn sixty_four_equal_holders_are_a_whole() {
        let equal: Vec<Share> = (0..64u8).map(|byte| Share { shares: 15_625_000, ..share(byte, 0) }).collect();
        assert_eq!(format!("{}=1.5625%", equal[0].address).parse(), Ok(equal[0]));
        let holders = holders(&share(0, 0).address, &equal, &[]).unwrap();
        assert_eq!(holders.len(), 64);
        assert_eq!(holders.iter().map(|holder| holder.shares).sum::<u64>(), DEFAULT_TOTAL_SHARES);
    }

    #[test]
    fn a_pool_begins_with_at_most_65_535_holders() {
        let address = |index: u32| {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&index.to_le_bytes());
            Pubkey::new_from_array(bytes)
        };
        let shares = |count| (1..=count).map(|index| Share { address: address(index), shares: 1 }).collect::<Vec<_>>();
        let creator = address(0);
        assert_eq!(holders(&creator, &shares(65_534), &[]).map(|holders| holders.len()), Ok(65_535));
        assert_eq!(holders(&creator, &shares(65_535), &[]), Err(ShareError::TooMany(65_536)));
    }

    #[test]
    fn reads_what_people_write() {
        let address = share(7, 0).address;
        assert_eq!(format!("{address}=25%").parse(), Ok(share(7, 2_500)));
        assert_eq!(format!("{address}=250bps").parse(), Ok(share(7, 250)));
        for (text, expected) in [("25%", "write ADDRESS=25%"), ("me=25%", "not an address")] {
            assert!(text.parse::<Share>().unwrap_err().contains(expected), "{text}");
        }
        assert!(format!("{address}=0%").parse::<Share>().unwrap_err().contains("gives nothing"));
        for (text, expected) in
            [("100.01%", "more than 100%"), ("5", "write 2.5%"), ("1.23456789%", "decimals"), ("99999bps", "more than")]
        {
            assert!(parse_shares(text).unwrap_err().contains(expected), "{text}");
        }
    }

    #[test]
    fn parts_are_exact_where_seven_decimals_hold_them() {
        assert_eq!(show_part(15_625_000, DEFAULT_TOTAL_SHARES), "1.5625%");
        assert_eq!(show_part(1, 3), "33.33%");
        assert_eq!(show_part(0, 0), "0%");
        assert!(share(1, 250).reaches(250) && !share(1, 250).reaches(251));
    }
}
