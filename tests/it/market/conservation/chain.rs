//! The chain with everybody on it, what the model expects of it, and how both are compared.

use std::collections::BTreeMap;

use anchor_lang::prelude::Address;
use litesvm::types::TransactionResult;
use provena_market::{client, pda, state::Offer};
use provena_tests::{
    World,
    market::answer_bytes,
    registry::Registered,
    tokens::{self, Money},
};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::Message;
use solana_signer::Signer;
use solana_transaction::Transaction;

use super::{model::Job, random::Random};

/// What a mint's transfer takes, in basis points, by kind of money.
const TRANSFER_FEES: [u64; 3] = [0, 0, 100];

/// An offer, open or closed.
pub struct Sold {
    pub id: u64,
    pub money: usize,
    pub open: bool,
    /// As it was when it was last open.
    pub offer: Offer,
}

/// A node's stake as the model has it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stake {
    pub stake: u64,
    pub locked: u64,
    pub agreed: u64,
    pub forfeited: u64,
}

/// An answer on chain.
#[derive(Clone, Copy, Debug)]
pub struct Posted {
    pub result: u8,
    pub sealed_at: Option<u64>,
    pub rent: u64,
}

/// Everything.
pub struct Chain {
    pub world: World,
    /// Pays the fees of all transactions.
    pub fee_payer: Address,
    pub random: Random,
    pub seed: u64,
    pub model: Registered,
    pub money: [Money; 3],
    pub offers: Vec<Sold>,
    pub payers: Vec<Keypair>,
    pub nodes: Vec<Keypair>,
    pub stakes: Vec<Stake>,
    pub authority: Keypair,
    pub helper: Keypair,
    pub treasury: Address,
    pub protocol_bps: u16,
    pub jobs: Vec<Job>,
    /// The job with which things happen for a while.
    pub focus: usize,
    /// By job and node.
    pub answers: BTreeMap<(Address, usize), Posted>,
    /// Rent of residuals that exist, by address.
    pub residuals: BTreeMap<Address, u64>,
    /// What each account must hold.
    pub lamports: BTreeMap<Address, u64>,
    pub tokens: BTreeMap<Address, u64>,
    pub sent: u64,
    pub counts: BTreeMap<&'static str, (u64, u64)>,
}

impl Chain {
    /// Makes sure that an account's balances are looked at from now on.
    pub fn track(&mut self, address: Address) {
        let now = self.world.lamports(&address);
        self.lamports.entry(address).or_insert(now);
    }

    /// The same for a token account.
    pub fn track_tokens(&mut self, account: Address) {
        let now = self.world.account(&account).map_or(0, |_| tokens::token_balance(&self.world, &account));
        self.tokens.entry(account).or_insert(now);
        self.track(account);
    }

    /// Lamports go from one account to another.
    #[track_caller]
    pub fn move_lamports(&mut self, from: Address, to: Address, amount: u64) {
        for address in [from, to] {
            assert!(self.lamports.contains_key(&address), "{address} is not looked at");
        }
        *self.lamports.get_mut(&from).expect("tracked") -= amount;
        *self.lamports.get_mut(&to).expect("tracked") += amount;
    }

    /// Tokens go from one account to another, less what the mint takes.
    #[track_caller]
    pub fn move_tokens(&mut self, money: usize, from: Address, to: Address, amount: u64) {
        *self.tokens.get_mut(&from).expect("tracked") -= amount;
        *self.tokens.get_mut(&to).expect("tracked") += arrives(money, amount);
    }

    /// Money of a kind goes from a job to an account that holds lamports, or tokens.
    #[track_caller]
    pub fn pay(&mut self, job: &Job, wallet: Address, token_account: Address, amount: u64) {
        if amount == 0 {
            return;
        }
        if job.money == 0 {
            self.move_lamports(job.address, wallet, amount);
        } else {
            self.move_tokens(job.money, pda::escrow(&job.address).0, token_account, amount);
        }
    }

    /// Sends instructions of which the last one is meant, and compares all with the model's word.
    #[track_caller]
    pub fn send(
        &mut self,
        name: &'static str,
        instructions: &[Instruction],
        signers: &[&Keypair],
        expected: bool,
    ) -> bool {
        self.sent += 1;
        let outcome = self.deliver(instructions, signers);
        let accepted = outcome.is_ok();
        if accepted != expected {
            let logs = match outcome {
                Ok(done) => done.logs,
                Err(failed) => failed.meta.logs,
            };
            panic!(
                "PROVENA_SEED={} instruction {}: {name} was {} against the model\n{}\n{:#?}",
                self.seed,
                self.sent,
                if accepted { "accepted" } else { "refused" },
                logs.join("\n"),
                self.jobs,
            );
        }
        let counts = self.counts.entry(name).or_default();
        if accepted {
            counts.0 += 1;
        } else {
            counts.1 += 1;
            self.compare(name);
        }
        accepted
    }

    /// Sends a transaction whose signers are known but do not sign: signatures would take most of the time.
    #[expect(clippy::result_large_err, reason = "the chain's own type, looked at once and dropped")]
    fn deliver(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> TransactionResult {
        let mut message = Message::new(instructions, Some(&self.fee_payer));
        message.recent_blockhash = self.world.svm.latest_blockhash();
        let signing = &message.account_keys[..usize::from(message.header.num_required_signatures)];
        for key in signing.iter().filter(|key| **key != self.fee_payer) {
            assert!(signers.iter().any(|signer| signer.pubkey() == *key), "{key} does not sign");
        }
        self.world.svm.send_transaction(Transaction::new_unsigned(message))
    }

    /// Compares every account with what the model expects.
    #[track_caller]
    pub fn compare(&self, name: &str) {
        let at = || format!("PROVENA_SEED={} after instruction {}, {name}", self.seed, self.sent);
        for (address, expected) in &self.lamports {
            assert_eq!(self.world.lamports(address), *expected, "lamports of {address} {}\n{:#?}", at(), self.jobs);
        }
        for (account, expected) in &self.tokens {
            let found = self.world.account(account).map_or(0, |_| tokens::token_balance(&self.world, account));
            assert_eq!(found, *expected, "tokens of {account} {}\n{:#?}", at(), self.jobs);
        }
        for (index, stake) in self.stakes.iter().enumerate() {
            let account = self.world.account(&self.node(index)).expect("the node exists");
            let node: provena_market::state::Node = client::decode(&account.data).expect("it is a node");
            let found = (node.stake, node.locked, node.agreed, node.forfeited);
            assert_eq!(found, (stake.stake, stake.locked, stake.agreed, stake.forfeited), "node {index} {}", at());
        }
    }

    pub fn now(&self) -> u64 {
        self.world.slot()
    }

    /// A node's account.
    pub fn node(&self, node: usize) -> Address {
        pda::node(&self.nodes[node].pubkey()).0
    }

    /// The token program of a kind of money; none for SOL.
    pub fn token_program(&self, money: usize) -> Option<Address> {
        self.money[money].currency().token_program()
    }

    /// Whether a wallet's associated token account takes tokens.
    pub fn takes_tokens(&self, money: usize, wallet: &Address) -> bool {
        let account = self.money[money].account_of(wallet);
        self.world.account(&account).is_some_and(|account| account.data[108] == 1)
    }

    /// Rent of so many bytes.
    pub fn rent(&self, len: usize) -> u64 {
        self.world.svm.minimum_balance_for_rent_exemption(len)
    }

    /// Bytes of a token account for a kind of money: one with withheld fees is longer.
    pub fn token_account_rent(&self, money: usize) -> u64 {
        self.rent(if TRANSFER_FEES[money] == 0 { 165 } else { 178 })
    }

    /// Harvests withheld fees of an account into its mint, which Token-2022 wants before an account is closed.
    pub fn harvest(&self, money: usize, account: Address) -> Vec<Instruction> {
        if TRANSFER_FEES[money] == 0 {
            return Vec::new();
        }
        vec![client::harvest_withheld(self.money[money].mint(), account)]
    }

    /// The numbers of what was sent, accepted and refused.
    pub fn summary(&self) -> String {
        let mut lines = vec![format!("{} instructions, PROVENA_SEED={}", self.sent, self.seed)];
        for (name, (accepted, refused)) in &self.counts {
            lines.push(format!("{name:<20} {accepted:>7} accepted {refused:>7} refused"));
        }
        lines.join("\n")
    }
}

/// What arrives of a transfer.
pub fn arrives(money: usize, amount: u64) -> u64 {
    let fee = (u128::from(amount) * u128::from(TRANSFER_FEES[money])).div_ceil(10_000);
    amount - u64::try_from(fee).expect("a part of it")
}

/// Bytes of an account with an answer, discriminator and length included.
pub fn answer_len() -> usize {
    8 + 144 + 4 + answer_bytes(1).len()
}
