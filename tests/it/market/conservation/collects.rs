//! Collecting, putting aside, closing.

use anchor_lang::prelude::Address;
use provena_common::NATIVE_MINT;
use provena_market::{client, pda};
use provena_tests::market::seat as number;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{
    chain::Chain,
    model::{Job, Part, Party, Shares},
};

impl Chain {
    pub fn collect(&mut self, index: usize) {
        let job = self.jobs[index].clone();
        let parties = job.parties();
        let payable: Vec<Party> =
            parties.iter().copied().filter(|party| job.payable(*party, self.now()).is_some()).collect();
        let party = if !payable.is_empty() && self.random.chance(85) {
            self.random.pick(&payable)
        } else {
            self.random.pick(&parties)
        };
        let with_tokens = self.random.chance(80);
        self.collect_for(index, party, with_tokens);
    }

    /// Anybody collects for a party, of a job in tokens with or without its token accounts.
    pub fn collect_for(&mut self, index: usize, party: Party, with_tokens: bool) {
        let job = self.jobs[index].clone();
        let record = self.record(&job.address);
        let program = self.token_program(job.money).filter(|_| with_tokens);
        // Of the treasury's two inboxes sometimes only one is given.
        let sol = job.money == 0 || !with_tokens || self.random.chance(70);
        let (name, collect) = match party {
            Party::Seat(seat) => ("collect_seat", client::collect_seat(&record, number(seat), program)),
            Party::Royalty => ("collect_royalty", client::collect_royalty(&record, 0, program)),
            Party::Protocol => ("collect_protocol", client::collect_protocol(&record, 0, sol, program)),
            Party::Payer => ("collect_refund", client::collect_refund(&record, program)),
        };
        let (wallet, token_account) = self.receivers(&job, party);
        let payable = job.payable(party, self.now());
        let tokens = job.money > 0 && with_tokens && payable.as_ref().is_some_and(|owed| owed.money > 0);
        let blocked = tokens && matches!(party, Party::Seat(_) | Party::Payer) && !self.can_take(&job, party);
        let paid = payable.map(|owed| {
            let lamports = if matches!(party, Party::Protocol) { sol } else { true };
            Shares {
                money: if tokens || job.money == 0 && lamports { owed.money } else { 0 },
                lamports: if lamports { owed.lamports } else { 0 },
                bond: owed.bond,
            }
        });
        let something = paid.as_ref().is_some_and(|paid| paid.money > 0 || paid.lamports > 0 || paid.bond);
        if !self.send(name, &[collect], &[], something && !blocked) {
            return;
        }
        let paid = paid.expect("it was accepted");
        self.pay(&job, wallet, token_account, paid.money);
        self.move_lamports(
            job.address,
            if party == Party::Protocol { self.treasury_inbox(0) } else { wallet },
            paid.lamports,
        );
        if let (Party::Seat(seat), true) = (party, paid.bond) {
            let node = job.seats[seat].node.expect("it is held");
            self.stakes[node].locked -= job.bond;
            if job.agreeing().contains(&seat) {
                self.stakes[node].agreed += 1;
            }
        }
        self.note(index, party, &paid);
        self.compare(name);
    }

    fn note(&mut self, index: usize, party: Party, paid: &Shares) {
        let collected = &mut self.jobs[index].collected;
        for (part, paid) in
            [(Part::Money, paid.money > 0), (Part::Lamports, paid.lamports > 0), (Part::Bond, paid.bond)]
        {
            if paid {
                assert!(collected.insert((party, part)), "{party:?} was paid twice");
            }
        }
    }

    /// Where a party takes lamports and tokens.
    fn receivers(&self, job: &Job, party: Party) -> (Address, Address) {
        let money = job.money;
        let of_wallet = |wallet: Address| (wallet, self.money[money].account_of(&wallet));
        match party {
            Party::Seat(seat) => {
                let node = job.seats.get(seat).and_then(|seat| seat.node).unwrap_or(0);
                of_wallet(self.nodes[node].pubkey())
            }
            Party::Payer => of_wallet(self.payers[job.payer].pubkey()),
            Party::Royalty => {
                let inbox = self.royalty_inbox(money);
                (inbox, provena_royalty::pda::inbox_vault(&inbox).0)
            }
            Party::Protocol => {
                let inbox = self.treasury_inbox(money);
                (inbox, pda::treasury_vault(&inbox).0)
            }
        }
    }

    /// Whether a wallet's token account takes the job's money.
    fn can_take(&self, job: &Job, party: Party) -> bool {
        let (wallet, _) = self.receivers(job, party);
        self.takes_tokens(job.money, &wallet)
    }

    pub fn park(&mut self, index: usize) {
        let job = self.jobs[index].clone();
        let parties = job.parties();
        let party = self.random.pick(&parties);
        let party = if matches!(party, Party::Seat(_)) { party } else { Party::Payer };
        let with_tokens = job.money > 0 && self.random.chance(70);
        let (wallet, _) = self.receivers(&job, party);
        let free = matches!(party, Party::Seat(seat) if job.seats[seat].node.is_none());
        let seat = match party {
            Party::Seat(seat) => Some(number(seat)),
            _ => None,
        };
        let now = self.now();
        let owed = job.payable(party, now).filter(|_| now >= job.ended_at + 216_000 && !free);
        let paid = owed.map(|owed| Shares {
            money: if (job.money == 0) != with_tokens { owed.money } else { 0 },
            lamports: if with_tokens { 0 } else { owed.lamports },
            bond: false,
        });
        let expected = paid.as_ref().is_some_and(|paid| paid.money > 0 || paid.lamports > 0);
        let helper = self.helper.insecure_clone();
        let program = self.token_program(job.money).filter(|_| with_tokens);
        let park = client::park(helper.pubkey(), &self.record(&job.address), seat, program);
        let mint = if with_tokens { self.money[job.money].mint() } else { NATIVE_MINT };
        let residual = pda::residual(&wallet, &mint).0;
        let vault = pda::residual_vault(&residual).0;
        self.track(residual);
        if with_tokens {
            self.track_tokens(vault);
        }
        if !self.send("park", &[park], &[&helper], expected) {
            return;
        }
        let paid = paid.expect("it was accepted");
        if !self.residuals.contains_key(&residual) {
            let rent = self.rent(216);
            self.move_lamports(helper.pubkey(), residual, rent);
            if with_tokens {
                let vault_rent = self.token_account_rent(job.money);
                self.move_lamports(helper.pubkey(), vault, vault_rent);
            }
            self.residuals.insert(residual, rent);
        }
        self.pay(&job, residual, vault, paid.money);
        self.move_lamports(job.address, residual, paid.lamports);
        self.note(index, party, &paid);
        self.compare("park");
    }

    pub fn collect_residual(&mut self) {
        let money = self.random.index(3);
        let wallets: Vec<Address> = self.payers.iter().chain(&self.nodes).map(Signer::pubkey).collect();
        let there: Vec<(usize, Address)> = (0..3)
            .flat_map(|money| wallets.iter().map(move |wallet| (money, *wallet)))
            .filter(|(money, wallet)| self.residuals.contains_key(&pda::residual(wallet, &self.money[*money].mint()).0))
            .collect();
        let (money, wallet) = if there.is_empty() || self.random.chance(10) {
            (money, self.random.pick(&wallets))
        } else {
            self.random.pick(&there)
        };
        let residual = pda::residual(&wallet, &self.money[money].mint()).0;
        let vault = pda::residual_vault(&residual).0;
        let currency = self.money[money].currency();
        let collect = client::collect_residual(wallet, self.helper.pubkey(), currency);
        let exists = self.residuals.contains_key(&residual);
        // What the mint's fee left nothing of is closed even where nothing could be paid.
        let empty = money > 0 && self.tokens.get(&vault) == Some(&0);
        let expected = exists && (money == 0 || empty || self.takes_tokens(money, &wallet));
        let mut instructions = if exists { self.harvest(money, vault) } else { Vec::new() };
        instructions.push(collect);
        if !self.send("collect_residual", &instructions, &[], expected) {
            return;
        }
        let rent = self.residuals.remove(&residual).expect("it existed");
        let helper = self.helper.pubkey();
        self.move_lamports(residual, helper, rent);
        let left = self.lamports[&residual];
        self.move_lamports(residual, wallet, left);
        if money > 0 {
            let amount = self.tokens[&vault];
            self.move_tokens(money, vault, self.money[money].account_of(&wallet), amount);
            let vault_rent = self.lamports[&vault];
            self.move_lamports(vault, helper, vault_rent);
        }
        self.compare("collect_residual");
    }

    pub fn close(&mut self, index: usize) {
        let by = if self.random.chance(80) { Some(self.jobs[index].payer) } else { None };
        self.close_by(index, by);
    }

    /// A payer closes a job, or the helper.
    pub fn close_by(&mut self, index: usize, payer: Option<usize>) {
        let job = self.jobs[index].clone();
        let key: Keypair = payer.map_or(&self.helper, |payer| &self.payers[payer]).insecure_clone();
        let now = self.now();
        let by_payer = payer == Some(job.payer);
        let expected =
            job.ended() && job.paid_out() && now > job.nonce_slot + 150 && (by_payer || now > job.ended_at + 216_000);
        let escrow = pda::escrow(&job.address).0;
        let mut instructions = self.harvest(job.money, escrow);
        instructions.push(client::close_job(key.pubkey(), &self.record(&job.address), self.token_program(job.money)));
        if !self.send("close_job", &instructions, &[&key], expected) {
            return;
        }
        let payer = self.payers[job.payer].pubkey();
        self.move_lamports(job.address, payer, job.rent);
        if job.money > 0 {
            self.move_lamports(escrow, payer, job.escrow_rent);
            assert_eq!(self.tokens[&escrow], 0, "tokens are left in the escrow");
        }
        assert_eq!(self.lamports[&job.address], 0, "lamports are left in the job");
        self.jobs.remove(index);
        self.compare("close_job");
        // Answers to a job that is gone are closed by anybody.
        for node in 0..self.nodes.len() {
            if self.answers.contains_key(&(job.address, node)) {
                let close = client::close_answer(self.nodes[node].pubkey(), job.address);
                self.send("close_answer", &[close], &[], true);
                self.forget_answer(job.address, node);
                self.compare("close_answer");
            }
        }
        // Nothing of it is left; there will never be anything at these addresses again.
        self.lamports.retain(|address, lamports| *lamports > 0 || self.world.account(address).is_some());
        self.tokens.retain(|account, _| self.world.account(account).is_some());
    }
}
