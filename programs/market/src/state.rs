//! The accounts: plain bytes, bounded, versioned, with a reserved tail each.

pub use admin::Admin;
pub use job::{Job, JobState, JobTerms, Next, Owed, Part, Party, Posting, Who};
pub use node::Node;
pub use offer::{NewOffer, Offer, OfferTerms, check_model};
pub use seat::{Seat, SeatSet, SeatState};
pub use treasury::{NewTreasuryInbox, TreasuryInbox};

mod admin;
pub mod job;
mod node;
mod offer;
mod seat;
mod treasury;

/// Layout version written into every account of this program.
pub const STATE_VERSION: u8 = 1;
