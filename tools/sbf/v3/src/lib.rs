//! Transactions recorded by the main workspace's tests, to be repeated on another virtual machine.

pub mod vector;

use std::io::{self, Read};

use vector::Vector;

/// Reads the next vector, or nothing at the end.
///
/// # Errors
/// Whatever reading fails with, and a vector that is cut off.
pub fn read(from: &mut impl Read) -> io::Result<Option<Vector>> {
    let mut length = [0; 4];
    if from.read(&mut length[..1])? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut length[1..])?;
    let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
    from.read_exact(&mut bytes)?;
    borsh::from_slice(&bytes).map(Some)
}
