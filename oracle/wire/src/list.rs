//! Lists that strangers sent: an item costs memory that its bytes do not, and the least item is four bytes.

use std::io::{Error, ErrorKind, Read, Result};

use borsh::BorshDeserialize;

/// The most items in one list of a request or a response: pictures, texts, messages, vectors. The longest request holds no
/// more digits than that.
pub const MAX_ITEMS: usize = 1 << 18;

/// Items that are made room for before the first one is there.
const AT_FIRST: usize = 64;

/// A list of at most [`MAX_ITEMS`] items, whose number is looked at before anything is kept.
pub(crate) fn few<T: BorshDeserialize, R: Read>(reader: &mut R) -> Result<Vec<T>> {
    let announced = u32::deserialize_reader(reader)? as usize;
    if announced > MAX_ITEMS {
        return Err(Error::new(ErrorKind::InvalidData, format!("{announced} items are more than {MAX_ITEMS}")));
    }
    let mut items = Vec::with_capacity(announced.min(AT_FIRST));
    for _ in 0..announced {
        items.push(T::deserialize_reader(reader)?);
    }
    Ok(items)
}
