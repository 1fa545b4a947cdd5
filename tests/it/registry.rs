//! The registry program, with the real Token Metadata.

mod add_version;
mod admin;
mod attacks;
mod claims;
pub(crate) mod compute_units;
mod cpi;
mod drafts;
mod events;
mod grants;
mod holders;
mod inheritance;
mod later_parents;
mod licences;
mod lineage;
mod metadata;
mod raise_floor;
mod register_dataset;
mod register_model;
mod set_uri;
mod states;
mod transaction_size;
mod verify_creator;
