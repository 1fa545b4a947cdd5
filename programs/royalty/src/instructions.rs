//! One file per instruction: its accounts, what it checks, what it does.

pub use add_holders::*;
pub use add_mint::*;
pub use allow_mint::*;
pub use claim::*;
pub use create_pool::*;
pub use deposit::*;
pub use initialize_config::*;
pub use sweep::*;
pub use sync::*;
pub use transfer_shares::*;
pub use verify_creator::*;

pub mod add_holders;
pub mod add_mint;
pub mod allow_mint;
pub mod claim;
pub mod create_pool;
pub mod deposit;
pub mod initialize_config;

pub mod sweep;
pub mod sync;
pub mod transfer_shares;
pub mod verify_creator;
