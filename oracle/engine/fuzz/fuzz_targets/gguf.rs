//! Any bytes as a GGUF file.

#![no_main]

#[allow(dead_code, reason = "every target calls one of them")]
#[path = "../targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::gguf(bytes));
