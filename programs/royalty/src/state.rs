//! The program's accounts: plain bytes, bounded, versioned, of asserted size.

pub use config::*;
pub use pool::*;
pub use pool_mint::*;
pub use position::*;

mod config;
mod pool;
mod pool_mint;
mod position;

/// Version written into every account that this program creates.
pub const STATE_VERSION: u8 = 1;
