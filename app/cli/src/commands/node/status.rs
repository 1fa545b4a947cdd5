//! `provena node status`.

use anyhow::Result;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::account::{self, NodeReport};
use crate::{address, context::Context};

/// Arguments of `provena node status`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  provena node status\n  provena node status ADDRESS --json")]
pub(super) struct Args {
    /// The node's wallet [default: the wallet].
    #[arg(value_name = "ADDRESS", value_parser = address::parse)]
    node: Option<Pubkey>,
}

/// Shows the node.
pub(super) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let node = match args.node {
        Some(node) => node,
        None => context.wallet()?.pubkey(),
    };
    context.output.data(&NodeReport::new(&account::get(&context.chain()?, &node).await?, None))
}
