//! `provena node register`.

use anyhow::{Context as _, Result};
use provena_client::{
    amount::{Currency, parse_sol},
    chain::{Budget, Chain, accounts, send_and_confirm},
};
use provena_market::{
    client, pda,
    state::{Config, Node},
};
use serde::Serialize;
use solana_keypair::Keypair;
use solana_signature::Signature;
use solana_signer::Signer;

use crate::{
    context::Context,
    failure::Failure,
    output::{Report, style::Style, table::facts},
};

/// Arguments of `provena node register`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena node register --stake 1 --endpoint https://node.example:8700\n\nThe stake stays yours; it is locked while a job runs and lost when a claimed job is not answered."
)]
pub struct Args {
    /// How many SOL to put at stake.
    #[arg(long, value_name = "SOL", value_parser = parse_sol)]
    stake: u64,
    /// Where the node answers HTTP, for receipts and results (up to 96 bytes).
    #[arg(long, value_name = "URL")]
    endpoint: String,
}

#[derive(Serialize)]
struct Registered {
    node: String,
    account: String,
    stake: u64,
    endpoint: String,
    signature: String,
}

impl Report for Registered {
    fn text(&self, style: Style) -> String {
        let table = facts(
            &[
                ("node", self.node.clone()),
                ("stake", Currency::sol().show(self.stake)),
                ("endpoint", self.endpoint.clone()),
                ("transaction", self.signature.clone()),
            ],
            style,
        );
        format!(
            "{table}\n\n{} provena node sample-config > node.toml && provena node run --config node.toml",
            style.faint("next:")
        )
    }
}

/// Registers the wallet and reports it.
pub async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let wallet = context.wallet()?;
    let signature = register(&context.chain()?, &wallet, args.stake, &args.endpoint).await?.to_string();
    let node = wallet.pubkey();
    let account = pda::node(&node).0.to_string();
    context.output.data(&Registered {
        node: node.to_string(),
        account,
        stake: args.stake,
        endpoint: args.endpoint,
        signature,
    })
}

/// Registers `authority` as a node.
///
/// # Errors
/// The market is not initialised, the node exists, or the stake is too low.
pub async fn register(chain: &dyn Chain, authority: &Keypair, stake: u64, endpoint: &str) -> Result<Signature> {
    let config =
        accounts::fetch_optional::<Config, _>(chain, &pda::config().0).await.context("cannot read the market")?;
    let config = config.ok_or_else(|| {
        Failure::failed("the market is not set up on this chain").hint("provena deploy --init-only   (or check --url)")
    })?;
    if accounts::fetch_optional::<Node, _>(chain, &pda::node(&authority.pubkey()).0).await?.is_some() {
        return Err(Failure::failed(format!("{} is a node already", authority.pubkey()))
            .hint("start it with `provena node run --config FILE`")
            .into());
    }
    if stake < config.min_stake {
        let least = Currency::sol().show(config.min_stake);
        return Err(Failure::failed(format!("a node's stake must be at least {least}")).hint("raise --stake").into());
    }
    let register = client::register_node(authority.pubkey(), stake, endpoint);
    let sent = send_and_confirm(chain, &[register], &[authority], Budget::default()).await;
    Ok(sent.context("the node was not registered")?.signature)
}
