//! Accounts to put in the place of others: everything that the table's calls name when it is walked with other people, each
//! as it stood before the call.

use std::collections::BTreeMap;

use anchor_lang::prelude::Address;
use provena_common::token::{TOKEN_2022_PROGRAM, TOKEN_PROGRAM};
use provena_tests::{Calls, Cost, World, programs, trial::Trial, world::with_surname};
use solana_account::{Account, ReadableAccount};
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;

/// What an account is: who owns it, and which of its owner's kinds it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Class {
    pub owner: Address,
    pub executable: bool,
    kind: Vec<u8>,
}

impl Class {
    /// The class of an account, by its bytes.
    pub(crate) fn of(account: &impl ReadableAccount) -> Self {
        let (owner, data) = (*account.owner(), account.data());
        let ours = programs::OURS.iter().any(|(_, id)| *id == owner);
        let tokens = owner == TOKEN_PROGRAM || owner == TOKEN_2022_PROGRAM;
        let kind = match data.len() {
            _ if account.executable() => Vec::new(),
            8.. if ours => data[..8].to_vec(),
            len if tokens => vec![u8::from(len == 82 || len > 165 && data[165] == 1)],
            0 => Vec::new(),
            // Token Metadata's accounts begin with their kind, the loader's, too.
            _ => vec![data[0]],
        };
        Self { owner, executable: account.executable(), kind }
    }
}

/// An account that a call named, and what was there.
pub(crate) type Named = (Address, Option<Account>);

/// All accounts of the other people.
#[derive(Default)]
pub(crate) struct Stock {
    /// By class and address, as they stood when they were named first.
    accounts: BTreeMap<Class, BTreeMap<Address, Account>>,
    /// By call, in the order of its accounts, as they stood before it.
    calls: BTreeMap<String, Vec<Named>>,
}

impl Stock {
    /// Walks a table with other people.
    pub(crate) fn of(table: super::Table) -> Self {
        let mut stock = Self::default();
        with_surname(" of another family", || table(&mut stock));
        stock
    }

    /// Takes over what another table had.
    pub(crate) fn add(&mut self, other: Self) {
        for (class, accounts) in other.accounts {
            self.accounts.entry(class).or_default().extend(accounts);
        }
        for (call, named) in other.calls {
            assert!(self.calls.insert(call.clone(), named).is_none(), "{call} is called twice");
        }
    }

    /// What the same call named there.
    pub(crate) fn twins(&self, call: &str) -> &[Named] {
        &self.calls[call]
    }

    /// Some accounts of a class, at most so many.
    pub(crate) fn some_of(&self, class: &Class, most: usize) -> impl Iterator<Item = Address> {
        self.accounts.get(class).into_iter().flat_map(BTreeMap::keys).copied().take(most)
    }

    /// Every class, with one account of it.
    pub(crate) fn one_of_each(&self) -> impl Iterator<Item = (&Class, Address)> {
        self.accounts.iter().filter_map(|(class, accounts)| Some((class, *accounts.keys().next()?)))
    }

    /// Puts all accounts where they were, unless something is there or the call needs the place; those of the same call as
    /// they stood before it.
    pub(crate) fn place(&self, call: &str, needed: &[AccountMeta], trial: &mut Trial) {
        let twins = self.twins(call).iter().filter_map(|(address, account)| Some((address, account.as_ref()?)));
        for (address, account) in twins.chain(self.accounts.values().flatten()) {
            if !trial.holds(address) && needed.iter().all(|meta| meta.pubkey != *address) {
                trial.put(address, Some(account.clone()));
            }
        }
    }
}

/// Accounts of the chain itself on which a call is made, by class.
pub(crate) type Siblings = BTreeMap<Class, Vec<Address>>;

/// All accounts of a chain that are no programs, without the wallet that makes its money, which is another one each time.
pub(crate) fn siblings(world: &World) -> Siblings {
    let mut siblings = Siblings::new();
    let mint = world.svm.airdrop_pubkey();
    let accounts = world.svm.accounts_db().inner.iter();
    let mut accounts: Vec<_> =
        accounts.filter(|(address, account)| !account.executable() && **address != mint).collect();
    accounts.sort_by_key(|(address, _)| **address);
    for (address, account) in accounts {
        siblings.entry(Class::of(account)).or_default().push(*address);
    }
    siblings
}

impl Calls for Stock {
    fn call(&mut self, name: &str, world: &mut World, instructions: &[Instruction], signers: &[&Keypair]) -> Cost {
        let last = instructions.last().expect("a call has an instruction");
        let named: Vec<Named> = last.accounts.iter().map(|meta| (meta.pubkey, world.account(&meta.pubkey))).collect();
        for (address, account) in &named {
            if let Some(account) = account {
                let class = self.accounts.entry(Class::of(account)).or_default();
                class.entry(*address).or_insert_with(|| account.clone());
            }
        }
        assert!(self.calls.insert(name.to_owned(), named).is_none(), "{name} is called twice");
        world.measure(instructions, signers)
    }
}
