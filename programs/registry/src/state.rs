//! The program's accounts: plain bytes, bounded, versioned, of asserted size.

pub use admin::*;
pub use asset::*;
pub use content::*;
pub use content_claim::*;
pub use licence::*;
pub use lineage::*;
pub use version::*;

mod admin;
mod asset;
mod content;
mod content_claim;
mod licence;
mod lineage;
mod version;

/// Layout version written into every account that this program creates.
pub const STATE_VERSION: u8 = 1;

#[cfg(test)]
mod tests {
    use provena_common::account::State;

    use super::*;

    #[test]
    fn an_asset_with_two_parents_locks_at_most_nine_million_lamports() {
        let plain = [State::<Version>::space(0), State::<Content>::space(0)];
        let lens = [AssetAccount::space(0), plain[0], plain[1], LineageAccount::space(2)];
        assert_eq!(lens, [152, 200, 120, 292]);
        let rent: usize = lens.iter().map(|len| (128 + len) * 6_960).sum();
        println!("rent of asset, version, content and lineage of two parents: {rent} lamports");
        assert_eq!(rent, 8_880_960);
        assert!(rent <= 9_000_000);
    }
}
