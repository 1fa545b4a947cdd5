//! That nothing changes but by who has the right to change it: whose signature each change of an account needs.

use anchor_lang::prelude::Address;
use provena_common::admin::Control;
use provena_market::state::{self as market, Job, Node, Offer, Seat, SeatState, job::flag};
use provena_registry::state::{self as registry, Asset, Edge, Floor, Licence, Lineage};
use provena_royalty::state::{self as royalty, Index, Position};
use solana_account::{AccountSharedData, ReadableAccount};

use super::snapshot::{Snapshot, read, read_with_items};

mod lineage;

/// An instruction's effect: before, after, and who signed it.
struct Effect<'a> {
    before: &'a Snapshot,
    signers: &'a [Address],
    /// What the message of a failure begins with.
    account: &'a Address,
}

/// Checks every account that changed between two moments by an instruction that these signed.
///
/// # Panics
///
/// When a change needs a signature that was not given, saying which.
pub fn check(before: &Snapshot, after: &Snapshot, signers: &[Address]) {
    for (account, was) in before.ours() {
        let effect = Effect { before, signers, account };
        let is = after.get(account).cloned().unwrap_or_default();
        if was.data() != is.data() {
            effect.check(was, &is);
        }
    }
    for (account, is) in after.ours() {
        if before.get(account).is_none_or(|was| was.data().is_empty()) {
            Effect { before, signers, account }.check_new(is);
        }
    }
}

impl Effect<'_> {
    fn needs(&self, who: &Address, what: &str) {
        assert!(self.signers.contains(who), "{what} of {} changed without {who}", self.account);
    }

    fn needs_one(&self, who: &[Address], what: &str) {
        let signed = who.iter().any(|who| self.signers.contains(who));
        assert!(signed, "{what} of {} changed without any of {who:?}", self.account);
    }

    /// Somebody who holds the NFT of this mint.
    fn needs_holder(&self, mint: &Address, what: &str) {
        let held = |owner: &Address| self.signers.contains(owner);
        let mut accounts = self.before.tokens();
        let signed = accounts.any(|(_, token)| token.mint == *mint && token.amount == 1 && held(&token.owner));
        assert!(signed, "{what} of {} changed without the holder of {mint}", self.account);
    }

    fn control(&self, was: &Control, is: &Control) {
        if was.authority != is.authority {
            self.needs(&was.pending, "the authority");
            assert_eq!(is.authority, was.pending);
            assert!(self.before.now >= was.accept_from && was.accept_from > 0, "the authority changed too early");
        } else {
            self.needs(&was.authority, "the settings");
        }
        if was.pending != is.pending && is.pending != Address::default() {
            assert!(is.accept_from >= self.before.now + 432_000, "a successor may accept at {}", is.accept_from);
        }
    }

    /// An account of ours that changed or was closed; then `is` is empty.
    fn check(&self, was: &AccountSharedData, is: &AccountSharedData) {
        if let (Some(was), Some(is)) = (read::<royalty::Admin>(was), read::<royalty::Admin>(is)) {
            self.control(&was.control, &is.control);
        } else if let (Some(was), Some(is)) = (read::<registry::Admin>(was), read::<registry::Admin>(is)) {
            self.control(&was.control, &is.control);
        } else if let (Some(was), Some(is)) = (read::<market::Admin>(was), read::<market::Admin>(is)) {
            self.control(&was.control, &is.control);
        } else if let Some(was) = read::<Position>(was) {
            self.position(&was, read::<Position>(is).as_ref());
        } else if let Some(was) = read::<royalty::Pool>(was) {
            if read::<royalty::Pool>(is).is_none_or(|is| is.assigned_shares != was.assigned_shares) {
                self.needs(&was.creator, "the holders");
            }
        } else if let Some(was) = read::<Index>(was) {
            self.index(&was, read::<Index>(is).as_ref());
        } else if let Some(was) = read::<royalty::Inbox>(was) {
            self.needs(&was.rent_payer, "the life");
        } else if let Some(was) = read::<Licence>(was) {
            self.licence(&was, read::<Licence>(is).as_ref());
        } else if let Some((was, edges)) = read_with_items::<Lineage, Edge>(was) {
            self.lineage(&was, &edges, is);
        } else if let Some((was, floors)) = read_with_items::<Asset, Floor>(was) {
            self.asset(&was, &floors, is);
        } else if let Some(was) = read::<registry::ContentClaim>(was) {
            // Later than a day anybody may.
            if self.before.now.saturating_sub(was.claimed) <= 216_000 {
                self.needs(&was.claimant, "the life");
            }
        } else if let Some(was) = read::<Node>(was) {
            self.node(&was, read::<Node>(is).as_ref());
        } else if let Some(was) = read::<Offer>(was) {
            self.needs_holder(&was.asset, "the life");
        } else if let Some((was, old)) = read_with_items::<Job, Seat>(was) {
            self.job(&was, &old, read_with_items::<Job, Seat>(is));
        } else if let Some((was, _)) = read_with_items::<market::Answer, u8>(was) {
            let closed = read_with_items::<market::Answer, u8>(is).is_none();
            let job = self.before.get(&was.job).is_some_and(|job| !job.data().is_empty());
            let read_by_now = was.sealed_at > 0 && self.before.now - was.sealed_at > 1_500;
            if !closed || (job && was.sealed_at == 0) {
                self.needs(&was.poster, "what was put");
            }
            assert!(!closed || !job || was.sealed_at == 0 || read_by_now, "{} was closed early", self.account);
        } else {
            let quiet = read::<royalty::Books>(was).is_some()
                || read::<market::Residual>(was).is_some()
                || read::<market::TreasuryInbox>(was).is_some();
            assert!(quiet, "{} changed, which nobody may do", self.account);
        }
    }

    fn check_new(&self, is: &AccountSharedData) {
        if let Some(is) = read::<Licence>(is) {
            self.needs_holder(&mint(self.before, &is.asset), "a licence");
        } else if let Some(is) = read::<Offer>(is) {
            self.needs_holder(&is.asset, "an offer");
        } else if let Some(is) = read::<Node>(is) {
            self.needs(&is.authority, "the life");
        } else if let Some(is) = read::<royalty::Pool>(is) {
            self.needs(&is.asset, "the life");
            self.needs(&is.creator, "the life");
        } else if let Some((is, _)) = read_with_items::<Job, Seat>(is) {
            self.needs(&is.payer, "the life");
        } else if let Some((is, _)) = read_with_items::<Asset, Floor>(is) {
            self.needs(&is.mint, "the life");
        } else if let Some(is) = read::<registry::ContentClaim>(is) {
            self.needs(&is.claimant, "the life");
        } else if let Some((is, _)) = read_with_items::<market::Answer, u8>(is) {
            self.needs(&is.poster, "the life");
        } else if let Some(version) = read::<registry::Version>(is) {
            // The first comes with the asset, which its mint signed for.
            if version.n > 1 {
                self.needs_holder(&mint(self.before, &version.asset), "a version");
            }
        }
    }

    fn position(&self, was: &Position, is: Option<&Position>) {
        let Some(is) = is else {
            let creator = self.before.read::<royalty::Pool>(&was.pool).map(|pool| pool.creator);
            return self.needs_one(&[was.holder, was.rent_payer, creator.unwrap_or_default()], "the life");
        };
        if is.delegate != was.delegate || is.delegated > was.delegated {
            self.needs_one(&[was.holder, was.delegate], "the delegate");
        }
        if is.delegate != was.delegate && is.delegate != Address::default() {
            self.needs(&was.holder, "the delegate");
        }
        if is.delegate == was.delegate && is.delegated > was.delegated {
            self.needs(&was.holder, "the allowance");
        }
    }

    fn index(&self, was: &Index, is: Option<&Index>) {
        let creator = self.before.read::<royalty::Pool>(&was.pool).map(|pool| pool.creator).unwrap_or_default();
        let Some(is) = is else { return self.needs(&creator, "the life") };
        if is.sealed != was.sealed {
            self.needs(&creator, "the holders");
        }
        for (was, is) in was.entries.iter().zip(&is.entries) {
            assert!(is.released >= was.released, "what {} released fell", self.account);
        }
    }

    fn node(&self, was: &Node, is: Option<&Node>) {
        let Some(is) = is else { return self.needs(&was.authority, "the life") };
        let said = |node: &Node| (node.key, node.capacity, node.endpoint, node.endpoint_len);
        // What is locked can grow by the node alone; the stake falls by a forfeit, which is counted.
        let more = is.locked > was.locked || is.stake > was.stake;
        let forfeited = is.forfeited > was.forfeited;
        if said(was) != said(is) || more || (is.stake < was.stake && !forfeited) {
            self.needs(&was.authority, "what it says or stakes");
        }
    }

    fn job(&self, was: &Job, old: &[Seat], is: Option<(Job, Vec<Seat>)>) {
        let Some((is, new)) = is else {
            assert!(was.state().is_ok_and(market::JobState::is_ended), "job {} was closed early", self.account);
            if self.before.now <= was.decided_at + 216_000 {
                self.needs(&was.payer, "the life");
            }
            return;
        };
        let acknowledged = (is.flags & !was.flags) & flag::ACKNOWLEDGED != 0;
        if acknowledged || is.demanded_at != was.demanded_at {
            self.needs(&was.payer, "what the payer said");
        }
        if is.state != was.state && is.state == market::JobState::Cancelled as u8 {
            self.needs(&was.payer, "the life");
        }
        for (was, is) in old.iter().zip(&new) {
            if is.state == was.state && is.value == was.value && is.node == was.node {
                continue;
            }
            match is.state().expect("seats are sound") {
                SeatState::Taken | SeatState::Committed | SeatState::Revealed => self.needs(&is.node, "a seat"),
                SeatState::Free if self.before.now <= was.deadline => self.needs(&was.node, "a seat"),
                SeatState::Free | SeatState::Missed => {}
            }
        }
    }
}

fn mint(snapshot: &Snapshot, asset: &Address) -> Address {
    let account = snapshot.get(asset).expect("the asset is there");
    read_with_items::<Asset, Floor>(account).expect("it is an asset").0.mint
}
