//! The accounts of the key-value cache against what the pages really hold.

use std::collections::{HashMap, HashSet};

use provena_engine::generate::kv_cache::{Chain, KvCache, PAGE};

/// One sequence: its tokens, how many are in the cache, its pages.
#[derive(Default)]
struct Held {
    tokens: Vec<u32>,
    computed: usize,
    chain: Chain,
}

/// A cache with what its pages hold.
struct Checked {
    cache: KvCache,
    pages: usize,
    held: Vec<Held>,
    /// The tokens from the sequence's first on that each page was written for.
    written: HashMap<u32, Vec<u32>>,
    adopted: usize,
}

impl Checked {
    fn new(pages: usize, sharing: bool) -> Self {
        let cache = KvCache::new(pages, sharing);
        Self { cache, pages, held: vec![], written: HashMap::new(), adopted: 0 }
    }

    fn begin(&mut self, tokens: Vec<u32>) {
        let mut held = Held { tokens, ..Held::default() };
        held.computed = self.cache.adopt(&mut held.chain, &held.tokens);
        assert!(held.computed < held.tokens.len(), "nothing is left to compute");
        self.adopted += held.computed;
        self.held.push(held);
    }

    /// Computes up to `count` more tokens of a sequence; gives false when there is no room.
    fn compute(&mut self, at: usize, count: usize) -> bool {
        let held = &mut self.held[at];
        let end = (held.computed + count).min(held.tokens.len());
        if !self.cache.grow(&mut held.chain, end) {
            return false;
        }
        for (i, page) in held.chain.pages().iter().enumerate() {
            if (i + 1) * PAGE > held.computed && i * PAGE < end {
                self.written.insert(*page, held.tokens[..((i + 1) * PAGE).min(end)].to_vec());
            }
        }
        held.computed = end;
        self.cache.written(&mut held.chain, &held.tokens[..end]);
        true
    }

    fn release(&mut self, at: usize) {
        let held = self.held.swap_remove(at);
        self.cache.release(held.chain);
    }

    /// Every page is held for what it holds, and none is lost.
    fn check(&self) {
        let mut holders: HashMap<u32, usize> = HashMap::new();
        for held in &self.held {
            let mut own = HashSet::new();
            for (i, page) in held.chain.pages().iter().enumerate() {
                assert!(*page != 0 && (*page as usize) < self.pages && own.insert(*page), "page {page}");
                *holders.entry(*page).or_default() += 1;
                let end = ((i + 1) * PAGE).min(held.computed);
                if i * PAGE < end {
                    assert_eq!(self.written[page], held.tokens[..end], "page {page}");
                }
            }
        }
        for held in &self.held {
            for (i, page) in held.chain.pages().iter().enumerate() {
                assert!(holders[page] == 1 || (i + 1) * PAGE <= held.computed, "page {page} is shared half full");
            }
        }
        assert_eq!(self.cache.available() + holders.len(), self.pages - 1);
    }
}

/// Tokens that often begin like others: whole pages of one of two tokens, and a few that differ.
fn tokens(random: &mut fastrand::Rng) -> Vec<u32> {
    let mut tokens = vec![];
    for _ in 0..random.usize(..4) {
        tokens.extend([random.u32(..2); PAGE]);
    }
    tokens.extend((0..random.usize(1..20)).map(|_| random.u32(..2)));
    tokens
}

#[test]
fn no_page_is_lost_used_twice_or_held_for_what_it_does_not_hold() {
    let mut adopted = 0;
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut checked = Checked::new(random.usize(2..24), seed % 4 != 0);
        for _ in 0..300 {
            match random.u32(..10) {
                0 | 1 => checked.begin(tokens(&mut random)),
                2 if !checked.held.is_empty() => checked.release(random.usize(..checked.held.len())),
                3 if !checked.held.is_empty() => {
                    // Generates a token.
                    let at = random.usize(..checked.held.len());
                    if checked.held[at].computed == checked.held[at].tokens.len() {
                        checked.held[at].tokens.push(random.u32(..2));
                    }
                }
                _ if !checked.held.is_empty() => {
                    let at = random.usize(..checked.held.len());
                    if !checked.compute(at, random.usize(1..40)) {
                        checked.release(at);
                    }
                }
                _ => {}
            }
            checked.check();
        }
        adopted += checked.adopted;
        assert!(seed % 4 != 0 || checked.adopted == 0, "seed {seed}");
        while !checked.held.is_empty() {
            checked.release(0);
            checked.check();
        }
        assert_eq!(checked.cache.available(), checked.pages - 1);
    }
    assert!(adopted > 10_000, "{adopted} tokens were shared");
}

#[test]
fn sequences_that_begin_alike_share_their_full_pages() {
    let mut checked = Checked::new(10, true);
    let tokens: Vec<u32> = (0..40).collect();
    checked.begin(tokens.clone());
    assert!(checked.compute(0, 40));
    assert_eq!(checked.cache.available(), 6);
    // Two full pages are shared, the third is not.
    let longer = [tokens.as_slice(), &[40; 10]].concat();
    checked.begin(longer);
    assert_eq!(checked.held[1].computed, 2 * PAGE);
    assert!(checked.compute(1, 50));
    checked.check();
    assert_eq!(checked.cache.available(), 4);
    // Another second page.
    let mut other = tokens.clone();
    other[20] = 99;
    checked.begin(other);
    assert_eq!(checked.held[2].computed, PAGE);
    // What is asked for again is still known after everybody has gone; the last token is always computed.
    for _ in 0..3 {
        checked.release(0);
    }
    assert_eq!((checked.cache.available(), checked.cache.remembered()), (9, 3));
    checked.begin(tokens[..2 * PAGE].to_vec());
    assert_eq!(checked.held[0].computed, PAGE);
}

#[test]
fn the_pages_unused_for_longest_make_room() {
    let mut checked = Checked::new(5, true);
    for first in [1, 2] {
        checked.begin(vec![first; 33]);
        assert!(checked.compute(0, 32));
        checked.release(0);
    }
    assert_eq!(checked.cache.remembered(), 4);
    checked.begin(vec![3; 40]);
    assert!(checked.compute(0, 20));
    checked.check();
    checked.release(0);
    for (first, known) in [(1, 0), (2, 2 * PAGE)] {
        checked.begin(vec![first; 33]);
        assert_eq!(checked.held[0].computed, known, "{first}");
        checked.release(0);
    }
}

#[test]
fn what_is_computed_twice_at_once_is_kept_once() {
    let mut checked = Checked::new(10, true);
    checked.begin(vec![7; 40]);
    checked.begin(vec![7; 40]);
    assert!(checked.compute(0, 40) && checked.compute(1, 40));
    checked.check();
    assert_eq!(checked.held[0].chain.pages()[..2], checked.held[1].chain.pages()[..2]);
    assert_eq!(checked.cache.available(), 9 - 4);
}

#[test]
fn nothing_is_shared_where_sharing_is_off_or_the_pages_were_lost() {
    let mut checked = Checked::new(10, false);
    checked.begin(vec![7; 40]);
    assert!(checked.compute(0, 40));
    checked.begin(vec![7; 40]);
    assert_eq!(checked.held[1].computed, 0);
    let mut checked = Checked::new(10, true);
    checked.begin(vec![7; 40]);
    assert!(checked.compute(0, 40));
    checked.release(0);
    checked.cache.forget();
    assert_eq!((checked.cache.available(), checked.cache.remembered()), (9, 0));
    checked.begin(vec![7; 40]);
    assert_eq!(checked.held[0].computed, 0);
}

#[test]
fn a_full_cache_gives_nothing_and_keeps_what_it_gave() {
    let mut cache = KvCache::new(3, true);
    assert_eq!((cache.room(), cache.available()), (2 * PAGE, 2));
    let mut chain = Chain::default();
    assert!(!cache.grow(&mut chain, 3 * PAGE));
    assert_eq!((chain.pages().len(), cache.available()), (2, 0));
    assert_eq!(chain.slot(17), chain.pages()[1] * 16 + 1);
    cache.release(chain);
    assert_eq!(cache.available(), 2);
}
