//! Memory for a plan's buffers, used again by the next operations and the next plans.

use crate::{
    plan::{Buffer, Element},
    values::Values,
};

/// Vectors that nobody uses at the moment.
#[derive(Default)]
pub(super) struct Arena {
    bytes: Vec<Vec<i8>>,
    signed: Vec<Vec<i32>>,
    unsigned: Vec<Vec<u32>>,
}

impl Arena {
    /// Values in the shape of `buffer`; what they are does not matter, because every operation writes all of its
    /// buffers.
    pub(super) fn take(&mut self, buffer: &Buffer) -> Values {
        match buffer.element {
            Element::I8 | Element::Split => Values::I8(take(&mut self.bytes, buffer.len())),
            Element::I32 => Values::I32(take(&mut self.signed, buffer.len())),
            Element::U32 => Values::U32(take(&mut self.unsigned, buffer.len())),
        }
    }

    /// Keeps the memory of values that nobody reads any more.
    pub(super) fn put(&mut self, values: Values) {
        match values {
            Values::I8(v) if v.capacity() != 0 => self.bytes.push(v),
            Values::I32(v) if v.capacity() != 0 => self.signed.push(v),
            Values::U32(v) if v.capacity() != 0 => self.unsigned.push(v),
            _ => (),
        }
    }
}

/// The smallest vector that is large enough. Where none is, the largest makes room for a new one, so that there are never
/// more than were in use at the same time.
fn take<T: Copy + Default>(free: &mut Vec<Vec<T>>, len: usize) -> Vec<T> {
    let fitting = (0..free.len()).filter(|i| free[*i].capacity() >= len).min_by_key(|i| free[*i].capacity());
    let Some(at) = fitting else {
        if let Some(largest) = (0..free.len()).max_by_key(|i| free[*i].capacity()) {
            free.swap_remove(largest);
        }
        return vec![T::default(); len];
    };
    let mut values = free.swap_remove(at);
    values.resize(len, T::default());
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_and_does_not_pile_up() {
        let mut arena = Arena::default();
        let shape = |cols| Buffer { name: String::new(), element: Element::I32, rows: 1, cols };
        let (small, large) = (arena.take(&shape(10)), arena.take(&shape(1_000)));
        let at = large.as_i32().as_ptr();
        arena.put(small);
        arena.put(large);
        let again = arena.take(&shape(500));
        assert_eq!((again.as_i32().as_ptr(), again.as_i32().len()), (at, 500));
        arena.put(again);
        for cols in 2_000..2_050 {
            let values = arena.take(&shape(cols));
            assert!(values.fits(&shape(cols)));
            arena.put(values);
        }
        assert!(arena.signed.len() <= 2);
    }
}
