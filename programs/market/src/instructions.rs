//! One file per instruction.

pub mod add_stake;
pub mod cancel;
pub mod claim_slot;
pub mod close_job;
pub mod close_offer;
pub mod commit;
// Anchor also declares the instruction's arguments where it does not use them.
#[allow(unused_variables)]
pub mod create_offer;
pub mod initialize_config;
pub mod post_job;
pub mod register_node;
pub mod reveal;
pub mod settle;
pub mod timeout_claim;
pub mod timeout_job;
pub mod withdraw_stake;

pub use add_stake::*;
pub use cancel::*;
pub use claim_slot::*;
pub use close_job::*;
pub use close_offer::*;
pub use commit::*;
pub use create_offer::*;
pub use initialize_config::*;
pub use post_job::*;
pub use register_node::*;
pub use reveal::*;
pub use settle::*;
pub use timeout_claim::*;
pub use timeout_job::*;
pub use withdraw_stake::*;
