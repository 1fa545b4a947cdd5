//! The chain under test: sends what the model was told, and compares the two.

use std::collections::BTreeMap;

use anchor_lang::prelude::Address;
use litesvm::types::TransactionResult;
use provena_market::state::Offer;
use provena_tests::{
    ExpectedError, World,
    market::CLUSTER,
    recording::Recording,
    tokens::{Extension, Money, donate_tokens, put_token_account, set_frozen, token_balance, transfer_checked},
    world::keypair,
};
use solana_instruction::Instruction;
use solana_instruction_error::InstructionError;
use solana_message::Message;
use solana_signer::Signer;
use solana_transaction::Transaction;
use solana_transaction_error::TransactionError;

use self::places::{Place, Places};
use super::{
    model::{Answer, FEE, Holder, MINTS, Model, POOLS, Refusal, SOL, START, WALLETS},
    operation::{Act, Operation, Outside, Program},
};

mod check;
mod market;
mod places;
mod registry;
mod royalty;

const PROTOCOL_BPS: u16 = 250;
const MIN_STAKE: u64 = 1_000_000_000;

/// What is sent: the last of the instructions is the one that is meant.
pub(crate) struct Built {
    instructions: Vec<Instruction>,
    /// Who signs.
    signers: Vec<Address>,
}

impl Built {
    fn by(signer: Address, instruction: Instruction) -> Self {
        Self { instructions: vec![instruction], signers: vec![signer] }
    }

    fn by_anybody(instruction: Instruction) -> Self {
        Self { instructions: vec![instruction], signers: Vec::new() }
    }

    /// With another instruction before it.
    fn after(mut self, first: Option<Instruction>) -> Self {
        if let Some(first) = first {
            self.instructions.insert(0, first);
        }
        self
    }
}

/// The chain with everybody on it.
pub(crate) struct Chain {
    world: World,
    fee_payer: Address,
    wallets: Vec<Address>,
    /// The NFTs' mints.
    mints: Vec<Address>,
    money: [Money; MINTS],
    places: Places,
    /// Offers as they were when they were last seen: payers may not know that one is closed.
    offers: BTreeMap<(usize, u64), Offer>,
}

impl Chain {
    /// A chain on which wallet 0 has every authority and both tokens are allowed, and its model.
    pub(crate) fn new() -> (Self, Model) {
        let mut world = World::new();
        let money = [
            Money::Sol,
            Money::token(&mut world, "dollar"),
            Money::token_2022(&mut world, "euro", &[Extension::TransferFee(FEE)]),
        ];
        let keys: Vec<_> = (0..WALLETS).map(|n| world.wallet(&format!("wallet {n}"))).collect();
        let wallets: Vec<Address> = keys.iter().map(Signer::pubkey).collect();
        let first = &wallets[0];
        let mut setup = vec![
            provena_registry::client::initialize_admin(first),
            provena_royalty::client::initialize_admin(first),
            provena_market::client::initialize_admin(*first, wallets[WALLETS - 1], CLUSTER, PROTOCOL_BPS, MIN_STAKE),
        ];
        setup.extend(money[1..].iter().map(|money| provena_royalty::client::allow_mint(first, &money.mint())));
        world.accept(&setup, &[&keys[0]]);
        let mints: Vec<Address> = (0..POOLS).map(|n| keypair(&format!("asset {n}")).pubkey()).collect();
        for wallet in &wallets {
            let missing = START - world.lamports(wallet);
            money[SOL].give(&mut world, wallet, missing);
            money[1..].iter().for_each(|money| money.give(&mut world, wallet, START));
        }
        for mint in &mints {
            let pool = provena_royalty::pda::pool(mint).0;
            money[1..].iter().for_each(|money| money.give(&mut world, &pool, 0));
        }
        let fee_payer = world.wallet("payer of fees").pubkey();
        let model = Model::new(world.slot(), PROTOCOL_BPS, MIN_STAKE);
        // Whose signatures an instruction asks for is the program's affair; whether they are genuine is the chain's, and slow.
        // So are logs and history, which nobody reads before something fails.
        world.svm = world.svm.with_sigverify(false).with_log_bytes_limit(Some(0)).with_transaction_history(0);
        let places = Places::default();
        (Self { world, fee_payer, wallets, mints, money, places, offers: BTreeMap::new() }, model)
    }

    /// From now on failures come with the programs' logs.
    pub(crate) fn keep_logs(&mut self) {
        self.world.svm = std::mem::take(&mut self.world.svm).with_log_bytes_limit(None);
    }

    /// The transaction for an operation of a model that stands before it; `None` for what is no instruction, and where
    /// something that the accounts are derived from is missing.
    pub(crate) fn build(&mut self, operation: &Operation, model: &Model) -> Option<Built> {
        match operation {
            Operation::Outside(_) => None,
            Operation::Authority { program, by, act } => Some(self.exercising(*program, *by, act)),
            Operation::Registry(instruction) => self.registering(instruction, model),
            Operation::Royalty(instruction) => self.sharing(instruction, model),
            Operation::Market(instruction) => self.trading(instruction, model),
        }
    }

    /// Sends what was built, which must end as the model answered.
    #[track_caller]
    pub(crate) fn run(&mut self, built: &Built, answer: Answer) {
        let outcome = self.send(built);
        let last = u8::try_from(built.instructions.len() - 1).expect("few instructions");
        match (outcome, answer) {
            (Ok(_), Ok(())) => {}
            (Ok(_), Err(refusal)) => panic!("accepted, but the model says {refusal:?}"),
            (Err(failed), Ok(())) => panic!("refused with {:?}\n{}", failed.err, failed.meta.logs.join("\n")),
            (Err(_), Err(Refusal::Missing)) => {}
            (Err(failed), Err(refusal)) => {
                let expected = match refusal {
                    Refusal::Common(error) => error.instruction_error(),
                    Refusal::Registry(error) => error.instruction_error(),
                    Refusal::Royalty(error) => error.instruction_error(),
                    Refusal::Market(error) => error.instruction_error(),
                    Refusal::Code(code) => InstructionError::Custom(code),
                    Refusal::Missing => unreachable!("matched above"),
                };
                let expected = TransactionError::InstructionError(last, expected);
                assert!(
                    failed.err == expected,
                    "refused with {:?}, but the model says {refusal:?}\n{}",
                    failed.err,
                    failed.meta.logs.join("\n")
                );
            }
        }
    }

    /// Sends a transaction whose signers are known but do not sign: signatures would take most of the time.
    #[expect(clippy::result_large_err, reason = "the chain's own type, looked at once and dropped")]
    fn send(&mut self, built: &Built) -> TransactionResult {
        let mut message = Message::new(&built.instructions, Some(&self.fee_payer));
        message.recent_blockhash = self.world.svm.latest_blockhash();
        let signing = &message.account_keys[1..usize::from(message.header.num_required_signatures)];
        for key in signing {
            assert!(built.signers.contains(key), "{key} does not sign");
        }
        let recording = Recording::begin(&self.world.svm, &self.fee_payer, &built.instructions);
        let outcome = self.world.svm.send_transaction(Transaction::new_unsigned(message));
        if let Some(recording) = recording {
            recording.end(&self.world.svm, outcome.as_ref().err().map(|failed| &failed.err));
        }
        outcome
    }

    /// Something happens beside the programs; the model stands after it.
    pub(crate) fn happen(&mut self, event: &Outside, model: &Model, holder: Option<usize>) {
        match *event {
            Outside::PassSlots(_) => self.world.svm.warp_to_slot(model.slot),
            Outside::Donate { pool, mint, amount } => self.donate(Place::Vault(pool, mint), mint, amount),
            Outside::PayInbox { pool, mint, shard, amount } => {
                self.donate(Place::InboxVault(pool, mint, shard), mint, amount);
            }
            Outside::PayResale { pool, mint, amount } => self.donate(Place::PoolAccount(pool, mint), mint, amount),
            Outside::PayJob { job, tokens, amount } => {
                let job = &model.jobs[&job];
                let address = self.at(Place::job(&job.key));
                match tokens {
                    true => self.donate(Place::Escrow(address), job.mint, amount),
                    false => self.world.add_lamports(&address, amount),
                }
            }
            Outside::GiveNft { asset, to } => self.give_nft(asset, holder.expect("somebody held it"), to),
            Outside::Freeze { wallet, mint, frozen } => {
                let account = self.at(Place::Account(wallet, mint));
                set_frozen(&mut self.world, &account, frozen);
            }
        }
    }

    fn donate(&mut self, place: Place, mint: usize, amount: u64) {
        let address = self.at(place);
        match mint {
            SOL => self.world.add_lamports(&address, amount),
            _ => donate_tokens(&mut self.world, &address, amount),
        }
    }

    /// The holder's own transfer of the one token.
    fn give_nft(&mut self, asset: usize, from: usize, to: usize) {
        let mint = self.mints[asset];
        let [source, destination] = [from, to].map(|wallet| self.at(Place::Nft(asset, wallet)));
        let (giver, taker) = (self.wallets[from], self.wallets[to]);
        if self.world.account(&destination).is_none() {
            put_token_account(&mut self.world, &destination, &mint, &taker, 0);
        }
        let give = transfer_checked(&provena_common::token::TOKEN_PROGRAM, &source, &mint, &destination, &giver, 1, 0);
        self.send(&Built::by(giver, give)).unwrap_or_else(|failed| panic!("the NFT stays: {:?}", failed.err));
        assert_eq!(token_balance(&self.world, &destination), 1);
    }

    /// Where something is.
    fn at(&self, place: Place) -> Address {
        self.places.address(place, self)
    }

    fn holder(&self, holder: Holder) -> Address {
        match holder {
            Holder::Wallet(wallet) => self.wallets[wallet],
            Holder::Pool(pool) => self.at(Place::Pool(pool)),
        }
    }

    fn exercising(&self, program: Program, by: usize, act: &Act) -> Built {
        use provena_market::client as market;
        use provena_registry::client as registry;
        use provena_royalty::client as royalty;
        let by = self.wallets[by];
        let new = |new: usize| self.wallets[new];
        let instruction = match (program, act) {
            (Program::Registry, Act::ProposeAuthority(to)) => registry::propose_authority(&by, new(*to)),
            (Program::Registry, Act::AcceptAuthority) => registry::accept_authority(&by),
            (Program::Registry, Act::CancelAuthority) => registry::cancel_authority(&by),
            (Program::Registry, Act::SetPause(bits)) => registry::set_pause(&by, *bits),
            (Program::Royalty, Act::ProposeAuthority(to)) => royalty::propose_authority(&by, &new(*to)),
            (Program::Royalty, Act::AcceptAuthority) => royalty::accept_authority(&by),
            (Program::Royalty, Act::CancelAuthority) => royalty::cancel_authority(&by),
            (Program::Royalty, Act::SetPause(bits)) => royalty::set_pause(&by, *bits),
            (Program::Market, Act::ProposeAuthority(to)) => market::propose_authority(by, new(*to)),
            (Program::Market, Act::AcceptAuthority) => market::accept_authority(by),
            (Program::Market, Act::CancelAuthority) => market::cancel_authority(by),
            (Program::Market, Act::SetPause(bits)) => market::set_pause(by, *bits),
        };
        Built::by(by, instruction)
    }
}
