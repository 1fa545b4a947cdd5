//! What a chain lacks that Provena was never set up on, and the command that adds it.

use provena_client::chain::Chain;

/// Something that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    /// In words.
    pub what: &'static str,
    /// What puts it there, for whoever runs the chain.
    pub command: &'static str,
}

/// What the chain lacks whose market has no settings. A private chain comes with the programs on it; on a cluster they may
/// be missing as well, and mostly it is another cluster than was meant.
pub(crate) async fn missing(chain: &dyn Chain) -> Missing {
    match chain.account(&provena_market::ID).await {
        Ok(None) => Missing { what: "Provena's programs are not on this chain", command: "provena deploy" },
        _ => Missing { what: "the market is not set up on this chain", command: "provena deploy --init-only" },
    }
}
