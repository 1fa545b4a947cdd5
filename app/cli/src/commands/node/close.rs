//! `provena node close`: the end of a node.

use anyhow::Result;
use provena_client::{
    amount::Currency,
    chain::{ChainReader, accounts::ProgramAccount},
    reach::Reach,
};
use provena_market::{client, state::Node};
use provena_node::instance::{InstanceError, KeyLock};
use serde::Serialize;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::{account, health::NodeHealth};
use crate::{
    context::Context,
    failure::Failure,
    output::{
        Report,
        style::Style,
        table::facts,
        text::{printable, short},
    },
};

/// Arguments of `provena node close`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena node close\n\nStop the node first (ctrl-c in its terminal), and wait until the jobs it took are paid: `provena node status` shows them."
)]
pub(super) struct Args {
    /// Close it although a process still answers for it; that process then takes no more jobs.
    #[arg(long)]
    force: bool,
}

#[derive(Serialize)]
struct Closed {
    node: String,
    stake: u64,
    rent: u64,
    signature: String,
}

impl Report for Closed {
    fn text(&self, style: Style) -> String {
        let sol = Currency::sol();
        let rows = [
            ("closed", self.node.clone()),
            ("stake back", sol.show(self.stake)),
            ("rent back", sol.show(self.rent)),
            ("transaction", short(&self.signature)),
        ];
        facts(&rows, style)
    }
}

/// Ends the node and reports what came back.
pub(super) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let wallet = context.wallet()?;
    let chain = context.chain()?;
    let node = account::get(&chain, &wallet.pubkey()).await?;
    if node.check_idle().is_err() {
        let held = Currency::sol().show(node.locked);
        return Err(Failure::failed(format!("jobs in progress hold {held} of the stake"))
            .hint("stop the node, and close it when they are over: provena node status")
            .into());
    }
    if !args.force
        && let Some(running) = running(&chain, &node).await?
    {
        return Err(Failure::failed(format!("this node still runs: {running}"))
            .hint("stop it first, with ctrl-c in its terminal; --force closes it all the same")
            .into());
    }
    let rent = chain.rent_exempt(Node::account_len()).await?;
    let signature =
        account::send(&chain, &wallet, client::close_node(wallet.pubkey()), "the node was not closed").await?;
    context.output.data(&Closed {
        node: wallet.pubkey().to_string(),
        stake: node.stake,
        rent,
        signature: signature.to_string(),
    })
}

/// In words, where a process acts as this node: on this machine, or at the address that the chain names.
async fn running(chain: &impl ChainReader, node: &Node) -> Result<Option<String>> {
    let authority: Pubkey = node.authority;
    let lock = KeyLock::take(&authority, &chain.cluster().await?);
    if matches!(lock, Err(InstanceError::SameMachine { .. })) {
        return Ok(Some("a process on this machine acts with its key".into()));
    }
    drop(lock);
    // It is the operator's own.
    let endpoint = node.endpoint();
    let answers =
        NodeHealth::ask(endpoint, Reach::Private).await.is_ok_and(|health| health.node == authority.to_string());
    Ok(answers.then(|| format!("it answers at {}", printable(endpoint))))
}
