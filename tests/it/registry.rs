//! The registry program, with the real Token Metadata.

mod lineage;
mod register_dataset;
mod register_model;
mod verify_creator;
