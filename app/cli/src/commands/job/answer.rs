//! `provena job answer`.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Result;
use provena_client::{
    chain::{ChainReader, accounts, history},
    kept::KeptJob,
    token,
    view::JobView,
};
use provena_market::state::Offer;
use provena_wire::{Request, Response, root};
use solana_pubkey::Pubkey;

use super::{Payer, kept, read, unknown};
use crate::{
    address,
    commands::{
        infer::{
            self, Course, SoFar,
            answer::{Answer, Paid},
            bill::{Bill, Items},
            demand::Demand,
            finish,
            receipt_file::{ReceiptFile, check, write},
            unpaid,
        },
        rent::Rent,
    },
    failure::Failure,
    output::progress::Progress,
    stop,
};

/// Arguments of `provena job answer`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The job's address, as `provena infer` printed it.
    #[arg(value_parser = address::parse)]
    job: Pubkey,
    /// How many seconds to wait for the answer, in all.
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    patience: u64,
    /// Where to write the receipt, besides the folder of kept jobs [default: under receipts/ in the data folder].
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    /// Replace an existing file that is not a receipt of this job.
    #[arg(long, requires = "receipt")]
    force: bool,
}

/// Fetches a job's answer as `infer` would have.
pub(super) async fn run(args: Args, payer: &Payer<'_>) -> Result<()> {
    let so_far = Course::from(SoFar::Paid(args.job));
    tokio::select! {
        done = answer(args, payer, &so_far) => done,
        () = stop::requested() => Err(infer::stopped(so_far.get(), payer.context).into()),
    }
}

async fn answer(args: Args, payer: &Payer<'_>, so_far: &Course) -> Result<()> {
    let Payer { context, chain, client, .. } = payer;
    if let Some(file) = &args.receipt {
        check(file, Some(&args.job), args.force, context)?;
    }
    let record = payer.jobs.get(&args.job)?;
    let job = match (read(chain.as_ref(), &args.job).await, &record) {
        (Ok(Some(job)), _) => job,
        (Ok(None), Some(record)) if kept::is_elsewhere(record, chain).await => {
            return on_disk(args, record, payer, None);
        }
        (Ok(None), _) => return closed(args, record, payer).await,
        (Err(error), Some(record)) => return on_disk(args, record, payer, Some(error)),
        (Err(error), None) => return Err(error),
    };
    if job.job.payer != client.payer() {
        let [show, receipt] = ["show", "receipt"].map(|verb| context.command(&format!("job {verb} {}", args.job)));
        let message = format!("job {} is paid for by another wallet, {}", args.job, job.job.payer);
        let hint = format!(
            "name that wallet's key file with --keypair; anybody can see\n       {show}   and\n       {receipt}"
        );
        return Err(Failure::failed(message).about(args.job).hint(hint).into());
    }
    let receipt = ReceiptFile::prepare(args.receipt, Some(&args.job), args.force, context)?;
    let progress = Progress::spinner(context.output, "looking at the job");
    let (begun, patience) = (Instant::now(), Duration::from_secs(args.patience));
    deliver(&job, payer, patience).await;
    let mut sent = Vec::new();
    let left = patience.saturating_sub(begun.elapsed());
    let finished = finish(client, &args.job, left, &progress, so_far, &mut sent, context).await?;
    drop(progress);
    let saved = receipt.save(&finished, context);
    unpaid(&finished, context);
    // Nothing that is only said beside the answer may keep it back.
    let currency = token::currency(chain.as_ref(), &job.job.mint).await.ok();
    let rent = Rent::of(chain.as_ref(), &finished.job).await.ok();
    let now = chain.slot().await.unwrap_or_default();
    let items = Items { job: &finished.job, rent: rent.as_ref(), own: &sent, earlier: &[] };
    let bill = Bill::add_up(chain, items).await.ok();
    let mut answer = Answer::new(request(&args.job, &job.job.input_root, payer).await, finished.response.clone())
        .demanded(Demand::of(&finished.job, finished.demanded));
    if let Some(currency) = currency {
        answer = answer.of(&finished.job, Paid::new(&finished.job, currency).after(&finished.paid));
    }
    if let Ok(Some(account)) = chain.account(&job.job.offer).await
        && let Ok(offer) = accounts::decode::<Offer>(&job.job.offer, &account)
    {
        answer = answer.sold(&offer);
    }
    context.output.data(&answer.billed(bill, rent, now).receipted(saved))
}

/// The answer that is kept on this machine, where the job's chain cannot be asked.
///
/// # Errors
/// There is none, or a file is to have a receipt which is not kept, or cannot be written.
fn on_disk(args: Args, record: &KeptJob, payer: &Payer<'_>, error: Option<anyhow::Error>) -> Result<()> {
    let context = payer.context;
    let Some(bytes) = payer.jobs.answer(&record.job)? else {
        let gone =
            || Failure::failed(format!("job {} was paid for on another chain than the one at --url", record.job));
        return Err(error.unwrap_or_else(|| gone().about(record.job).into()));
    };
    let note = match error {
        Some(_) => "The chain does not answer; this is what is kept on this machine.",
        None => "The job was paid for on another chain than the one at --url; this is what is kept on this machine.",
    };
    let receipt = record.receipts.first();
    match (&args.receipt, receipt) {
        (Some(file), Some(receipt)) => write(file, receipt)?,
        (Some(_), None) => {
            let [answer, later] =
                [format!("job answer {}", record.job), format!("job receipt {} --out FILE", record.job)];
            let hint = format!(
                "{}   without --receipt shows the answer\n       {}   writes the receipt once its chain and a node answer",
                context.command(&answer),
                context.command(&later)
            );
            let message = "no receipt of this job is kept on this machine, so none was written";
            return Err(Failure::failed(message).about(record.job).hint(hint).into());
        }
        (None, _) => {}
    }
    context.output.note(note);
    let request = payer.jobs.request(&record.job)?.and_then(|bytes| Request::from_bytes(&bytes).ok());
    let answer = Answer::new(request, Response::from_bytes(&bytes)?).of_kept(&record.job, record.closed);
    context.output.data(&answer.receipted(receipt.map(|receipt| (args.receipt, receipt.clone()))))
}

/// The answer to a job whose account is gone: from what is kept, from the stores, or from the nodes that gave it.
async fn closed(args: Args, record: Option<KeptJob>, payer: &Payer<'_>) -> Result<()> {
    let Payer { context, chain, client, .. } = payer;
    let job = &args.job;
    // Where the server keeps no history, what is kept here has to do.
    let past = history::instructions(chain, job).await.unwrap_or_default();
    if record.is_none() && past.is_empty() {
        return Err(unknown(job, chain, context).await);
    }
    if let Some(record) = &record {
        kept::check_posted(record, chain, &past, context).await?;
        if record.refunded && !record.is_answered() {
            return Err(kept::unanswered(job).into());
        }
    }
    let known = record.as_ref().and_then(|record| {
        let signed = record.receipts.first().and_then(|receipt| root::parse(&receipt.result_root));
        record.result_root.or(signed)
    });
    let response = client.response_of_closed(job, known, &past).await.map_err(|error| {
        let failure = Failure::failed("the job is closed, and nobody hands its answer out any more").about(job);
        anyhow::Error::from(error).context(failure.hint("look for it in other stores with --store"))
    })?;
    let Some(response) = response else {
        return Err(kept::unanswered(job).into());
    };
    let mut receipts = record.as_ref().map(|record| record.receipts.clone()).unwrap_or_default();
    if receipts.is_empty() {
        (receipts, _) = client.receipts_of_closed(job, &past).await;
    }
    if args.receipt.is_some() && receipts.is_empty() {
        let later = context.command(&format!("job receipt {job} --out FILE"));
        context
            .output
            .note(&format!("no receipt of this job could be had, so none was written; to ask for it again: {later}"));
    }
    if let Err(error) = kept::keep(payer, job, &response, &receipts) {
        context.output.note(&format!("the answer could not be kept on this machine: {error}"));
    }
    let saved = receipts.first().map(|receipt| match &args.receipt {
        Some(file) => match write(file, receipt) {
            Ok(()) => (Some(file.clone()), receipt.clone()),
            Err(error) => {
                context.output.note(&format!("{error:#}"));
                (None, receipt.clone())
            }
        },
        None => (None, receipt.clone()),
    });
    let posting = provena_client::receipt::posting(job, &past).map(|posting| posting.input_root);
    let input_root = record.as_ref().map(|record| record.input_root).or(posting);
    let request = match input_root {
        Some(root) => request(job, &root, payer).await,
        None => None,
    };
    context.output.data(&Answer::new(request, response).of_closed(job).receipted(saved))
}

/// What was asked, if it is on this machine.
async fn request(job: &Pubkey, root: &[u8; 32], payer: &Payer<'_>) -> Option<Request> {
    let stored = payer.store.get_local(root).await.map(Vec::from).ok();
    let bytes = stored.or_else(|| payer.jobs.request(job).ok().flatten())?;
    Request::from_bytes(&bytes).ok().filter(|request| request.input_root() == *root)
}

/// Sends the request to the nodes once more, while it may be that none of them has it; no longer than `patience`.
async fn deliver(job: &JobView, payer: &Payer<'_>, patience: Duration) {
    if job.state().is_ok_and(provena_market::state::JobState::is_ended) {
        return;
    }
    let Some(request) = request(&job.address, &job.job.input_root, payer).await else {
        payer.context.output.note(
            "What was asked is not on this machine, so it cannot be sent to the nodes once more: if none of them has it, go on\n\
             where the job was paid for, or take the job back with `provena job cancel`.",
        );
        return;
    };
    let Ok(nodes) = provena_client::Endpoint::likeliest(payer.chain.as_ref()).await else { return };
    let input = request.to_bytes().into();
    let sent = payer.client.deliver_for(nodes, &job.address, &job.job.input_root, &input);
    // Most have it already; the others are not waited for.
    let _ = tokio::time::timeout(Duration::from_secs(5).min(patience), sent).await;
}
