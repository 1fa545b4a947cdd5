//! Kernels against their scalar twins, on whatever adapter this machine has.
//!
//! These tests never skip: a machine without an adapter fails them, and the message says what to install.

mod attention;
mod linear;
mod recording;
mod rows;
mod support;
mod whole;
