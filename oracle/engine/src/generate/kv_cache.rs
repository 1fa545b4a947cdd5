//! Which pages of the key-value cache belong to which sequence, and which of them can be shared.
//!
//! The cache has pages of [`PAGE`] slots; each slot holds the keys and values of one token in every layer. A sequence
//! holds a [`Chain`] of pages. A page that is full is known by its tokens and by the page before it, so that a sequence
//! that begins like another one holds the same pages, and computes less. Pages that nobody holds stay known until
//! their room is needed; those unused for longest go first. Page 0 is never given away: rows that only fill a plan up
//! write there.

use std::collections::{BTreeMap, HashMap};

pub use crate::models::llama::PAGE;

/// How a full page is known: by the page before it (0 for none) and its tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    before: u64,
    tokens: [u32; PAGE],
}

#[derive(Debug, Default)]
struct Page {
    /// Chains that hold it.
    holders: u32,
    /// What it holds, if that is known: its key, and a number that no other page ever had.
    known: Option<(Key, u64)>,
    /// Its place in the order of disuse, while nobody holds it and it is known.
    unused_since: u64,
}

/// The pages that one sequence holds, in order.
#[derive(Debug, Default)]
pub struct Chain {
    pages: Vec<u32>,
    /// How many of them, from the first, are full and known.
    known: usize,
    /// The number of the last known one; 0 for none.
    last: u64,
}

impl Chain {
    /// The pages, in the order of the sequence's tokens.
    pub fn pages(&self) -> &[u32] {
        &self.pages
    }

    /// The slot of the token at `position`.
    ///
    /// # Panics
    /// When the chain has no room for it.
    pub fn slot(&self, position: usize) -> u32 {
        self.pages[position / PAGE] * PAGE as u32 + (position % PAGE) as u32
    }
}

/// The accounts of the cache. The keys and values themselves are the decoder's state.
#[derive(Debug)]
pub struct KvCache {
    pages: Vec<Page>,
    /// Pages that hold nothing of use.
    free: Vec<u32>,
    /// Full pages by what they hold.
    known: HashMap<Key, u32>,
    /// Known pages that nobody holds, those unused for longest first.
    unused: BTreeMap<u64, u32>,
    sharing: bool,
    clock: u64,
}

impl KvCache {
    /// A cache of `pages` pages, page 0 included, which is never given away. Without `sharing` no page is ever known.
    pub fn new(pages: usize, sharing: bool) -> Self {
        Self {
            pages: (0..pages).map(|_| Page::default()).collect(),
            free: (1..pages as u32).rev().collect(),
            known: HashMap::new(),
            unused: BTreeMap::new(),
            sharing,
            clock: 0,
        }
    }

    /// Tokens that fit in all.
    pub fn room(&self) -> usize {
        self.pages.len().saturating_sub(1) * PAGE
    }

    /// Pages that could be given to somebody now.
    pub fn available(&self) -> usize {
        self.free.len() + self.unused.len()
    }

    /// Pages that nobody holds but that are known.
    pub fn remembered(&self) -> usize {
        self.unused.len()
    }

    /// Lengthens the chain by the known pages that hold what `tokens` go on with, as long as at least one token is left
    /// over. Only a chain that has no room beyond its known pages can be lengthened so. Gives the number of tokens whose
    /// keys and values the chain's known pages now hold.
    pub fn adopt(&mut self, chain: &mut Chain, tokens: &[u32]) -> usize {
        while chain.pages.len() == chain.known && (chain.known + 1) * PAGE < tokens.len() {
            let Some(&page) = self.known.get(&key(chain, tokens)) else { break };
            self.hold(page);
            chain.pages.push(page);
            chain.known += 1;
            chain.last = self.number(page);
        }
        chain.known * PAGE
    }

    /// Makes room in the chain for `tokens` tokens in all. Gives false when there is none; what the chain got by then it
    /// keeps.
    pub fn grow(&mut self, chain: &mut Chain, tokens: usize) -> bool {
        while chain.pages.len() * PAGE < tokens {
            let Some(page) = self.take() else { return false };
            self.pages[page as usize].holders = 1;
            chain.pages.push(page);
        }
        true
    }

    /// Takes note that the chain's pages now hold the keys and values of `tokens`, so that full pages can be shared. A
    /// page that turns out to hold what another one holds already is exchanged for that one.
    pub fn written(&mut self, chain: &mut Chain, tokens: &[u32]) {
        if !self.sharing {
            return;
        }
        while (chain.known + 1) * PAGE <= tokens.len() {
            let (at, key) = (chain.known, key(chain, tokens));
            let own = chain.pages[at];
            if let Some(&page) = self.known.get(&key) {
                self.hold(page);
                chain.pages[at] = page;
                self.pages[own as usize].holders = 0;
                self.free.push(own);
            } else {
                self.clock += 1;
                self.pages[own as usize].known = Some((key, self.clock));
                self.known.insert(key, own);
            }
            chain.known += 1;
            chain.last = self.number(chain.pages[at]);
        }
    }

    /// Gives the chain's pages back. Known ones are kept for others until their room is needed.
    pub fn release(&mut self, chain: Chain) {
        // From the end, so that a page never goes before those that follow it.
        for id in chain.pages.into_iter().rev() {
            let page = &mut self.pages[id as usize];
            page.holders -= 1;
            if page.holders > 0 {
                continue;
            }
            if page.known.is_some() {
                self.clock += 1;
                page.unused_since = self.clock;
                self.unused.insert(self.clock, id);
            } else {
                self.free.push(id);
            }
        }
    }

    /// Forgets what the pages hold, after the state was lost. Chains that are still held are to be released.
    pub fn forget(&mut self) {
        self.known.clear();
        for page in &mut self.pages {
            page.known = None;
        }
        self.free.extend(std::mem::take(&mut self.unused).into_values());
    }

    fn number(&self, page: u32) -> u64 {
        self.pages[page as usize].known.map_or(0, |(_, number)| number)
    }

    fn hold(&mut self, id: u32) {
        let page = &mut self.pages[id as usize];
        if page.holders == 0 {
            self.unused.remove(&page.unused_since);
        }
        page.holders += 1;
    }

    /// A page that nobody holds: one that holds nothing, else the known one unused for longest.
    fn take(&mut self) -> Option<u32> {
        if let Some(id) = self.free.pop() {
            return Some(id);
        }
        let (_, id) = self.unused.pop_first()?;
        if let Some((key, _)) = self.pages[id as usize].known.take() {
            self.known.remove(&key);
        }
        Some(id)
    }
}

/// What the page after the chain's known ones is known by, when it holds these of `tokens`.
fn key(chain: &Chain, tokens: &[u32]) -> Key {
    let from = chain.known * PAGE;
    let mut page = [0; PAGE];
    page.copy_from_slice(&tokens[from..from + PAGE]);
    Key { before: chain.last, tokens: page }
}
