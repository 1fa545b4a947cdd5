//! Lower-case hexadecimal, as the known answers of tests are written.

use std::{format, string::String};

/// The digits of some bytes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
