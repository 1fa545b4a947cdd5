//! The accounts: plain bytes, bounded, versioned, with a reserved tail each.

mod config;
mod job;
mod node;
mod offer;
mod slot;

pub use config::Config;
pub use job::{Job, JobState, Terms};
pub use node::Node;
pub use offer::{Offer, OfferTerms};
pub use slot::{Slot, SlotState};
