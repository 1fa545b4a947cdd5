//! `provena royalty show`.

use anyhow::{Context as _, Result};
use provena_client::{
    amount::{Amount, Currency},
    chain::{Chain, accounts},
    mint,
    royalty::{self, Revenue, RevenueIn},
    share::show_part,
    token,
};
use provena_royalty::{
    state::{Pool, Position},
    view,
};
use provena_wire::Untrusted;
use serde::Serialize;
use solana_pubkey::Pubkey;

use crate::{
    address,
    commands::{holder_names::Names, rent::seconds},
    context::Context,
    output::{
        Report,
        style::Style,
        table::{Align, Table, facts},
        text::{cut, short_address},
    },
};

/// Arguments of `provena royalty show`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena royalty show @digits\n  provena royalty show @digits --json\n\n\"Waits\" is what lies in inboxes or came past the books; `provena royalty claim` books it and brings in what derived\nassets owe."
)]
pub(super) struct Args {
    /// A minted model's or dataset's address, or that of an offer of it.
    #[arg(value_name = "ASSET|OFFER", value_parser = address::parse)]
    asset: Pubkey,
}

#[derive(Serialize)]
struct Royalties {
    asset: String,
    pool: String,
    total_shares: u64,
    /// Slots over which revenue is released; 0 releases it at once.
    window: u32,
    slot: u64,
    mints: Vec<InMint>,
}

#[derive(Serialize)]
struct InMint {
    mint: String,
    decimals: u8,
    received: u64,
    paid: u64,
    held: u64,
    /// In inboxes or past the books.
    waiting: u64,
    /// Paid by marketplaces when the NFT was resold, and not collected.
    resale: u64,
    /// Booked, and released to the holders later.
    unreleased: u64,
    released_until_slot: Option<u64>,
    derived: Vec<Derived>,
    holders: Vec<HolderReport>,
    #[serde(skip)]
    currency: Currency,
}

/// An asset that builds on this one.
#[derive(Serialize)]
struct Derived {
    asset: String,
    title: Option<Untrusted>,
    /// What its pool owes to this one, its own waiting revenue included.
    owed: u64,
}

#[derive(Serialize)]
struct HolderReport {
    address: String,
    /// The asset whose pool this is, when the holder is no wallet.
    asset: Option<String>,
    title: Option<Untrusted>,
    /// What it is called on this machine: with its @, or "you".
    name: Option<String>,
    shares: u64,
    basis_points: u16,
    owed: u64,
    claimed: u64,
}

impl HolderReport {
    /// Who it is, as far as is known here.
    fn who(&self) -> String {
        const WIDTH: usize = 26;
        let pool = self.asset.as_ref().map(|asset| match &self.title {
            Some(title) => format!("pool of {}", title.shown()),
            None => format!("pool of {asset}"),
        });
        cut(&self.name.clone().or(pool).unwrap_or_default(), WIDTH)
    }
}

impl Report for Royalties {
    fn text(&self, style: Style) -> String {
        let parts: Vec<String> = self.mints.iter().map(|mint| mint.text(style, self)).collect();
        parts.join("\n\n")
    }
}

impl InMint {
    fn text(&self, style: Style, pool: &Royalties) -> String {
        let money = |amount| self.currency.show(amount);
        let mut rows = vec![("received", style.strong(&money(self.received))), ("paid out", money(self.paid))];
        if self.waiting > 0 {
            rows.push((
                "waits",
                format!("{} came in and is not booked yet; `provena royalty claim` does it", money(self.waiting)),
            ));
        }
        if self.resale > 0 {
            rows.push(("from resales", format!("{}; `provena royalty collect` brings it in", money(self.resale))));
        }
        if let Some(until) = self.released_until_slot {
            let wait = seconds(until.saturating_sub(pool.slot));
            rows.push(("not released", format!("{}, until slot {until} (about {wait} s)", money(self.unreleased))));
        }
        let sweepable: u64 = self.derived.iter().map(|derived| derived.owed).sum();
        if sweepable > 0 {
            rows.push(("to be brought in", format!("{}; `provena royalty claim` does it", money(sweepable))));
        }
        for derived in &self.derived {
            let title = derived.title.as_ref().map_or_else(String::new, |title| format!("{}, ", title.shown()));
            rows.push(("owed by", format!("{title}{}: {}", short_address(&derived.asset, style), money(derived.owed))));
        }
        let columns = [
            ("holder", Align::Address),
            ("who", Align::Left),
            ("share", Align::Right),
            ("owed now", Align::Right),
            ("claimed", Align::Right),
        ];
        let mut table = Table::new(&columns);
        for holder in &self.holders {
            // The currency is said above; here numbers must fit beside an address.
            let number = |base| Amount { base, decimals: self.decimals }.to_string();
            let share = show_part(holder.shares, pool.total_shares);
            table.row([holder.address.clone(), holder.who(), share, number(holder.owed), number(holder.claimed)]);
        }
        format!("{}\n\n{}", facts(&rows, style), table.text(style))
    }
}

/// Reads the pool, its holders, and what waits.
pub(super) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let chain = context.chain()?;
    let args = Args { asset: super::asset_of(&chain, &args.asset).await? };
    let (address, _) = royalty::pool_of(&chain, &args.asset).await?;
    let revenue = royalty::revenue(&chain, &address).await?;
    let positions = royalty::positions(&chain, &address).await?;
    let known = known_pools(&chain, &positions).await?;
    let children = children(&chain, &address).await?;
    let names = Names::of(context);
    let mints =
        revenue.mints.iter().map(|one| in_mint(&revenue, one, (&positions, &known), &children, &names)).collect();
    context.output.data(&Royalties {
        asset: args.asset.to_string(),
        pool: address.to_string(),
        total_shares: revenue.state.total_shares,
        window: revenue.state.window,
        slot: revenue.now.0,
        mints,
    })
}

type Known = Option<(Pubkey, Option<Untrusted>)>;

fn in_mint(
    revenue: &Revenue,
    one: &RevenueIn,
    (positions, known): (&[Position], &[Known]),
    children: &[Child],
    names: &Names<'_>,
) -> InMint {
    let holder = |(position, known): (&Position, &Known)| HolderReport {
        address: position.holder.to_string(),
        asset: known.as_ref().map(|(asset, _)| asset.to_string()),
        title: known.as_ref().and_then(|(_, title)| title.clone()),
        name: names.name(&position.holder),
        shares: position.shares,
        basis_points: view::basis_points(position.shares, revenue.state.total_shares),
        owed: revenue.owed(one, position),
        claimed: position.checkpoints.get(usize::from(one.books.index)).map_or(0, |checkpoint| checkpoint.claimed),
    };
    let unreleased = revenue.unreleased(one);
    let whole = |wide: provena_common::wide::Wide| wide.amount().map_or(u64::MAX, |amount| amount.0);
    InMint {
        mint: token::name(&one.mint.address),
        decimals: one.mint.decimals,
        received: whole(one.books.received),
        paid: whole(one.books.paid),
        held: one.books.held,
        waiting: one.waiting(),
        resale: one.resale,
        unreleased: unreleased.map_or(0, |(amount, _)| amount),
        released_until_slot: unreleased.map(|(_, until)| until),
        derived: children.iter().filter_map(|child| child.derived(&one.mint.address)).collect(),
        holders: positions.iter().zip(known).map(holder).collect(),
        currency: one.mint.currency(),
    }
}

/// A pool of which this one holds shares.
struct Child {
    title: Option<Untrusted>,
    revenue: Revenue,
    /// This pool's position in it.
    position: Position,
}

impl Child {
    /// What it owes in one mint; `None` for nothing.
    fn derived(&self, mint: &Pubkey) -> Option<Derived> {
        let one = self.revenue.mints.iter().find(|one| one.mint.address == *mint)?;
        let part = u128::from(one.waiting()) * u128::from(self.position.shares);
        let part =
            part.checked_div(self.revenue.state.total_shares.into()).and_then(|part| u64::try_from(part).ok())?;
        let owed = self.revenue.owed(one, &self.position).saturating_add(part);
        let asset = self.revenue.state.asset.to_string();
        (owed > 0).then(|| Derived { asset, title: self.title.clone(), owed })
    }
}

async fn children(chain: &dyn Chain, pool: &Pubkey) -> Result<Vec<Child>> {
    let mut children = Vec::new();
    for address in royalty::held_by(chain, pool).await? {
        let revenue = royalty::revenue(chain, &address).await?;
        let position = royalty::holding(chain, &revenue.state.asset, pool).await;
        let Ok(royalty::Holding { position, .. }) = position else { continue };
        let title = mint::name_of(chain, &revenue.state.asset).await?;
        children.push(Child { title, revenue, position });
    }
    Ok(children)
}

/// For each position the asset whose royalty pool its holder is, with its title; `None` for a wallet.
async fn known_pools(chain: &dyn Chain, positions: &[Position]) -> Result<Vec<Known>> {
    let holders: Vec<Pubkey> = positions.iter().map(|position| position.holder).collect();
    let found = chain.accounts(&holders).await.context("cannot read the holders")?;
    let mut known = Vec::new();
    for (holder, account) in holders.iter().zip(found) {
        let pool = account.and_then(|account| accounts::decode::<Pool>(holder, &account).ok());
        known.push(match pool {
            Some(pool) => Some((pool.asset, mint::name_of(chain, &pool.asset).await?)),
            None => None,
        });
    }
    Ok(known)
}
