//! The way from a request to a paid, checked and kept answer.

use std::{pin::pin, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use provena_client::{
    Bounds, Chosen, Client, ClientError, Closed, Endpoint, Finished, Order, PostedJob,
    amount::Currency,
    chain::{ChainReader, RpcChain},
    kept::JobsFolder,
    offer,
    store::Store,
    token,
};
use provena_market::{
    constants::ANSWER_WINDOW,
    state::{Offer, job::flag},
};
use provena_wire::{Request, Units};
use solana_pubkey::Pubkey;
use solana_signature::Signature;

use super::{
    Args, Course, SoFar,
    answer::{self, Answer, Paid},
    ask,
    bill::{Bill, Items},
    check,
    demand::Demand,
    estimate::{self, Estimate},
    explain, finish,
    progress::about_minutes,
    receipt_file::ReceiptFile,
};
use crate::{
    commands::{
        fetch,
        offer::price,
        recompute::{self, By},
        rent::{self, Rent},
    },
    context::Context,
    failure::Failure,
    output::progress::Progress,
};

/// Offers of a model that are tried, the cheapest first.
const MOST_OFFERS: usize = 4;

/// Everything around one purchase.
struct Purchase<'a> {
    args: &'a Args,
    context: &'a Context<'a>,
    chain: Arc<RpcChain>,
    store: Store,
    client: Client,
    request: Request,
    currency: Currency,
    so_far: &'a Course,
}

/// Buys an answer. `so_far` always says what is paid for.
pub(super) async fn run(mut args: Args, context: &Context<'_>, so_far: &Course) -> Result<()> {
    let request = ask::request(&args)?;
    let wallet = Arc::new(context.wallet()?);
    let receipt = match args.dry_run {
        true => None,
        false => Some(ReceiptFile::prepare(args.receipt.clone(), None, args.force, context)?),
    };
    let jobs = JobsFolder::open(context.jobs_folder()?)?;
    let chain = Arc::new(context.chain()?);
    let store = Store::open(context.store_urls()).context("cannot open the store")?;
    // A model stands for the cheapest offer of it for which there are nodes.
    let mut refused = None;
    for (offer, terms) in offer::find(chain.as_ref(), &args.offer).await?.into_iter().take(MOST_OFFERS) {
        check::is_open(chain.as_ref(), &offer, &terms).await?;
        args.offer = offer;
        let currency = token::currency(chain.as_ref(), &terms.mint).await?;
        if let Some(most) = &args.most {
            estimate::parse(most, &currency)?;
        }
        check::settings(&request, &terms)?;
        let client = Client::new(chain.clone(), store.clone(), wallet.clone()).with_jobs(jobs.clone());
        let (chain, store, request) = (chain.clone(), store.clone(), request.clone());
        let mut purchase = Purchase { args: &args, context, chain, store, client, request, currency, so_far };
        let (chosen, order) = match purchase.order(&terms).await {
            Ok(ordered) => ordered,
            // The reason of the cheapest one is told.
            Err(error) => {
                refused.get_or_insert(error);
                continue;
            }
        };
        let estimate = Estimate::new(&order, &chosen, &purchase.currency, price::unit_asked(&purchase.request));
        estimate.check(args.most.as_deref())?;
        let Some(receipt) = receipt else { return context.output.data(&estimate) };
        context.output.note(&estimate.words());
        return purchase.buy(&order, &chosen, receipt).await;
    }
    Err(refused.unwrap_or_else(|| Failure::failed("there is no offer").into()))
}

impl Purchase<'_> {
    /// Finds out who would answer, and decides what is paid for.
    async fn order(&mut self, terms: &Offer) -> Result<(Chosen, Order)> {
        let Self { args, context, client, request, store, .. } = self;
        let progress = Progress::spinner(context.output, "asking the nodes whether they would answer");
        let mut exact = check::by_the_model(store, terms, request).await?;
        let quotes = check::quotes(client, &args.offer, terms, request).await?;
        if exact.is_none() && !quotes.is_quoted() {
            exact = check::by_a_small_model(&quotes, store, terms, request).await?;
        }
        let worst = request.units();
        let most = args.most.as_deref().map(|most| estimate::parse(most, &self.currency)).transpose()?;
        let exact = match args.input_units {
            Some(input) => Some(Units::new(input, exact.unwrap_or(worst).output)),
            None => exact,
        };
        drop(progress);
        let chosen = check::chosen(&quotes, Bounds { terms, worst, exact, most }, args.unquoted, context)?;
        self.client = self.client.clone().with_units(Some(chosen.units));
        let order = self.client.order(&args.offer, &self.request).await;
        let order = order.map_err(|error| explain(error, &|words| context.command(words)))?;
        Ok((chosen, order))
    }

    async fn buy(self, order: &Order, chosen: &Chosen, receipt: ReceiptFile) -> Result<()> {
        let Self { args, context, ref client, so_far, .. } = self;
        let explained = |error| explain(error, &|words| context.command(words));
        let progress = Progress::spinner(context.output, "closing jobs that are over");
        let closed = close_finished(client, context, &progress).await;
        check::balance(client, order, context).await?;
        progress.message("sending the request to the nodes");
        let late = self.deliver(order, &chosen.nodes, &progress).await?;
        progress.message("paying the deposit");
        let reserved = client.reserve(order).await.map_err(explained)?;
        so_far.set(SoFar::Paying(reserved.job));
        // Before anything is sent: whoever stops here and asks for @last means this job.
        let before = context.note_job(client.chain(), &reserved.job).await;
        progress.suspend(|| context.output.note(&format!("paying for job {}", reserved.job)));
        let paid = client.pay(order, &reserved).await;
        if paid.is_ok() {
            so_far.set(SoFar::Paid(reserved.job));
        }
        let posted = match paid {
            Ok(posted) => posted,
            // This failure is certain: there is no such job.
            Err(ClientError::Chain(error)) => {
                context.book.forget(&reserved.job);
                if let Some(before) = before {
                    context.note_job(client.chain(), &before).await;
                }
                return Err(anyhow::Error::from(error).context(Failure::failed("the deposit was not paid")));
            }
            Err(error) => return Err(explained(error)),
        };
        progress.suspend(|| context.output.note(&format!("job {} is paid for", posted.job)));

        let mut sent = vec![posted.posted.signature];
        let finished = {
            let patience = Duration::from_secs(args.patience);
            let mut finishing = pin!(finish(client, &posted.job, patience, &progress, so_far, &mut sent, context));
            let mut delivering = pin!(client.deliver_for(late, &posted.job, &order.input_root, &order.input));
            let mut delivered = false;
            loop {
                tokio::select! {
                    finished = &mut finishing => break finished?,
                    _ = &mut delivering, if !delivered => delivered = true,
                }
            }
        };
        let recomputed = match args.recompute {
            true => self.recomputed(order, &finished, &progress).await,
            false => None,
        };
        drop(progress);
        self.tell(order, &posted, &finished, receipt, (sent, closed), recomputed).await
    }

    /// Sends the request to the nodes that would answer, and says which of them do not have it yet.
    async fn deliver(&self, order: &Order, nodes: &[Endpoint], progress: &Progress) -> Result<Vec<Endpoint>> {
        let Self { client, context, .. } = self;
        let delivered = client.deliver(nodes, &order.input_root, &order.input).await?;
        check::delivered(&delivered, self.args, context)?;
        if let Err(error) = client.store_input(order).await {
            if delivered.there.is_empty() {
                return Err(explain(error, &|words| context.command(words)));
            }
            progress.suspend(|| context.output.note(&format!("the request is not in your store: {error}")));
        }
        Ok(delivered.missing.into_iter().map(|(node, _)| node).collect())
    }

    /// Computes the answer again. That this is not possible costs the person nothing but the comparison.
    async fn recomputed(&self, order: &Order, finished: &Finished, progress: &Progress) -> Option<bool> {
        let Self { context, chain, store, request, .. } = self;
        progress.message("computing the answer again");
        let again = async {
            let root = &order.terms.content_root;
            let artifact = fetch::blob("the model", root, chain.as_ref(), store, context).await?;
            recompute::answer_by(artifact, request.clone(), By::Processor).await
        };
        match again.await {
            Ok(ours) => Some(finished.job.winner().is_some_and(|seat| seat.value == ours.result_root())),
            Err(error) => {
                progress.suspend(|| context.output.note(&format!("not computed again: {error:#}")));
                None
            }
        }
    }

    /// Shows the answer, whatever else goes wrong from here on.
    async fn tell(
        &self,
        order: &Order,
        posted: &PostedJob,
        finished: &Finished,
        receipt: ReceiptFile,
        (mut sent, earlier): (Vec<Signature>, Vec<Signature>),
        recomputed: Option<bool>,
    ) -> Result<()> {
        let Self { args, context, client, chain, request, currency, .. } = self;
        let saved = receipt.save(finished, context);
        unpaid(finished, context);
        // Nobody waits for what he paid for until the rest is done.
        let first = args.wait_close && !context.output.json();
        if first {
            let shown = answer::response(Some(request), &finished.response, context.output.style());
            context.output.line(&format!("{shown}\n"))?;
        }
        let mut rent = Some(Rent { lamports: order.cost.rent, back_from_slot: rent::back_from(&finished.job) });
        if let Some(signature) = close(client, &finished.job.address, &rent, args.wait_close, context).await {
            sent.push(signature);
            rent = None;
        }
        let items = Items { job: &finished.job, rent: rent.as_ref(), own: &sent, earlier: &earlier };
        let bill = Bill::add_up(chain, items).await;
        let bill = bill.map_err(|error| context.output.note(&format!("the bill cannot be added up: {error:#}"))).ok();
        let now = chain.slot().await.unwrap_or(posted.posted.slot);
        let answer = Answer::new(Some(request.clone()), finished.response.clone())
            .of(&finished.job, Paid::new(&finished.job, currency.clone()).after(&finished.paid))
            .demanded(Demand::of(&finished.job, finished.demanded))
            .sold(&order.terms)
            .billed(bill, rent, now)
            .receipted(saved)
            .posted(posted)
            .recomputed(recomputed)
            .shown(first);
        context.output.data(&answer)
    }
}

/// Says that nodes wait for their pay.
pub(crate) fn unpaid(finished: &Finished, context: &Context<'_>) {
    let job = &finished.job.job;
    if !finished.paid.is_empty() || job.has(flag::ACKNOWLEDGED | flag::ANSWERED) {
        return;
    }
    if job.is_answer_awaited() {
        let collect = context.command(&format!("job collect {}", finished.job.address));
        context.output.note(&format!(
            "The nodes are not paid yet: the answer was demanded on the chain, and they are once it stands there. Where none\n\
             puts it there {} of the demand, they lose pay and bond, and all of your deposit comes back:\n{collect}",
            about_minutes(ANSWER_WINDOW)
        ));
        return;
    }
    context
        .output
        .note("The nodes are not paid yet: the answer could not be acknowledged now. They are within ten minutes.");
}

/// Closes a finished job, if its time has come or is waited for. That it fails costs nothing: the next command tries again.
pub(crate) async fn close(
    client: &Client,
    job: &Pubkey,
    rent: &Option<Rent>,
    wait: bool,
    context: &Context<'_>,
) -> Option<Signature> {
    let from = rent.as_ref()?.back_from_slot;
    let mut now = client.chain().slot().await.ok()?;
    if now < from && !wait {
        return None;
    }
    let progress = Progress::spinner(context.output, "waiting until the job can be closed");
    while now < from {
        // A slot takes a third of a second or so; many are left.
        tokio::time::sleep(Duration::from_millis(400 * (from - now).min(10))).await;
        now = client.chain().slot().await.ok()?;
    }
    drop(progress);
    match client.close(job).await {
        Ok(closed) => Some(closed.signature),
        Err(error) => {
            context.output.note(&format!("the job could not be closed now: {error}"));
            None
        }
    }
}

/// Closes this payer's jobs that are over, and says what came of it. That it fails keeps nobody from asking.
pub(crate) async fn close_finished(client: &Client, context: &Context<'_>, progress: &Progress) -> Vec<Signature> {
    let done = match client.close_finished().await {
        Ok(done) => done,
        Err(error) => {
            progress.suspend(|| context.output.note(&format!("earlier jobs could not be closed now: {error}")));
            return Vec::new();
        }
    };
    let closed = match done.iter().filter(|job| job.closed).count() {
        0 => None,
        1 => Some("an earlier job was closed; its rent came back".to_owned()),
        more => Some(format!("{more} earlier jobs were closed; their rent came back")),
    };
    let unfetched = done.iter().filter(|job| job.unfetched).map(|job| unfetched(job, context));
    let said: Vec<String> = closed.into_iter().chain(unfetched).collect();
    progress.suspend(|| said.iter().for_each(|line| context.output.note(line)));
    done.into_iter().flat_map(|job| job.sent).map(|sent| sent.signature).collect()
}

/// What is said of a job whose answer nobody hands out.
pub(crate) fn unfetched(job: &Closed, context: &Context<'_>) -> String {
    let command = context.command(&format!("job answer {}", job.job));
    format!("the answer of an earlier job was never fetched, so it stays open: {command}")
}
