//! Large blobs: asked for their size first, fetched with progress.

use futures_util::StreamExt;
use provena_arith::merkle::ContentHasher;

use super::{Endpoint, TIMEOUT};
use crate::store::{Bytes, Root, StoreError};

impl Endpoint {
    /// How many bytes a blob has; `None` when the node does not have it, or does not say.
    pub async fn size(&self, root: &Root) -> Option<u64> {
        let asked = self.client().ok()?.head(self.of(root)).timeout(TIMEOUT).send().await.ok()?;
        if !asked.status().is_success() {
            return None;
        }
        // What the client makes of an empty body says nothing.
        asked.headers().get(reqwest::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
    }

    /// A blob of any length up to `most`, checked against its root; `progress` is told how many bytes are here.
    ///
    /// # Errors
    /// [`StoreError`], which names the node.
    pub async fn large_blob(
        &self,
        root: &Root,
        most: u64,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<Bytes, StoreError> {
        let mut pieces = self.store(most)?.stream(root, most).await.map_err(StoreError::of_one)?;
        let (mut body, mut hasher) = (Vec::new(), ContentHasher::new());
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            hasher.update(&piece);
            body.extend_from_slice(&piece);
            progress(body.len() as u64);
        }
        match hasher.finish() {
            Ok(found) if found == *root => Ok(body.into()),
            found => Err(StoreError::Mismatch {
                url: self.url.clone(),
                expected: *root,
                found: found.unwrap_or_default(),
                len: body.len() as u64,
            }),
        }
    }

    fn of(&self, root: &Root) -> String {
        self.at(&format!("blobs/{}", hex::encode(root)))
    }
}
