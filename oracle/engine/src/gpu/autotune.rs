//! What was measured to be quickest on this device, kept on disk between processes.
//!
//! Which tile a matrix product takes, and whether the normalisation before it is in its kernel, cannot change an answer,
//! so two machines may choose differently. Measuring takes at most [`BUDGET`] for each opened device, compiling included;
//! what was not reached takes what is usual, and the next process goes on from there. A choice is kept only if it gave
//! the same outputs as the usual one, which the self test has checked; others are an error, because then the driver has a
//! fault. `autotune` in `PROVENA_GPU_DISABLE` turns it off.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::disk;
use crate::kernels::{Chain, Choices, Shape, Tile};

/// How long one device's measurements may take in all.
pub const BUDGET: Duration = Duration::from_secs(3);

/// The choices for one device.
#[derive(Debug)]
pub struct Autotune {
    file: Option<PathBuf>,
    chosen: Mutex<Chosen>,
}

/// The choices, and how long measuring may go on.
#[derive(Debug, Default)]
pub struct Chosen {
    /// What was quickest, for everything that was measured.
    pub quickest: Choices,
    /// What is left of [`BUDGET`].
    pub left: Duration,
}

/// What is in the file.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    tiles: Vec<(Shape, Tile)>,
    chains: Vec<(Chain, Option<Tile>)>,
}

impl Autotune {
    /// With what earlier processes found, if there is a file.
    pub(super) fn new(file: Option<PathBuf>, enabled: bool) -> Self {
        let read = file.as_deref().filter(|_| enabled).and_then(disk::read);
        let kept: Kept = read.and_then(|data| serde_json::from_slice(&data).ok()).unwrap_or_default();
        let quickest = Choices { tiles: kept.tiles.into_iter().collect(), chains: kept.chains.into_iter().collect() };
        let left = if enabled { BUDGET } else { Duration::ZERO };
        Self { file, chosen: Mutex::new(Chosen { quickest, left }) }
    }

    /// The choices; while they are held nobody else measures on this device.
    pub fn chosen(&self) -> MutexGuard<'_, Chosen> {
        self.chosen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the choices for the next process.
    pub fn save(&self, chosen: &Chosen) {
        let Choices { tiles, chains } = &chosen.quickest;
        let mut kept = Kept {
            tiles: tiles.iter().map(|(&shape, &tile)| (shape, tile)).collect(),
            chains: chains.iter().map(|(&chain, &tile)| (chain, tile)).collect(),
        };
        kept.tiles.sort_unstable();
        kept.chains.sort_unstable();
        if let Some(file) = &self.file
            && let Ok(data) = serde_json::to_vec(&kept)
        {
            disk::write(file, &data);
        }
    }
}
