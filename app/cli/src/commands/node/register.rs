//! `provena node register`.

use anyhow::{Context as _, Result};
use provena_client::{
    amount::{Currency, parse_sol},
    chain::{Chain, SIGNATURE_FEE, accounts::ProgramAccount as _},
    token,
};
use provena_market::{client, constants::pause, pda, state::Node};
use serde::Serialize;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_signer::Signer;

use super::account;
use crate::{
    context::Context,
    failure::Failure,
    output::{Report, money::short_sol, style::Style, table::facts, text::short},
};

/// Arguments of `provena node register`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena node register --stake 1 --endpoint https://node.example:8700\n\nThe stake stays yours; a part of it is held while a job runs, and lost when a taken job is not answered."
)]
pub(super) struct Args {
    /// How many SOL to put at stake.
    #[arg(long, value_name = "SOL", value_parser = parse_sol)]
    stake: u64,
    /// Where the node answers HTTP, for receipts and results (up to 96 bytes).
    #[arg(long, value_name = "URL")]
    endpoint: String,
    /// How many jobs it works on at the same time; only said to others [default: not said].
    #[arg(long, default_value_t = 0, value_name = "JOBS", hide_default_value = true)]
    capacity: u32,
}

#[derive(Serialize)]
struct Registered {
    node: String,
    account: String,
    stake: u64,
    endpoint: String,
    signature: String,
    #[serde(skip)]
    next: [String; 2],
}

impl Report for Registered {
    fn text(&self, style: Style) -> String {
        let table = facts(
            &[
                ("node", self.node.clone()),
                ("stake", short_sol(self.stake)),
                ("endpoint", self.endpoint.clone()),
                ("transaction", short(&self.signature)),
            ],
            style,
        );
        table + &style.next(&self.next.join(" &&\n      "))
    }
}

/// Registers the wallet and reports it.
pub(super) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let wallet = context.wallet()?;
    let signature = register(&context.chain()?, &wallet, args.stake, &args.endpoint, args.capacity).await?.to_string();
    let node = wallet.pubkey();
    let account = pda::node(&node).0.to_string();
    context.output.data(&Registered {
        node: node.to_string(),
        account,
        stake: args.stake,
        endpoint: args.endpoint,
        signature,
        // What is named on this command line goes into the file.
        next: [
            context.output.command("provena node sample-config > node.toml"),
            "provena node run --config node.toml".to_owned(),
        ],
    })
}

/// Registers `authority` as a node.
///
/// # Errors
/// The market is not set up or takes no nodes, the node exists, the stake is too low or more than the wallet has, or the endpoint is none.
pub(crate) async fn register(
    chain: &dyn Chain,
    authority: &Keypair,
    stake: u64,
    endpoint: &str,
    capacity: u32,
) -> Result<Signature> {
    let wallet = authority.pubkey();
    account::check_endpoint(&wallet, endpoint)?;
    let market = account::market(chain).await?;
    if market.control.paused & pause::NODES != 0 {
        return Err(Failure::failed("registering nodes is paused by the programs' authority").into());
    }
    if account::find(chain, &wallet).await?.is_some() {
        return Err(Failure::failed(format!("{wallet} is a node already"))
            .hint("start it with `provena node run --config FILE`; `provena node update` changes it")
            .into());
    }
    if stake < market.min_stake {
        let least = Currency::sol().show(market.min_stake);
        return Err(Failure::failed(format!("a node's stake must be at least {least}")).hint("raise --stake").into());
    }
    afford(chain, &wallet, stake).await?;
    let register = client::register_node(wallet, stake, endpoint, [0; 32], capacity);
    account::send(chain, authority, register, "the node was not registered").await
}

/// That the wallet has the stake, the account's rent and the transaction's fee.
async fn afford(chain: &dyn Chain, wallet: &Pubkey, stake: u64) -> Result<()> {
    let rent = chain.rent_exempt(Node::account_len()).await.context("cannot read the rent")?;
    let needed = stake.saturating_add(rent).saturating_add(SIGNATURE_FEE);
    let has = token::balance(chain, wallet, &provena_market::NATIVE_MINT).await?;
    if has >= needed {
        return Ok(());
    }
    let sol = Currency::sol();
    let missing = (needed - has).div_ceil(1_000_000_000);
    Err(Failure::failed(format!(
        "it takes {} (the stake, the account's rent and the fee) and the wallet has {}; nothing was sent",
        sol.show(needed),
        sol.show(has)
    ))
    .hint(format!("lower --stake, or send SOL to {wallet}; on a test chain: provena airdrop {missing}"))
    .into())
}
