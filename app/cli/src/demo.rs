//! `provena demo`: the whole path on real parts, told in plain words.
//!
//! A private chain and a node run as children of this process, in a temporary folder; everything else happens through
//! the same functions as the other commands. All figures come from balances on the chain.

mod cast;
mod ledger;
mod outcome;
mod stage;
mod story;
mod subject;
mod worker;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use provena_client::{Client, Finished, PostedJob, offer};
use provena_wire::Units;
use solana_pubkey::Pubkey;

use crate::{
    commands::{
        infer::{self, receipt_file},
        node,
        recompute::{self, By},
        rent::Rent,
        verify,
    },
    failure::Failure,
    output::Output,
    stop,
};

use cast::Cast;
use outcome::Outcome;
use stage::Stage;
use story::Story;
use subject::Subject;
use worker::Worker;

pub(crate) use subject::Kind;

/// Units that "you" pay for beyond what is asked, so that the refund is real.
const SPARE_UNITS: Units = Units::new(2, 0);
/// The holders' part of each fee.
const ROYALTY_BPS: u16 = 6_000;
/// The node's stake, in lamports.
const STAKE: u64 = 1_000_000_000;
/// Longest wait for the answer.
const PATIENCE: Duration = Duration::from_secs(180);

/// What the person chose.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Which model.
    pub kind: Kind,
    /// Pay in a token made for the occasion instead of SOL.
    pub token: bool,
    /// Leave the chain and the node running at the end.
    pub keep: bool,
    /// "gpu", "best", "cpu" or an adapter's name.
    pub adapter: String,
    /// Which pictures to ask for; rows of the data.
    pub rows: Vec<usize>,
}

/// What was answered, and whether it holds.
struct Answered {
    posted: PostedJob,
    finished: Finished,
    /// Whether the reference gives the same bytes.
    matches: bool,
    /// Whether the node signed the receipt and the chain agrees with it.
    receipt_verified: bool,
    /// The arithmetic that the offer asks for.
    engine_class: u8,
    /// What the job borrows from "you".
    rent: Rent,
    /// Slots until it can come back.
    rent_in: u64,
}

/// Plays the demo.
///
/// # Errors
/// Any part fails, or a figure does not add up; children are stopped and the folder is removed either way.
pub(crate) async fn play(options: &Options, output: &Output) -> Result<()> {
    let begun = Instant::now();
    let story = Story::begin(output, "starting a private chain");
    let subject = Subject::new(options)?;
    let mut stage = Stage::open(&subject).await?;

    story.doing("funding wallets");
    let cast = Cast::assemble(&stage, options.token).await?;
    stage.use_tables().await?;
    let chain = stage.chain().as_ref();
    let currency = cast.currency();
    story.opening(&currency)?;

    story.doing("minting the dataset");
    let dataset = cast.mint_dataset(&stage, &subject).await?;
    story.doing("turning the model's weights into exact integers");
    let artifact = stage.artifact().await?;
    story.doing("minting the model");
    let model = cast.mint_model(&stage, &subject, &artifact, &dataset).await?;
    story.minted(&subject, &artifact, &dataset, &model)?;

    story.doing("making an offer");
    let terms = cast.terms(&subject);
    let offer = offer::create(chain, &cast.trainer, &model.mint, None, &terms).await?.offer;
    story.offered(&subject, &currency, &terms)?;

    story.doing("starting a node, which tests its adapter first");
    let endpoint = Worker::endpoint()?;
    node::register(chain, &cast.operator, STAKE, &endpoint, 0).await?;
    let worker = Worker::start(&stage, &cast.operator, &endpoint, &options.adapter, &cast.mint).await?;
    story.joined(&worker, STAKE)?;

    story.doing("paying and asking");
    let answered = ask(&stage, &cast, &subject, &offer, &story).await?;
    story.answered(&subject, &answered, &currency)?;

    story.doing("reading who got what");
    let split = ledger::split(chain, &answered.posted, &answered.finished.job).await?;
    story.split(&split, &answered, &currency, &cast)?;
    story.doing("collecting");
    let swept = cast.sweep(chain, &dataset).await?;
    let holdings = cast.claim(chain, &model, &dataset).await?;
    let left = ledger::left(chain, &[model.pool, dataset.pool], &cast.mint).await?;
    let outcome = Outcome::new(&subject, &model, &answered, &worker, &split, &holdings, left, &cast.mint);
    story.claimed(&swept, &holdings, left, outcome.conserved, &currency)?;
    if output.json() {
        output.line(&serde_json::to_string(&outcome)?)?;
    }
    story.closing(begun.elapsed(), &stage, options.keep)?;
    if options.keep {
        stop::requested().await;
    }
    worker.stop().await?;
    stage.close().await?;
    if outcome.holds() {
        return Ok(());
    }
    Err(Failure::failed("the demo ran, but something in it does not hold; see above").into())
}

/// Pays for an answer, gets it, and checks it in both ways.
async fn ask(stage: &Stage, cast: &Cast, subject: &Subject, offer: &Pubkey, story: &Story<'_>) -> Result<Answered> {
    let chain = Arc::clone(stage.chain());
    let you = Arc::new(cast.you.insecure_clone());
    let client = Client::new(chain, stage.store().clone(), you).with_spare_units(SPARE_UNITS);
    let mut stages = |stage| story.doing(infer::describe(stage));
    let outcome = client.infer(offer, &subject.request, PATIENCE, &mut stages).await;
    let (posted, finished) = outcome.map_err(|error| infer::explain(error, &|words| format!("provena {words}")))?;
    story.doing("waiting until everybody is paid");
    paid_out(&client, &posted.job).await?;
    story.doing("computing the answer again");
    let terms = client.offer(offer).await?;
    let ours = recompute::answer(stage.store(), &terms.content_root, subject.request.clone(), By::Reference).await?;
    let matches = finished.job.winner().is_some_and(|seat| seat.value == ours.result_root());
    let receipt = finished.receipts.first().with_context(|| {
        let why: Vec<&str> = finished.missing_receipts.iter().map(|(_, why)| why.as_str()).collect();
        format!("the node gave no receipt: {}", why.join("; "))
    })?;
    receipt_file::write(&stage.path("receipt.json"), receipt)?;
    let receipt_verified = match receipt.verify() {
        Ok(fields) => verify::against_chain(stage.chain().as_ref(), receipt, &fields).await.is_ok(),
        Err(_) => false,
    };
    let rent = Rent::of(client.chain(), &finished.job).await?;
    let rent_in = rent.back_from_slot.saturating_sub(client.chain().slot().await?);
    let engine_class = terms.engine_class;
    Ok(Answered { posted, finished, matches, receipt_verified, engine_class, rent, rent_in })
}

/// Waits until every part of the deposit is where it belongs; node and payer both see to it.
async fn paid_out(client: &Client, job: &Pubkey) -> Result<()> {
    for _ in 0..200 {
        let now = client.job(job).await?.context("the job is gone")?;
        if now.job.is_paid_out(&now.seats).is_ok_and(|done| done) {
            return Ok(());
        }
        client.collect(job).await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("job {job} was not paid out within twenty seconds")
}
