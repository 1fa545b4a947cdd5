//! Tests of the engine as a whole, on the real model and the real data that `cargo xtask fetch` fetches.

mod assets;
mod checkpoint_files;
mod checkpoints;
mod cnn;
mod controls;
mod cpu;
mod equality;
mod formats;
mod generate;
mod hostile_artifacts;
mod hostile_imports;
mod import_memory;
mod independent;
mod int_v1_document;
mod kernels;
mod layered;
mod llama;
mod prepared;
mod preparing;
mod quality;
mod requests;
mod second_implementation;
mod tiny_encoder;
mod tiny_llama;
