//! What a request will cost at most, before it is paid.

use anyhow::Result;
use provena_client::{
    Chosen, Order,
    amount::{Amount, Currency},
    offer::Terms,
    token,
};
use serde::Serialize;

use crate::{
    commands::offer::price,
    failure::Failure,
    output::{Report, style::Style, table::facts},
};

/// The price, before anything is paid.
#[derive(Serialize)]
pub(super) struct Estimate {
    offer: String,
    asset: String,
    units_in: u32,
    units_out: u32,
    mint: String,
    decimals: u8,
    /// The most that is spent on the answer; what is not used comes back.
    deposit: u64,
    /// Lamports for the network.
    network_fees: u64,
    /// Lamports that are lent until the job is closed.
    rent: u64,
    /// The nodes that would answer.
    nodes: Vec<String>,
    /// What a unit costs, in words.
    #[serde(skip)]
    price: String,
    #[serde(skip)]
    currency: Currency,
}

impl Estimate {
    /// Of an order; `unit` is what its request is counted in.
    pub(super) fn new(order: &Order, chosen: &Chosen, currency: &Currency, unit: &str) -> Self {
        Self {
            offer: order.offer.to_string(),
            asset: order.terms.asset.to_string(),
            units_in: order.units.input,
            units_out: order.units.output,
            mint: token::name(&order.terms.mint),
            decimals: currency.decimals,
            deposit: order.cost.deposit,
            network_fees: order.cost.network,
            rent: order.cost.rent,
            nodes: chosen.nodes.iter().map(|node| node.authority.to_string()).collect(),
            price: price::words(&Terms::of(&order.terms), currency, unit),
            currency: currency.clone(),
        }
    }

    /// That it is no more than the person allows.
    ///
    /// # Errors
    /// It is more, or the amount is none.
    pub(super) fn check(&self, most: Option<&str>) -> Result<()> {
        let Some(most) = most else { return Ok(()) };
        let most = parse(most, &self.currency)?;
        let needed = self.spent();
        if needed <= most {
            return Ok(());
        }
        let network = match needed - self.deposit {
            0 => String::new(),
            network => format!(" ({} for the network)", self.currency.show(network)),
        };
        let (needed, most) = (self.currency.show(needed), self.currency.show(most));
        let exact = needed.split(' ').next().unwrap_or_default();
        Err(Failure::failed(format!("it can cost {needed}{network}, more than the {most} of --most; nothing was paid"))
            .hint(format!("--most {exact}   or ask for less; --dry-run shows what makes up the price"))
            .into())
    }

    /// What can be spent in the offer's currency.
    fn spent(&self) -> u64 {
        let network = if self.mint == "SOL" { self.network_fees } else { 0 };
        self.deposit.saturating_add(network)
    }

    /// The price in a few lines.
    pub(super) fn words(&self) -> String {
        let Self { deposit, network_fees, rent, price, currency, .. } = self;
        let (deposit, sol) = (currency.price(*deposit), Currency::sol());
        format!(
            "this costs at most {deposit}: {price};\nat most {} are for the network, and {} are lent until the job is closed",
            sol.show(*network_fees),
            sol.show(*rent)
        )
    }
}

impl Report for Estimate {
    fn text(&self, style: Style) -> String {
        let sol = Currency::sol();
        let mut rows = vec![
            ("offer", self.offer.clone()),
            ("units, at most", format!("{} in, {} out", self.units_in, self.units_out)),
            ("price", self.price.clone()),
            ("deposit, at most", self.currency.price(self.deposit)),
            ("network fees, at most", sol.show(self.network_fees)),
            ("lent, as rent", sol.show(self.rent)),
        ];
        rows.extend(self.nodes.iter().map(|node| ("would answer", node.clone())));
        format!("{}\n\nNothing was paid.", facts(&rows, style))
    }
}

/// An amount of the offer's currency.
///
/// # Errors
/// It is none.
pub(super) fn parse(text: &str, currency: &Currency) -> Result<u64> {
    let amount = Amount::parse(text, currency.decimals);
    let amount = amount.map_err(|error| Failure::usage(format!("--most: {error}")).hint("--most 0.01"))?;
    Ok(amount.base)
}
