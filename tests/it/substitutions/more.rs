//! Valid calls beyond those that are measured: other ways to have the right to a call, and accounts that are only looked at
//! where there is something in them.

use provena_tests::Calls;

mod market;
mod registry;
mod royalty;

/// Calls all of them.
pub(crate) fn calls(calls: &mut dyn Calls) {
    royalty::calls(calls);
    registry::calls(calls);
    market::calls(calls);
}
