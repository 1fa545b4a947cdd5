//! One file per instruction; what registrations share is in [`crate::registration`].

pub use crate::registration::*;
pub use abandon_claim::*;
pub use accept_authority::*;
pub use add_version::*;
pub use cancel_authority::*;
pub use claim_content::*;
pub use initialize_admin::*;
pub use propose_authority::*;
pub use publish_licence::*;
pub use raise_floor::*;
pub use retire_licence::*;
pub use set_pause::*;
pub use set_uri::*;

pub mod abandon_claim;
pub mod accept_authority;
pub mod add_version;
pub mod cancel_authority;
pub mod claim_content;
pub mod initialize_admin;
pub mod propose_authority;
pub mod publish_licence;
pub mod raise_floor;
pub mod register_dataset;
pub mod register_model;
pub mod retire_licence;
pub mod set_pause;
pub mod set_uri;
