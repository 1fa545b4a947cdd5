//! One file per instruction.

pub use accept_authority::*;
pub use add_stake::*;
pub use cancel_authority::*;
pub use close_node::*;
pub use close_offer::*;
pub use close_treasury_inbox::*;
pub use create_offer::*;
pub use initialize_admin::*;
pub use open_treasury_inbox::*;
pub use propose_authority::*;
pub use register_node::*;
pub use set_min_stake::*;
pub use set_pause::*;
pub use set_protocol_fee::*;
pub use set_treasury::*;
pub use sweep_treasury::*;
pub use update_node::*;
pub use withdraw_stake::*;

pub mod accept_authority;
pub mod add_stake;
pub mod cancel_authority;
pub mod close_node;
pub mod close_offer;
pub mod close_treasury_inbox;
#[allow(unused_variables, reason = "Anchor also declares the instruction's arguments where it does not use them")]
pub mod create_offer;
pub mod initialize_admin;
pub mod open_treasury_inbox;
pub mod propose_authority;
pub mod register_node;
pub mod set_min_stake;
pub mod set_pause;
pub mod set_protocol_fee;
pub mod set_treasury;
pub mod sweep_treasury;
pub mod update_node;
pub mod withdraw_stake;
