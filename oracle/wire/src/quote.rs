//! Quotes: what a node answers when it is asked, before anything is paid, whether it would take a request.

use serde::{Deserialize, Serialize};

use crate::Units;

/// A node would take the request: the most units that its answer can need, which is what to pay for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Units of input.
    pub units_in: u32,
    /// Units of output.
    pub units_out: u32,
}

impl Quote {
    /// Both sides together.
    #[must_use]
    pub fn units(self) -> Units {
        Units::new(self.units_in, self.units_out)
    }
}

/// A node would not take it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The refusal's name, as in the node's log and metrics; for programs.
    pub refused: String,
    /// The reason in words; for people. It is a stranger's text.
    pub reason: String,
}
