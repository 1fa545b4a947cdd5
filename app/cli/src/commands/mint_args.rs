//! What `model mint` and `dataset mint` have in common.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use provena_arith::{domain, hash::sha256, merkle};
use provena_client::{
    amount::parse_bps,
    chain::Chain,
    mint::{Hosting, Metadata, Mint, Pending, Plan, Text},
    share::Share,
    store::Store,
    token,
};
use provena_engine::artifact::Family;
use provena_registry::{Floors, LicenceTerms, Recipe};
use solana_pubkey::Pubkey;

use super::{
    mint_report::{Lineage, MintReport},
    parent_args::ParentArgs,
    shown_args::{self, ShownArgs},
    unit_price::{UnitPrice, floors},
};
use crate::{
    book::{Kind, names},
    context::Context,
    failure::{Exit, Failure},
    nft::Told,
    output::progress::Progress,
    stop,
};

/// Arguments of every minting.
#[derive(Debug, clap::Args)]
pub(crate) struct MintArgs {
    /// The NFT's name, up to 32 bytes [default: the model's name, or the data file's].
    #[arg(long)]
    pub title: Option<String>,
    /// The NFT's ticker, up to 10 bytes.
    #[arg(long, default_value = "", hide_default_value = true)]
    symbol: String,
    /// A sentence about it.
    #[arg(long, default_value = "", hide_default_value = true)]
    description: String,
    /// What it is called on this machine, as @NAME [default: made of the title].
    #[arg(long, value_name = "NAME", value_parser = names::parse)]
    name: Option<String>,
    /// A wallet and its share of all revenue (repeat for more); what is left goes to the minting wallet.
    #[arg(long = "holder", value_name = "ADDRESS=SHARE%")]
    holders: Vec<Share>,
    /// A file of such holders, one ADDRESS=SHARE% in each line.
    #[arg(long, value_name = "FILE")]
    holders_file: Option<PathBuf>,
    #[command(flatten)]
    lineage: ParentArgs,
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
    // The last, because its heading would stand above whatever follows.
    #[command(flatten)]
    shown: ShownArgs,
}

/// What is minted.
pub(crate) enum Made {
    /// Data.
    Dataset,
    /// A model: what turns the content into answers, and what is done with it next.
    Model {
        /// As the registry takes it.
        recipe: Recipe,
        /// What it answers.
        family: Family,
    },
}

impl MintArgs {
    /// The languages that the person named, for the NFT's attributes.
    pub(crate) fn languages(&self) -> &[String] {
        &self.shown.languages
    }

    /// The licence's name.
    pub(crate) fn licence(&self) -> &str {
        &self.licence
    }

    /// Mints content under its title, of which `told` tells, and reports it.
    pub(crate) async fn run(
        self,
        context: &Context<'_>,
        (title, content): (String, Vec<u8>),
        made: Made,
        told: Told,
        progress: Progress,
    ) -> Result<()> {
        let (recipe, family) = match made {
            Made::Dataset => (None, None),
            Made::Model { recipe, family } => (Some(recipe), Some(family)),
        };
        let wallet = progress.suspend(|| context.wallet())?;
        progress.message("looking at the chain");
        let chain = context.chain_with_tables().await?;
        let consents = self.lineage.consents(&chain).await?;
        let kind = if recipe.is_some() { Kind::Model } else { Kind::Dataset };
        let name = self.name.clone();
        if let Some(name) = &name {
            check_name(context, &chain, kind, name).await?;
        }
        let root = merkle::content_root(&content).unwrap_or_default();
        progress.message("drawing its picture");
        let picture = self.shown.picture(&title, &root, &told)?;
        let metadata = progress.suspend(|| self.shown.metadata(picture, told, context.output))?;
        progress.message("minting");
        let plan = self.plan(&chain, title, metadata, recipe).await?;
        let store = Store::open(context.store_urls()).context("cannot open the store")?;
        let pending = Pending::new(context.pending_folder());
        let mint = Mint { chain: &chain, store: &store, creator: &wallet, consents: &consents, pending };
        let step = |what| progress.message(what);
        let minted = tokio::select! {
            minted = mint.mint(&plan, content, &step) => minted?,
            () = stop::requested() => return Err(interrupted()),
        };
        progress.message("looking at what it was built on");
        let lineage = Lineage::of(&chain, &minted.mint, &plan, context).await;
        drop(progress);
        // It is minted all the same.
        let lineage =
            lineage.map_err(|why| context.output.note(&format!("cannot tell what it was built on: {why}"))).ok();
        if let Hosting::Owner(uri) = &plan.metadata.hosting {
            let folder = context.documents_folder()?.join(&hex::encode(minted.content_root)[..16]);
            shown_args::keep_for_owner(&folder, &plan.metadata, &minted.document, uri, context.output)?;
        }
        let name = context.remember(&chain, kind, (&plan.text.title, name.as_deref()), &minted.mint).await;
        context.output.data(&MintReport::new(&plan, &minted, &wallet, (family, name), lineage, context))
    }

    async fn plan(self, chain: &dyn Chain, title: String, metadata: Metadata, recipe: Option<Recipe>) -> Result<Plan> {
        let mut holders = self.holders;
        if let Some(file) = &self.holders_file {
            holders.extend(read_holders(file)?);
        }
        let parents = self.lineage.plans()?;
        let licence = self.derivative_share.map(|bps| LicenceTerms {
            consent: self.consent_required,
            ..LicenceTerms::sharing(bps, text_hash(&self.licence))
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
            metadata,
            recipe,
            licence,
            floors: Floors { bps: self.floor, per_unit },
            holders,
            parents,
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

/// What to say when ctrl-c ends a minting.
pub(super) fn interrupted() -> anyhow::Error {
    Failure::new(Exit::Interrupted, "stopped in the middle; what was done stays, and nothing is lost")
        .hint("the same command goes on from here; `provena asset pending` shows how far it came, or takes it back")
        .into()
}

/// Checks that a name which a person chose is free, before anything is paid.
pub(crate) async fn check_name(context: &Context<'_>, chain: &dyn Chain, kind: Kind, name: &str) -> Result<()> {
    match context.taken(chain, kind, name).await {
        None => Ok(()),
        Some(address) => Err(Failure::usage(format!("@{name} is taken, by {address}"))
            .hint(format!("choose another --name, or: provena book remove @{name}"))
            .into()),
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
}
