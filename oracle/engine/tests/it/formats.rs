//! Formats of published models: what is read is what was written, and what lies is refused.

mod artifact_writer;
mod corpus;
mod dequantisation;
mod description;
mod gguf_files;
mod hostile_gguf;
mod memory;
mod mutations;
mod side_files;
mod smollm2;
mod tokenizers;
mod twins;
