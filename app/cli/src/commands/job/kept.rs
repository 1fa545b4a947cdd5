//! Jobs that are kept on this machine and are not on the chain (any more, or yet).

use anyhow::{Context as _, Result};
use provena_client::{
    amount::Currency,
    chain::{
        ChainReader, RpcChain,
        history::{self, PastInstruction},
    },
    kept::{JobsFolder, KeptError, KeptJob},
    receipt::posting,
    token,
    view::View,
};
use provena_wire::{Response, SignedReceipt};
use serde::Serialize;
use solana_pubkey::Pubkey;

use super::Payer;
use crate::{
    commands::rent::seconds,
    context::Context,
    failure::{Exit, Failure},
    output::{Report, style::Style, table::facts},
};

/// Where a job is that has no account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// Its deposit may be on its way until this slot.
    MayCome(u64),
    /// It was never posted, and nothing was paid.
    NeverPosted,
    /// It was closed.
    Closed,
    /// It ended without an answer, and was closed: the deposit and the rent went back.
    Refunded,
    /// Its chain does not answer, or is another one: nothing is known but what is kept.
    Unasked,
}

impl Whereabouts {
    /// As programs read it.
    pub(super) fn state(self) -> &'static str {
        match self {
            Self::MayCome(_) => "being paid",
            Self::NeverPosted => "never posted",
            Self::Closed => "closed",
            // The same to programs; what came of it is in the record.
            Self::Refunded => "closed",
            Self::Unasked => "unknown",
        }
    }

    /// As a person says it.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Refunded => "refunded",
            other => other.state(),
        }
    }

    /// What the payer can do.
    pub(super) fn next(self, record: &KeptJob, now: u64, context: &Context<'_>) -> String {
        let job = record.job;
        match self {
            Self::MayCome(until) => {
                let wait = seconds(until.saturating_sub(now));
                format!("it is paid for by slot {until} (about {wait} s) or never: look again then")
            }
            Self::NeverPosted => format!("nothing was paid; forget it:\n{}", context.command("job close")),
            Self::Closed if record.is_answered() => {
                format!("show its answer again:\n{}", context.command(&format!("job answer {job}")))
            }
            Self::Closed => format!("look for its answer:\n{}", context.command(&format!("job answer {job}"))),
            Self::Refunded => "nothing; nobody answered, and deposit and rent are back".to_owned(),
            Self::Unasked if record.is_answered() => {
                format!("its answer is kept here:\n{}", context.command(&format!("job answer {job}")))
            }
            Self::Unasked => format!("only the chain of genesis {} knows more", record.cluster),
        }
    }
}

/// Whether a kept job is another chain's than the one that answers now.
pub(super) async fn is_elsewhere(record: &KeptJob, chain: &RpcChain) -> bool {
    chain.cluster().await.is_ok_and(|cluster| record.cluster.to_bytes() != cluster)
}

/// That a kept job is one of this chain.
///
/// # Errors
/// It is another's, which this one cannot say anything about.
async fn check_chain(record: &KeptJob, chain: &RpcChain) -> Result<()> {
    let cluster = chain.cluster().await.context("cannot ask the chain which it is")?;
    if record.cluster.to_bytes() == cluster {
        return Ok(());
    }
    let message = format!("job {} was paid for on another chain than the one at --url", record.job);
    Err(Failure::failed(message)
        .about(record.job)
        .hint(format!(
            "name the chain of genesis {} with --url; what is kept here is shown by\n       provena job answer {}",
            record.cluster, record.job
        ))
        .into())
}

/// Where a kept job is that has no account at `now`, a slot in which that was seen. `past` is asked for only when the record
/// does not say.
///
/// # Errors
/// The chain does not answer.
pub(super) async fn whereabouts(record: &KeptJob, chain: &RpcChain, now: u64) -> Result<Whereabouts> {
    if record.refunded && !record.is_answered() {
        return Ok(Whereabouts::Refunded);
    }
    if record.closed || record.posted.is_some() || record.is_answered() {
        return Ok(Whereabouts::Closed);
    }
    if now <= record.postable_until() {
        return Ok(Whereabouts::MayCome(record.postable_until()));
    }
    // It may have been posted, and closed by another command of the same wallet.
    let past = history::instructions(chain, &record.job).await.context("cannot read the job's history")?;
    Ok(if posting(&record.job, &past).is_some() { Whereabouts::Closed } else { Whereabouts::NeverPosted })
}

/// What is said of a kept job that is not on the chain to whoever wants to do something with it.
///
/// # Errors
/// The chain does not answer.
pub(super) async fn no_account(record: &KeptJob, chain: &RpcChain, context: &Context<'_>) -> Result<anyhow::Error> {
    if let Err(elsewhere) = check_chain(record, chain).await {
        return Ok(elsewhere);
    }
    let now = View::read(chain, &record.job).await.context("cannot read the job")?.now.0;
    let place = whereabouts(record, chain, now).await?;
    let job = record.job;
    let (exit, what) = match place {
        Whereabouts::MayCome(_) => (Exit::Unknown, "is not on the chain yet"),
        Whereabouts::NeverPosted => (Exit::Failed, "was never posted"),
        Whereabouts::Closed | Whereabouts::Unasked => (Exit::Failed, "is closed already: its rent is back"),
        Whereabouts::Refunded => (Exit::Failed, "is closed already: its deposit and its rent are back"),
    };
    let failure = Failure::new(exit, format!("job {job} {what}")).about(job);
    Ok(match place {
        Whereabouts::Refunded => failure,
        _ => failure.hint(place.next(record, now, context).replace('\n', "\n       ")),
    }
    .into())
}

/// What is said of a job that ended without an answer.
pub(super) fn unanswered(job: &Pubkey) -> Failure {
    Failure::failed(format!("job {job} ended without an answer; its deposit went back to its payer"))
        .about(job)
        .hint("ask again with `provena infer`; nothing is left to do for this job")
}

/// That a kept job was posted at all.
///
/// # Errors
/// It was not, or not yet.
pub(super) async fn check_posted(
    record: &KeptJob,
    chain: &RpcChain,
    past: &[PastInstruction],
    context: &Context<'_>,
) -> Result<()> {
    check_chain(record, chain).await?;
    if posting(&record.job, past).is_some() {
        return Ok(());
    }
    let job = record.job;
    let now = View::read(chain, &job).await.context("cannot read the job")?.now.0;
    match whereabouts(record, chain, now).await? {
        Whereabouts::Closed | Whereabouts::Refunded | Whereabouts::Unasked => Ok(()),
        Whereabouts::NeverPosted => Err(Failure::failed(format!("job {job} was never posted; nothing was paid"))
            .about(job)
            .hint("ask again")
            .into()),
        Whereabouts::MayCome(until) => {
            let wait = seconds(until.saturating_sub(now));
            let message = format!("job {job} is not on the chain yet; it is paid for by slot {until} or never");
            let again = context.command(&format!("job answer {job}"));
            Err(Failure::new(Exit::Unknown, message).about(job).hint(format!("{again}   in about {wait} s")).into())
        }
    }
}

/// Keeps the answer to a closed job.
///
/// # Errors
/// The system refuses.
pub(super) fn keep(
    payer: &Payer<'_>,
    job: &Pubkey,
    response: &Response,
    receipts: &[SignedReceipt],
) -> Result<(), KeptError> {
    payer.jobs.keep_answer(job, &response.to_bytes())?;
    payer.jobs.note(job, |record| {
        record.closed = true;
        record.result_root = Some(response.result_root());
        record.add_receipts(receipts);
    })
}

/// A kept job, for people and for programs.
#[derive(Serialize)]
pub(super) struct KeptReport {
    job: String,
    state: &'static str,
    next: String,
    offer: String,
    payer: String,
    mint: String,
    decimals: u8,
    deposit: u64,
    fee: Option<u64>,
    answered: bool,
    receipts: usize,
    transaction: Option<String>,
    #[serde(skip)]
    stage: &'static str,
    #[serde(skip)]
    currency: Currency,
}

impl KeptReport {
    /// Puts together what is known of a kept job that is not on the chain.
    ///
    /// # Errors
    /// The chain does not answer.
    pub(super) async fn new(
        chain: &RpcChain,
        jobs: &JobsFolder,
        record: KeptJob,
        context: &Context<'_>,
    ) -> Result<Self> {
        check_chain(&record, chain).await?;
        let now = View::read(chain, &record.job).await.context("cannot read the job")?.now.0;
        let place = whereabouts(&record, chain, now).await?;
        let currency = token::currency(chain, &record.mint).await?;
        Ok(Self {
            job: record.job.to_string(),
            state: place.state(),
            stage: place.words(),
            next: place.next(&record, now, context),
            offer: record.offer.to_string(),
            payer: record.wallet.to_string(),
            mint: token::name(&record.mint),
            decimals: currency.decimals,
            deposit: record.deposit,
            fee: record.fee,
            answered: jobs.answer(&record.job)?.is_some(),
            receipts: record.receipts.len(),
            transaction: record.posted,
            currency,
        })
    }
}

impl Report for KeptReport {
    fn text(&self, style: Style) -> String {
        let mut rows = vec![
            ("job", self.job.clone()),
            ("state", style.strong(self.stage)),
            ("next", self.next.clone()),
            ("offer", self.offer.clone()),
            ("payer", self.payer.clone()),
            ("deposit", self.currency.show(self.deposit)),
        ];
        rows.extend(self.fee.map(|fee| ("paid", self.currency.show(fee))));
        if self.answered {
            rows.push(("answer", format!("kept on this machine, with {} receipt(s)", self.receipts)));
        }
        facts(&rows, style)
    }
}
