//! The royalty program's instructions.

use provena_common::error::CommonError;
use provena_royalty::error::RoyaltyError;

use super::{
    super::{
        operation::{Program, Royalty, Shown},
        rents::{BOOKS_RENT, POSITION_RENT},
    },
    Answer, EXISTS, FROZEN, Model, Refusal, SOL, TOO_LITTLE, arrives, demand,
    pools::{Books, Holder, Lock, Position},
    vault_rent,
};

impl Model {
    /// Does it, or says why it must be refused; a refusal may leave pools, resale royalties and balances half changed.
    pub(super) fn apply_royalty(&mut self, instruction: &Royalty) -> Answer {
        match instruction {
            Royalty::AllowMint { by, mint } => self.allow_mint(*by, *mint),
            Royalty::DisallowMint { by, mint } => self.disallow_mint(*by, *mint),
            Royalty::CreatePool { pool, creator, total, window, holders } => {
                self.create_pool(*pool, *creator, *total, *window, holders)
            }
            Royalty::AddHolders { pool, by, holders } => self.add_holders(*pool, *by, holders),
            Royalty::AbandonPool { pool, by, closed } => self.abandon_pool(*pool, *by, closed),
            Royalty::VerifyCreator { pool } => self.verify_creator(*pool),
            Royalty::OpenBooks { pool, payer, mint, shown } => self.open_books(*pool, *payer, *mint, *shown),
            Royalty::OpenInbox { pool, payer, mint } => self.open_inbox(*pool, *payer, *mint),
            Royalty::CloseInbox { pool, by, mint, shard } => self.close_inbox(*pool, *by, *mint, *shard),
            Royalty::Deposit { pool, by, mint, amount } => self.deposit(*pool, *by, *mint, *amount),
            Royalty::Sync { pool, mint, shards } => self.sync(*pool, *mint, shards),
            Royalty::Collect { pool, mint } => self.collect(*pool, *mint),
            Royalty::Sweep { child, parent, mint } => self.sweep(*child, *parent, *mint),
            Royalty::Claim { pool, holder, mint, to } => self.claim(*pool, *holder, *mint, *to),
            Royalty::ClaimMany { holder, pools, mint, .. } => {
                pools.iter().try_for_each(|pool| self.claim(*pool, *holder, *mint, None))
            }
            Royalty::TransferShares { pool, from, to, by, shares } => {
                self.transfer_shares(*pool, *from, *to, *by, *shares)
            }
            Royalty::Approve { pool, holder, by, delegate, shares } => {
                let position = self.pool_mut(*pool)?.position_mut(Holder::Wallet(*holder))?;
                demand(by == holder, RoyaltyError::WrongHolder)?;
                demand(*shares > 0, RoyaltyError::ZeroShares)?;
                position.delegate = Some((*delegate, *shares));
                Ok(())
            }
            Royalty::Revoke { pool, holder, by } => {
                let position = self.pool_mut(*pool)?.position_mut(Holder::Wallet(*holder))?;
                demand(by == holder, RoyaltyError::WrongHolder)?;
                position.delegate = None;
                Ok(())
            }
            Royalty::ClosePosition { pool, holder, by } => self.close_position(*pool, *holder, *by),
        }
    }

    fn allow_mint(&mut self, by: usize, mint: usize) -> Answer {
        self.controls[&Program::Royalty].check(by)?;
        // The account at SOL's address is the System program.
        demand(mint != SOL, CommonError::UnsupportedMint)?;
        demand(!self.allowed[mint], RoyaltyError::MintAlreadyAllowed)?;
        self.allowed[mint] = true;
        Ok(())
    }

    fn disallow_mint(&mut self, by: usize, mint: usize) -> Answer {
        self.controls[&Program::Royalty].check(by)?;
        demand(mint != SOL, RoyaltyError::NativeMint)?;
        demand(self.allowed[mint], RoyaltyError::MintNotAllowed)?;
        self.allowed[mint] = false;
        Ok(())
    }

    /// Signs the NFT's metadata once more, where there is any.
    fn verify_creator(&mut self, pool: usize) -> Answer {
        let found = self.pool_mut(pool)?;
        demand(found.sealed, RoyaltyError::PoolNotSealed)?;
        demand(found.nft.is_some(), RoyaltyError::WrongMetadata)
    }

    fn open_books(&mut self, pool: usize, payer: usize, mint: usize, shown: Shown) -> Answer {
        let running = self.controls[&Program::Royalty].check_running(1);
        let (allowed, tokens) = (self.allowed[mint], self.resale[pool][mint]);
        let childs = match shown {
            Shown::Child(child) => self.pool_mut(child).map(|child| {
                let known = child.books[mint].is_some() && child.positions.contains_key(&Holder::Pool(pool));
                known.then(|| child.owed(Holder::Pool(pool), mint))
            }),
            _ => Ok(None),
        };
        let found = self.pool_mut(pool)?;
        running?;
        demand(allowed, RoyaltyError::MintNotAllowed)?;
        let right = match shown {
            Shown::Nothing => payer == found.creator && found.nft.is_none(),
            Shown::Nft => found.nft == Some(payer),
            Shown::Tokens => tokens > 0,
            Shown::Child(_) => childs?.ok_or(Refusal::Missing)? > 0,
        };
        demand(right, RoyaltyError::NoRightToOpen)?;
        demand(found.books[mint].is_none(), EXISTS)?;
        found.books[mint] = Some(Books::default());
        found.mints.push(mint);
        self.spend(payer, BOOKS_RENT + vault_rent(mint));
        Ok(())
    }

    fn deposit(&mut self, pool: usize, by: usize, mint: usize, amount: u64) -> Answer {
        let (slot, allowed, balance) = (self.slot, self.allowed[mint], self.balances[by][mint]);
        let frozen = self.is_frozen(by, mint);
        let found = self.pool_mut(pool)?;
        found.books_mut(mint)?;
        demand(amount > 0, RoyaltyError::ZeroAmount)?;
        demand(allowed, RoyaltyError::MintNotAllowed)?;
        demand(!frozen, FROZEN)?;
        demand(amount <= balance, TOO_LITTLE)?;
        demand(arrives(mint, amount) > 0, RoyaltyError::ZeroAmount)?;
        found.book(mint, arrives(mint, amount), slot)?;
        self.balances[by][mint] -= amount;
        Ok(())
    }

    fn sync(&mut self, pool: usize, mint: usize, shards: &[usize]) -> Answer {
        let slot = self.slot;
        let found = self.pool_mut(pool)?;
        let books = found.books_mut(mint)?;
        for shard in shards {
            let inbox = books.inboxes.get_mut(*shard).ok_or(Refusal::Missing)?;
            books.surplus += arrives(mint, std::mem::take(&mut inbox.amount));
        }
        let surplus = std::mem::take(&mut books.surplus);
        found.book(mint, surplus, slot)
    }

    fn collect(&mut self, pool: usize, mint: usize) -> Answer {
        let (slot, waiting) = (self.slot, self.resale[pool][mint]);
        let found = self.pool_mut(pool)?;
        let surplus = std::mem::take(&mut found.books_mut(mint)?.surplus);
        found.book(mint, surplus + arrives(mint, waiting), slot)?;
        self.resale[pool][mint] = 0;
        Ok(())
    }

    fn sweep(&mut self, child: usize, parent: usize, mint: usize) -> Answer {
        // The books are named twice.
        demand(child != parent, Refusal::Missing)?;
        let slot = self.slot;
        self.pool_mut(parent)?.books_mut(mint)?;
        self.pool_mut(child)?.books_mut(mint)?;
        let paid = self.pool_mut(child)?.pay(Holder::Pool(parent), mint)?;
        self.pool_mut(parent)?.book(mint, arrives(mint, paid), slot)?;
        self.flows.sweeps += usize::from(paid > 0);
        Ok(())
    }

    /// To the holder, or signed by it to somebody.
    fn claim(&mut self, pool: usize, holder: Holder, mint: usize, to: Option<usize>) -> Answer {
        let found = self.pool_mut(pool)?;
        found.books_mut(mint)?;
        let owed = found.pay(holder, mint)?;
        let paid = arrives(mint, owed);
        match (to, holder) {
            (Some(wallet), _) | (None, Holder::Wallet(wallet)) => {
                demand(owed == 0 || !self.is_frozen(wallet, mint), FROZEN)?;
                self.balances[wallet][mint] += paid;
                self.flows.claims += usize::from(owed > 0);
            }
            (None, Holder::Pool(other)) => self.resale[other][mint] += paid,
        }
        Ok(())
    }

    fn transfer_shares(&mut self, pool: usize, from: Holder, to: Holder, by: usize, shares: u64) -> Answer {
        let slot = self.slot;
        let found = self.pool_mut(pool)?;
        let sealed = found.sealed;
        let mut giver = found.position_mut(from)?.clone();
        // The position is named twice.
        demand(from != to, Refusal::Code(2040))?;
        demand(shares < 1 << 32, RoyaltyError::TooManyShares)?;
        demand(shares > 0, RoyaltyError::ZeroShares)?;
        demand(sealed, RoyaltyError::PoolNotSealed)?;
        if from != Holder::Wallet(by) {
            let allowed = giver.delegate.filter(|(delegate, _)| *delegate == by).map(|(_, allowed)| allowed);
            let left = allowed.ok_or(RoyaltyError::NotDelegate)?.checked_sub(shares);
            let left = left.ok_or(RoyaltyError::AllowanceExceeded)?;
            giver.delegate = (left > 0).then_some((by, left));
        }
        demand(to != Holder::Pool(pool), RoyaltyError::SelfHolding)?;
        let opened = !found.positions.contains_key(&to);
        let fresh =
            Position { shares: 0, rent_payer: by, delegate: None, lock: Lock::default(), parts: Default::default() };
        let mut taker = found.positions.get(&to).cloned().unwrap_or(fresh);
        giver.shares = giver.shares.checked_sub(shares).ok_or(RoyaltyError::NotEnoughShares)?;
        demand(giver.shares >= giver.locked(slot), RoyaltyError::SharesLocked)?;
        taker.shares += shares;
        if giver.shares == 0 {
            giver.delegate = None;
            for (given, taken) in giver.parts.iter_mut().zip(&mut taker.parts) {
                let fraction = *given % u128::from(found.total);
                *given -= fraction;
                *taken += fraction;
            }
        }
        found.positions.insert(from, giver);
        found.positions.insert(to, taker);
        if opened {
            self.spend(by, POSITION_RENT);
        }
        Ok(())
    }

    fn close_position(&mut self, pool: usize, holder: Holder, by: usize) -> Answer {
        let found = self.pool_mut(pool)?;
        let position = found.position_mut(holder)?.clone();
        let may = holder == Holder::Wallet(by) || by == position.rent_payer;
        demand(may, RoyaltyError::WrongHolder)?;
        demand(position.shares == 0 && position.parts == [0; 3], RoyaltyError::PositionInUse)?;
        found.positions.remove(&holder);
        self.refund(position.rent_payer, POSITION_RENT);
        Ok(())
    }
}
