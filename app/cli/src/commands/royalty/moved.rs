//! Money that moved, for people and for programs.

use anyhow::Result;
use provena_client::{amount::Currency, chain::Chain, royalty::Moved, token};
use serde::Serialize;

use crate::output::{
    style::Style,
    table::{Align, Table},
    text::short,
};

/// One movement.
#[derive(Serialize)]
pub(super) struct Payment {
    pool: String,
    mint: String,
    amount: u64,
    decimals: u8,
    signature: String,
    #[serde(skip)]
    currency: Currency,
}

/// Movements with their currencies; those of nothing are left out.
pub(super) async fn payments(chain: &dyn Chain, moved: &[Moved]) -> Result<Vec<Payment>> {
    let mut payments = Vec::new();
    for one in moved.iter().filter(|one| one.amount > 0) {
        let currency = token::currency(chain, &one.mint).await?;
        payments.push(Payment {
            pool: one.pool.to_string(),
            mint: token::name(&one.mint),
            amount: one.amount,
            decimals: currency.decimals,
            signature: one.signature.to_string(),
            currency,
        });
    }
    Ok(payments)
}

/// Groups of movements as one table.
pub(super) fn table(groups: &[(&str, &[Payment])], style: Style) -> String {
    let mut table = Table::new(&[("", Align::Left), ("amount", Align::Right), ("transaction", Align::Left)]);
    for (what, payments) in groups {
        for payment in *payments {
            table.row([(*what).into(), payment.currency.show(payment.amount), short(&payment.signature)]);
        }
    }
    table.text(style)
}
