//! Artifacts from elsewhere: the operator's stores, then other nodes. They go to the disk piece by piece.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use provena_client::store::{Bytes, Pieces, Root, Store, StoreError};
use solana_pubkey::Pubkey;

use super::checked::Checked;
use super::crowd::{Bonds, Crowd, Fetcher, GaveWay};
use super::error::OWN;
use super::pace::Pace;
use super::{Blobs, Class, Draft, Pin};

/// An artifact that could not be had is not looked for again for so long, whoever posts jobs for it.
const MISSING_FOR: Duration = Duration::from_secs(30);

/// Artifacts of which is remembered that they could not be had.
const MOST_MISSING: usize = 1_024;

/// An artifact's file, which is not evicted while this is held.
#[derive(Debug)]
pub struct ArtifactFile {
    path: PathBuf,
    _pin: Pin,
}

impl ArtifactFile {
    /// Where it is. Its content was checked.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Why an artifact did not come in somebody's turn.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// The turn was given up, because others waited for one ([`Blobs::others_wait`]). Whoever sent is to blame for nothing.
    #[error("the turn to fetch was given up for others that wait")]
    GaveWay,
    /// It could not be had.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<GaveWay> for TurnError {
    fn from(GaveWay: GaveWay) -> Self {
        Self::GaveWay
    }
}

/// What an artifact is fetched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Somebody who waits for some seconds.
    Moment,
    /// Somebody who has one of a few turns.
    Turn,
    /// A job whose bond is staked.
    Bond,
}

/// An artifact for as long as anybody fetches it or waits for it.
#[derive(Default)]
struct UnderWay {
    /// One at a time: jobs that come together do not fetch it twice.
    lock: tokio::sync::Mutex<()>,
    /// Its turn was given up, for all who share it.
    gave_way: AtomicBool,
    /// Who waits for it with a bond.
    bonds: Arc<Bonds>,
}

/// What is being fetched, and what could not be had.
#[derive(Default)]
pub(super) struct Fetching {
    /// What somebody fetches or waits for.
    under_way: Mutex<HashMap<Root, Weak<UnderWay>>>,
    missing: Mutex<HashMap<Root, Instant>>,
    crowd: Crowd,
}

impl Fetching {
    fn under_way(&self, root: &Root) -> Arc<UnderWay> {
        let mut all = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, one| one.strong_count() > 0);
        if let Some(one) = all.get(root).and_then(Weak::upgrade) {
            return one;
        }
        let one = Arc::default();
        all.insert(*root, Arc::downgrade(&one));
        one
    }

    fn is_missing(&self, root: &Root) -> bool {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        missing.retain(|_, since| since.elapsed() < MISSING_FOR);
        missing.contains_key(root)
    }

    fn note_missing(&self, root: &Root) {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        if missing.len() < MOST_MISSING {
            missing.insert(*root, Instant::now());
        }
    }
}

impl Blobs {
    /// The artifact named `root`, of at most `max_len` bytes, checked and in a file: from here, from the operator's stores,
    /// from other nodes.
    ///
    /// # Errors
    /// [`StoreError::Everywhere`] with each place's reason.
    pub async fn artifact(&self, root: &Root, max_len: u64) -> Result<ArtifactFile, StoreError> {
        self.artifact_for(root, max_len, Need::Moment).await.map_err(without_turn)
    }

    /// As [`Blobs::artifact`], for a job whose bond is staked: a turn in which it is fetched already is not given up before
    /// the job has it, and others are asked again that had nothing a moment ago.
    ///
    /// # Errors
    /// As for [`Blobs::artifact`].
    pub async fn artifact_for_bond(&self, root: &Root, max_len: u64) -> Result<ArtifactFile, StoreError> {
        self.artifact_for(root, max_len, Need::Bond).await.map_err(without_turn)
    }

    /// As [`Blobs::artifact`], for whoever has one of a few turns: while others wait for one the slowest is given up.
    ///
    /// # Errors
    /// [`TurnError::GaveWay`], and as for [`Blobs::artifact`].
    pub async fn artifact_in_turn(&self, root: &Root, max_len: u64) -> Result<ArtifactFile, TurnError> {
        self.artifact_for(root, max_len, Need::Turn).await
    }

    /// Somebody found no turn, and will come back within three minutes.
    pub fn others_wait(&self) {
        self.fetching.crowd.note(Instant::now());
    }

    async fn artifact_for(&self, root: &Root, max_len: u64, need: Need) -> Result<ArtifactFile, TurnError> {
        let pin = self.pin(root);
        if let Some(path) = self.artifact_here(root, max_len).await? {
            return Ok(ArtifactFile { path, _pin: pin });
        }
        let under_way = self.fetching.under_way(root);
        let _bond = (need == Need::Bond).then(|| under_way.bonds.one_more());
        let _one_at_a_time = under_way.lock.lock().await;
        if let Some(path) = self.artifact_here(root, max_len).await? {
            return Ok(ArtifactFile { path, _pin: pin });
        }
        if need != Need::Bond && self.fetching.is_missing(root) {
            return Err(StoreError::NotFound { url: "whoever was asked a moment ago".to_owned() }.into());
        }
        if need == Need::Turn && under_way.gave_way.load(Ordering::Relaxed) {
            return Err(TurnError::GaveWay);
        }
        let turn = (need == Need::Turn).then(|| Arc::clone(&under_way.bonds));
        let fetcher = self.fetching.crowd.join(turn, Instant::now());
        let fetched = self.fetch(root, max_len, &fetcher).await.inspect_err(|error| match error {
            TurnError::GaveWay => under_way.gave_way.store(true, Ordering::Relaxed),
            TurnError::Store(_) => self.fetching.note_missing(root),
        });
        Ok(ArtifactFile { path: fetched?, _pin: pin })
    }

    /// As [`Blobs::artifact`], if it is on this machine.
    ///
    /// # Errors
    /// The disk's, and [`StoreError::TooLarge`].
    pub async fn artifact_at_hand(&self, root: &Root, max_len: u64) -> Result<Option<ArtifactFile>, StoreError> {
        let pin = self.pin(root);
        Ok(self.artifact_here(root, max_len).await?.map(|path| ArtifactFile { path, _pin: pin }))
    }

    /// Where the artifact is on this machine.
    async fn artifact_here(&self, root: &Root, max_len: u64) -> Result<Option<PathBuf>, StoreError> {
        let failed = |error| StoreError::from(super::BlobError::Io(error));
        let mut found = self.own.open_checked(root, &[Class::Artifact, Class::Input]).await.map_err(failed)?;
        if found.is_none()
            && let Some(path) = self.others.as_ref().and_then(|others| others.file(root))
        {
            found = self.own.open_foreign(root, path).await.map_err(failed)?;
        }
        match found {
            Some(Checked { len, .. }) if len > max_len => Err(StoreError::TooLarge { len, limit: max_len }),
            found => Ok(found.map(|found| found.path)),
        }
    }

    async fn fetch(&self, root: &Root, max_len: u64, fetcher: &Fetcher<'_>) -> Result<PathBuf, TurnError> {
        let failed = |failures| StoreError::Everywhere { action: "be read", root: *root, failures };
        let draft = self.draft(Class::Artifact, 0, max_len).await;
        let mut draft = draft.map_err(|error| failed(vec![error.into()]))?;
        let mut failures = Vec::new();
        for store in self.others.iter().flat_map(Store::each) {
            match fill(&mut draft, &store, root, max_len, fetcher).await {
                Ok(()) => {
                    return Ok(self.keep_artifact(draft, root, &store).await.map_err(|error| failed(vec![error]))?);
                }
                Err(TurnError::GaveWay) => return Err(TurnError::GaveWay),
                Err(TurnError::Store(error)) => failures.push(error),
            }
        }
        let peers: Vec<(Pubkey, Store)> = match &self.peers {
            Some(peers) => peers.stores().await.unwrap_or_else(|error| {
                failures.push(StoreError::Failed { url: "the chain".to_owned(), reason: error.to_string() });
                Vec::new()
            }),
            None => Vec::new(),
        };
        for (node, store) in peers {
            match fill(&mut draft, &store, root, max_len, fetcher).await {
                Ok(()) => {
                    return Ok(self.keep_artifact(draft, root, &store).await.map_err(|error| failed(vec![error]))?);
                }
                Err(TurnError::GaveWay) => return Err(TurnError::GaveWay),
                Err(TurnError::Store(error)) => {
                    let ours = matches!(&error, StoreError::Failed { url, .. } if url == OWN);
                    if let Some(peers) = &self.peers
                        && draft.len() > 0
                        && !ours
                    {
                        peers.distrust(&node);
                    }
                    failures.push(error);
                }
            }
        }
        if failures.is_empty() {
            failures.push(StoreError::NotFound { url: OWN.to_owned() });
        }
        Err(failed(failures).into())
    }

    async fn keep_artifact(&self, draft: Draft, root: &Root, from: &Store) -> Result<PathBuf, StoreError> {
        let len = draft.len();
        let path = draft.keep_checked(root).await?;
        let from = from.urls().next().unwrap_or_default().to_owned();
        tracing::info!(root = hex::encode(root), bytes = len, from, "fetched an artifact");
        Ok(path)
    }

    /// A request from the operator's stores. What a remote one sent is kept here, because it may be gone when it is needed:
    /// what cannot be kept is not given.
    pub(super) async fn ask_others(
        &self,
        root: &Root,
        max_len: u64,
        mut failures: Vec<StoreError>,
    ) -> Result<Bytes, StoreError> {
        for store in self.others.iter().flat_map(Store::each) {
            match store.get_within(root, max_len).await {
                Ok(bytes) if store.is_local() => return Ok(bytes),
                Ok(bytes) => match self.keep_input(root, &bytes).await {
                    Ok(()) => return Ok(bytes),
                    Err(error) => failures.push(error.into()),
                },
                Err(StoreError::Everywhere { failures: reasons, .. }) => failures.extend(reasons),
                Err(error) => failures.push(error),
            }
        }
        Err(StoreError::Everywhere { action: "be read", root: *root, failures })
    }

    async fn keep_input(&self, root: &Root, bytes: &Bytes) -> Result<(), super::BlobError> {
        let len = bytes.len() as u64;
        let mut draft = self.draft(Class::Input, len, len).await?;
        draft.write(bytes).await?;
        draft.keep(root).await.map(drop)
    }
}

/// The error of somebody who has no turn, and so gives none up.
fn without_turn(error: TurnError) -> StoreError {
    match error {
        TurnError::Store(error) => error,
        TurnError::GaveWay => StoreError::NotFound { url: OWN.to_owned() },
    }
}

/// Writes what a store sends into the draft and checks it.
async fn fill(
    draft: &mut Draft,
    store: &Store,
    root: &Root,
    max_len: u64,
    fetcher: &Fetcher<'_>,
) -> Result<(), TurnError> {
    let own = |error: super::BlobError| StoreError::from(error);
    fetcher.brought(0, Instant::now())?;
    draft.restart().await.map_err(own)?;
    let url = || store.urls().next().unwrap_or_default().to_owned();
    let mut pieces: Pieces = store.stream(root, max_len).await.map_err(StoreError::of_one)?;
    let pace = Pace::begin(Instant::now());
    while let Some(piece) = pieces.next().await {
        let piece = piece?;
        draft.write(&piece).await.map_err(own)?;
        let slow = |reason| StoreError::Failed { url: url(), reason };
        pace.keeps_up(draft.len(), Instant::now()).map_err(slow)?;
        fetcher.brought(piece.len() as u64, Instant::now())?;
    }
    let checked = draft.check(root).map_err(own).map_err(|error| match error {
        StoreError::Mismatch { expected, found, len, .. } => StoreError::Mismatch { url: url(), expected, found, len },
        other => other,
    });
    Ok(checked?)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use provena_client::store::Limits;

    use super::*;
    use crate::blobs::Quotas;

    /// A store that sends without end, the artifacts whose names begin with 1 fast and the others slowly, and windows of 300 ms.
    async fn endless() -> (tempfile::TempDir, Blobs) {
        let (folder, listener) =
            (tempfile::tempdir().unwrap(), tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap());
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let drip = |axum::extract::Path(root): axum::extract::Path<String>| async move {
            let piece = if root.starts_with("01") { 100_000 } else { 1_000 };
            Body::from_stream(futures_util::stream::unfold((), move |()| async move {
                tokio::time::sleep(Duration::from_millis(10)).await;
                Some((Ok::<_, Infallible>(vec![0u8; piece]), ()))
            }))
        };
        let routes = Router::new().route("/v1/blobs/{root}", get(drip));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let quotas = Quotas { artifacts: 4 << 30, inputs: 1 << 20, uploads: 1 << 20, answers: 1 << 20, keep_free: 0 };
        let mut store = Blobs::open(folder.path(), quotas, &[url], Limits::default()).unwrap();
        let crowd = Crowd::with_window(Duration::from_millis(300));
        store.fetching = Arc::new(Fetching { crowd, ..Fetching::default() });
        (folder, store)
    }

    /// What ends of these within so many milliseconds, and how.
    async fn ends<T>(fetch: impl Future<Output = T>, within: u64) -> Option<T> {
        tokio::time::timeout(Duration::from_millis(within), fetch).await.ok()
    }

    const FAST: Root = [1; 32];
    const SLOW: Root = [2; 32];

    /// A model that a store sent slowly kept its turn for half an hour, whoever else waited for it; and after that its senders
    /// were blamed and nobody got it for a while.
    #[tokio::test]
    async fn the_slowest_gives_up_its_turn_once_others_wait_and_is_not_noted_as_missing() {
        let (_folder, store) = endless().await;
        let mut fast = Box::pin(store.artifact_in_turn(&FAST, 1 << 30));
        let mut slow = Box::pin(store.artifact_in_turn(&SLOW, 1 << 30));
        let mut behind = Box::pin(store.artifact_in_turn(&SLOW, 1 << 30));
        let all = async {
            tokio::select! { _ = &mut fast => "fast", _ = &mut slow => "slow", _ = &mut behind => "behind" }
        };
        assert_eq!(ends(all, 1_000).await, None, "nobody waits");
        store.others_wait();
        let both = futures_util::future::join(&mut slow, &mut behind);
        let gave_way = async {
            tokio::select! { _ = &mut fast => panic!("it is fast"), both = both => both }
        };
        let (slow, behind) = ends(gave_way, 10_000).await.expect("it has its turn still");
        assert!(matches!(slow, Err(TurnError::GaveWay)), "{slow:?}");
        // Or the turn were taken by the next who waits for the same.
        assert!(matches!(behind, Err(TurnError::GaveWay)), "{behind:?}");
        assert!(!store.fetching.is_missing(&SLOW));
        assert!(ends(store.artifact_in_turn(&SLOW, 1 << 30), 500).await.is_none(), "it is fetched again");
    }

    /// A job with a bond waited for the turn of another, and got nothing when that was given up.
    #[tokio::test]
    async fn a_turn_for_which_a_bond_waits_is_not_given_up() {
        let (_folder, store) = endless().await;
        let mut fast = Box::pin(store.artifact_in_turn(&FAST, 1 << 30));
        let mut slow = Box::pin(store.artifact_in_turn(&SLOW, 1 << 30));
        let mut all = Box::pin(async {
            tokio::select! { end = &mut fast => end, end = &mut slow => end }
        });
        assert!(ends(&mut all, 500).await.is_none(), "nobody waits");
        let mut bond = Box::pin(store.artifact_for_bond(&SLOW, 1 << 30));
        assert!(ends(&mut bond, 10).await.is_none());
        store.others_wait();
        let either = async {
            tokio::select! { end = &mut all => Err(end), end = &mut bond => Ok(end) }
        };
        let ended = ends(either, 2_000).await;
        assert!(ended.is_none(), "{ended:?}");
        // Without the bond it makes room.
        drop(bond);
        let ended = ends(&mut all, 10_000).await.expect("it has its turn still");
        assert!(matches!(ended, Err(TurnError::GaveWay)), "{ended:?}");
        // What others did not get a moment ago is asked for again where a bond depends on it.
        store.fetching.note_missing(&SLOW);
        assert!(ends(store.artifact(&SLOW, 1 << 30), 500).await.expect("it is missing").is_err());
        assert!(ends(store.artifact_for_bond(&SLOW, 1 << 30), 500).await.is_none(), "it is not fetched");
    }
}
