//! What was measured to be quickest on this device, kept on disk between processes.
//!
//! Which tile a matrix product takes cannot change an answer, so two machines may choose differently. Measuring takes
//! at most [`BUDGET`] for each opened device, compiling included; what was not reached takes the usual tile, and the next
//! process goes on from there. A tile is kept only if it gave the same sums as the usual one, which the self test has
//! checked; another sum is an error, because then the driver has a fault. `autotune` in `PROVENA_GPU_DISABLE` turns it off.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::disk;
use crate::kernels::{Shape, Tile};

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
    /// The quickest tile for each shape that was measured.
    pub tiles: HashMap<Shape, Tile>,
    /// What is left of [`BUDGET`].
    pub left: Duration,
}

/// One line of the file.
#[derive(Serialize, Deserialize)]
struct Line {
    shape: Shape,
    tile: Tile,
}

impl Autotune {
    /// With what earlier processes found, if there is a file.
    pub(super) fn new(file: Option<PathBuf>, enabled: bool) -> Self {
        let read = file.as_deref().filter(|_| enabled).and_then(disk::read);
        let lines: Vec<Line> = read.and_then(|data| serde_json::from_slice(&data).ok()).unwrap_or_default();
        let tiles = lines.into_iter().map(|line| (line.shape, line.tile)).collect();
        let left = if enabled { BUDGET } else { Duration::ZERO };
        Self { file, chosen: Mutex::new(Chosen { tiles, left }) }
    }

    /// The choices; while they are held nobody else measures on this device.
    pub fn chosen(&self) -> MutexGuard<'_, Chosen> {
        self.chosen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the choices for the next process.
    pub fn save(&self, chosen: &Chosen) {
        let line = |(&shape, &tile): (&Shape, &Tile)| Line { shape, tile };
        let mut lines: Vec<Line> = chosen.tiles.iter().map(line).collect();
        lines.sort_by_key(|line| line.shape);
        if let Some(file) = &self.file
            && let Ok(data) = serde_json::to_vec(&lines)
        {
            disk::write(file, &data);
        }
    }
}
