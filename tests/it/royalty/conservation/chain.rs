//! The chain under test: sends what the model was told, and compares the two.

use anchor_lang::prelude::Address;
use provena_common::slot::Slot;
use provena_royalty::{
    Holder as Named, WRAPPABLE,
    client::{self, Evidence},
    pda,
    state::Vesting,
};
use provena_tests::{
    ExpectedError, World,
    royalty::{Scene, configure},
    tokens::{Extension, Money, token_balance},
    world::keypair,
};
use solana_instruction::Instruction;
use solana_instruction_error::InstructionError;
use solana_keypair::Keypair;
use solana_signer::Signer;
use solana_transaction_error::TransactionError;

use super::{
    model::{FEE, Holder, MINTS, Model, NewHolder, Pool, Refusal, SOL},
    operation::{Operation, Shown},
};
use crate::royalty::{BOOKS_RENT, INBOX_RENT, POOL_RENT};

pub const WALLETS: usize = 5;
pub const POOLS: usize = 4;
/// What each wallet has of each money.
const START: u64 = 1 << 57;

pub struct Chain {
    pub world: World,
    wallets: Vec<Keypair>,
    assets: Vec<Keypair>,
    money: [Money; MINTS],
}

impl Chain {
    /// A chain on which wallet 0 has the authority and both tokens are allowed, and its model.
    pub fn new() -> (Self, Model) {
        let mut world = World::new();
        // Whose signatures an instruction asks for is the program's affair; whether they are genuine is the chain's, and slow.
        world.svm = world.svm.with_sigverify(false);
        let money = [
            Money::Sol,
            Money::token(&mut world, "dollar"),
            Money::token_2022(&mut world, "euro", &[Extension::TransferFee(FEE)]),
        ];
        let authority = configure(&mut world, &money);
        let wallets: Vec<_> = (0..WALLETS).map(|n| keypair(&format!("wallet {n}"))).collect();
        let hand_over = client::propose_authority(&authority.pubkey(), &wallets[0].pubkey());
        world.accept(&[hand_over], &[&authority]);
        world.pass_slots(432_000);
        for (wallet, money) in wallets.iter().flat_map(|wallet| money.map(|money| (wallet, money))) {
            money.give(&mut world, &wallet.pubkey(), START);
        }
        world.accept(&[client::accept_authority(&wallets[0].pubkey())], &[&wallets[0]]);
        let assets: Vec<_> = (0..POOLS).map(|n| keypair(&format!("asset {n}"))).collect();
        for (asset, money) in assets.iter().flat_map(|asset| [money[1], money[2]].map(|money| (asset, money))) {
            money.give(&mut world, &pda::pool(&asset.pubkey()).0, 0);
        }
        let model = Model {
            slot: world.slot(),
            authority: 0,
            pending: None,
            paused: false,
            allowed: [true; MINTS],
            balances: vec![[START; MINTS]; WALLETS],
            pools: vec![None; POOLS],
            resale: vec![[0; MINTS]; POOLS],
        };
        (Self { world, wallets, assets, money }, model)
    }

    /// Does the same as the model, which stood like `before` and answered `answer`.
    pub fn run(&mut self, operation: &Operation, before: &Model, answer: Result<(), Refusal>) {
        if !operation.is_instruction() {
            if answer.is_ok() {
                self.happen(operation, before);
            }
            return;
        }
        let Some((instruction, signer)) = self.instruction(operation, before) else {
            assert_eq!(answer, Err(Refusal::Missing), "the instruction cannot be built");
            return;
        };
        let signers: Vec<&Keypair> = match operation {
            Operation::CreatePool { pool, .. } => vec![&self.wallets[signer.expect("it pays")], &self.assets[*pool]],
            _ => signer.iter().map(|wallet| &self.wallets[*wallet]).collect(),
        };
        let outcome = self.world.send(&[instruction], &signers);
        let logs = |failed: &litesvm::types::FailedTransactionMetadata| failed.meta.logs.join("\n");
        match (outcome, answer) {
            (Ok(_), Ok(())) => {}
            (Ok(_), Err(refusal)) => panic!("accepted, but the model says {refusal:?}"),
            (Err(failed), Ok(())) => panic!("refused with {:?}\n{}", failed.err, logs(&failed)),
            (Err(_), Err(Refusal::Missing)) => {}
            (Err(failed), Err(refusal)) => {
                let expected = match refusal {
                    Refusal::Royalty(error) => error.instruction_error(),
                    Refusal::Common(error) => error.instruction_error(),
                    Refusal::Code(code) => InstructionError::Custom(code),
                    Refusal::Missing => unreachable!("matched above"),
                };
                assert_eq!(failed.err, TransactionError::InstructionError(0, expected), "\n{}", logs(&failed));
            }
        }
    }

    /// Something beside the program.
    fn happen(&mut self, operation: &Operation, model: &Model) {
        match *operation {
            Operation::PassSlots(slots) => self.world.pass_slots(slots),
            Operation::Donate { pool, mint, amount } => {
                self.scene(pool, model).donate(&mut self.world, self.money[mint], amount);
            }
            Operation::PayInbox { pool, mint, shard, amount } => {
                let inbox = self.inbox_vault(pool, mint, shard);
                provena_tests::royalty::donate(&mut self.world, self.money[mint], &inbox, amount);
            }
            Operation::PayResale { pool, mint, amount } => {
                let address = self.pool(pool);
                self.money[mint].give(&mut self.world, &address, amount);
            }
            Operation::MintNft { pool, owner } => {
                let owner = self.wallet(owner);
                self.scene(pool, model).mint_nft(&mut self.world, &owner);
            }
            _ => unreachable!("instructions are sent"),
        }
    }

    fn wallet(&self, wallet: usize) -> Address {
        self.wallets[wallet].pubkey()
    }

    fn pool(&self, pool: usize) -> Address {
        pda::pool(&self.assets[pool].pubkey()).0
    }

    fn holder(&self, holder: Holder) -> Address {
        match holder {
            Holder::Wallet(wallet) => self.wallet(wallet),
            Holder::Pool(pool) => self.pool(pool),
        }
    }

    fn scene(&self, pool: usize, model: &Model) -> Scene {
        let creator = model.pools[pool].as_ref().map_or(0, |pool| pool.creator);
        Scene {
            pool: self.pool(pool),
            asset: self.assets[pool].insecure_clone(),
            creator: self.wallets[creator].insecure_clone(),
            money: self.money.to_vec(),
        }
    }

    fn inbox_vault(&self, pool: usize, mint: usize, shard: usize) -> Address {
        let books = pda::books(&self.pool(pool), &self.money[mint].mint()).0;
        let inbox = pda::inbox(&books, u8::try_from(shard).expect("few inboxes")).0;
        if mint == SOL { inbox } else { pda::inbox_vault(&inbox).0 }
    }

    fn named(&self, holders: &[NewHolder]) -> Vec<Named> {
        let vesting = |new: &NewHolder| Vesting { total: new.lock.total, start: new.lock.start, end: new.lock.end };
        let named = holders.iter().map(|new| (self.holder(new.holder), new.shares, vesting(new)));
        named.map(|(holder, shares, vesting)| Named { holder, shares, vesting: Some(vesting) }).collect()
    }

    /// The instruction and the wallet that signs it; `None` when something that its accounts are derived from is missing.
    fn instruction(&self, operation: &Operation, model: &Model) -> Option<(Instruction, Option<usize>)> {
        let currency = |mint: usize| self.money[mint].currency();
        let small = |number: &usize| u8::try_from(*number).expect("few inboxes");
        let asset = |pool: usize| self.assets[pool].pubkey();
        Some(match operation {
            Operation::Propose { by, new } => {
                (client::propose_authority(&self.wallet(*by), &self.wallet(*new)), Some(*by))
            }
            Operation::Accept { by } => (client::accept_authority(&self.wallet(*by)), Some(*by)),
            Operation::Cancel { by } => (client::cancel_authority(&self.wallet(*by)), Some(*by)),
            Operation::Pause { by, bits } => (client::set_pause(&self.wallet(*by), *bits), Some(*by)),
            Operation::Allow { by, mint } => {
                (client::allow_mint(&self.wallet(*by), &self.money[*mint].mint()), Some(*by))
            }
            Operation::Disallow { by, mint } => {
                (client::disallow_mint(&self.wallet(*by), &self.money[*mint].mint()), Some(*by))
            }
            Operation::CreatePool { pool, creator, total, window, holders } => {
                let flags = if *window == 0 { 0 } else { WRAPPABLE };
                let window = u32::try_from(*window).expect("windows are short");
                let (payer, mint, named) = (self.wallet(*creator), asset(*pool), self.named(holders));
                (client::create_pool(&payer, &mint, *total, window, flags, &named), Some(*creator))
            }
            Operation::AddHolders { pool, by, holders } => {
                (client::add_holders(&self.wallet(*by), &self.pool(*pool), &self.named(holders)), Some(*by))
            }
            Operation::AbandonPool { pool, by, closed } => {
                (self.abandoning(*pool, *by, closed, model.pools[*pool].as_ref()?, model), Some(*by))
            }
            Operation::OpenBooks { pool, payer, mint, shown } => {
                let evidence = match shown {
                    Shown::Nothing => Evidence::Creator,
                    Shown::Nft => {
                        let owner = model.pools[*pool].as_ref().and_then(|pool| pool.nft).unwrap_or(0);
                        Evidence::Nft(Money::Token(asset(*pool)).account_of(&self.wallet(owner)))
                    }
                    Shown::Tokens => Evidence::Tokens(self.money[*mint].account_of(&self.pool(*pool))),
                    Shown::Child(child) => Evidence::Child(self.pool(*child)),
                };
                (client::open_books(&self.wallet(*payer), &asset(*pool), currency(*mint), evidence)?, Some(*payer))
            }
            Operation::OpenInbox { pool, payer, mint } => {
                let shard = model.pools[*pool].as_ref()?.books[*mint].as_ref()?.inboxes.len();
                (client::open_inbox(&self.wallet(*payer), &asset(*pool), currency(*mint), small(&shard)), Some(*payer))
            }
            Operation::CloseInbox { pool, by, mint, shard } => {
                (client::close_inbox(&self.wallet(*by), &self.pool(*pool), currency(*mint), small(shard)), Some(*by))
            }
            Operation::Deposit { pool, by, mint, amount } => {
                (client::deposit(&self.wallet(*by), &self.pool(*pool), currency(*mint), *amount), Some(*by))
            }
            Operation::Sync { pool, mint, shards } => {
                let shards: Vec<_> = shards.iter().map(small).collect();
                (client::sync(&self.pool(*pool), currency(*mint), &shards), None)
            }
            Operation::Collect { pool, mint } => (client::collect(&self.pool(*pool), currency(*mint)), None),
            Operation::Sweep { child, parent, mint } => {
                (client::sweep(&self.pool(*child), &self.pool(*parent), currency(*mint)), None)
            }
            Operation::Claim { pool, holder, mint, to } => self.claiming(*pool, *holder, *mint, *to),
            Operation::ClaimMany { holder, pools, mint, signed } => {
                let pools: Vec<_> = pools.iter().map(|pool| self.pool(*pool)).collect();
                let signer = if let (Holder::Wallet(wallet), true) = (holder, signed) { Some(*wallet) } else { None };
                (client::claim_many(&self.holder(*holder), &pools, currency(*mint), signer.is_some()), signer)
            }
            Operation::Transfer { pool, from, to, by, shares } => {
                let (giver, taker) = (self.holder(*from), self.holder(*to));
                (client::transfer_shares_by(&self.wallet(*by), &giver, &taker, &self.pool(*pool), *shares), Some(*by))
            }
            Operation::Approve { pool, holder, by, delegate, shares } => {
                let (holder, delegate) = (self.wallet(*holder), self.wallet(*delegate));
                let mut approve = client::approve(&holder, &self.pool(*pool), &delegate, *shares);
                approve.accounts[0].pubkey = self.wallet(*by);
                (approve, Some(*by))
            }
            Operation::Revoke { pool, holder, by } => {
                let mut revoke = client::revoke(&self.wallet(*holder), &self.pool(*pool));
                revoke.accounts[0].pubkey = self.wallet(*by);
                (revoke, Some(*by))
            }
            Operation::ClosePosition { pool, holder, by } => {
                let payer = model.pools[*pool].as_ref()?.positions.get(holder)?.rent_payer;
                let (by_key, holder) = (self.wallet(*by), self.holder(*holder));
                (client::close_position(&by_key, &holder, &self.wallet(payer), &self.pool(*pool)), Some(*by))
            }
            _ => unreachable!("what happens beside the program is no instruction"),
        })
    }

    fn claiming(&self, pool: usize, holder: Holder, mint: usize, to: Option<usize>) -> (Instruction, Option<usize>) {
        let (address, pool, currency) = (self.holder(holder), self.pool(pool), self.money[mint].currency());
        match (holder, to) {
            (Holder::Wallet(wallet), Some(to)) => {
                let destination = currency.account_of(&self.wallet(to));
                (client::claim_to(&address, &pool, currency, &destination), Some(wallet))
            }
            _ => (client::claim_for(&address, &pool, currency), None),
        }
    }

    fn abandoning(&self, pool: usize, by: usize, closed: &[Holder], known: &Pool, model: &Model) -> Instruction {
        let scene = self.scene(pool, model);
        let positions: Vec<_> =
            closed.iter().map(|holder| scene.position(&self.world, &self.holder(*holder))).collect();
        let everything = closed.len() == known.positions.len();
        let books: Vec<_> = known.mints.iter().map(|mint| self.money[*mint].currency()).collect();
        let books = if everything { &books[..] } else { &[] };
        let mut abandon = client::abandon_pool(&scene.pool, &scene.state(&self.world), &positions, books);
        abandon.accounts[0].pubkey = self.wallet(by);
        abandon
    }

    /// Compares every account that the model knows.
    pub fn check(&self, model: &Model) {
        assert_eq!(self.world.slot(), model.slot);
        for (wallet, balances) in self.wallets.iter().zip(&model.balances) {
            let found = self.money.map(|money| money.balance(&self.world, &wallet.pubkey()));
            assert_eq!(found, *balances, "balances of a wallet");
        }
        for (number, resale) in model.resale.iter().enumerate() {
            let address = self.pool(number);
            for (money, waiting) in self.money.iter().zip(resale).skip(1) {
                assert_eq!(money.balance(&self.world, &address), *waiting, "resale royalties");
            }
            let rent = if model.pools[number].is_some() { POOL_RENT } else { 0 };
            assert_eq!(self.world.lamports(&address), rent + resale[SOL], "lamports of a pool");
        }
        for (number, pool) in model.pools.iter().enumerate() {
            match pool {
                Some(pool) => self.check_pool(number, pool, model),
                None => assert_eq!(self.world.account(&pda::index(&self.pool(number)).0), None),
            }
        }
    }

    fn check_pool(&self, number: usize, pool: &Pool, model: &Model) {
        let scene = self.scene(number, model);
        let (state, index) = (scene.state(&self.world), scene.index(&self.world));
        assert_eq!((state.assigned_shares, state.mints().len()), (pool.assigned, pool.mints.len()));
        assert_eq!(index.is_sealed(), pool.sealed);
        for (place, mint) in pool.mints.iter().enumerate() {
            let (money, books) = (self.money[*mint], pool.books[*mint].as_ref().expect("listed"));
            let found = scene.books(&self.world, money);
            assert_eq!((found.held, usize::from(found.index)), (books.held, place));
            assert_eq!(scene.holdings(&self.world, money), books.held + books.surplus);
            assert_eq!(u128::from(scene.unreleased(&self.world, money)), books.unreleased());
            assert_eq!(usize::from(found.inbox_count), books.inboxes.len());
            if *mint != SOL {
                assert_eq!(self.world.lamports(&scene.books_address(money)), BOOKS_RENT);
            }
            for (shard, inbox) in books.inboxes.iter().enumerate() {
                let vault = self.inbox_vault(number, *mint, shard);
                let found = if *mint == SOL {
                    self.world.lamports(&vault) - INBOX_RENT
                } else {
                    token_balance(&self.world, &vault)
                };
                assert_eq!(found, inbox.amount, "an inbox");
            }
            let owed: u128 = pool.positions.values().map(|position| position.parts[*mint]).sum();
            let total = u128::from(pool.total);
            assert_eq!(owed + books.unreleased() * total, u128::from(books.held) * total, "not one part is lost");
        }
        for (holder, position) in &pool.positions {
            let mut found = scene.position(&self.world, &self.holder(*holder));
            assert_eq!((found.shares, found.rent_payer), (position.shares, self.wallet(position.rent_payer)));
            let delegate = position.delegate.map_or((Address::default(), 0), |(who, most)| (self.wallet(who), most));
            assert_eq!((found.delegate, found.delegated), delegate);
            for (place, mint) in pool.mints.iter().enumerate() {
                let place = u8::try_from(place).expect("few mints");
                let settled = found.settle_one(&index, place, Slot(model.slot)).expect("the program's own numbers");
                let parts = u128::from(settled.accrued) * u128::from(pool.total) + u128::from(settled.remainder);
                assert_eq!(parts, position.parts[*mint], "{holder:?} in mint {mint} of pool {number}");
            }
        }
    }
}
