//! The accounts: plain bytes, bounded, versioned, with a reserved tail each.

pub use admin::Admin;
pub use answer::{Answer, AnswerAccount};
pub use job::{Job, JobAccount, JobState, JobTerms, Next, Owed, Part, Party, Posting, Who};
pub use node::Node;
pub use offer::{NewOffer, Offer, OfferTerms, check_model};
pub use residual::{NewResidual, Residual};
pub use seat::{Seat, SeatSet, SeatState};
pub use treasury::{NewTreasuryInbox, TreasuryInbox};

mod admin;
mod answer;
pub mod job;
mod node;
mod offer;
mod residual;
mod seat;
mod treasury;

/// Layout version written into every account of this program.
pub const STATE_VERSION: u8 = 1;
