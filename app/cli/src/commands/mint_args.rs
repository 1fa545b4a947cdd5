//! What `model mint` and `dataset mint` have in common.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use provena_arith::{domain, hash::sha256};
use provena_client::{
    amount::{parse_bps, show_bps},
    keys,
    mint::{Mint, Minted, Pending, Plan, Text},
    share::Share,
    store::Store,
    token,
};
use provena_registry::state::{AssetKind, Licence};
use serde::Serialize;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;

use crate::{
    address,
    context::Context,
    output::{Report, progress::Progress, style::Style, table::facts},
};

/// Arguments of every minting.
#[derive(Debug, clap::Args)]
pub struct MintArgs {
    /// The NFT's name, up to 32 bytes.
    #[arg(long)]
    pub title: Option<String>,
    /// The NFT's ticker, up to 10 bytes.
    #[arg(long, default_value = "")]
    symbol: String,
    /// A sentence about it.
    #[arg(long, default_value = "")]
    description: String,
    /// A wallet and its share of all revenue (repeat for more); what is left goes to the minting wallet.
    #[arg(long = "holder", value_name = "ADDRESS=SHARE%")]
    holders: Vec<Share>,
    /// An asset that this one builds on, and its share of all revenue (repeat for more).
    #[arg(long = "parent", value_name = "ASSET=SHARE%")]
    parents: Vec<Share>,
    /// The key file of a parent's owner who consents (only where the parent's licence asks for it).
    #[arg(long = "consent", value_name = "FILE")]
    consents: Vec<PathBuf>,
    /// The asset that this is the next version of.
    #[arg(long, value_name = "ASSET", value_parser = address::parse)]
    previous: Option<Pubkey>,
    /// The licence's name or text; its hash goes on the chain.
    #[arg(long, default_value = "all rights reserved")]
    licence: String,
    /// What assets built on this one must give to it.
    #[arg(long, default_value = "0%", value_name = "SHARE%", value_parser = parse_bps)]
    derivative_share: u16,
    /// Nobody may build on this without its owner's signature.
    #[arg(long)]
    consent_required: bool,
    /// What marketplaces that honour it pay to the holders when the NFT is resold.
    #[arg(long, default_value = "0%", value_name = "SHARE%", value_parser = parse_bps)]
    resale_share: u16,
    /// What its users can pay in: SOL or a token's mint (repeat for more).
    #[arg(long = "pay-in", value_name = "MINT", default_value = "SOL", value_parser = token::parse)]
    pay_in: Vec<Pubkey>,
}

#[derive(Serialize)]
struct MintReport {
    kind: &'static str,
    title: String,
    asset: String,
    pool: String,
    content_root: String,
    uri: String,
    owner: String,
    signatures: Vec<String>,
    #[serde(skip)]
    next: String,
}

impl Report for MintReport {
    fn text(&self, style: Style) -> String {
        let table = facts(
            &[
                (self.kind, style.strong(&self.title)),
                ("asset", self.asset.clone()),
                ("owner", self.owner.clone()),
                ("royalty pool", self.pool.clone()),
                ("content root", self.content_root.clone()),
                ("metadata", self.uri.clone()),
                ("transactions", self.signatures.join("\n              ")),
            ],
            style,
        );
        format!("{table}\n\n{} {}", style.faint("next:"), self.next)
    }
}

impl MintArgs {
    /// Mints `content` and reports it.
    pub async fn run(
        self,
        context: &Context<'_>,
        kind: AssetKind,
        title: String,
        content: Vec<u8>,
        recipe_root: [u8; 32],
    ) -> Result<()> {
        let wallet = context.wallet()?;
        let consents: Vec<Keypair> = self.consents.iter().map(|file| keys::read(file)).collect::<Result<_, _>>()?;
        let plan = self.plan(kind, title, recipe_root);
        plan.text.check()?;
        let chain = context.chain()?;
        let store = Store::open(context.store_urls()).context("cannot open the store")?;
        let progress = Progress::spinner(context.output, "minting");
        let pending = Pending::new(context.pending_folder());
        let step = |what| progress.message(what);
        let mint = Mint { chain: &chain, store: &store, creator: &wallet, consents: &consents, pending };
        let minted = mint.mint(&plan, content, &step).await?;
        drop(progress);
        context.output.data(&report(&plan, &minted, &wallet))
    }

    fn plan(self, kind: AssetKind, title: String, recipe_root: [u8; 32]) -> Plan {
        let flags = if self.consent_required { Licence::CONSENT_REQUIRED } else { 0 };
        let terms_hash = sha256(&[domain::LICENCE, self.licence.as_bytes()]);
        let (symbol, description, licence) = (self.symbol, self.description, self.licence);
        Plan {
            kind,
            text: Text { title, symbol, description, licence, resale_bps: self.resale_share },
            recipe_root,
            licence: Licence { terms_hash, derivative_bps: self.derivative_share, flags },
            holders: self.holders,
            parents: self.parents,
            previous: self.previous,
            pay_in: self.pay_in,
        }
    }
}

fn report(plan: &Plan, minted: &Minted, wallet: &Keypair) -> MintReport {
    let asset = minted.mint.to_string();
    let (kind, next) = match plan.kind {
        AssetKind::Model => ("model", format!("provena offer create {asset} --price 0.001")),
        AssetKind::Dataset => {
            let share = show_bps(plan.licence.derivative_bps.max(1));
            ("dataset", format!("provena model mint model.pvna --parent {asset}={share}"))
        }
    };
    MintReport {
        kind,
        title: plan.text.title.clone(),
        asset,
        pool: minted.pool.to_string(),
        content_root: hex::encode(minted.content_root),
        uri: minted.uri.clone(),
        owner: solana_signer::Signer::pubkey(wallet).to_string(),
        signatures: minted.signatures.iter().map(ToString::to_string).collect(),
        next,
    }
}
