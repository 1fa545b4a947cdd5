//! Whether a request can be answered at all, found out before it is paid for.

use anyhow::{Context as _, Result};
use provena_client::{
    Asked, Bounds, Chosen, Client, Delivered, Quotes, Reply, asset,
    chain::Chain,
    offer,
    store::{Bytes, Store},
};
use provena_engine::{
    Error,
    artifact::{Artifact, ModelRecipe},
    generate::{Language, check_settings},
    models::Prepared,
};
use provena_market::state::Offer;
use provena_wire::{MAX_REQUEST_LEN, Request, Units};
use solana_pubkey::Pubkey;

use crate::{context::Context, failure::Failure, output::text::printable};

use super::{super::fetch, Args};

/// Names of refusals that are about the offer, whatever is asked.
const TERMS: [&str; 6] =
    ["bond_too_large", "window_too_short", "windows_too_long", "no_rate", "pays_too_little", "not_served"];

/// What to do when another request may be taken.
const OTHER_REQUEST: &str = "change the request, or try again later; --unquoted pays all the same, at your risk";

/// What to do when none is.
const OTHER_TERMS: &str = "`provena offer list` shows other offers: this one's terms are not taken; --unquoted pays all the same, at your risk";

/// A model up to this size is fetched to check a request when no node quotes.
const SMALL: u64 = 8 << 20;

/// That the market takes jobs on an offer: nodes look at its terms alone.
///
/// # Errors
/// It takes none, or the model cannot be read.
pub(super) async fn is_open(chain: &dyn Chain, address: &Pubkey, offer: &Offer) -> Result<()> {
    let model = asset::get(chain, &offer.asset).await?;
    if offer::takes_jobs(offer, &model) {
        return Ok(());
    }
    let why = "the model asks for more than the offer gives, or is not active; nothing was paid";
    Err(Failure::failed(format!("the offer {address} takes no jobs: {why}"))
        .hint(format!("name the model instead, for its other offers: provena infer {}", offer.asset))
        .into())
}

/// What is wrong with a request whatever model is asked.
///
/// # Errors
/// It would be refused by every node.
pub(super) fn settings(request: &Request, offer: &Offer) -> Result<()> {
    let len = request.to_bytes().len();
    if len > MAX_REQUEST_LEN {
        let most = fetch::bytes(MAX_REQUEST_LEN as u64);
        return Err(Failure::usage(format!("the request has {}; nodes take {most}", fetch::bytes(len as u64)))
            .hint("ask for less at once")
            .into());
    }
    if let Request::Generate(asked) = request {
        check_settings(asked).map_err(|error| unfit(&error))?;
        if offer.max_output_units == 0 {
            return Err(Failure::failed("the offer is for a model that does not answer in words; nothing was paid")
                .hint("ask it with --image or --csv for pictures, --text for sentences")
                .into());
        }
    }
    Ok(())
}

/// The most units that the answer can have, as the model itself says; `None` where it is not on this machine.
///
/// # Errors
/// The model cannot answer the request.
pub(super) async fn by_the_model(store: &Store, offer: &Offer, request: &Request) -> Result<Option<Units>> {
    match store.get_local(&offer.content_root).await {
        Ok(artifact) => by_artifact(artifact, request.clone()).await.map(Some),
        Err(_) => Ok(None),
    }
}

/// As [`by_the_model`], where no node quotes: a small model is fetched for it.
///
/// # Errors
/// The model cannot answer the request. That nobody hands the model out is none.
pub(super) async fn by_a_small_model(
    quotes: &Quotes,
    store: &Store,
    offer: &Offer,
    request: &Request,
) -> Result<Option<Units>> {
    let root = &offer.content_root;
    for endpoint in
        quotes.0.iter().filter(|asked| asked.reply == Reply::Unquoted).filter_map(|one| one.endpoint.as_ref())
    {
        let Some(size) = endpoint.size(root).await.filter(|size| *size <= SMALL) else { continue };
        if let Ok(artifact) = endpoint.large_blob(root, size, &mut |_| {}).await {
            // Only a convenience for the next time.
            let _ = store.put_as_local(root, artifact.clone()).await;
            return by_artifact(artifact, request.clone()).await.map(Some);
        }
    }
    Ok(None)
}

async fn by_artifact(artifact: Bytes, request: Request) -> Result<Units> {
    let check = move || -> Result<Units, Error> {
        let artifact = Artifact::from_bytes(artifact.into())?;
        match (&artifact.recipe().model, &request) {
            (ModelRecipe::Llama(recipe), Request::Generate(asked)) => {
                Ok(Language::new(&artifact, recipe)?.prompt(asked)?.units())
            }
            (ModelRecipe::Llama(_), _) => Err(Error::Request("this model generates text".into())),
            _ => Prepared::new(&artifact)?.inputs(&request).map(|_| request.units()),
        }
    };
    tokio::task::spawn_blocking(check).await?.map_err(|error| unfit(&error))
}

/// Who would answer, and for how many units.
///
/// # Errors
/// Too few nodes would, each with its reason; nothing is paid.
pub(super) fn chosen(quotes: &Quotes, bounds: Bounds<'_>, unquoted: bool, context: &Context<'_>) -> Result<Chosen> {
    let mut chosen = quotes.choose(bounds);
    let (wanted, there) = (usize::from(bounds.terms.quorum), chosen.nodes.len());
    if unquoted {
        chosen.nodes = quotes.0.iter().filter_map(|asked| asked.endpoint.clone()).collect();
        return Ok(chosen);
    }
    if there >= wanted {
        let seats = usize::from(bounds.terms.seats);
        if there < seats {
            context.output.note(&format!(
                "{there} of the {seats} nodes that the offer wants would answer; the answer waits until its time is over"
            ));
        }
        return Ok(chosen);
    }
    let would = match there {
        0 => "no node would answer this".to_owned(),
        _ => format!("{there} node(s) would answer this and {wanted} must agree"),
    };
    let (message, hint) = if quotes.0.is_empty() {
        (
            "no node is registered on this chain".to_owned(),
            "check --url; whoever sells the model runs a node, or knows one",
        )
    } else if quotes.0.iter().all(|asked| matches!(&asked.reply, Reply::Silent(why) if is_elsewhere(why))) {
        (
            "the nodes of this chain's addresses serve another chain, or do not know this offer".to_owned(),
            "check --url, and try again in a moment where the offer is new; --unquoted pays all the same, at your risk",
        )
    } else if quotes.0.iter().all(|asked| matches!(asked.reply, Reply::Silent(_))) {
        ("no registered node can be reached".to_owned(), "try again later; --unquoted pays all the same, at your risk")
    } else {
        (would, if by_terms(quotes) { OTHER_TERMS } else { OTHER_REQUEST })
    };
    let failure = Failure::failed(format!("{message}; nothing was paid"));
    Err(failure.because(reasons(quotes, chosen.units)).hint(hint).into())
}

/// Whether whoever answered refuses the offer, so that another request changes nothing.
fn by_terms(quotes: &Quotes) -> bool {
    let answers = quotes.0.iter().filter(|asked| !matches!(asked.reply, Reply::Silent(_)));
    let mut answers = answers.peekable();
    let by_terms =
        |asked: &Asked| matches!(&asked.reply, Reply::Refuses(said) if TERMS.contains(&said.refused.as_str()));
    answers.peek().is_some() && answers.all(by_terms)
}

/// Whether a node answers that it finds no such offer on the chain that it serves.
fn is_elsewhere(reason: &str) -> bool {
    reason.starts_with("HTTP 404")
}

/// What each node said, in words that no stranger can fake lines with.
fn reasons(quotes: &Quotes, units: Units) -> Vec<String> {
    let each = quotes.0.iter().filter_map(|asked| {
        let words = match &asked.reply {
            Reply::Refuses(refusal) => printable(&refusal.reason),
            Reply::Silent(reason) if is_elsewhere(reason) => {
                "what answers there serves another chain, or does not know this offer".to_owned()
            }
            Reply::Silent(reason) => printable(reason),
            Reply::Takes(asks) if !asks.within(units) => format!("it asks for {asks} units, not {units}"),
            Reply::Takes(_) | Reply::Unquoted => return None,
        };
        Some(named(&asked.node, &words))
    });
    each.collect()
}

/// That some node has the request, where none said that it would take it: a job whose input nobody can get is never answered.
///
/// # Errors
/// None has, each with its reason; nothing is paid.
pub(super) fn delivered(delivered: &Delivered, args: &Args, context: &Context<'_>) -> Result<()> {
    // Whoever quoted was there a moment ago, and takes the request for its job.
    let doubtful = args.unquoted && !args.undelivered && delivered.there.is_empty();
    // A store on the web may be one that nodes read.
    if !doubtful || context.store_urls().iter().any(|url| !url.starts_with("file:")) {
        return Ok(());
    }
    let why = delivered.missing.iter().map(|(node, why)| named(&node.authority, &printable(why))).collect();
    let failure = Failure::failed("no node has taken the request, so none could answer it; nothing was paid");
    Err(failure
        .because(why)
        .hint("try again later; --undelivered pays all the same, and sends the request again once the job is posted")
        .into())
}

fn named(node: &Pubkey, words: &str) -> String {
    let node: String = node.to_string().chars().take(8).collect();
    format!("node {node}…: {words}")
}

/// Asks the nodes.
///
/// # Errors
/// The chain does not answer.
pub(super) async fn quotes(client: &Client, address: &Pubkey, offer: &Offer, request: &Request) -> Result<Quotes> {
    client.quotes(address, offer, request).await.context("the nodes cannot be found; nothing was paid")
}

/// That the wallet has what the order needs.
///
/// # Errors
/// It has not.
pub(super) async fn balance(client: &Client, order: &provena_client::Order, context: &Context<'_>) -> Result<()> {
    let chain: &dyn Chain = client.chain();
    let provena_client::Cost { deposit, network, rent } = order.cost;
    let native = order.terms.is_native();
    let lamports = network.saturating_add(rent).saturating_add(if native { deposit } else { 0 });
    let mut needs = vec![(provena_market::NATIVE_MINT, lamports)];
    if !native {
        needs.push((order.terms.mint, deposit));
    }
    for (mint, needed) in needs {
        let has = provena_client::token::balance(chain, &client.payer(), &mint).await?;
        if has < needed {
            let currency = provena_client::token::currency(chain, &mint).await?;
            let (needed, has) = (currency.show(needed), currency.show(has));
            return Err(Failure::failed(format!("it takes {needed} and the wallet has {has}; nothing was paid"))
                .hint(format!(
                    "send more to {}; {}",
                    client.payer(),
                    context.command("airdrop 1") + "   on a test chain"
                ))
                .into());
        }
    }
    Ok(())
}

fn unfit(error: &Error) -> anyhow::Error {
    Failure::failed(format!("the request cannot be answered: {}; nothing was paid", printable(&error.to_string())))
        .hint("provena infer --help   shows how each kind of model is asked")
        .into()
}
