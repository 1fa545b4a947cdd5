//! Stake, balance, and what the answers of each model earn.

use anyhow::{Context as _, Result};
use provena_client::amount::Currency;
use provena_client::chain::{ChainReader, RpcChain, accounts, accounts::ProgramAccount};
use provena_client::mint;
use provena_common::{amount::Amount, pda::is_zero};
use provena_market::fees::{self, Prices, Work};
use provena_market::state::{Admin, Node, Offer};
use provena_node::config::Config;
use provena_node::readiness::{FEW_JOBS, JOB_FEES, Money};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::finding::Findings;
use crate::output::money::short_sol;

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

/// What a short and a middling answer earn, for each offer of the models that are served, against the fees of its transactions.
pub(super) async fn profit(
    chain: &RpcChain,
    config: &Config,
    node: &Node,
    market: &Admin,
    findings: &mut Findings,
) -> Result<()> {
    let served = config.models()?;
    let offers = accounts::list::<Offer, _>(chain, &Offer::filter()).await.context("cannot list the offers")?;
    let mut offers: Vec<_> =
        offers.into_iter().filter(|(_, offer)| served.is_empty() || served.contains(&offer.asset)).collect();
    offers.sort_by_key(|(address, _)| *address);
    if offers.is_empty() {
        let what = if served.is_empty() { "nothing is on offer" } else { "nothing is on offer of [node] models" };
        findings.warn("offers", what, "nobody can ask this node for anything until a model's holder makes an offer");
    }
    let left = offers.len().saturating_sub(MOST_OFFERS);
    for (_, offer) in offers.iter().take(MOST_OFFERS) {
        let title =
            mint::name_of(chain, &offer.asset).await?.map_or_else(|| offer.asset.to_string(), |name| name.shown());
        judge(&title, offer, config, node, market, findings);
    }
    if left > 0 {
        findings.ok("offers", format!("{left} more are not looked at; name the models to serve in [node] models"));
    }
    Ok(())
}

fn judge(title: &str, offer: &Offer, config: &Config, node: &Node, market: &Admin, findings: &mut Findings) {
    if offer.bond_lamports > config.node.max_bond_lamports {
        let found = format!("{title}: a bond of {}", short_sol(offer.bond_lamports));
        findings.warn("profit", found, "it is declined; [node] max_bond_lamports would allow it");
        return;
    }
    if offer.bond_lamports > node.free().0 {
        let found = format!("{title}: a bond of {} is more than what is free", short_sol(offer.bond_lamports));
        findings.warn("profit", found, "add stake: provena node stake 1");
        return;
    }
    if !is_zero(&offer.mint) {
        findings.ok("profit", format!("{title}: priced in tokens, which is not compared with fees in SOL"));
        return;
    }
    let half = |most: u32| (most / 2).max(most.min(1));
    let short = Work::new(offer.max_input_units.min(1), offer.max_output_units.min(1));
    let middling = Work::new(half(offer.max_input_units), half(offer.max_output_units));
    let (Some(least), Some(usual)) = (earned(offer, market, short), earned(offer, market, middling)) else { return };
    let found = format!(
        "{title}: the shortest answer earns {}, a middling one {}, before {} of fees",
        short_sol(least),
        short_sol(usual),
        short_sol(JOB_FEES)
    );
    if usual < JOB_FEES {
        findings.fail("profit", found, "it works at a loss: leave it out of [node] models");
    } else if least < JOB_FEES {
        findings.warn("profit", found, "short answers cost more than they earn: ask its holder for a base price");
    } else {
        findings.ok("profit", found);
    }
}

/// What one of the nodes that agree gets for an answer, in base units.
fn earned(offer: &Offer, market: &Admin, work: Work) -> Option<u64> {
    let prices = Prices {
        base: Amount(offer.base_price),
        input: Amount(offer.input_price),
        output: Amount(offer.output_price),
        royalty: provena_common::amount::Bps::new(offer.royalty_bps).ok()?,
        least_royalty: Amount(offer.least_royalty),
        protocol: provena_common::amount::Bps::new(market.protocol_fee_bps).ok()?,
    };
    let split = fees::split(&prices, prices.fee(work).ok()?, work).ok()?;
    Some(split.nodes.0 / u64::from(offer.seats.max(1)))
}
