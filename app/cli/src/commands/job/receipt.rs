//! `provena job receipt`.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use provena_client::chain::history;
use provena_market::state::JobState;
use provena_wire::SignedReceipt;
use serde::Serialize;
use solana_pubkey::Pubkey;

use super::{Payer, kept, read, unknown};
use crate::{
    address,
    commands::infer::receipt_file::{check, write},
    context::quoted,
    failure::{Exit, Failure},
    output::{Report, style::Style, table::facts, text::printable},
};

/// Arguments of `provena job receipt`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The job's address, as `provena infer` printed it.
    #[arg(value_parser = address::parse)]
    job: Pubkey,
    /// Where to write the receipt, of several nodes' the first [default: under receipts/ in the data folder].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace an existing file that is not a receipt of this job.
    #[arg(long, requires = "out")]
    force: bool,
}

#[derive(Serialize)]
struct Receipts {
    job: String,
    receipts: Vec<SignedReceipt>,
    /// Nodes whose receipt could not be had, and why.
    missing: Vec<(String, String)>,
    receipt_file: PathBuf,
    #[serde(skip)]
    next: String,
}

impl Report for Receipts {
    fn text(&self, style: Style) -> String {
        let mut rows = vec![("job", self.job.clone())];
        rows.extend(self.receipts.iter().map(|receipt| ("signed by", receipt.node.clone())));
        rows.extend(self.missing.iter().map(|(node, why)| ("missing", format!("{node}: {}", printable(why)))));
        rows.push(("written to", self.receipt_file.display().to_string()));
        facts(&rows, style) + &style.next(&self.next)
    }
}

/// Gathers the receipts that are kept or that the nodes give, and keeps them.
pub(super) async fn run(args: Args, payer: &Payer<'_>) -> Result<()> {
    let Payer { context, chain, jobs, client, .. } = payer;
    let job = &args.job;
    if let Some(file) = &args.out {
        check(file, Some(job), args.force, context)?;
    }
    let record = jobs.get(job)?;
    let kept = record.as_ref().map(|record| record.receipts.clone()).unwrap_or_default();
    let found = read(chain.as_ref(), job).await;
    // Who gave no answer signs nothing.
    let mut never = record.as_ref().is_some_and(|record| record.refunded && !record.is_answered());
    // A chain that does not answer keeps nobody from what is kept.
    let (mut receipts, missing) = match found {
        Err(error) if kept.is_empty() => return Err(error),
        Err(_) => (Vec::new(), Vec::new()),
        Ok(Some(view)) => {
            never |= view.state().is_ok_and(|state| state.is_ended() && state != JobState::Agreed);
            let (receipts, missing) = client.receipts(&view).await;
            if let Err(error) = client.keep(&view, None, &receipts).await {
                context.output.note(&format!("the receipts could not be kept on this machine: {error}"));
            }
            (receipts, missing)
        }
        Ok(None) => {
            let past = history::instructions(chain, job).await.unwrap_or_default();
            if record.is_none() && past.is_empty() {
                return Err(unknown(job, chain, context).await);
            }
            let (receipts, missing) = client.receipts_of_closed(job, &past).await;
            // What is kept is worth as much wherever its chain is.
            if let Some(record) = record.as_ref().filter(|_| kept.is_empty()) {
                kept::check_posted(record, chain, &past, context).await?;
            }
            // Whose transactions are known, and none of them an answer.
            never |= !past.is_empty() && receipts.is_empty() && missing.is_empty();
            if let Err(error) = jobs.note(job, |record| record.add_receipts(&receipts)) {
                context.output.note(&format!("the receipts could not be kept on this machine: {error}"));
            }
            (receipts, missing)
        }
    };
    for receipt in kept {
        if !receipts.iter().any(|one| one.node == receipt.node) {
            receipts.push(receipt);
        }
    }
    let missing: Vec<(String, String)> = missing.into_iter().map(|(node, why)| (node.to_string(), why)).collect();
    let missing: Vec<_> =
        missing.into_iter().filter(|(node, _)| !receipts.iter().any(|receipt| receipt.node == *node)).collect();
    let Some(first) = receipts.first() else {
        if never {
            let message = format!("job {job} ended without an answer, so there will be no receipt of it");
            return Err(Failure::failed(message).about(job).into());
        }
        let why = missing.iter().map(|(node, why)| format!("node {node}: {}", printable(why))).collect();
        return Err(Failure::new(Exit::Unknown, "there is no receipt of this job yet")
            .because(why)
            .about(job)
            .hint(context.command(&format!("job receipt {job}")) + "   later, when the node answers")
            .into());
    };
    let file = match args.out {
        Some(file) => file,
        None => {
            let folder = context.receipts_folder()?;
            fs::create_dir_all(&folder).with_context(|| format!("cannot write to {}", folder.display()))?;
            folder.join(format!("{job}.json"))
        }
    };
    write(&file, first)?;
    let next = context.command(&format!("verify {}", quoted(&file.display().to_string())));
    context.output.data(&Receipts { job: job.to_string(), receipts, missing, receipt_file: file, next })
}
