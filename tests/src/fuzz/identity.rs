//! What of an account of our programs never changes: its owner, its layout, its length, and every byte but those of the
//! fields that are named here.

use core::mem::offset_of;

use anchor_lang::prelude::Address;
use provena_common::account::Layout;
use provena_market::state as market;
use provena_registry::state as registry;
use provena_royalty::state as royalty;
use solana_account::{AccountSharedData, ReadableAccount};

use super::snapshot::{Snapshot, is_ours, space};

/// A kind of account.
struct Kind {
    name: &'static str,
    owner: Address,
    discriminator: &'static [u8],
    /// Bytes of the header, its discriminator included.
    header: usize,
    /// Bytes without items, and of an item, if it has items.
    len: usize,
    item: usize,
    /// Whether items may be added.
    grows: bool,
    /// Whether items, if it has any, may change.
    items_change: bool,
    /// Fields of the header that may change: where they are and how long.
    mutable: Vec<(usize, usize)>,
}

/// The offset of a field and its length.
macro_rules! fields {
    ($header:ty; $($field:ident),*) => {
        vec![$((offset_of!($header, $field), {
            const fn len<H, F>(_: fn(&H) -> &F) -> usize { size_of::<F>() }
            len::<$header, _>(|header: &$header| &header.$field)
        })),*]
    };
}

fn plain<H: Layout>(name: &'static str, mutable: Vec<(usize, usize)>) -> Kind {
    Kind {
        name,
        owner: H::OWNER,
        discriminator: H::DISCRIMINATOR,
        header: 8 + size_of::<H>(),
        len: 8 + size_of::<H>(),
        item: 0,
        grows: false,
        items_change: false,
        mutable,
    }
}

fn with_items<H: Layout, I>(name: &'static str, mutable: Vec<(usize, usize)>) -> Kind {
    Kind { len: space::<H, I>(0), item: size_of::<I>(), ..plain::<H>(name, mutable) }
}

/// Every kind of account of the three programs.
fn kinds() -> Vec<Kind> {
    let position = fields!(royalty::Position; delegate, shares, delegated, checkpoints);
    let node = fields!(market::Node; key, stake, locked, agreed, forfeited, capacity, instance, leased_at, endpoint, endpoint_len);
    let job = fields!(
        market::Job; state, reveal_until, decided_at, demanded_at, forfeited, winner, collected, flags
    );
    let asset = fields!(
        registry::Asset; latest, floor_bps, uses, status, direct_parents, inherited_parents, absolute_parents, pending
    );
    vec![
        plain::<royalty::Admin>("royalty admin", fields!(royalty::Admin; control, mints, mint_count)),
        plain::<royalty::Pool>(
            "pool",
            fields!(royalty::Pool; assigned, assigned_shares, holder_count, mint_count, mints),
        ),
        plain::<royalty::Index>("index", fields!(royalty::Index; sealed, entries)),
        plain::<royalty::Books>("books", fields!(royalty::Books; held, received, paid, inbox_count)),
        plain::<royalty::Inbox>("inbox", Vec::new()),
        plain::<royalty::Position>("position", position),
        plain::<registry::Admin>("registry admin", fields!(registry::Admin; control)),
        Kind { grows: true, items_change: true, ..with_items::<registry::Asset, registry::Floor>("asset", asset) },
        plain::<registry::Version>("version", Vec::new()),
        plain::<registry::Content>("content", Vec::new()),
        plain::<registry::ContentClaim>("claim", Vec::new()),
        plain::<registry::Licence>("licence", fields!(registry::Licence; flags, children)),
        Kind {
            grows: true,
            items_change: true,
            ..with_items::<registry::Lineage, registry::Edge>("lineage", fields!(registry::Lineage; direct, inherited))
        },
        plain::<market::Admin>("market admin", fields!(market::Admin; control, treasury, min_stake, protocol_fee_bps)),
        plain::<market::Node>("node", node),
        plain::<market::Offer>("offer", Vec::new()),
        Kind { items_change: true, ..with_items::<market::Job, market::Seat>("job", job) },
        Kind { items_change: true, ..with_items::<market::Answer, u8>("answer", fields!(market::Answer; sealed_at)) },
        plain::<market::Residual>("residual", Vec::new()),
        plain::<market::TreasuryInbox>("treasury inbox", Vec::new()),
    ]
}

/// Checks what never changes of all accounts.
pub struct Identities(Vec<Kind>);

impl Default for Identities {
    fn default() -> Self {
        Self(kinds())
    }
}

impl Identities {
    fn kind(&self, account: &AccountSharedData) -> Option<&Kind> {
        let of = |kind: &&Kind| kind.owner == *account.owner() && account.data().starts_with(kind.discriminator);
        self.0.iter().find(of)
    }

    /// Compares two moments.
    ///
    /// # Panics
    ///
    /// When something changed that never does, saying what.
    pub fn check(&self, before: &Snapshot, after: &Snapshot) {
        for (address, was) in before.ours() {
            let Some(is) = after.get(address) else { continue };
            if was == is {
                continue;
            }
            if !is_ours(is.owner()) {
                // What is closed keeps at most what somebody sent to it.
                let closed = *is.owner() == Address::default() && is.data().is_empty();
                assert!(closed, "{address} was closed and has the owner {} and {} bytes", is.owner(), is.data().len());
                continue;
            }
            assert_eq!(was.owner(), is.owner(), "{address} has another owner");
            // Token-like accounts without a kind do not exist: `complete` has seen to that.
            let kind = self.kind(was).expect("it had a kind before");
            kind.check(address, was.data(), is.data());
        }
        for (address, is) in after.ours() {
            if before.get(address).is_none_or(|was| was.owner() != is.owner()) {
                self.complete(address, is);
            }
        }
    }

    /// A new account has one of the kinds and the length of its kind.
    fn complete(&self, address: &Address, account: &AccountSharedData) {
        let (data, owner) = (account.data(), account.owner());
        let kind = self.kind(account);
        let kind = kind.unwrap_or_else(|| panic!("{address} is new, of {owner}, and of no known kind: {data:?}"));
        let fits =
            if kind.item == 0 { data.len() == kind.len } else { (data.len() - kind.len).is_multiple_of(kind.item) };
        assert!(fits, "a new {} of {} bytes at {address}", kind.name, data.len());
    }
}

impl Kind {
    fn check(&self, address: &Address, was: &[u8], is: &[u8]) {
        let name = self.name;
        assert!(is.starts_with(self.discriminator), "{name} {address} has another discriminator");
        assert!(was.len() == is.len() || (self.grows && is.len() > was.len()), "{name} {address} has another length");
        for at in 8..self.header {
            let free = self.mutable.iter().any(|(from, len)| (*from..from + len).contains(&(at - 8)));
            assert!(
                free || was[at] == is[at],
                "byte {} of {name} {address} changed: {} -> {}",
                at - 8,
                was[at],
                is[at]
            );
        }
        if !self.items_change {
            assert!(was[self.header..] == is[self.header..], "an item of {name} {address} changed");
        }
    }
}
