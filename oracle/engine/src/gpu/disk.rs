//! What a device's driver compiled and what was measured on it, on disk, so that a node's second start is quicker.
//!
//! One file of each per adapter, driver and text of the kernels in `places::cache()/gpu`: a checksum of 32 bytes, then
//! the data. A file that is missing, cut short, damaged or another driver's is as if there were none.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::{kernels::source, places};

/// Bytes of the checksum.
const SUM: usize = 32;
/// The longest file that is read: no driver's kernels of ours come near.
const MAX_LEN: u64 = 256 << 20;

/// The file of compiled kernels; `None` where there is no home, or the API keeps no such data.
pub(super) fn pipelines(info: &wgpu::AdapterInfo) -> Option<PathBuf> {
    path(info, &wgpu::util::pipeline_cache_key(info)?)
}

/// The file of measured tiles; `None` where there is no home.
pub(super) fn tiles(info: &wgpu::AdapterInfo) -> Option<PathBuf> {
    path(info, "tiles")
}

fn path(info: &wgpu::AdapterInfo, key: &str) -> Option<PathBuf> {
    let driver = format!("{:?} {} {} {}", info.backend, info.name, info.driver, info.driver_info);
    let sum = Sha256::digest(driver);
    let driver: String = sum[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let name = format!("{key}-{driver}-{}.bin", source::digest());
    Some(places::cache()?.join("gpu").join(name))
}

/// What was written by [`write()`]; `None` for anything else.
pub(super) fn read(path: &Path) -> Option<Vec<u8>> {
    if std::fs::metadata(path).ok()?.len() > MAX_LEN {
        return None;
    }
    let all = std::fs::read(path).ok()?;
    let (sum, data) = all.split_at_checked(SUM)?;
    (Sha256::digest(data).as_slice() == sum).then(|| data.to_vec())
}

/// Writes the file whole or not at all. Nothing depends on it, so nobody hears of a full disk.
pub(super) fn write(path: &Path, data: &[u8]) -> Option<()> {
    let folder = path.parent()?;
    std::fs::create_dir_all(folder).ok()?;
    // Two processes may write at once: each has a file of its own until it is complete.
    let partial = path.with_extension(format!("{}.partial", std::process::id()));
    let mut all = Sha256::digest(data).to_vec();
    all.extend_from_slice(data);
    let written = std::fs::write(&partial, all).and_then(|()| std::fs::rename(&partial, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&partial);
    }
    written.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_kernels_have_another_file() {
        let digest = source::digest();
        assert_eq!(digest.len(), 16);
        let path = path(&wgpu::AdapterInfo::new(wgpu::DeviceType::Cpu, wgpu::Backend::Vulkan), "tiles");
        assert!(path.is_none_or(|path| path.to_string_lossy().ends_with(&format!("-{digest}.bin"))));
    }

    #[test]
    fn a_damaged_file_is_as_if_there_were_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/cache.bin");
        assert_eq!(read(&path), None);
        write(&path, b"compiled").unwrap();
        assert_eq!(read(&path).unwrap(), b"compiled");
        let good = std::fs::read(&path).unwrap();
        for len in [0, SUM - 1, good.len() - 1] {
            std::fs::write(&path, &good[..len]).unwrap();
            assert_eq!(read(&path), None, "{len} bytes");
        }
        let mut flipped = good;
        flipped[SUM + 2] ^= 1;
        std::fs::write(&path, &flipped).unwrap();
        assert_eq!(read(&path), None);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
