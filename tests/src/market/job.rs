//! Jobs of a scene, from posting to closing.

use anchor_lang::prelude::Address;
use provena_arith::{commitment::Commitment, merkle};
use provena_common::slot::Slot;
use provena_market::{
    ID,
    client::{self, Currency, JobRecord, Request},
    fees::Work,
    pda,
    state::Party,
};
use solana_account::Account;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{CLUSTER, INSTANCE, PROTOCOL_BPS, Scene};
use crate::world::{World, keypair};

/// The most work that jobs of a scene ask for: with [`super::terms`] they cost 16,005,036.
pub const MOST: Work = Work::new(8, 4);
/// The work that is usually done: with [`super::terms`] its fee is 7,005,015.
pub const DONE: Work = Work::new(3, 2);

/// The bytes of an answer that stands for `result`.
pub fn answer_bytes(result: u8) -> Vec<u8> {
    (0..2_000u32).map(|i| result.wrapping_add(i.to_le_bytes()[0])).collect()
}

/// The content root of [`answer_bytes`].
pub fn result_root(result: u8) -> [u8; 32] {
    merkle::content_root(&answer_bytes(result)).expect("it is not empty")
}

/// The salt of a node.
pub fn salt(node: usize) -> [u8; 32] {
    keypair(&format!("salt {node}")).pubkey().to_bytes()
}

/// A seat's index as the programs count.
pub fn seat(index: usize) -> u8 {
    u8::try_from(index).expect("few seats")
}

impl Scene {
    /// A request for `most` work with a nonce of the present slot and `index`, whose deposit is the price.
    pub fn request(&self, index: u16, most: Work) -> Request {
        Request {
            nonce_slot: self.world.slot(),
            nonce_index: index,
            input_root: [8; 32],
            most,
            deposit: client::price(&self.offer(), most).expect("the price fits"),
            max_protocol_bps: PROTOCOL_BPS,
        }
    }

    /// `post_job` by the payer on offer 0.
    pub fn posting(&self, request: Request) -> Instruction {
        client::post_job(self.payer.pubkey(), self.offer, &self.offer(), request, None)
    }

    /// Posts a job of [`MOST`] on offer 0.
    #[track_caller]
    pub fn post(&mut self, index: u16) -> Address {
        let request = self.request(index, MOST);
        self.world.accept(&[self.posting(request)], &[&self.payer]);
        pda::job(&self.payer.pubkey(), request.nonce_slot, index).0
    }

    /// The job.
    #[track_caller]
    pub fn job(&self, address: &Address) -> JobRecord {
        let account = self.world.account(address).unwrap_or_else(|| panic!("{address} does not exist"));
        JobRecord::decode(*address, &account.data).unwrap_or_else(|error| panic!("{address}: {error:?}"))
    }

    /// Whether a job's account is gone.
    pub fn is_closed(&self, address: &Address) -> bool {
        self.world.account(address).is_none()
    }

    /// A node's authority.
    pub fn authority(&self, node: usize) -> Address {
        self.nodes[node].pubkey()
    }

    /// `take_seat` with the job's own terms.
    #[track_caller]
    pub fn taking(&self, job: Address, node: usize, seat: u8) -> Instruction {
        client::take_seat(self.authority(node), job, seat, self.job(&job).job.terms_hash, INSTANCE)
    }

    /// A node takes a seat.
    #[track_caller]
    pub fn take(&mut self, job: Address, node: usize, seat: u8) {
        let take = self.taking(job, node, seat);
        self.world.accept(&[take], &[&self.nodes[node]]);
    }

    /// A node's commitment to a result and [`DONE`] work.
    #[track_caller]
    pub fn commitment(&self, job: &Address, node: usize, result: u8) -> [u8; 32] {
        self.commitment_to(job, node, result, DONE)
    }

    /// A node's commitment.
    #[track_caller]
    pub fn commitment_to(&self, job: &Address, node: usize, result: u8, work: Work) -> [u8; 32] {
        let record = self.job(job);
        Commitment {
            cluster: &CLUSTER,
            program: ID.as_array(),
            job: job.as_array(),
            terms_hash: &record.job.terms_hash,
            posted_slot: record.job.posted_at,
            node: self.authority(node).as_array(),
            result_root: &result_root(result),
            units_in: work.input.0,
            units_out: work.output.0,
        }
        .hash(&salt(node))
    }

    /// `commit` to a result and [`DONE`] work.
    #[track_caller]
    pub fn committing(&self, job: Address, node: usize, seat: u8, result: u8) -> Instruction {
        client::commit(self.authority(node), job, seat, self.commitment(&job, node, result))
    }

    /// A node commits.
    #[track_caller]
    pub fn commit(&mut self, job: Address, node: usize, seat: u8, result: u8) {
        let commit = self.committing(job, node, seat, result);
        self.world.accept(&[commit], &[&self.nodes[node]]);
    }

    /// `reveal` of a result and [`DONE`] work.
    pub fn revealing(&self, job: Address, node: usize, seat: u8, result: u8) -> Instruction {
        client::reveal(self.authority(node), job, seat, result_root(result), DONE, salt(node))
    }

    /// A node reveals.
    #[track_caller]
    pub fn reveal(&mut self, job: Address, node: usize, seat: u8, result: u8) {
        let reveal = self.revealing(job, node, seat, result);
        self.world.accept(&[reveal], &[&self.nodes[node]]);
    }

    /// `answer` with a result and [`DONE`] work.
    pub fn answering(&self, job: Address, node: usize, result: u8) -> Instruction {
        client::answer(self.authority(node), job, result_root(result), DONE)
    }

    /// A node answers a job of one seat.
    #[track_caller]
    pub fn answer(&mut self, job: Address, node: usize, result: u8) {
        let answer = self.answering(job, node, result);
        self.world.accept(&[answer], &[&self.nodes[node]]);
    }

    /// Nodes 0, 1, … take the seats 0, 1, … and commit.
    #[track_caller]
    pub fn commit_all(&mut self, job: Address, results: &[u8]) {
        for (node, result) in results.iter().enumerate() {
            self.take(job, node, seat(node));
            self.commit(job, node, seat(node), *result);
        }
    }

    /// Nodes 0, 1, … take the seats 0, 1, …, commit and reveal these results; a single one answers.
    #[track_caller]
    pub fn work(&mut self, job: Address, results: &[u8]) {
        if let [result] = results {
            self.take(job, 0, 0);
            self.answer(job, 0, *result);
            return;
        }
        self.commit_all(job, results);
        for (node, result) in results.iter().enumerate() {
            self.reveal(job, node, seat(node), *result);
        }
    }

    /// `finalize` with the seats that are late now.
    #[track_caller]
    pub fn finalizing(&self, job: &Address) -> Instruction {
        client::finalize(&self.job(job), Slot(self.world.slot()))
    }

    /// Anybody finalizes.
    #[track_caller]
    pub fn finalize(&mut self, job: &Address) {
        let finalize = self.finalizing(job);
        self.world.accept(&[finalize], &[]);
    }

    /// Anybody ends a late seat.
    #[track_caller]
    pub fn expire(&mut self, job: &Address, seat: u8) {
        let expire = client::expire_seat(&self.job(job), seat);
        self.world.accept(&[expire], &[]);
    }

    /// The payer acknowledges the answer.
    #[track_caller]
    pub fn acknowledge(&mut self, job: Address) {
        let acknowledge = client::acknowledge(self.payer.pubkey(), job);
        self.world.accept(&[acknowledge], &[&self.payer]);
    }

    /// The payer demands the answer.
    #[track_caller]
    pub fn demand(&mut self, job: Address) {
        let demand = client::demand_answer(self.payer.pubkey(), job);
        self.world.accept(&[demand], &[&self.payer]);
    }

    /// The token program of the scene's money.
    pub fn token_program(&self) -> Option<Address> {
        self.money.currency().token_program()
    }

    /// The collecting instruction for a party, with everything that it may collect; into inboxes 0.
    pub fn collecting(&self, job: &JobRecord, party: Party) -> Instruction {
        let token_program = self.token_program();
        match party {
            Party::Seat(seat) => client::collect_seat(job, seat, token_program),
            Party::Royalty => client::collect_royalty(job, 0, token_program),
            Party::Protocol => {
                let owed = job.job.owed(&job.seats, party).unwrap_or_default();
                let sol = !self.money.is_token() || !owed.lamports.is_zero();
                client::collect_protocol(job, 0, sol, token_program.filter(|_| !owed.money.is_zero()))
            }
            Party::Payer => client::collect_refund(job, token_program),
        }
    }

    /// Opens the treasury's inbox 0 for SOL, where forfeited bonds go whatever a job is paid in.
    pub fn open_sol_inbox(&mut self) {
        let open = client::open_treasury_inbox(self.payer.pubkey(), Currency::Sol, 0);
        self.world.accept(&[open], &[&self.payer]);
    }

    /// Anybody collects for a party.
    #[track_caller]
    pub fn collect(&mut self, job: &Address, party: Party) {
        let collect = self.collecting(&self.job(job), party);
        self.world.accept(&[collect], &[]);
    }

    /// Anybody collects for everybody who may collect now.
    #[track_caller]
    pub fn collect_all(&mut self, job: &Address) {
        loop {
            let record = self.job(job);
            let next = record.job.collectable(&record.seats, Slot(self.world.slot())).expect("it has ended");
            let Some(party) = next else { return };
            self.collect(job, party);
        }
    }

    /// `close_job` by a caller.
    #[track_caller]
    pub fn closing(&self, caller: &Keypair, job: &Address) -> Instruction {
        client::close_job(caller.pubkey(), &self.job(job), self.token_program())
    }

    /// The payer closes the job.
    #[track_caller]
    pub fn close(&mut self, job: &Address) {
        let close = self.closing(&self.payer, job);
        self.world.accept(&[close], &[&self.payer]);
    }
}

/// Owns the programs that the chain brings along.
const NATIVE_LOADER: Address = Address::from_str_const("NativeLoader1111111111111111111111111111111");

impl World {
    /// Removes an account with all that is in it, as if its owner had closed it.
    #[track_caller]
    pub fn remove(&mut self, address: &Address) {
        self.svm.set_account(*address, Account::default()).expect("the account is sound");
    }

    /// Makes a wallet's address that of a program, which takes no lamports.
    #[track_caller]
    pub fn make_executable(&mut self, address: &Address) {
        let mut account = self.account(address).expect("the wallet exists");
        account.executable = true;
        account.owner = NATIVE_LOADER;
        self.svm.set_account(*address, account).expect("the account is sound");
    }
}
