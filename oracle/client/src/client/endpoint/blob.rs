//! Large blobs: asked for their size first, fetched with progress.

use futures_util::StreamExt;
use provena_arith::merkle::ContentHasher;
use reqwest::StatusCode;

use super::{Endpoint, TIMEOUT};
use crate::reach::causes;
use crate::store::{Bytes, Root, StoreError};

impl Endpoint {
    /// How many bytes a blob has; `None` when the node does not have it, or does not say.
    pub async fn size(&self, root: &Root) -> Option<u64> {
        let asked = self.client(TIMEOUT).ok()?.head(self.of(root)).send().await.ok()?;
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
        let failed = |error: &reqwest::Error| StoreError::Failed { url: self.url.clone(), reason: causes(error) };
        // Between two pieces, not for the whole: a large artifact may take long, a silent server may not.
        let builder =
            self.reach.client(&self.url).map_err(|reason| StoreError::BadUrl { url: self.url.clone(), reason })?;
        let client = builder.connect_timeout(TIMEOUT).read_timeout(TIMEOUT).build();
        let response = client.map_err(|error| failed(&error))?.get(self.of(root)).send().await;
        let response = response.map_err(|error| failed(&error))?;
        if response.status() == StatusCode::NOT_FOUND {
            return Err(StoreError::NotFound { url: self.url.clone() });
        }
        let response = response.error_for_status().map_err(|error| failed(&error))?;
        let (mut body, mut hasher) = (Vec::new(), ContentHasher::new());
        let mut pieces = response.bytes_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| failed(&error))?;
            let len = (body.len() as u64).saturating_add(piece.len() as u64);
            if len > most {
                return Err(StoreError::TooLarge { len, limit: most });
            }
            hasher.update(&piece);
            body.extend_from_slice(&piece);
            progress(len);
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
