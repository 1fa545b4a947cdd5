//! The program's accounts: plain bytes, bounded, versioned, of asserted size.

pub use admin::*;
pub use books::*;
pub use checkpoint::*;
pub use inbox::*;
pub use index::*;
pub use pool::*;
pub use position::*;
pub use vesting::*;

mod admin;
mod books;
mod checkpoint;
mod inbox;
mod index;
mod pool;
mod position;
mod vesting;

/// Version written into every account that this program creates.
pub const STATE_VERSION: u8 = 1;
