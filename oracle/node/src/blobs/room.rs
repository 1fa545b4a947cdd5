//! Room: quotas, the disk's free bytes, and reservations, which are made before anything depends on them.

use std::sync::Arc;

use super::index::{Holder, Index};
use super::{Class, NoRoom, Own};

/// Room that nobody else gets. Dropping it gives it back.
pub struct Reservation {
    own: Arc<Own>,
    class: Class,
    charge: u64,
    /// Bytes that are on the disk.
    written: u64,
    /// Whose answer it is for.
    payer: Option<Holder>,
}

impl Reservation {
    /// Makes room for so many bytes more.
    pub(super) fn grow(&mut self, bytes: u64) -> Result<(), NoRoom> {
        let mut index = self.own.index();
        self.own.make_room(&mut index, self.class, bytes)?;
        index.reserve(self.class, bytes);
        self.charge += bytes;
        Ok(())
    }

    /// So many bytes are on the disk, which counts them itself.
    pub(super) fn wrote(&mut self, bytes: u64) {
        let bytes = bytes.min(self.charge - self.written);
        self.written += bytes;
        self.own.index().written(bytes);
    }

    /// Nothing is on the disk any more.
    pub(super) fn rewind(&mut self) {
        self.own.index().unwritten_again(self.written);
        self.written = 0;
    }

    /// Bytes that are reserved.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.charge
    }
}

impl std::fmt::Debug for Reservation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reservation({} bytes for {})", self.charge, self.class)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut index = self.own.index();
        index.give_back(self.class, self.charge, self.charge - self.written);
        if let Some(payer) = &self.payer {
            index.give_back_for(payer, self.charge);
        }
    }
}

impl Own {
    /// Reserves room for `bytes` of a class, for which others are evicted where that helps.
    pub(super) fn reserve(self: &Arc<Self>, class: Class, bytes: u64) -> Result<Reservation, NoRoom> {
        let mut index = self.index();
        let charge = index.charge(class, bytes);
        self.make_room(&mut index, class, charge)?;
        index.reserve(class, charge);
        Ok(Reservation { own: Arc::clone(self), class, charge, written: 0, payer: None })
    }

    /// As [`Own::reserve`], for an answer to `payer`.
    pub(super) fn reserve_for(self: &Arc<Self>, payer: Holder, bytes: u64) -> Result<Reservation, NoRoom> {
        let class = Class::Sealed;
        let mut index = self.index();
        let charge = index.charge(class, bytes);
        if !index.reserve_for(payer, charge) {
            return Err(NoRoom::Payer { needed: charge, quota: index.quotas().of(class) });
        }
        if let Err(full) = self.make_room(&mut index, class, charge) {
            index.give_back_for(&payer, charge);
            return Err(full);
        }
        index.reserve(class, charge);
        Ok(Reservation { own: Arc::clone(self), class, charge, written: 0, payer: Some(payer) })
    }

    /// Evicts until `charge` bytes of a class fit into its quota and onto the disk. Where even that does not help nothing is
    /// evicted.
    fn make_room(&self, index: &mut Index, class: Class, charge: u64) -> Result<(), NoRoom> {
        let quota = index.quotas().of(class);
        if !index.may_arrive(class, charge) {
            return Err(NoRoom::Busy { class });
        }
        let over = index.over_quota(class, charge);
        if over > 0 && over > index.evictable(class.group()) {
            return Err(NoRoom::Quota { class, needed: charge, quota });
        }
        while index.over_quota(class, charge) > 0 {
            self.evict(index, class.group()).ok_or(NoRoom::Quota { class, needed: charge, quota })?;
        }
        let mut evictable = None;
        loop {
            let (free, keep_free) = (self.free()?, index.quotas().keep_free);
            let reserved = index.unwritten();
            let short = keep_free.saturating_add(reserved).saturating_add(charge).saturating_sub(free);
            if short == 0 {
                return Ok(());
            }
            let full = NoRoom::Disk { needed: charge, free, reserved, keep_free };
            let rest = *evictable.get_or_insert_with(|| index.evictable(class.yielding()));
            if rest < short {
                return Err(full);
            }
            let before = index.evictable(class.yielding());
            self.evict(index, class.yielding()).ok_or(full)?;
            let freed = before.saturating_sub(index.evictable(class.yielding()));
            evictable = Some(rest.saturating_sub(freed));
        }
    }

    /// Removes the next blob of `classes` that may go.
    fn evict(&self, index: &mut Index, classes: &[Class]) -> Option<()> {
        let (class, root) = index.victim(classes)?;
        self.discard(index, class, &root);
        tracing::debug!(%class, root = hex::encode(root), "evicted a blob");
        Some(())
    }

    /// Bytes that the disk has left.
    pub(super) fn free(&self) -> Result<u64, NoRoom> {
        fs4::available_space(&self.folder).map_err(|error| NoRoom::Failing(error.to_string()))
    }
}
