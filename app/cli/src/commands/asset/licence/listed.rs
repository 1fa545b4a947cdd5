//! Licences as the chain shows them, in a table and in JSON.

use anyhow::Result;
use provena_client::{
    amount::{Amount, show_bps},
    chain::Chain,
    token,
};
use provena_common::slot::Slot;
use provena_registry::{constants::uses, state::Licence};
use serde::Serialize;
use solana_pubkey::Pubkey;

use crate::output::{
    style::Style,
    table::{Align, Table},
};

/// Slots of a day as the chain counts them: 400 ms each.
pub(super) const SLOTS_A_DAY: u64 = 24 * SLOTS_AN_HOUR;

/// Slots of an hour.
const SLOTS_AN_HOUR: u64 = 9_000;

/// A licence, for people and for programs.
#[derive(Serialize)]
pub(crate) struct Listed {
    pub(super) licence: u32,
    active: bool,
    pub(super) basis_points: u16,
    pub(super) floor_basis_points: u16,
    floor_mint: Option<String>,
    floor_per_unit: Option<u64>,
    pub(super) consent_required: bool,
    pub(super) every_descendant: bool,
    price_mint: Option<String>,
    /// In base units.
    price: Option<u64>,
    /// Derivatives so far, and at most.
    derivatives: u32,
    pub(super) most_derivatives: Option<u32>,
    pub(super) may_be_offered: bool,
    pub(super) may_be_built_on: bool,
    text_hash: String,
    issued_slot: u64,
    /// The last slot in which it grants.
    pub(super) last_slot: Option<u64>,
    /// Whether it would grant now.
    grants: bool,
    /// Slots for which it grants yet; none where it has no last slot.
    #[serde(skip)]
    slots_left: Option<u64>,
    #[serde(skip)]
    pub(super) unit_floor: Option<String>,
    #[serde(skip)]
    pub(super) shown_price: Option<String>,
}

impl Listed {
    /// What is special about it, each in a few words.
    fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if !self.active {
            remarks.push("retired".to_owned());
        } else if !self.grants {
            remarks.push("over".to_owned());
        } else if let Some(slots) = self.slots_left {
            remarks.push(format!("grants for {}", term(slots)));
        }
        if self.every_descendant {
            remarks.push("binds every descendant".into());
        }
        if self.consent_required {
            remarks.push("owner must sign".into());
        }
        if let Some(most) = self.most_derivatives {
            remarks.push(format!("{} of {most} used", self.derivatives));
        }
        if !self.may_be_offered {
            remarks.push("no offers".into());
        }
        if !self.may_be_built_on {
            remarks.push("no derivatives".into());
        }
        remarks
    }
}

/// Licences as a table.
pub(crate) fn table(licences: &[Listed], style: Style) -> String {
    let columns = [
        ("licence", Align::Right),
        ("share", Align::Right),
        ("least royalty", Align::Right),
        ("per unit", Align::Right),
        ("price", Align::Right),
        ("conditions", Align::Left),
    ];
    let mut table = Table::new(&columns);
    for licence in licences {
        let mut remarks = licence.remarks().into_iter();
        table.row([
            licence.licence.to_string(),
            show_bps(licence.basis_points),
            show_bps(licence.floor_basis_points),
            licence.unit_floor.clone().unwrap_or_default(),
            licence.shown_price.clone().unwrap_or_else(|| "free".into()),
            remarks.next().unwrap_or_default(),
        ]);
        // A line of its own for each further one: a terminal is narrow.
        for remark in remarks {
            let nothing = String::new;
            table.row([nothing(), nothing(), nothing(), nothing(), nothing(), remark]);
        }
    }
    table.text(style)
}

/// Licences with their amounts in words.
pub(crate) async fn listed(chain: &dyn Chain, licences: &[Licence]) -> Result<Vec<Listed>> {
    let slot = Slot(chain.slot().await?);
    let mut listed = Vec::new();
    for licence in licences {
        let (asks, priced) = (licence.floor_per_unit > 0, licence.price > 0);
        let unit_floor = shown(chain, &licence.floor_mint, licence.floor_per_unit).await?;
        let shown_price = shown(chain, &licence.price_mint, licence.price).await?;
        listed.push(Listed {
            licence: licence.id,
            active: licence.is_active(),
            basis_points: licence.bps,
            floor_basis_points: licence.floor_bps,
            floor_mint: asks.then(|| token::name(&licence.floor_mint)),
            floor_per_unit: asks.then_some(licence.floor_per_unit),
            consent_required: licence.needs_consent(),
            every_descendant: licence.is_absolute(),
            price_mint: priced.then(|| token::name(&licence.price_mint)),
            price: priced.then_some(licence.price),
            derivatives: licence.children,
            most_derivatives: (licence.most_children > 0).then_some(licence.most_children),
            may_be_offered: licence.uses & uses::SERVE != 0,
            may_be_built_on: licence.uses & uses::DERIVE != 0,
            text_hash: hex::encode(licence.terms_hash),
            issued_slot: licence.issued,
            last_slot: (licence.expires > 0).then_some(licence.expires),
            slots_left: (licence.expires > 0).then(|| licence.expires.saturating_sub(slot.0)),
            grants: licence.check_grant(slot).is_ok(),
            unit_floor,
            shown_price,
        });
    }
    Ok(listed)
}

/// An amount of a mint in words; nothing for none.
async fn shown(chain: &dyn Chain, mint: &Pubkey, base: u64) -> Result<Option<String>> {
    if base == 0 {
        return Ok(None);
    }
    let currency = token::currency(chain, mint).await?;
    Ok(Some(format!("{} {}", Amount { base, decimals: currency.decimals }, currency.symbol)))
}

/// How long so many slots last, in words, and never longer: whole days, or hours where it is less than a day.
fn term(slots: u64) -> String {
    let counted = |number: u64, what: &str| format!("{number} more {what}{}", if number == 1 { "" } else { "s" });
    match (slots / SLOTS_A_DAY, slots / SLOTS_AN_HOUR) {
        (0, 0) => "less than an hour".into(),
        (0, hours) => counted(hours, "hour"),
        (days, _) => counted(days, "day"),
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_term_is_told_in_days_and_the_last_day_in_hours() {
        let terms = [30 * SLOTS_A_DAY - 1, SLOTS_A_DAY, SLOTS_A_DAY - 1, SLOTS_AN_HOUR, SLOTS_AN_HOUR - 1].map(term);
        assert_eq!(terms, ["29 more days", "1 more day", "23 more hours", "1 more hour", "less than an hour"]);
    }
}
