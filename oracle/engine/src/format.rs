//! Formats of published float models.

pub mod safetensors;
