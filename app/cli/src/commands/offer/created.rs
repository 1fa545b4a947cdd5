//! What is told of an offer that was made.

use provena_client::{
    amount::{Currency, show_bps},
    offer::Terms,
};
use serde::Serialize;

use super::price;
use crate::{
    commands::rent::seconds,
    output::{Report, style::Style, table::facts, text::short_each},
};

/// An offer that was made, for people and for programs.
#[derive(Serialize)]
pub(super) struct Created {
    pub offer: String,
    pub asset: String,
    pub version: u32,
    pub mint: String,
    pub decimals: u8,
    pub base_price: u64,
    pub input_price: u64,
    pub output_price: u64,
    pub max_input: u32,
    pub max_output: u32,
    pub royalty_basis_points: u16,
    pub nodes: u8,
    pub agree: u8,
    pub signatures: Vec<String>,
    /// What it is called on this machine, with its @.
    pub name: Option<String>,
    /// What may keep nodes from taking its jobs.
    pub warnings: Vec<String>,
    #[serde(skip)]
    pub unit: &'static str,
    #[serde(skip)]
    /// None where usual nodes decline what would be asked.
    pub next: Option<String>,
    #[serde(skip)]
    pub terms: Terms,
    #[serde(skip)]
    pub currency: Currency,
}

impl Report for Created {
    fn text(&self, style: Style) -> String {
        let unit = self.unit;
        let units = |count: u32| format!("{count} {}", if count == 1 { unit.to_owned() } else { plural(unit) });
        let most = match (self.max_input, self.max_output) {
            (input, 0) => format!("{} in one job", units(input)),
            (input, output) => format!("{} of prompt and {output} of answer in one job", units(input)),
        };
        let step = minutes(self.terms.window.into());
        let mut rows = vec![("offer", style.strong(&self.offer))];
        rows.extend(self.name.clone().map(|name| ("called", style.strong(&name))));
        rows.extend([
            ("price", price::words(&self.terms, &self.currency, unit)),
            ("at most", most),
            ("to the holders", show_bps(self.royalty_basis_points)),
            ("nodes", format!("{} compute, {} must agree", self.nodes, self.agree)),
            ("each stakes", format!("{} on a job", Currency::sol().show(self.terms.bond))),
            ("each step takes", format!("at most {} slots, about {step}", self.terms.window)),
            ("transactions", short_each(&self.signatures)),
        ]);
        facts(&rows, style) + &self.next.as_deref().map(|next| style.next(next)).unwrap_or_default()
    }
}

/// More than one of a unit.
fn plural(unit: &str) -> String {
    unit.split(" or ").map(|one| format!("{one}s")).collect::<Vec<_>>().join(" or ")
}

/// So many slots in the units that a person thinks in.
fn minutes(slots: u64) -> String {
    match seconds(slots) {
        wait @ 0..90 => format!("{wait} s"),
        wait @ 90..7_200 => format!("{} min", wait.div_ceil(60)),
        wait => format!("{} h", wait.div_ceil(3_600)),
    }
}
