//! `provena verify`: is this receipt genuine, does the chain agree, and is the answer the model's?

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use provena_arith::receipt::Receipt;
use provena_client::{
    chain::{Chain, accounts},
    receipt::check_against,
    store::Store,
};
use provena_market::{
    pda,
    state::{Job, Slot},
};
use provena_wire::{Request, SignedReceipt, receipt};
use serde::Serialize;
use solana_pubkey::Pubkey;

use super::recompute::{self, By};
use crate::{
    context::Context,
    failure::Failure,
    output::{Report, progress::Progress, style::Style, table::facts},
};

/// Arguments of `provena verify`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena verify receipt.json\n  provena verify receipt.json --offline\n  provena verify receipt.json --recompute\n\nExits with 1 when the receipt does not hold."
)]
pub struct Args {
    /// The receipt file that `provena infer --receipt` wrote or a node serves.
    receipt: PathBuf,
    /// Check the signature only; ask no chain.
    #[arg(long, conflicts_with = "recompute")]
    offline: bool,
    /// Also compute the answer again, on this machine, and compare it byte for byte.
    #[arg(long)]
    recompute: bool,
}

#[derive(Serialize)]
struct Verified {
    valid: bool,
    node: String,
    job: String,
    asset: String,
    result_root: String,
    units: u32,
    signature: &'static str,
    chain: Option<&'static str>,
    recomputed: Option<&'static str>,
}

impl Report for Verified {
    fn text(&self, style: Style) -> String {
        let good = style.good("holds:");
        let mut rows = vec![("signature", format!("{good} the node below signed exactly this"))];
        rows.extend(self.chain.map(|_| ("chain", format!("{good} the paid job on the chain says the same"))));
        rows.extend(self.recomputed.map(|_| ("answer", format!("{good} computed again here, byte for byte equal"))));
        rows.extend([
            ("node", self.node.clone()),
            ("job", self.job.clone()),
            ("model", self.asset.clone()),
            ("result root", self.result_root.clone()),
            ("units", self.units.to_string()),
        ]);
        facts(&rows, style)
    }
}

/// Checks the receipt; an `Err` means that it does not hold (or could not be checked).
pub async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let signed =
        receipt::load(&args.receipt).with_context(|| format!("{} cannot be verified", args.receipt.display()))?;
    let receipt = signed.verify().map_err(|error| invalid(&error))?;
    let mut verified = Verified {
        valid: true,
        node: signed.node.clone(),
        job: signed.job.clone(),
        asset: signed.asset.clone(),
        result_root: signed.result_root.clone(),
        units: receipt.units,
        signature: "valid",
        chain: None,
        recomputed: None,
    };
    if !args.offline {
        let chain = context.chain()?;
        against_chain(&chain, &signed, &receipt).await?;
        verified.chain = Some("agrees");
    }
    if args.recompute {
        let store = Store::open(context.store_urls()).context("cannot open the store")?;
        let progress = Progress::spinner(context.output, "computing the answer again");
        again(&store, &receipt).await?;
        drop(progress);
        verified.recomputed = Some("equal");
    }
    context.output.data(&verified)
}

/// Compares a receipt with the cluster it names and the job on it.
pub async fn against_chain(chain: &dyn Chain, signed: &SignedReceipt, receipt: &Receipt) -> Result<()> {
    let cluster = chain.cluster().await.context("cannot ask the chain; --offline checks the signature alone")?;
    if cluster != receipt.cluster {
        return Err(Failure::failed("the receipt is from another chain than the one at --url")
            .hint("name the receipt's chain with --url, or check the signature alone with --offline")
            .into());
    }
    let address = Pubkey::from(receipt.job);
    let job = accounts::fetch_optional::<Job, _>(chain, &address).await.context("cannot read the job")?;
    let job = job.ok_or_else(|| {
        Failure::failed(format!("the chain knows no job {address}: it never existed, or its payer has closed it"))
            .hint("check the signature alone with --offline")
    })?;
    let mut slot = None;
    for index in 0..job.slots {
        let found = accounts::fetch_optional::<Slot, _>(chain, &pda::slot(&address, index).0).await?;
        slot = slot.or(found.filter(|slot| slot.authority.to_bytes() == receipt.node));
    }
    check_against(signed, &address, &job, slot.as_ref()).map_err(|error| invalid(&error))
}

async fn again(store: &Store, receipt: &Receipt) -> Result<()> {
    let input = store.get(&receipt.input_root).await.context("the request is in no store")?;
    let request = Request::from_bytes(&input)?;
    let response = recompute::answer(store, &receipt.content_root, request, By::Processor).await?;
    let (ours, theirs) = (hex::encode(response.result_root()), hex::encode(receipt.result_root));
    if ours == theirs {
        return Ok(());
    }
    Err(Failure::failed(format!("the node's answer is wrong: it signed {theirs}, the model gives {ours}")).into())
}

fn invalid(error: &dyn std::fmt::Display) -> anyhow::Error {
    Failure::failed(format!("the receipt does not hold: {error}"))
        .hint("do not rely on it; ask the node for its receipt again, or compute with --recompute")
        .into()
}
