//! Kernels against their scalar twins, on whatever adapter this machine has.
//!
//! These tests skip only where `PROVENA_TEST_GPU=none` says so: a machine without an adapter fails them, and the
//! message says what to install.

mod attention;
mod autotune;
mod cached_attention;
mod count;
mod decoder;
mod decoder_rows;
mod fused;
mod images;
mod linear;
mod matrix;
mod memory;
mod normed;
mod recording;
mod rows;
mod sample;
pub(crate) mod support;
mod whole;
