//! Stake, balance, and what the answers of each model earn.

use anyhow::{Context as _, Result};
use provena_client::amount::Currency;
use provena_client::chain::{ChainReader, RpcChain, accounts, accounts::ProgramAccount};
use provena_client::{mint, offer::Terms, token};
use provena_common::pda::is_zero;
use provena_market::fees::{self, Work};
use provena_market::state::{Admin, Node, Offer};
use provena_node::config::Config;
use provena_node::readiness::{FEW_JOBS, JOB_FEES, Money};
use provena_node::tasks::{
    Limits,
    admission::{Refusal, declines},
};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::finding::Findings;
use crate::commands::offer::price;
use crate::output::{money::short_sol, text::short_addresses};

/// Wallets that can pay fewer jobs need money soon.
const SOME_JOBS: u64 = 1_000;

/// Offers that are looked at.
const MOST_OFFERS: usize = 20;

/// Whether enough is at stake, and free.
pub(super) fn stake(node: &Node, market: &Admin, findings: &mut Findings) {
    let found = format!("{}, of which {} is free", short_sol(node.stake), short_sol(node.free().0));
    if node.stake < market.min_stake {
        let least = short_sol(market.min_stake);
        let missing = Currency::sol().show(market.min_stake - node.stake);
        let add = missing.trim_end_matches(" SOL");
        findings.fail("stake", found, format!("at least {least} must be at stake: provena node stake {add}"));
    } else if node.free().0 == 0 {
        findings.fail("stake", found, "wait until jobs are over, or add some: provena node stake 1");
    } else {
        findings.ok("stake", found);
    }
}

/// Whether the wallet can pay fees.
pub(super) async fn balance(chain: &RpcChain, key: &Keypair, findings: &mut Findings) {
    let lamports = match chain.account(&key.pubkey()).await {
        Ok(account) => account.map_or(0, |account| account.lamports),
        Err(error) => {
            findings.fail("balance", error.to_string(), "check [chain] rpc_url");
            return;
        }
    };
    let jobs = Money::of_wallet(lamports).jobs_of_fees;
    let found = format!("{}, the fees of {jobs} jobs", short_sol(lamports));
    let advice = format!("send SOL to {}", key.pubkey());
    match jobs {
        ..FEW_JOBS => findings.fail("balance", found, advice),
        FEW_JOBS..SOME_JOBS => findings.warn("balance", found, advice),
        _ => findings.ok("balance", found),
    }
}

/// For each offer of the models that are served whether the node takes its jobs, and what a short and a middling answer earn
/// against the fees of its transactions. Anybody makes offers: one that the node declines costs it nothing. It fails where no
/// offer of a model that the operator named is taken.
pub(super) async fn profit(
    chain: &RpcChain,
    config: &Config,
    node: &Node,
    market: &Admin,
    findings: &mut Findings,
) -> Result<()> {
    let served = config.models()?;
    let limits = config.limits()?;
    let offers = accounts::list::<Offer, _>(chain, &Offer::filter()).await.context("cannot list the offers")?;
    let mut offers: Vec<_> = offers
        .into_iter()
        .filter(|(_, offer)| served.is_empty() || served.contains(&offer.asset))
        .map(|(address, offer)| (declined(&offer, market, &limits), address, offer))
        .collect();
    // Those that are taken come first, so that no number of others hides them.
    offers.sort_by_key(|(declined, address, _)| (declined.is_some(), *address));
    if offers.is_empty() {
        let what = if served.is_empty() { "nothing is on offer" } else { "nothing is on offer of [node] models" };
        findings.warn("offers", what, "nobody can ask this node for anything until a model's holder makes an offer");
    }
    let left = offers.len().saturating_sub(MOST_OFFERS);
    let addresses: Vec<String> = offers.iter().map(|(_, address, _)| address.to_string()).collect();
    let addresses = short_addresses(&addresses.iter().map(String::as_str).collect::<Vec<_>>());
    for ((declined, _, offer), address) in offers.iter().zip(addresses).take(MOST_OFFERS) {
        let title = title(chain, &offer.asset).await?;
        let price = match token::currency(chain, &offer.mint).await {
            Ok(currency) => price::words(&Terms::of(offer), &currency, price::unit_of(&Terms::of(offer))),
            Err(_) => "a price in a token that cannot be read".to_owned(),
        };
        let offer_words = format!("{title}, offer {address} ({price})");
        match declined {
            Some(refusal) => refused(&offer_words, refusal, findings),
            None => taken(&offer_words, offer, node, market, findings),
        }
    }
    if left > 0 {
        findings.ok("offers", format!("{left} more are not looked at; name the models to serve in [node] models"));
    }
    for model in served {
        let mut of_model = offers.iter().filter(|(_, _, offer)| offer.asset == model).peekable();
        if of_model.peek().is_some() && of_model.all(|(declined, ..)| declined.is_some()) {
            let found = format!("{}: this node takes the jobs of none of its offers", title(chain, &model).await?);
            findings.fail("profit", found, "leave it out of [node] models, or ask its holder for a better offer");
        }
    }
    Ok(())
}

async fn title(chain: &RpcChain, asset: &Pubkey) -> Result<String> {
    Ok(mint::name_of(chain, asset).await?.map_or_else(|| asset.to_string(), |name| name.shown()))
}

/// Why the node would take no job of an offer, not even the largest.
fn declined(offer: &Offer, market: &Admin, limits: &Limits) -> Option<Refusal> {
    let largest = Work::new(offer.max_input_units, offer.max_output_units);
    declines(offer, market.protocol_fee_bps, limits, largest)
}

/// An offer whose jobs the node leaves to others.
fn refused(offer: &str, refusal: &Refusal, findings: &mut Findings) {
    let advice = match refusal {
        Refusal::Bond { .. } => "[node] max_bond_lamports would allow it",
        Refusal::NoRate(_) => "a rate for the token in the config file would allow it",
        _ => "it costs this node nothing: others may serve it",
    };
    findings.note("profit", format!("{offer}: declined: {refusal}"), advice);
}

/// An offer whose jobs the node takes, and what they bring.
fn taken(title: &str, offer: &Offer, node: &Node, market: &Admin, findings: &mut Findings) {
    if offer.bond_lamports > node.free().0 {
        let found = format!("{title}: a bond of {} is more than what is free", short_sol(offer.bond_lamports));
        findings.warn("profit", found, "add stake: provena node stake 1");
        return;
    }
    if !is_zero(&offer.mint) {
        findings.ok("profit", format!("{title}: taken; priced in tokens, by the rate of the config file"));
        return;
    }
    let half = |most: u32| (most / 2).max(most.min(1));
    let short = Work::new(offer.max_input_units.min(1), offer.max_output_units.min(1));
    let middling = Work::new(half(offer.max_input_units), half(offer.max_output_units));
    let (Some(least), Some(usual)) = (earned(offer, market, short), earned(offer, market, middling)) else { return };
    let found = format!(
        "{title}: taken where a job pays its costs; the shortest answer earns {}, a middling one {}, before {} of fees",
        short_sol(least),
        short_sol(usual),
        short_sol(JOB_FEES)
    );
    // A job that pays too little is declined, so that the node loses nothing by it.
    if usual < JOB_FEES {
        findings.note("profit", found, "only large jobs of it are taken");
    } else if least < JOB_FEES {
        findings.note("profit", found, "short answers are declined: a base price would pay for them, too");
    } else {
        findings.ok("profit", found);
    }
}

/// What one of the nodes that agree gets for an answer, in base units.
fn earned(offer: &Offer, market: &Admin, work: Work) -> Option<u64> {
    let prices = offer.prices(market.protocol_fee().ok()?).ok()?;
    let split = fees::split(&prices, prices.fee(work).ok()?, work).ok()?;
    Some(split.nodes.0 / u64::from(offer.seats.max(1)))
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    /// Anybody makes an offer of 1 lamport or with the whole price for the holders: it is declined, and no fault of the node.
    #[test]
    fn an_offer_that_brings_nothing_is_declined_and_noted() {
        let mut offer: Offer = bytemuck::Zeroable::zeroed();
        (offer.bond_lamports, offer.input_price, offer.royalty_bps) = (100_000_000, 1_000_000, 5_000);
        (offer.open_window, offer.commit_window, offer.reveal_window) = (300, 300, 300);
        (offer.max_input_units, offer.seats, offer.quorum) = (64, 1, 1);
        let market: Admin = bytemuck::Zeroable::zeroed();
        let limits = Limits::default();
        assert!(declined(&offer, &market, &limits).is_none());
        let lamport = Offer { input_price: 1, ..offer };
        let all_for_holders = Offer { royalty_bps: 10_000, ..offer };
        let mut findings = Findings::default();
        for poor in [lamport, all_for_holders] {
            refused("Digits", &declined(&poor, &market, &limits).expect("it is declined"), &mut findings);
        }
        assert_eq!((findings.count(Verdict::Note), findings.count(Verdict::Fail)), (2, 0));
    }
}
