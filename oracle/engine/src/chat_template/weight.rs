//! What values that a template keeps weigh in bytes, and how much they may.

use std::sync::atomic::{AtomicU64, Ordering};

use minijinja::{Error as Failure, ErrorKind, Value, value::ValueKind};

/// What an element weighs besides its text.
const ELEMENT: u64 = 32;
/// How deep lists may lie in lists.
pub(super) const MAX_DEPTH: usize = 16;

/// Fails because something has more bytes than it may.
pub(super) fn too_large(what: &str, most: u64) -> Failure {
    Failure::new(ErrorKind::InvalidOperation, format!("{what} more than {most} bytes"))
}

/// Bytes that may be spent in all.
pub(super) struct Budget {
    what: &'static str,
    most: u64,
    spent: AtomicU64,
}

impl Budget {
    /// A budget; `what` is what a template does that spends it.
    pub(super) fn new(what: &'static str, most: u64) -> Self {
        Self { what, most, spent: AtomicU64::new(0) }
    }

    /// Spends some.
    ///
    /// # Errors
    /// When that is more than is left.
    pub(super) fn spend(&self, bytes: u64) -> Result<(), Failure> {
        let spent = self.spent.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if spent > self.most { Err(too_large(self.what, self.most)) } else { Ok(()) }
    }
}

/// A namespace can be changed, so it must not become a part of anything: that might be itself.
pub(super) fn is_namespace(value: &Value) -> bool {
    value.as_object().is_some_and(|object| object.type_name().ends_with("Namespace"))
}

/// A macro holds all that it can name.
pub(super) fn is_macro(value: &Value) -> bool {
    value.as_object().is_some_and(|object| object.type_name().ends_with("Macro"))
}

/// What a value weighs with all its parts.
///
/// # Errors
/// When that is more than `most`, when lists lie too deep, or when a part is neither text, number, list nor map.
pub(super) fn weigh(value: &Value, most: u64) -> Result<u64, Failure> {
    let mut scale = Scale { most, left: most };
    scale.take(value, MAX_DEPTH)?;
    Ok(most - scale.left)
}

struct Scale {
    most: u64,
    left: u64,
}

impl Scale {
    /// Takes the weight of a value and of all its parts from what is left.
    fn take(&mut self, value: &Value, depth: usize) -> Result<(), Failure> {
        let weight = ELEMENT + value.as_str().map_or(0, str::len) as u64;
        self.left = self.left.checked_sub(weight).ok_or_else(|| too_large("keeps a value of", self.most))?;
        let refused = |reason: &str| Err(Failure::new(ErrorKind::InvalidOperation, reason.to_owned()));
        match value.kind() {
            _ if is_namespace(value) => refused("a namespace cannot be a part of something"),
            _ if is_macro(value) => refused("a macro cannot be a part of something"),
            ValueKind::Plain => refused("only texts, numbers, lists and maps can be kept in something"),
            ValueKind::Seq | ValueKind::Iterable | ValueKind::Map if depth == 0 => {
                refused("lists lie too deep in lists")
            }
            ValueKind::Seq | ValueKind::Iterable => value.try_iter()?.try_for_each(|part| self.take(&part, depth - 1)),
            ValueKind::Map => value.try_iter()?.try_for_each(|key| {
                self.take(&key, depth - 1)?;
                self.take(&value.get_item(&key)?, depth - 1)
            }),
            _ => Ok(()),
        }
    }
}
