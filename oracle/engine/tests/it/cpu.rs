//! The CPU backend against the scalar reference, at every level that this processor has, byte for byte.

mod attention;
mod decoder;
mod linear;
mod rows;
mod support;
