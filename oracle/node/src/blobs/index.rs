//! Which blobs lie in the store's folders, in the order in which they were used.

use std::collections::{BTreeMap, HashMap};

use provena_client::store::Root;

use super::class::{Class, Quotas};

/// The least that a blob counts: a file costs the disk a block and an inode, and this index some 200 bytes of memory.
const LEAST_CHARGE: u64 = 16 << 10;

/// The most blobs that a quota holds, however large it is and however small they are.
const MOST_BLOBS: u64 = 1 << 16;

/// What a disk gives out at a time.
const BLOCK: u64 = 4 << 10;

/// The wallet that an upload or an input is kept for; zeros where that is not known any more.
pub(super) type Holder = [u8; 32];

/// What a blob of `len` bytes counts against a quota.
const fn charge(len: u64, quota: u64) -> u64 {
    let least = if quota / MOST_BLOBS > LEAST_CHARGE { quota / MOST_BLOBS } else { LEAST_CHARGE };
    let len = if len < least { least } else { len };
    len.div_ceil(BLOCK).saturating_mul(BLOCK)
}

struct Entry {
    len: u64,
    /// The moment of the last use.
    turn: u64,
    holder: Holder,
}

/// The index. It changes no file.
pub(super) struct Index {
    quotas: Quotas,
    entries: HashMap<(Class, Root), Entry>,
    /// Of each class, the least recently used first.
    order: BTreeMap<(Class, u64), Root>,
    used: HashMap<Class, u64>,
    reserved: HashMap<Class, u64>,
    /// What is reserved and not on the disk yet.
    unwritten: u64,
    /// What each wallet's uploads and inputs count.
    holders: HashMap<(Class, Holder), u64>,
    /// What is reserved for answers to each payer.
    payers: HashMap<Holder, u64>,
    pins: HashMap<Root, usize>,
    turn: u64,
}

impl Index {
    pub(super) fn new(quotas: Quotas) -> Self {
        Self {
            quotas,
            entries: HashMap::new(),
            order: BTreeMap::new(),
            used: HashMap::new(),
            reserved: HashMap::new(),
            unwritten: 0,
            holders: HashMap::new(),
            payers: HashMap::new(),
            pins: HashMap::new(),
            turn: 0,
        }
    }

    pub(super) fn quotas(&self) -> &Quotas {
        &self.quotas
    }

    /// What a blob of a class counts.
    pub(super) const fn charge(&self, class: Class, len: u64) -> u64 {
        charge(len, self.quotas.of(class))
    }

    /// Adds a blob, or replaces what is said of it.
    pub(super) fn insert(&mut self, class: Class, root: Root, len: u64, holder: Holder) {
        self.remove(class, &root);
        self.turn += 1;
        self.entries.insert((class, root), Entry { len, turn: self.turn, holder });
        self.order.insert((class, self.turn), root);
        let charge = self.charge(class, len);
        *self.used.entry(class).or_default() += charge;
        if class.is_strangers() {
            *self.holders.entry((class, holder)).or_default() += charge;
        }
    }

    /// Forgets a blob; says whether it was known.
    pub(super) fn remove(&mut self, class: Class, root: &Root) -> bool {
        let Some(entry) = self.entries.remove(&(class, *root)) else { return false };
        self.order.remove(&(class, entry.turn));
        let charge = self.charge(class, entry.len);
        take(&mut self.used, &class, charge);
        if class.is_strangers() {
            take(&mut self.holders, &(class, entry.holder), charge);
        }
        true
    }

    /// The first of `classes` in which the blob lies, and its length. It counts as used now.
    pub(super) fn find(&mut self, root: &Root, classes: &[Class]) -> Option<(Class, u64)> {
        let class = *classes.iter().find(|class| self.entries.contains_key(&(**class, *root)))?;
        let entry = self.entries.get_mut(&(class, *root))?;
        self.order.remove(&(class, entry.turn));
        self.turn += 1;
        entry.turn = self.turn;
        self.order.insert((class, self.turn), *root);
        Some((class, entry.len))
    }

    /// The wallet that a blob is kept for.
    pub(super) fn holder(&self, class: Class, root: &Root) -> Option<Holder> {
        self.entries.get(&(class, *root)).map(|entry| entry.holder)
    }

    /// Whether one of `classes` has the blob.
    pub(super) fn has(&self, root: &Root, classes: &[Class]) -> bool {
        classes.iter().any(|class| self.entries.contains_key(&(*class, *root)))
    }

    pub(super) fn pin(&mut self, root: &Root) {
        *self.pins.entry(*root).or_default() += 1;
    }

    pub(super) fn unpin(&mut self, root: &Root) {
        if let Some(pins) = self.pins.get_mut(root) {
            *pins -= 1;
            if *pins == 0 {
                self.pins.remove(root);
            }
        }
    }

    pub(super) fn reserve(&mut self, class: Class, charge: u64) {
        *self.reserved.entry(class).or_default() += charge;
        self.unwritten += charge;
    }

    /// Ends a reservation of which `unwritten` bytes did not reach the disk.
    pub(super) fn give_back(&mut self, class: Class, charge: u64, unwritten: u64) {
        take(&mut self.reserved, &class, charge);
        self.written(unwritten);
    }

    /// Reserves room for an answer in a payer's name, if he has not half of all of it already: one who asks for much leaves
    /// room for others.
    pub(super) fn reserve_for(&mut self, payer: Holder, charge: u64) -> bool {
        let quota = self.quotas.of(Class::Sealed);
        let held = self.payers.entry(payer).or_default();
        let fits = held.saturating_add(charge) <= quota / 2;
        *held += if fits { charge } else { 0 };
        take(&mut self.payers, &payer, 0);
        fits
    }

    /// Ends that.
    pub(super) fn give_back_for(&mut self, payer: &Holder, charge: u64) {
        take(&mut self.payers, payer, charge);
    }

    /// Bytes of a reservation are on the disk, which counts them itself.
    pub(super) fn written(&mut self, bytes: u64) {
        self.unwritten = self.unwritten.saturating_sub(bytes);
    }

    /// Bytes of a reservation are on the disk no more.
    pub(super) fn unwritten_again(&mut self, bytes: u64) {
        self.unwritten += bytes;
    }

    /// What a class's blobs count.
    pub(super) fn used(&self, class: Class) -> u64 {
        self.used.get(&class).copied().unwrap_or(0)
    }

    /// What is reserved for a class.
    pub(super) fn reserved(&self, class: Class) -> u64 {
        self.reserved.get(&class).copied().unwrap_or(0)
    }

    /// What is reserved for all classes and not written yet.
    pub(super) fn unwritten(&self) -> u64 {
        self.unwritten
    }

    /// Whether so much of a class may arrive at the same time. Of what strangers bring half the room is for what has
    /// arrived, so that nobody pushes it out by beginning to send.
    pub(super) fn may_arrive(&self, class: Class, charge: u64) -> bool {
        !class.is_strangers() || self.reserved(class).saturating_add(charge) <= self.quotas.of(class) / 2
    }

    /// How many bytes `charge` more would be over the quota of a class.
    pub(super) fn over_quota(&self, class: Class, charge: u64) -> u64 {
        let taken: u64 = class.group().iter().map(|class| self.used(*class) + self.reserved(*class)).sum();
        taken.saturating_add(charge).saturating_sub(self.quotas.of(class))
    }

    /// What evicting everything in `classes` that is not pinned would give.
    pub(super) fn evictable(&self, classes: &[Class]) -> u64 {
        let used: u64 = classes.iter().map(|class| self.used(*class)).sum();
        let pinned = self.pins.keys().flat_map(|root| classes.iter().map(move |class| (*class, *root)));
        let charge = |(class, root)| Some(self.charge(class, self.entries.get(&(class, root))?.len));
        let pinned: u64 = pinned.filter_map(charge).sum();
        used.saturating_sub(pinned)
    }

    /// The next blob to evict from `classes`: the least recently used of the first class that has one. Among what strangers
    /// brought it is one of the wallet's that holds most, so that whoever floods the store floods out his own.
    pub(super) fn victim(&self, classes: &[Class]) -> Option<(Class, Root)> {
        classes.iter().find_map(|class| {
            let oldest = self.order.range((*class, 0)..=(*class, u64::MAX)).map(|(_, root)| *root);
            let mut free = oldest.filter(|root| !self.pins.contains_key(root));
            let first = free.next()?;
            if !class.is_strangers() {
                return Some((*class, first));
            }
            let of_class = self.holders.iter().filter(|((of, _), _)| of == class);
            let largest = of_class.max_by_key(|(_, bytes)| **bytes).map(|((_, holder), _)| *holder);
            let of_largest = std::iter::once(first).chain(free).find(|root| self.holder(*class, root) == largest);
            Some((*class, of_largest.unwrap_or(first)))
        })
    }
}

/// Takes an amount off a counter, which disappears with the last of it.
fn take<K: std::hash::Hash + Eq>(counters: &mut HashMap<K, u64>, key: &K, amount: u64) {
    if let Some(counter) = counters.get_mut(key) {
        *counter = counter.saturating_sub(amount);
        if *counter == 0 {
            counters.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: Holder = [0; 32];

    fn index() -> Index {
        Index::new(Quotas { artifacts: 1 << 20, inputs: 64 << 10, uploads: 64 << 10, answers: 64 << 10, keep_free: 0 })
    }

    #[test]
    fn what_was_used_least_recently_goes_first_and_what_is_pinned_never() {
        let mut index = index();
        for name in 1..=3 {
            index.insert(Class::Input, [name; 32], 1, NOBODY);
        }
        assert_eq!(index.find(&[1; 32], &[Class::Upload, Class::Input]), Some((Class::Input, 1)));
        assert_eq!(index.victim(&[Class::Upload, Class::Input]), Some((Class::Input, [2; 32])));
        index.pin(&[2; 32]);
        index.pin(&[2; 32]);
        index.unpin(&[2; 32]);
        assert_eq!(index.victim(&[Class::Input]), Some((Class::Input, [3; 32])));
        assert_eq!(index.evictable(&[Class::Input]), 32 << 10);
        index.unpin(&[2; 32]);
        assert_eq!(index.victim(&[Class::Input]), Some((Class::Input, [2; 32])));
    }

    #[test]
    fn many_small_blobs_count_as_much_as_few_large_ones() {
        let mut index = index();
        for name in 0..4 {
            assert_eq!(index.over_quota(Class::Input, index.charge(Class::Input, 1)), 0);
            index.insert(Class::Input, [name; 32], 1, NOBODY);
        }
        assert_eq!(index.over_quota(Class::Input, index.charge(Class::Input, 1)), 16 << 10);
        assert!(index.remove(Class::Input, &[2; 32]));
        assert!(!index.remove(Class::Input, &[2; 32]));
        assert_eq!(
            (index.used(Class::Input), index.over_quota(Class::Input, index.charge(Class::Input, 1))),
            (48 << 10, 0)
        );
        index.reserve(Class::Input, 20 << 10);
        assert_eq!((index.over_quota(Class::Input, 0), index.unwritten()), (4 << 10, 20 << 10));
        assert!(index.may_arrive(Class::Input, 12 << 10) && !index.may_arrive(Class::Input, 13 << 10));
        assert!(index.may_arrive(Class::Artifact, 13 << 10));
        index.written(15 << 10);
        assert_eq!(index.unwritten(), 5 << 10);
        index.give_back(Class::Input, index.charge(Class::Input, 17 << 10), 5 << 10);
        assert_eq!((index.unwritten(), index.reserved(Class::Input)), (0, 0));
    }

    #[test]
    fn a_large_quota_holds_no_more_blobs_than_memory_bears() {
        let quotas =
            Quotas { artifacts: 64 << 30, inputs: 2 << 30, uploads: 256 << 20, answers: 2 << 30, keep_free: 0 };
        let index = Index::new(quotas);
        for class in Class::ALL {
            let most = quotas.of(class) / index.charge(class, 1);
            assert!(most <= MOST_BLOBS, "{most} of {class}");
        }
        assert_eq!(index.charge(Class::Upload, 1), 16 << 10);
        assert_eq!(index.charge(Class::Answer, 1), 32 << 10);
        assert_eq!(index.charge(Class::Answer, 33 << 10), 36 << 10);
    }

    #[test]
    fn who_floods_the_uploads_floods_out_his_own() {
        let mut index = index();
        let (honest, flood) = ([1; 32], [2; 32]);
        index.insert(Class::Upload, [10; 32], 1, honest);
        for name in 20..30 {
            index.insert(Class::Upload, [name; 32], 1, flood);
        }
        for name in 20..29 {
            assert_eq!(index.victim(&[Class::Upload]), Some((Class::Upload, [name; 32])));
            index.remove(Class::Upload, &[name; 32]);
        }
        assert!(index.has(&[10; 32], &[Class::Upload]));
    }

    #[test]
    fn sealed_and_published_answers_share_their_room() {
        let mut index = index();
        index.insert(Class::Sealed, [1; 32], 40 << 10, NOBODY);
        index.insert(Class::Answer, [1; 32], 24 << 10, NOBODY);
        assert_eq!(index.over_quota(Class::Sealed, index.charge(Class::Sealed, 1)), 16 << 10);
        assert_eq!(index.victim(Class::Sealed.group()), Some((Class::Answer, [1; 32])));
    }
}
