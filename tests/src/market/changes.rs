//! Where all the money of a scene is, by name, and how that changed.

use std::collections::BTreeMap;

use anchor_lang::prelude::Address;
use provena_common::NATIVE_MINT;
use provena_market::pda;
use solana_signer::Signer;

use super::Scene;
use crate::tokens;

/// What everybody and everything has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balances {
    lamports: BTreeMap<String, u64>,
    tokens: BTreeMap<String, u64>,
}

impl Balances {
    /// The tokens of somebody named.
    ///
    /// # Panics
    ///
    /// When nobody has that name.
    #[track_caller]
    pub fn tokens(&self, name: &str) -> u64 {
        *self.tokens.get(name).unwrap_or_else(|| panic!("nobody is named {name}"))
    }

    /// The lamports of somebody named.
    ///
    /// # Panics
    ///
    /// When nobody has that name.
    #[track_caller]
    pub fn lamports(&self, name: &str) -> u64 {
        *self.lamports.get(name).unwrap_or_else(|| panic!("nobody is named {name}"))
    }
}

impl Scene {
    /// Who may hold money of these jobs, by name. Wallets are named plainly, accounts after what they are.
    fn holders(&self, jobs: &[Address]) -> BTreeMap<String, Address> {
        let mint = self.money.mint();
        let mut holders = BTreeMap::from([
            ("payer".to_owned(), self.payer.pubkey()),
            ("treasury".to_owned(), self.treasury),
            ("treasury inbox".to_owned(), pda::treasury_inbox(&NATIVE_MINT, 0).0),
            ("royalty inbox".to_owned(), self.royalty_inbox()),
            ("payer's residual".to_owned(), pda::residual(&self.payer.pubkey(), &mint).0),
            ("payer's residual in SOL".to_owned(), pda::residual(&self.payer.pubkey(), &NATIVE_MINT).0),
        ]);
        if self.money.is_token() {
            holders.insert("treasury token inbox".to_owned(), pda::treasury_inbox(&mint, 0).0);
        }
        for (index, node) in self.nodes.iter().map(Signer::pubkey).enumerate() {
            holders.insert(format!("node {index}"), node);
            holders.insert(format!("stake {index}"), pda::node(&node).0);
            holders.insert(format!("residual {index}"), pda::residual(&node, &mint).0);
            holders.insert(format!("residual {index} in SOL"), pda::residual(&node, &NATIVE_MINT).0);
        }
        for (index, job) in jobs.iter().enumerate() {
            holders.insert(format!("job {index}"), *job);
        }
        holders
    }

    /// Where these holders keep tokens; lamports of these accounts are their rent.
    fn token_accounts(&self, holders: &BTreeMap<String, Address>, jobs: &[Address]) -> BTreeMap<String, Address> {
        if !self.money.is_token() {
            return BTreeMap::new();
        }
        let mut accounts = BTreeMap::new();
        for (name, holder) in holders {
            let account = if name.starts_with("residual") || name.starts_with("payer's residual") {
                pda::residual_vault(holder).0
            } else if name == "treasury token inbox" {
                pda::treasury_vault(holder).0
            } else if name == "royalty inbox" {
                provena_royalty::pda::inbox_vault(holder).0
            } else {
                self.money.account_of(holder)
            };
            accounts.insert(name.clone(), account);
        }
        for (index, job) in jobs.iter().enumerate() {
            accounts.insert(format!("job {index}"), pda::escrow(job).0);
        }
        accounts
    }

    /// Inbox 0 of the model's books in the scene's money.
    pub fn royalty_inbox(&self) -> Address {
        let books = provena_royalty::pda::books(&self.model.pool, &self.money.mint()).0;
        provena_royalty::pda::inbox(&books, 0).0
    }

    /// What everybody has, these jobs included.
    pub fn balances(&self, jobs: &[Address]) -> Balances {
        let holders = self.holders(jobs);
        let accounts = self.token_accounts(&holders, jobs);
        let mut lamports: BTreeMap<String, u64> =
            holders.iter().map(|(name, holder)| (name.clone(), self.world.lamports(holder))).collect();
        let mut tokens = BTreeMap::new();
        for (name, account) in &accounts {
            lamports.insert(format!("{name}'s token account"), self.world.lamports(account));
            let amount = self.world.account(account).map_or(0, |_| tokens::token_balance(&self.world, account));
            tokens.insert(name.clone(), amount);
        }
        Balances { lamports, tokens }
    }

    /// How lamports changed since, by name; what did not change is left out.
    ///
    /// # Panics
    ///
    /// When lamports came from or went to somewhere else.
    #[track_caller]
    pub fn lamport_changes(&self, jobs: &[Address], before: &Balances) -> Vec<(String, i64)> {
        changes(&before.lamports, &self.balances(jobs).lamports)
    }

    /// How tokens changed since, by name.
    ///
    /// # Panics
    ///
    /// When tokens came from or went to somewhere else.
    #[track_caller]
    pub fn token_changes(&self, jobs: &[Address], before: &Balances) -> Vec<(String, i64)> {
        changes(&before.tokens, &self.balances(jobs).tokens)
    }

    /// How the scene's money changed since.
    ///
    /// # Panics
    ///
    /// When money came from or went to somewhere else.
    #[track_caller]
    pub fn money_changes(&self, jobs: &[Address], before: &Balances) -> Vec<(String, i64)> {
        if self.money.is_token() { self.token_changes(jobs, before) } else { self.lamport_changes(jobs, before) }
    }
}

#[track_caller]
fn changes(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> Vec<(String, i64)> {
    let change = |name: &String| {
        let of = |side: &BTreeMap<String, u64>| i128::from(side.get(name).copied().unwrap_or(0));
        i64::try_from(of(after) - of(before)).expect("changes are small")
    };
    let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
    let all: BTreeMap<String, i64> = names.map(|name| (name.clone(), change(name))).collect();
    let changed: Vec<_> = all.into_iter().filter(|(_, change)| *change != 0).collect();
    let sum: i64 = changed.iter().map(|(_, change)| change).sum();
    assert_eq!(sum, 0, "money came from or went to somewhere else: {changed:?}");
    changed
}

/// Changes as a test writes them.
pub fn expected(changes: &[(&str, i64)]) -> Vec<(String, i64)> {
    let mut changes: Vec<_> = changes.iter().map(|(name, change)| ((*name).to_owned(), *change)).collect();
    changes.sort();
    changes
}
