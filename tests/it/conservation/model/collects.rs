//! Collecting, putting aside, closing.

use provena_market::{error::MarketError, state::Residual as ResidualState};

use super::{
    super::{operation::Market, rents::rent_of},
    Answer, FROZEN, Job, JobId, Model, Party, Refusal, Residual, SOL, arrives, demand,
    jobs::Shares,
    market::in_lamports,
    seats::job_rent,
    vault_rent,
};

/// What a caller gives accounts for.
#[derive(Clone, Copy)]
struct Given {
    lamports: bool,
    tokens: bool,
}

impl Job {
    /// Of what is owed, what can be paid into the accounts that are given.
    fn paid(&self, owed: Shares, given: Given) -> Shares {
        let money = if self.mint == SOL { given.lamports } else { given.tokens };
        Shares {
            money: if money { owed.money } else { 0 },
            lamports: if given.lamports { owed.lamports } else { 0 },
            bond: owed.bond,
        }
    }

    /// Money and lamports leave the job.
    fn pay(&mut self, paid: Shares) {
        self.lamports -= in_lamports(self.mint, paid.money, paid.lamports);
        if self.mint != SOL {
            self.tokens -= paid.money;
        }
    }
}

impl Model {
    pub(super) fn pay_out(&mut self, instruction: &Market) -> Answer {
        match *instruction {
            Market::CollectSeat { job, seat, tokens } => self.collect_seat(job, seat, tokens),
            Market::CollectRoyalty { job, shard, tokens } => self.collect_royalty(job, shard, tokens),
            Market::CollectProtocol { job, shard, sol, tokens } => self.collect_protocol(job, shard, sol, tokens),
            Market::CollectRefund { job, tokens } => {
                let payer = self.jobs.get(&job).ok_or(Refusal::Missing)?.key.payer;
                self.collect_by_wallet(job, Party::Payer, payer, tokens)
            }
            Market::Park { job, by, seat, tokens } => self.park(job, by, seat, tokens),
            Market::CollectResidual { wallet, mint } => self.collect_residual(wallet, mint),
            Market::CloseJob { job, by } => self.close_job(job, by),
            _ => unreachable!("listed by the callers"),
        }
    }

    fn collect_seat(&mut self, id: JobId, seat: usize, tokens: bool) -> Answer {
        let job = self.jobs.get(&id).ok_or(Refusal::Missing)?;
        let node = job.seats.get(seat).and_then(|seat| seat.node).filter(|node| self.nodes.contains_key(node));
        let node = node.ok_or(Refusal::Missing)?;
        let (bond, amount) = (job.payable(Party::Seat(seat), self.slot)?.bond, job.bond);
        let agrees = job.agreeing().contains(&seat);
        self.collect_by_wallet(id, Party::Seat(seat), node, tokens)?;
        if bond {
            let node = self.nodes.get_mut(&node).expect("found above");
            node.locked -= amount;
            node.agreed += u64::from(agrees);
        }
        Ok(())
    }

    fn collect_by_wallet(&mut self, id: JobId, party: Party, wallet: usize, tokens: bool) -> Answer {
        let job = self.jobs.get(&id).ok_or(Refusal::Missing)?;
        let (mint, owed) = (job.mint, job.payable(party, self.slot)?);
        let paid = job.paid(owed, Given { lamports: true, tokens });
        demand(mint == SOL || paid.money == 0 || !self.is_frozen(wallet, mint), FROZEN)?;
        self.pay_from(id, party, paid)?;
        self.give_to(wallet, mint, paid.money);
        self.refund(wallet, paid.lamports);
        Ok(())
    }

    /// Notes what a party is paid, which must be something.
    fn pay_from(&mut self, id: JobId, party: Party, paid: Shares) -> Answer {
        demand(paid.money > 0 || paid.lamports > 0 || paid.bond, MarketError::CannotReceive)?;
        let job = self.job_mut(id)?;
        job.pay(paid);
        job.note(party, &paid);
        Ok(())
    }

    /// The asset's pool is paid: what arrives waits in its inbox for `sync`.
    fn collect_royalty(&mut self, id: JobId, shard: usize, tokens: bool) -> Answer {
        let job = self.jobs.get(&id).ok_or(Refusal::Missing)?;
        let (mint, asset) = (job.mint, job.asset);
        let books = self.pools[asset].as_ref().and_then(|pool| pool.books[mint].as_ref());
        demand(books.is_some_and(|books| shard < books.inboxes.len()), Refusal::Missing)?;
        let owed = job.payable(Party::Royalty, self.slot)?;
        demand(mint == SOL || tokens, provena_common::error::CommonError::MissingTokenAccount)?;
        self.pay_from(id, Party::Royalty, owed)?;
        let arrived = arrives(mint, owed.money);
        self.pool_mut(asset)?.books_mut(mint)?.inboxes[shard].amount += arrived;
        self.flows.royalties += usize::from(arrived > 0);
        Ok(())
    }

    fn collect_protocol(&mut self, id: JobId, shard: u8, sol: bool, tokens: bool) -> Answer {
        let job = self.jobs.get(&id).ok_or(Refusal::Missing)?;
        let mint = job.mint;
        let tokens = tokens && mint != SOL;
        let there = |mint| self.inboxes.contains_key(&(mint, shard));
        demand((!sol || there(SOL)) && (!tokens || there(mint)), Refusal::Missing)?;
        let owed = job.payable(Party::Protocol, self.slot)?;
        let paid = job.paid(owed, Given { lamports: sol, tokens });
        self.pay_from(id, Party::Protocol, paid)?;
        if paid.lamports > 0 {
            self.fill_inbox(SOL, shard, paid.lamports)?;
        }
        if paid.money > 0 {
            self.fill_inbox(mint, shard, paid.money)?;
        }
        Ok(())
    }

    fn park(&mut self, id: JobId, by: usize, seat: Option<usize>, tokens: bool) -> Answer {
        let now = self.slot;
        let job = self.jobs.get(&id).ok_or(Refusal::Missing)?;
        let (party, wallet) = match seat {
            Some(seat) => {
                let held = job.seats.get(seat).ok_or(MarketError::SeatOutOfRange)?;
                (Party::Seat(seat), held.node)
            }
            None => (Party::Payer, Some(job.key.payer)),
        };
        let owed = job.payable(party, now)?;
        demand(now >= job.ended_at + 216_000, MarketError::TooEarly)?;
        let wallet = wallet.expect("something is owed");
        let tokens = tokens && job.mint != SOL;
        let paid = Shares { bond: false, ..job.paid(owed, Given { lamports: !tokens, tokens }) };
        demand(paid.money > 0 || paid.lamports > 0, MarketError::NothingToPark)?;
        let mint = if tokens { job.mint } else { SOL };
        self.pay_from(id, party, paid)?;
        let mut rent = 0;
        let residual = self.residuals.entry((wallet, mint)).or_insert_with(|| {
            rent = rent_of::<ResidualState, ()>(0) + vault_rent(mint);
            Residual { payer: by, amount: 0 }
        });
        residual.amount += arrives(mint, paid.money) + paid.lamports;
        self.spend(by, rent);
        Ok(())
    }

    fn collect_residual(&mut self, wallet: usize, mint: usize) -> Answer {
        let residual = self.residuals.get(&(wallet, mint)).ok_or(Refusal::Missing)?.clone();
        demand(residual.amount == 0 || !self.is_frozen(wallet, mint), FROZEN)?;
        self.residuals.remove(&(wallet, mint));
        self.give_to(wallet, mint, residual.amount);
        self.refund(residual.payer, rent_of::<ResidualState, ()>(0) + vault_rent(mint));
        Ok(())
    }

    fn close_job(&mut self, id: JobId, by: usize) -> Answer {
        let now = self.slot;
        let job = self.jobs.get(&id).ok_or(Refusal::Missing)?;
        demand(job.ended(), MarketError::WrongState)?;
        demand(job.paid_out(), MarketError::NotPaidOut)?;
        let free = by == job.key.payer || now > job.ended_at + 216_000;
        demand(now > job.key.slot + 150 && free, MarketError::TooEarly)?;
        assert_eq!((job.lamports, job.tokens), (0, 0), "something is left of {job:?}");
        let (payer, mint, gifts) = (job.key.payer, job.mint, job.gifts);
        demand(gifts.1 == 0 || !self.is_frozen(payer, mint), FROZEN)?;
        let rent = job_rent(job.seats.len(), mint);
        self.jobs.remove(&id);
        self.refund(payer, rent + gifts.0);
        self.give_to(payer, mint, gifts.1);
        Ok(())
    }
}
