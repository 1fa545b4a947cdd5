//! Blobs in a local folder.

use std::path::{Path as FsPath, PathBuf};

use async_trait::async_trait;
use futures_util::StreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{GetResult, ObjectStoreExt, PutPayload};

use super::{Bytes, Limits, Pieces, Place, Root, StoreError, key};

/// A folder; writes go to a temporary name first, so that no reader sees half a blob.
#[derive(Debug)]
pub(super) struct Folder {
    url: String,
    path: PathBuf,
    files: LocalFileSystem,
}

impl Folder {
    pub(super) fn open(url: &str, path: &FsPath) -> Result<Self, StoreError> {
        let unusable = |reason: String| StoreError::Folder { path: path.display().to_string(), reason };
        std::fs::create_dir_all(path).map_err(|error| unusable(error.to_string()))?;
        let files = LocalFileSystem::new_with_prefix(path).map_err(|error| unusable(error.to_string()))?;
        Ok(Self { url: url.to_owned(), path: path.to_owned(), files })
    }

    fn failed(&self, error: &object_store::Error) -> StoreError {
        failed(&self.url, error)
    }

    async fn open_blob(&self, root: &Root, limits: &Limits) -> Result<Option<GetResult>, StoreError> {
        let found = match self.files.get(&Path::from(key(root))).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(self.failed(&error)),
        };
        if found.meta.size > limits.max_blob {
            return Err(StoreError::TooLarge { len: found.meta.size, limit: limits.max_blob });
        }
        Ok(Some(found))
    }
}

fn failed(url: &str, error: &object_store::Error) -> StoreError {
    StoreError::Failed { url: url.to_owned(), reason: error.to_string() }
}

#[async_trait]
impl Place for Folder {
    async fn read(&self, root: &Root, limits: &Limits) -> Result<Option<Pieces>, StoreError> {
        let url = self.url.clone();
        let found = self.open_blob(root, limits).await?;
        Ok(found.map(|found| found.into_stream().map(move |piece| piece.map_err(|error| failed(&url, &error))).boxed()))
    }

    async fn get(&self, root: &Root, limits: &Limits) -> Result<Option<Bytes>, StoreError> {
        match self.open_blob(root, limits).await? {
            Some(found) => found.bytes().await.map(Some).map_err(|error| self.failed(&error)),
            None => Ok(None),
        }
    }

    async fn put(&self, root: &Root, bytes: Bytes, _limits: &Limits) -> Result<(), StoreError> {
        let payload = PutPayload::from_bytes(bytes);
        self.files.put(&Path::from(key(root)), payload).await.map(drop).map_err(|error| self.failed(&error))
    }

    async fn has(&self, root: &Root, _limits: &Limits) -> Result<bool, StoreError> {
        match self.files.head(&Path::from(key(root))).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn is_local(&self) -> bool {
        true
    }

    fn file(&self, root: &Root) -> Option<PathBuf> {
        let path = self.path.join(key(root));
        path.is_file().then_some(path)
    }

    fn url(&self) -> &str {
        &self.url
    }
}
