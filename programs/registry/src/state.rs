//! The program's accounts: plain bytes, bounded, versioned, of asserted size.

pub use asset::*;
pub use licence::*;

mod asset;
mod licence;

/// Version written into every account that this program creates.
pub const STATE_VERSION: u8 = 1;
