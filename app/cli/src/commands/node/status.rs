//! `provena node status`.

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::Result;
use provena_client::{
    chain::{Chain, ChainReader as _},
    reach::Reach,
};
use serde::Serialize;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::account::{self, NodeReport};
use super::health::NodeHealth;
use crate::{
    address,
    context::Context,
    output::{Report, style::Style, table::facts, text::printable},
    stop,
};

/// Time between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// Arguments of `provena node status`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena node status\n  provena node status --watch\n  provena node status ADDRESS --json"
)]
pub(super) struct Args {
    /// The node's wallet [default: the wallet].
    #[arg(value_name = "ADDRESS", value_parser = address::parse)]
    node: Option<Pubkey>,
    /// Look again every two seconds until ctrl-c.
    #[arg(long)]
    watch: bool,
}

/// What the chain says of a node, and what the node says of itself.
#[derive(Serialize)]
struct Status {
    #[serde(flatten)]
    account: NodeReport,
    health: Option<NodeHealth>,
    /// Why the node said nothing.
    silent: Option<String>,
}

impl Report for Status {
    fn text(&self, style: Style) -> String {
        let said = match (&self.health, &self.silent) {
            (Some(health), _) => facts(&health.facts(), style),
            (None, Some(why)) => facts(&[("says of itself", format!("nothing: {}", printable(why)))], style),
            (None, None) => String::new(),
        };
        format!("{}\n\n{said}", self.account.text(style)).trim_end().to_owned()
    }
}

/// Shows the node.
pub(super) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let chain = context.chain()?;
    let (node, reach) = match args.node {
        Some(node) => (node, chain.reach().await?),
        // One's own node may well be in one's own network.
        None => (context.wallet()?.pubkey(), Reach::Private),
    };
    if !args.watch {
        return context.output.data(&look(&chain, &node, reach).await?);
    }
    let screen = std::io::stdout().is_terminal() && !context.output.json();
    let stopped = stop::requested();
    tokio::pin!(stopped);
    loop {
        let status = look(&chain, &node, reach).await?;
        if screen {
            // Home, and clear what is below.
            context.output.line("\x1b[H\x1b[2J")?;
        }
        context.output.data(&status)?;
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = &mut stopped => return Ok(()),
        }
    }
}

async fn look(chain: &dyn Chain, node: &Pubkey, reach: Reach) -> Result<Status> {
    let account = account::get(chain, node).await?;
    let endpoint = account.endpoint();
    let said = match endpoint {
        "" => Err("it names no address".to_owned()),
        endpoint => NodeHealth::ask(endpoint, reach).await,
    };
    let said = said.and_then(|health| match health.node == node.to_string() {
        true => Ok(health),
        false => Err("another node answers at its address".to_owned()),
    });
    let (health, silent) = match said {
        Ok(health) => (Some(health), None),
        Err(why) => (None, Some(why)),
    };
    Ok(Status { account: NodeReport::new(&account, None), health, silent })
}
