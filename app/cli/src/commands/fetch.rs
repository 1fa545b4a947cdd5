//! Getting what others have: a model's artifact, a request, from the stores or from the nodes that serve it.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::future::join_all;
use provena_client::{
    Endpoint,
    chain::ChainReader,
    store::{Bytes, Root, Store},
};

use crate::{
    context::Context,
    failure::Failure,
    output::{progress::Progress, text::printable},
};

/// The largest artifact that is fetched.
const MOST: u64 = 16 << 30;
/// Nodes that are asked at the same time whether they have a copy.
const AT_ONCE: usize = 8;
/// After this long no more nodes are asked.
const PATIENCE: Duration = Duration::from_secs(30);

/// A blob from the stores, or else from the nodes: they are asked how large it is first, and it is kept.
///
/// # Errors
/// Nobody hands it out; `what` names it.
pub(crate) async fn blob(
    what: &str,
    root: &Root,
    chain: &dyn ChainReader,
    store: &Store,
    context: &Context<'_>,
) -> Result<Bytes> {
    let missing = match store.get(root).await {
        Ok(bytes) => return Ok(bytes),
        Err(error) => error,
    };
    let mut reasons = vec![missing.to_string()];
    let nodes = Endpoint::likeliest(chain).await?;
    let end = Instant::now() + PATIENCE;
    for some in nodes.chunks(AT_ONCE).take_while(|_| Instant::now() < end) {
        let sizes = join_all(some.iter().map(|node| node.size(root))).await;
        for (node, size) in some.iter().zip(sizes) {
            let Some(size) = size else {
                reasons.push(format!("{} does not have it", printable(node.url())));
                continue;
            };
            context.output.note(&format!("fetching {what}, {}, from {}", bytes(size), printable(node.url())));
            let progress = Progress::spinner(context.output, format!("fetching {what}"));
            let mut told = |here: u64| progress.position(here, size.max(here));
            match node.large_blob(root, size.min(MOST), &mut told).await {
                Ok(bytes) => {
                    if let Err(error) = store.put_as_local(root, bytes.clone()).await {
                        context.output.note(&format!("{what} could not be kept: {error}"));
                    }
                    return Ok(bytes);
                }
                Err(error) => reasons.push(printable(&error.to_string())),
            }
        }
    }
    Err(Failure::failed(format!("{what} is in no store, and no node hands it out"))
        .because(reasons)
        .hint("name a store that has it with --store")
        .into())
}

/// A size as people read it.
pub(crate) fn bytes(count: u64) -> String {
    indicatif::DecimalBytes(count).to_string()
}
