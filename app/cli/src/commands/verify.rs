//! `provena verify`: is this receipt genuine, does the chain agree, and is the answer the model's?

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use provena_arith::{merkle::content_root, receipt::Receipt};
use provena_client::{
    amount::Currency,
    chain::{ChainReader, RpcChain, accounts, history},
    kept::JobsFolder,
    receipt::{ReceiptMismatch, check_against, check_history, check_offer},
    store::Store,
    token,
    view::View,
};
use provena_market::state::Offer;
use provena_wire::{Request, SignedReceipt, receipt};
use serde::Serialize;
use solana_pubkey::Pubkey;

use super::{
    fetch,
    recompute::{self, By},
};
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
pub(crate) struct Args {
    /// The receipt file that `provena infer --receipt` wrote or a node serves.
    receipt: PathBuf,
    /// Check the signature only; ask no chain.
    #[arg(long, conflicts_with = "recompute")]
    offline: bool,
    /// Also compute the answer again, on this machine, and compare it byte for byte.
    #[arg(long)]
    recompute: bool,
}

/// What on the chain a receipt was compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Agreement {
    /// The job, and its offer, which names the model.
    #[serde(rename = "job and offer")]
    Accounts,
    /// The job; its offer is closed.
    #[serde(rename = "job")]
    Job,
    /// The transactions of a job that is closed.
    #[serde(rename = "history")]
    History,
}

impl Agreement {
    fn words(self) -> &'static str {
        match self {
            Self::Accounts => "the paid job and its offer on the chain say the same",
            Self::Job => "the paid job on the chain says the same; its offer, which named the model, is closed",
            Self::History => "the job is closed, and its transactions say the same",
        }
    }
}

#[derive(Serialize)]
struct Verified {
    valid: bool,
    node: String,
    payer: String,
    job: String,
    asset: String,
    version: u32,
    result_root: String,
    units_in: u32,
    units_out: u32,
    mint: String,
    amount: u64,
    signature: &'static str,
    /// "job and offer", "job" when the offer is closed, "history" when the job is.
    chain: Option<Agreement>,
    recomputed: Option<&'static str>,
}

impl Report for Verified {
    fn text(&self, style: Style) -> String {
        let good = style.good("holds:");
        let mut rows = vec![("signature", format!("{good} the node below signed exactly this"))];
        rows.push(("chain", self.chain.map_or_else(not_asked, |chain| format!("{good} {}", chain.words()))));
        rows.extend(self.recomputed.map(|_| ("answer", format!("{good} computed again here, byte for byte equal"))));
        rows.extend([
            ("node", self.node.clone()),
            ("payer", self.payer.clone()),
            ("job", self.job.clone()),
            ("model", self.asset.clone()),
            ("version", self.version.to_string()),
            ("result root", self.result_root.clone()),
            ("units", format!("{} in, {} out", self.units_in, self.units_out)),
            ("fee", self.fee()),
        ]);
        facts(&rows, style)
    }
}

/// What is said where no chain was asked.
fn not_asked() -> String {
    "was not asked: whether the job was paid for is not known".to_owned()
}

impl Verified {
    /// The fee as far as it can be written without asking a chain for a token's decimals.
    fn fee(&self) -> String {
        if self.mint == "SOL" {
            return Currency::sol().show(self.amount);
        }
        format!("{} base units of {}", self.amount, self.mint)
    }
}

/// Checks the receipt; an `Err` means that it does not hold (or could not be checked).
pub(crate) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let signed =
        receipt::load(&args.receipt).with_context(|| format!("{} cannot be verified", args.receipt.display()))?;
    let receipt = signed.verify().map_err(|error| invalid(&error))?;
    let mut verified = Verified {
        valid: true,
        node: signed.node.clone(),
        payer: signed.payer.clone(),
        job: signed.place.clone(),
        asset: signed.asset.clone(),
        version: receipt.asset_version,
        result_root: signed.result_root.clone(),
        units_in: receipt.units_in,
        units_out: receipt.units_out,
        mint: token::name(&Pubkey::from(receipt.mint)),
        amount: receipt.amount,
        signature: "valid",
        chain: None,
        recomputed: None,
    };
    if !args.offline {
        let chain = context.chain()?;
        verified.chain = Some(against_chain(&chain, &signed, &receipt).await?);
    }
    if args.recompute {
        let store = Store::open(context.store_urls()).context("cannot open the store")?;
        again(&context.chain()?, &store, &receipt, context).await?;
        verified.recomputed = Some("equal");
    }
    context.output.data(&verified)
}

/// Compares a receipt with the cluster it names and the job on it: with the job's account and its offer's as long as they
/// are there, and when the job is closed with its transactions.
///
/// # Errors
/// The receipt does not hold, or cannot be compared.
pub(crate) async fn against_chain(chain: &RpcChain, signed: &SignedReceipt, receipt: &Receipt) -> Result<Agreement> {
    let cluster = chain.cluster().await.context("cannot ask the chain; --offline checks the signature alone")?;
    if cluster != receipt.cluster {
        return Err(Failure::failed("the receipt is from another chain than the one at --url")
            .hint("name the receipt's chain with --url, or check the signature alone with --offline")
            .into());
    }
    let address = Pubkey::from(receipt.place);
    let Some(job) = View::read(chain, &address).await.context("cannot read the job")?.job else {
        let past = history::instructions(chain, &address).await.context("cannot read the job's history")?;
        return match check_history(signed, &cluster, &past) {
            Ok(_) => Ok(Agreement::History),
            Err(ReceiptMismatch::NoHistory { .. }) => Err(Failure::failed(format!(
                "the chain knows no job {address}: it never existed, or it is closed and this server keeps no history \
                 of it"
            ))
            .because(vec![
                "the signature holds: the node stated this question, this answer and this price".into(),
                "not checked: that the job was paid for, on these terms, and that others agreed".into(),
            ])
            .hint("ask a server with the whole history (--url), or check the signature alone with --offline")
            .into()),
            Err(error) => Err(invalid(&error)),
        };
    };
    check_against(signed, &cluster, &job).map_err(|error| invalid(&error))?;
    let offer = chain.account(&job.job.offer).await.context("cannot read the job's offer")?;
    match offer.and_then(|account| accounts::decode::<Offer>(&job.job.offer, &account).ok()) {
        Some(offer) => {
            check_offer(signed, &cluster, &job, &offer).map_err(|error| invalid(&error))?;
            Ok(Agreement::Accounts)
        }
        None => Ok(Agreement::Job),
    }
}

async fn again(chain: &RpcChain, store: &Store, receipt: &Receipt, context: &Context<'_>) -> Result<()> {
    let input = match kept_request(receipt, context) {
        Some(input) => input.into(),
        None => fetch::blob("the request", &receipt.input_root, chain, store, context).await?,
    };
    let request = Request::from_bytes(&input)?;
    let artifact = fetch::blob("the model", &receipt.content_root, chain, store, context).await?;
    let progress = Progress::spinner(context.output, "computing the answer again");
    let response = recompute::answer_by(artifact, request, By::Processor).await?;
    drop(progress);
    let (ours, theirs) = (hex::encode(response.result_root()), hex::encode(receipt.result_root));
    if ours == theirs {
        return Ok(());
    }
    Err(Failure::failed(format!("the node's answer is wrong: it signed {theirs}, the model gives {ours}")).into())
}

/// The request of a job that was paid for from this machine.
fn kept_request(receipt: &Receipt, context: &Context<'_>) -> Option<Vec<u8>> {
    let jobs = JobsFolder::open(context.jobs_folder().ok()?).ok()?;
    let request = jobs.request(&Pubkey::from(receipt.place)).ok()??;
    (content_root(&request) == Ok(receipt.input_root)).then_some(request)
}

fn invalid(error: &dyn std::fmt::Display) -> anyhow::Error {
    Failure::failed(format!("the receipt does not hold: {error}"))
        .hint("do not rely on it; ask the node for its receipt again, or compute with --recompute")
        .into()
}
