//! What brings everything to its end: every job is closed, everything that was earned is swept and claimed.

use super::Generator;
use crate::conservation::{
    model::{Holder, Job, JobId, MINTS, Model, Party, SOL, Stage},
    operation::{Market, Operation, Outside, Royalty},
};

/// Rounds in which what was released is swept along the lineage and claimed.
const ROUNDS: usize = 3;

impl Generator {
    /// The next operation; `None` when everything is over.
    pub(crate) fn ending(&mut self, model: &Model) -> Option<Operation> {
        if let Some((wallet, mint)) = model.frozen.first() {
            return Some(Operation::Outside(Outside::Freeze { wallet: *wallet, mint: *mint, frozen: false }));
        }
        if let Some((id, job)) = model.jobs.first_key_value() {
            return Some(self.end_of(model, *id, job));
        }
        if self.scene.is_empty() && self.rounds < ROUNDS {
            self.rounds += 1;
            self.scene = last_scene(model).into();
        }
        self.scene.pop_front()
    }

    fn end_of(&mut self, model: &Model, id: JobId, job: &Job) -> Operation {
        let now = model.slot;
        let pass = |slots| Operation::Outside(Outside::PassSlots(slots));
        match job.stage {
            Stage::Open if now <= job.open_until => pass(job.open_until + 1 - now),
            Stage::Open | Stage::Revealing { .. } => match (0..job.seats.len()).find(|seat| job.late(*seat, now)) {
                Some(seat) if job.stage == Stage::Open => Operation::Market(Market::ExpireSeat { job: id, seat }),
                _ if self.once_in(2) => pass(200),
                _ => Operation::Market(Market::Finalize { job: id, one_too_many: false }),
            },
            Stage::Agreed { .. } if !job.settled(now) => {
                if job.awaited() && job.demanded_at.is_some_and(|slot| now > slot + 750) {
                    return Operation::Market(Market::DefaultAnswer { job: id });
                }
                pass(1_501)
            }
            _ => match job.parties().into_iter().find(|party| job.payable(*party, now).is_ok()) {
                Some(party) => payment(model, id, job, party),
                None if now <= job.ended_at + 216_000 => pass(216_001),
                None => Operation::Market(Market::CloseJob { job: id, by: 0 }),
            },
        }
    }
}

/// Anybody pays a party, or makes it possible.
fn payment(model: &Model, id: JobId, job: &Job, party: Party) -> Operation {
    let tokens = job.mint != SOL;
    match party {
        Party::Seat(seat) => {
            let gone = job.seats[seat].node.is_none_or(|node| !model.nodes.contains_key(&node));
            match gone {
                false => Operation::Market(Market::CollectSeat { job: id, seat, tokens }),
                // The node is no more: what it is owed is put aside, a day later.
                true if model.slot < job.ended_at + 216_000 => Operation::Outside(Outside::PassSlots(216_001)),
                true => Operation::Market(Market::Park {
                    job: id,
                    by: 0,
                    seat: Some(seat),
                    tokens: tokens && job.owed(party).money > 0,
                }),
            }
        }
        Party::Royalty => {
            let books = model.pools[job.asset].as_ref().and_then(|pool| pool.books[job.mint].as_ref());
            if books.is_some_and(|books| books.inboxes.is_empty()) {
                return Operation::Royalty(Royalty::OpenInbox { pool: job.asset, payer: 0, mint: job.mint });
            }
            Operation::Market(Market::CollectRoyalty { job: id, shard: 0, tokens })
        }
        Party::Protocol => {
            let missing = [SOL, job.mint].into_iter().find(|mint| !model.inboxes.contains_key(&(*mint, 0)));
            match missing {
                Some(mint) => Operation::Market(Market::OpenTreasuryInbox { by: 0, mint, shard: 0 }),
                None => Operation::Market(Market::CollectProtocol { job: id, shard: 0, sol: true, tokens }),
            }
        }
        Party::Payer => Operation::Market(Market::CollectRefund { job: id, tokens }),
    }
}

/// Everything that arrived is booked, released, swept along the lineage and claimed.
fn last_scene(model: &Model) -> Vec<Operation> {
    let mut scene = Vec::new();
    let pools = || model.pools.iter().enumerate().filter_map(|(pool, known)| Some((pool, known.as_ref()?)));
    for (pool, known) in pools() {
        for mint in 0..MINTS {
            let inboxes = known.books[mint].as_ref().map_or(0, |books| books.inboxes.len());
            let first: Vec<usize> = (0..inboxes.min(8)).collect();
            scene.push(Operation::Royalty(Royalty::Sync { pool, mint, shards: first }));
        }
    }
    scene.push(Operation::Outside(Outside::PassSlots(1_000)));
    for (pool, known) in pools() {
        for (holder, mint) in known.positions.keys().flat_map(|holder| (0..MINTS).map(move |mint| (*holder, mint))) {
            scene.push(Operation::Royalty(match holder {
                Holder::Wallet(wallet) => Royalty::Claim { pool, holder, mint, to: Some(wallet) },
                Holder::Pool(parent) => Royalty::Sweep { child: pool, parent, mint },
            }));
        }
    }
    scene
}
