//! Limits and names that clients share with this program.

pub use provena_common::{pda::ASSOCIATED_TOKEN_PROGRAM, token::TOKEN_PROGRAM};
pub use provena_royalty::{INSTRUCTIONS_SYSVAR, TOKEN_METADATA_PROGRAM};

/// Direct parents of one asset. A transaction locks at most 64 accounts, of which registering takes 19, setting a compute
/// limit 1, and each parent 3, or 5 with its holder's consent: more than 14 go into a draft, one by one.
pub const MAX_PARENTS: usize = 16;
/// Ancestors of one asset behind its direct parents, whose licences bind every descendant.
pub const MAX_INHERITED: usize = 32;
/// Slots after which anybody may clear a draft away, about a week.
pub const MAX_DRAFT_AGE: u64 = 1_512_000;
/// Mints in which an asset can ask for a least royalty per unit.
pub const MAX_FLOORS: usize = 8;
/// Bytes of an NFT's name, as Token Metadata stores it.
pub const MAX_NAME_LEN: usize = 32;
/// Bytes of an NFT's symbol.
pub const MAX_SYMBOL_LEN: usize = 10;
/// Bytes of an NFT's URI.
pub const MAX_URI_LEN: usize = 200;

/// Slots that a content claim must have waited before it can be used: longer than one leader's four slots in a row, so
/// that whoever sees a registration before it lands cannot claim and register the same content first.
pub const MIN_CLAIM_AGE: u64 = 8;
/// Slots after which a content claim can no longer be used, about a day.
pub const MAX_CLAIM_AGE: u64 = 216_000;

/// Bits of the program's pause; nothing else is ever paused.
pub mod pause {
    /// Registering models and datasets.
    pub const REGISTER: u32 = 1;
    /// Adding versions.
    pub const ADD_VERSION: u32 = 2;
    /// Publishing licences.
    pub const PUBLISH_LICENCE: u32 = 4;
    /// Every bit that means something.
    pub const ALL: u32 = REGISTER | ADD_VERSION | PUBLISH_LICENCE;
}

/// What a licence allows to be done with a derivative, as bits. The others mean what the licence's text says.
pub mod uses {
    /// Offering it for use on the market.
    pub const SERVE: u32 = 1;
    /// Granting licences of one's own to those who build on it.
    pub const DERIVE: u32 = 2;
    /// Everything.
    pub const ALL: u32 = u32::MAX;
}

/// Seed prefixes of the program's addresses; [`crate::pda`] derives them.
pub mod seeds {
    pub use provena_common::admin::ADMIN_SEED as ADMIN;

    /// `["asset", mint]`
    pub const ASSET: &[u8] = b"asset";
    /// `["version", asset, n as u32 little endian]`
    pub const VERSION: &[u8] = b"version";
    /// `["content", content root]`
    pub const CONTENT: &[u8] = b"content";
    /// `["claim", claim hash]`
    pub const CLAIM: &[u8] = b"claim";
    /// `["licence", asset, id as u32 little endian]`
    pub const LICENCE: &[u8] = b"licence";
    /// `["lineage", asset]`
    pub const LINEAGE: &[u8] = b"lineage";
}
