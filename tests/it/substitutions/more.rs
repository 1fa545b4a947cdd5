//! Valid calls beyond those that are measured.

use provena_tests::Calls;

/// Calls all of them.
pub fn calls(calls: &mut dyn Calls) {
    let _ = calls;
}
