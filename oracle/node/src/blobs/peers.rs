//! Other nodes, which hand out the artifacts that they serve.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use provena_client::chain::{ChainError, SharedChain, accounts};
use provena_client::reach::Reach;
use provena_client::store::{Limits, Store};
use provena_market::state::Node;
use solana_pubkey::Pubkey;

use accounts::ProgramAccount as _;

/// Nodes that are asked for one artifact.
const MOST_ASKED: usize = 16;

/// Nodes of which is remembered that they sent something else than they were asked for, or broke off.
const MOST_DISTRUSTED: usize = 1_024;

/// For so long.
const DISTRUSTED_FOR: Duration = Duration::from_secs(3_600);

/// The list of nodes is read again after this long.
const FRESH_FOR: Duration = Duration::from_secs(60);

/// Longest wait for a node to accept a connection or to send the next piece.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A node and its address.
type Peer = (Pubkey, String);

/// The nodes that the chain lists.
pub struct Peers {
    chain: SharedChain,
    me: Pubkey,
    /// How far their addresses may lead, if the operator says so; else that goes by the chain.
    chosen: Option<Reach>,
    known: Mutex<Option<(Instant, Vec<Peer>)>>,
    /// Nodes that are not asked, and until when.
    distrusted: Mutex<HashMap<Pubkey, Instant>>,
}

impl Peers {
    /// The nodes on `chain` but `me`. Their addresses are strangers' words, and lead no further than was `chosen`, or than suits
    /// the chain.
    #[must_use]
    pub fn new(chain: SharedChain, me: Pubkey, chosen: Option<Reach>) -> Self {
        Self { chain, me, chosen, known: Mutex::default(), distrusted: Mutex::default() }
    }

    /// Stores at the addresses of nodes that can be asked, those with most at stake first.
    pub(super) async fn stores(&self) -> Result<Vec<(Pubkey, Store)>, ChainError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let nodes = match known {
            Some((since, nodes)) if since.elapsed() < FRESH_FOR => nodes,
            _ => {
                let nodes = self.list().await?;
                *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), nodes.clone()));
                nodes
            }
        };
        let reach = match self.chosen {
            Some(chosen) => chosen,
            None => self.chain.reach().await?,
        };
        let limits = Limits { timeout: TIMEOUT, ..Limits::default() };
        let distrusted = self.distrusted().clone();
        let trusted = nodes.into_iter().filter(|(node, _)| !distrusted.contains_key(node));
        let stores = trusted.filter_map(|(node, endpoint)| {
            let url = format!("{}/v1", endpoint.trim_end_matches('/'));
            Store::open_strangers(&url, reach, limits).ok().map(|store| (node, store))
        });
        Ok(stores.take(MOST_ASKED).collect())
    }

    async fn list(&self) -> Result<Vec<Peer>, ChainError> {
        let mut nodes = accounts::list::<Node, _>(self.chain.as_ref(), &Node::filter()).await?;
        nodes.sort_by_key(|(_, node)| std::cmp::Reverse(node.stake));
        let named = nodes.into_iter().filter(|(_, node)| node.authority != self.me);
        let endpoints = named.map(|(_, node)| (node.authority, node.endpoint().to_owned()));
        // A path of its own is all that an address may have: no query that swallows ours, no name and password.
        let plain = |endpoint: &str| !endpoint.is_empty() && !endpoint.contains(['?', '#', '@']);
        Ok(endpoints.filter(|(_, endpoint)| plain(endpoint)).take(4 * MOST_ASKED).collect())
    }

    /// Does not ask a node for an hour that sent something else than it was asked for, or broke off: it took room and time
    /// that others had needed.
    pub(super) fn distrust(&self, node: &Pubkey) {
        tracing::warn!(%node, ?DISTRUSTED_FOR, "a node did not send the artifact that it began to send; it is not asked again");
        let mut distrusted = self.distrusted();
        if distrusted.len() < MOST_DISTRUSTED {
            distrusted.insert(*node, Instant::now() + DISTRUSTED_FOR);
        }
    }

    fn distrusted(&self) -> MutexGuard<'_, HashMap<Pubkey, Instant>> {
        let mut distrusted = self.distrusted.lock().unwrap_or_else(PoisonError::into_inner);
        distrusted.retain(|_, until| Instant::now() < *until);
        distrusted
    }
}
