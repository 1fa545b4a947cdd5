//! Artifacts from elsewhere: the operator's stores, then other nodes. They go to the disk piece by piece.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use provena_client::store::{Bytes, Pieces, Root, Store, StoreError};
use solana_pubkey::Pubkey;

use super::checked::Checked;
use super::error::OWN;
use super::pace::{Pace, Pressure};
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

/// What is being fetched, and what could not be had.
#[derive(Default)]
pub(super) struct Fetching {
    /// One at a time for each artifact: jobs that come together do not fetch it twice.
    locks: Mutex<HashMap<Root, Weak<tokio::sync::Mutex<()>>>>,
    missing: Mutex<HashMap<Root, Instant>>,
    pressure: Pressure,
}

impl Fetching {
    fn lock(&self, root: &Root) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        locks.retain(|_, lock| lock.strong_count() > 0);
        if let Some(lock) = locks.get(root).and_then(Weak::upgrade) {
            return lock;
        }
        let lock = Arc::default();
        locks.insert(*root, Arc::downgrade(&lock));
        lock
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
        self.artifact_under(root, max_len, None).await
    }

    /// As [`Blobs::artifact`], for whoever has one of a few turns: a sender who is slow is given up while others wait for one
    /// ([`Blobs::others_wait`]).
    ///
    /// # Errors
    /// As for [`Blobs::artifact`].
    pub async fn artifact_in_turn(&self, root: &Root, max_len: u64) -> Result<ArtifactFile, StoreError> {
        self.artifact_under(root, max_len, Some(&self.fetching.pressure)).await
    }

    /// Somebody found no turn, and will come back within three minutes.
    pub fn others_wait(&self) {
        self.fetching.pressure.note(Instant::now());
    }

    async fn artifact_under(
        &self,
        root: &Root,
        max_len: u64,
        pressure: Option<&Pressure>,
    ) -> Result<ArtifactFile, StoreError> {
        let pin = self.pin(root);
        if let Some(path) = self.artifact_here(root, max_len).await? {
            return Ok(ArtifactFile { path, _pin: pin });
        }
        let lock = self.fetching.lock(root);
        let _one_at_a_time = lock.lock().await;
        if let Some(path) = self.artifact_here(root, max_len).await? {
            return Ok(ArtifactFile { path, _pin: pin });
        }
        if self.fetching.is_missing(root) {
            return Err(StoreError::NotFound { url: "whoever was asked a moment ago".to_owned() });
        }
        match self.fetch(root, max_len, pressure).await {
            Ok(path) => Ok(ArtifactFile { path, _pin: pin }),
            Err(failures) => {
                self.fetching.note_missing(root);
                Err(StoreError::Everywhere { action: "be read", root: *root, failures })
            }
        }
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

    async fn fetch(&self, root: &Root, max_len: u64, pressure: Option<&Pressure>) -> Result<PathBuf, Vec<StoreError>> {
        let mut draft = match self.draft(Class::Artifact, 0, max_len).await {
            Ok(draft) => draft,
            Err(error) => return Err(vec![error.into()]),
        };
        let mut failures = Vec::new();
        for store in self.others.iter().flat_map(Store::each) {
            match fill(&mut draft, &store, root, max_len, pressure).await {
                Ok(()) => return self.keep_artifact(draft, root, &store).await.map_err(|error| vec![error]),
                Err(error) => failures.push(error),
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
            match fill(&mut draft, &store, root, max_len, pressure).await {
                Ok(()) => return self.keep_artifact(draft, root, &store).await.map_err(|error| vec![error]),
                Err(error) => {
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
        Err(failures)
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

/// Writes what a store sends into the draft and checks it.
async fn fill(
    draft: &mut Draft,
    store: &Store,
    root: &Root,
    max_len: u64,
    pressure: Option<&Pressure>,
) -> Result<(), StoreError> {
    draft.restart().await?;
    let url = || store.urls().next().unwrap_or_default().to_owned();
    let mut pieces: Pieces = store.stream(root, max_len).await.map_err(StoreError::of_one)?;
    let mut pace = Pace::begin(Instant::now(), pressure);
    while let Some(piece) = pieces.next().await {
        draft.write(&piece?).await?;
        let slow = |reason| StoreError::Failed { url: url(), reason };
        pace.keeps_up(draft.len(), Instant::now()).map_err(slow)?;
    }
    draft.check(root).map_err(StoreError::from).map_err(|error| match error {
        StoreError::Mismatch { expected, found, len, .. } => StoreError::Mismatch { url: url(), expected, found, len },
        other => other,
    })
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

    /// A model that a store sent slowly kept its turn for half an hour, whoever else waited for it.
    #[tokio::test]
    async fn a_slow_sender_is_given_up_once_others_wait_unless_a_bond_depends_on_it() {
        let (folder, listener) =
            (tempfile::tempdir().unwrap(), tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap());
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        // A hundred KiB in a second, without end.
        let drip = || async {
            Body::from_stream(futures_util::stream::unfold((), |()| async {
                tokio::time::sleep(Duration::from_millis(10)).await;
                Some((Ok::<_, Infallible>(vec![0u8; 1_000]), ()))
            }))
        };
        let routes = Router::new().route("/v1/blobs/{root}", get(drip));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let quotas = Quotas { artifacts: 1 << 30, inputs: 1 << 20, uploads: 1 << 20, answers: 1 << 20, keep_free: 0 };
        let mut store = Blobs::open(folder.path(), quotas, &[url], Limits::default()).unwrap();
        let pressure = Pressure::with_window(Duration::from_millis(300));
        store.fetching = Arc::new(Fetching { pressure, ..Fetching::default() });

        let claimed = store.artifact(&[1; 32], 1 << 30);
        let mut in_turn = Box::pin(store.artifact_in_turn(&[2; 32], 1 << 30));
        let mut claimed = Box::pin(claimed);
        tokio::select! {
            _ = tokio::time::sleep(Duration::from_secs(1)) => {}
            given_up = &mut in_turn => panic!("nobody waits: {given_up:?}"),
            given_up = &mut claimed => panic!("a bond depends on it: {given_up:?}"),
        }
        store.others_wait();
        let given_up = tokio::select! {
            given_up = tokio::time::timeout(Duration::from_secs(10), &mut in_turn) => given_up.expect("it has its turn still"),
            given_up = &mut claimed => panic!("a bond depends on it: {given_up:?}"),
        };
        let words = given_up.unwrap_err().to_string();
        assert!(words.contains("too slow while others wait"), "{words}");
    }
}
