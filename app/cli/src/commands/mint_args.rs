//! What `model mint` and `dataset mint` have in common.

use std::{fs, path::PathBuf, str::FromStr};

use anyhow::{Context as _, Result};
use provena_arith::{domain, hash::sha256};
use provena_client::{
    amount::{parse_bps, show_bps},
    chain::Chain,
    keys,
    mint::{FIRST_LICENCE, Mint, Minted, ParentPlan, Pending, Plan, Text},
    share::Share,
    store::Store,
    token,
};
use provena_registry::{Floors, LicenceTerms, Recipe, state::AssetKind};
use serde::Serialize;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;

use super::unit_price::{UnitPrice, floors};
use crate::{
    context::Context,
    failure::Failure,
    output::{
        Report,
        progress::Progress,
        style::Style,
        table::facts,
        text::{printable, short_each, short_uri},
    },
};

/// Arguments of every minting.
#[derive(Debug, clap::Args)]
pub(crate) struct MintArgs {
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
    /// A file of such holders, one ADDRESS=SHARE% in each line.
    #[arg(long, value_name = "FILE")]
    holders_file: Option<PathBuf>,
    /// An asset that this one builds on, and its share of all revenue (repeat for more).
    #[arg(long = "parent", value_name = "ASSET=SHARE%")]
    parents: Vec<Share>,
    /// The number of the parent's licence to build under [default: the one that asks for least].
    #[arg(long = "under", value_name = "ASSET=NUMBER", requires = "parents")]
    under: Vec<Under>,
    /// The key file of a parent's owner who consents (only where the parent's licence asks for it).
    #[arg(long = "consent", value_name = "FILE")]
    consents: Vec<PathBuf>,
    /// The licence's name or text; its hash goes on the chain.
    #[arg(long, default_value = "all rights reserved")]
    licence: String,
    /// Let others build on it, for this share of what they make; without it nobody may (see `asset licence publish`).
    #[arg(long, value_name = "SHARE%", value_parser = parse_bps)]
    derivative_share: Option<u16>,
    /// Nobody may build on this without its owner's signature.
    #[arg(long, requires = "derivative_share")]
    consent_required: bool,
    /// The least part of each fee for its use that goes to its holders, for ever; raised to what the parents ask for.
    #[arg(long, default_value = "0%", value_name = "SHARE%", value_parser = parse_bps)]
    floor: u16,
    /// The least royalty for each unit of use in a payment mint, for ever (repeat for more).
    #[arg(long = "unit-floor", value_name = "MINT=AMOUNT")]
    unit_floors: Vec<UnitPrice>,
    /// What marketplaces that honour it pay to the holders when the NFT is resold.
    #[arg(long, default_value = "0%", value_name = "SHARE%", value_parser = parse_bps)]
    resale_share: u16,
    /// What its users can pay in beside SOL: a token's mint (repeat for more).
    #[arg(long = "pay-in", value_name = "MINT", value_parser = token::parse)]
    pay_in: Vec<Pubkey>,
}

/// What is minted.
pub(crate) enum Made {
    /// Data.
    Dataset,
    /// A model.
    Model {
        /// What turns the content into answers.
        recipe: Recipe,
        /// A price per unit that would be usual, in SOL, for what comes next.
        price: &'static str,
    },
}

/// Which licence of a parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Under {
    parent: Pubkey,
    licence: u32,
}

impl FromStr for Under {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (parent, licence) = text.split_once('=')?;
            Some(Self { parent: parent.parse().ok()?, licence: licence.parse().ok()? })
        };
        parse().ok_or_else(|| format!("`{text}` names no licence; write ASSET=1"))
    }
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
    /// Number of the licence under which others may build on it.
    licence: Option<u32>,
    floor_basis_points: u16,
    holders: usize,
    signatures: Vec<String>,
    #[serde(skip)]
    next: String,
}

impl Report for MintReport {
    fn text(&self, style: Style) -> String {
        let mut rows = vec![
            (self.kind, style.strong(&printable(&self.title))),
            ("asset", self.asset.clone()),
            ("owner", self.owner.clone()),
            ("royalty pool", self.pool.clone()),
            ("content root", self.content_root.clone()),
            ("metadata", short_uri(&self.uri)),
        ];
        if self.floor_basis_points > 0 {
            let floor = show_bps(self.floor_basis_points);
            rows.push(("least royalty", format!("{floor} of each fee, for ever")));
        }
        rows.push(("transactions", short_each(&self.signatures)));
        format!("{}\n\n{} {}", facts(&rows, style), style.faint("next:"), self.next)
    }
}

impl MintArgs {
    /// Mints `content` and reports it.
    pub(crate) async fn run(self, context: &Context<'_>, title: String, content: Vec<u8>, made: Made) -> Result<()> {
        let (recipe, price) = match made {
            Made::Dataset => (None, ""),
            Made::Model { recipe, price } => (Some(recipe), price),
        };
        let wallet = context.wallet()?;
        let consents: Vec<Keypair> = self.consents.iter().map(|file| keys::read(file)).collect::<Result<_, _>>()?;
        let chain = context.chain_with_tables().await?;
        let plan = self.plan(&chain, title, recipe).await?;
        let store = Store::open(context.store_urls()).context("cannot open the store")?;
        let progress = Progress::spinner(context.output, "minting");
        let pending = Pending::new(context.pending_folder());
        let mint = Mint { chain: &chain, store: &store, creator: &wallet, consents: &consents, pending };
        let minted = mint.mint(&plan, content, &|what| progress.message(what)).await?;
        drop(progress);
        if minted.uri.starts_with("file:") {
            context.output.note(
                "The NFT's metadata lies in a folder of this machine, which nobody else can\n\
                 read. Put it on the web, and say where: provena asset uri ASSET https://...",
            );
        }
        context.output.data(&report(&plan, &minted, &wallet, price))
    }

    async fn plan(self, chain: &dyn Chain, title: String, recipe: Option<Recipe>) -> Result<Plan> {
        let mut holders = self.holders;
        if let Some(file) = &self.holders_file {
            holders.extend(read_holders(file)?);
        }
        if let Some(stray) = self.under.iter().find(|under| !self.parents.iter().any(|p| p.address == under.parent)) {
            return Err(Failure::usage(format!("--under names {}, which is no --parent", stray.parent)).into());
        }
        let parent = |share: &Share| ParentPlan {
            share: *share,
            licence: self.under.iter().find(|under| under.parent == share.address).map(|under| under.licence),
        };
        let licence = self.derivative_share.map(|bps| LicenceTerms {
            text_hash: text_hash(&self.licence),
            bps,
            floor_bps: 0,
            floor: None,
            consent: self.consent_required,
        });
        let per_unit = floors(chain, &self.unit_floors).await?;
        Ok(Plan {
            text: Text {
                title,
                symbol: self.symbol,
                description: self.description,
                licence: self.licence,
                resale_bps: self.resale_share,
            },
            recipe,
            licence,
            floors: Floors { bps: self.floor, per_unit },
            holders,
            parents: self.parents.iter().map(parent).collect(),
            pay_in: self.pay_in,
        })
    }
}

/// The hash of a licence's name or text, as it goes on the chain.
pub(crate) fn text_hash(text: &str) -> [u8; 32] {
    sha256(&[domain::LICENCE, text.as_bytes()])
}

/// Reads `ADDRESS=SHARE%` lines; blank ones and those that begin with # say nothing.
fn read_holders(file: &std::path::Path) -> Result<Vec<Share>> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read the holders in {}", file.display()))?;
    let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let parse = |(number, line): (usize, &str)| {
        let wrong = |error: String| Failure::usage(format!("{}, line {}: {error}", file.display(), number + 1));
        line.parse().map_err(|error| anyhow::Error::from(wrong(error)))
    };
    lines.map(parse).collect()
}

fn report(plan: &Plan, minted: &Minted, wallet: &Keypair, price: &str) -> MintReport {
    let asset = minted.mint.to_string();
    let (kind, next) = match (plan.kind(), &plan.licence) {
        (AssetKind::Model, _) => ("model", format!("provena offer create {asset} --price {price}")),
        (AssetKind::Dataset, Some(terms)) => {
            let share = show_bps(terms.bps.max(1));
            let title = "--title 'A model'";
            ("dataset", format!("provena model mint model.pvna {title} \\\n        --parent {asset}={share}"))
        }
        (AssetKind::Dataset, None) => ("dataset", format!("provena asset licence publish {asset} --share 10%")),
    };
    MintReport {
        kind,
        title: plan.text.title.clone(),
        asset,
        pool: minted.pool.to_string(),
        content_root: hex::encode(minted.content_root),
        uri: minted.uri.clone(),
        owner: solana_signer::Signer::pubkey(wallet).to_string(),
        licence: plan.licence.map(|_| FIRST_LICENCE),
        floor_basis_points: minted.floors.bps,
        holders: minted.holders,
        signatures: minted.signatures.iter().map(ToString::to_string).collect(),
        next,
    }
}

#[cfg(test)]
mod unit {
    use provena_client::share::show_shares;

    use super::*;

    #[test]
    fn a_file_of_holders_is_read_line_by_line() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("holders.txt");
        let [a, b] = [[1; 32], [2; 32]].map(Pubkey::new_from_array);
        fs::write(&file, format!("# who made it\n{a}=60%\n\n  {b}=1.5625%  \n")).unwrap();
        let holders = read_holders(&file).unwrap();
        assert_eq!(holders.iter().map(|share| show_shares(share.shares)).collect::<Vec<_>>(), ["60%", "1.5625%"]);
        fs::write(&file, format!("{a}=60%\nnobody=1%\n")).unwrap();
        assert!(read_holders(&file).unwrap_err().to_string().contains("line 2: `nobody` is not an address"));
    }

    #[test]
    fn a_licence_is_named_by_its_number() {
        let parent = Pubkey::new_from_array([3; 32]);
        assert_eq!(format!("{parent}=7").parse(), Ok(Under { parent, licence: 7 }));
        assert!(format!("{parent}=x").parse::<Under>().is_err_and(|why| why.contains("write ASSET=1")));
    }
}
