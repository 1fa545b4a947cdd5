//! `provena node update`.

use anyhow::Result;
use provena_market::client;
use solana_signer::Signer;

use super::account::{self, NodeReport};
use crate::{context::Context, failure::Failure};

/// Arguments of `provena node update`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena node update --endpoint https://new.example:8700\n  provena node update --capacity 16"
)]
pub(super) struct Args {
    /// Where the node answers HTTP from now on (up to 96 bytes).
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// How many jobs it works on at the same time; 0 says nothing.
    #[arg(long, value_name = "JOBS")]
    capacity: Option<u32>,
}

/// Changes what was given and reports the node.
pub(super) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    if args.endpoint.is_none() && args.capacity.is_none() {
        return Err(Failure::usage("there is nothing to change").hint("give --endpoint, --capacity, or both").into());
    }
    let wallet = context.wallet()?;
    let chain = context.chain()?;
    let address = wallet.pubkey();
    if let Some(endpoint) = &args.endpoint {
        account::check_endpoint(&address, endpoint)?;
    }
    let node = account::get(&chain, &address).await?;
    let endpoint = args.endpoint.as_deref().unwrap_or(node.endpoint());
    let update = client::update_node(address, endpoint, node.key, args.capacity.unwrap_or(node.capacity));
    let signature = account::send(&chain, &wallet, update, "the node was not changed").await?;
    context.output.data(&NodeReport::new(&account::get(&chain, &address).await?, Some(signature)))
}
