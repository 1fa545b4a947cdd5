//! What is put in the place of an account.

use anchor_lang::prelude::Address;
use provena_common::token::{TOKEN_2022_PROGRAM, TOKEN_PROGRAM};
use provena_tests::{trial::Trial, world::keypair};
use solana_account::Account;
use solana_instruction::AccountMeta;
use solana_signer::Signer;

use super::stock::{Class, Siblings, Stock};

/// The most accounts of the same class that take an account's place, besides the one of the same call.
const MOST_OTHERS: usize = 4;

/// The most accounts of the same class and the same chain that do.
const MOST_SIBLINGS: usize = 6;

/// A way of being wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Of other people, what they name in the same call: another asset, mint, holder, payer or node in the very same state.
    Twin,
    /// Another account of the same type in any state, other people's or from the same chain; another program.
    Other,
    /// An account of another type and the same owner.
    WrongType,
    /// An account that exists and has another owner.
    Foreign,
    /// A copy elsewhere, with another owner.
    WrongOwner,
    /// The account itself, with another owner.
    ReOwned,
    /// A copy elsewhere, of the right owner: a look-alike.
    LookAlike,
    /// A token account of the right mint that is a stranger's: elsewhere, or at the right address after its owner gave it
    /// away.
    StrangersTokens,
    /// An address at which nothing is.
    Missing,
    /// Left out, where it may be.
    Absent,
    /// Another account of the same call.
    Duplicate,
    /// Not writable.
    ReadOnly,
    /// Not signing.
    Unsigned,
}

/// One substitution: what the call names in the account's place, and what is put there for it.
pub(crate) struct Substitution {
    pub kind: Kind,
    pub meta: AccountMeta,
    /// Put at the address named for as long as it is tried.
    pub put: Option<Account>,
}

/// The account whose place is taken.
pub(crate) struct Place<'a> {
    pub call: &'a str,
    pub index: usize,
    /// What the call names.
    pub meta: &'a AccountMeta,
    /// What is there.
    pub account: Option<Account>,
    /// Everything that the call names.
    pub all: &'a [AccountMeta],
    /// The program, whose address stands for an account left out; none where it may not be.
    pub absent: Option<Address>,
}

impl Place<'_> {
    /// Everything that is tried here.
    pub(crate) fn substitutions(&self, stock: &Stock, siblings: &Siblings, trial: &Trial) -> Vec<Substitution> {
        let mut all = self.flags();
        all.extend(self.copies());
        let address =
            |kind, pubkey: Address| Substitution { kind, meta: AccountMeta { pubkey, ..self.meta.clone() }, put: None };
        all.push(address(Kind::Missing, keypair("nobody and nothing").pubkey()));
        if let Some(program) = self.absent {
            all.push(Substitution { kind: Kind::Absent, meta: AccountMeta::new_readonly(program, false), put: None });
        }
        all.extend(self.all.iter().map(|other| address(Kind::Duplicate, other.pubkey)));
        all.extend(self.others(stock, siblings, trial).into_iter().map(|(kind, other)| address(kind, other)));
        // What names the account itself is none, unless something else is there for it.
        all.retain(|substitution| substitution.put.is_some() || substitution.meta != *self.meta);
        all
    }

    /// Fewer rights.
    fn flags(&self) -> Vec<Substitution> {
        let mut all = Vec::new();
        if self.meta.is_writable {
            let meta = AccountMeta { is_writable: false, ..self.meta.clone() };
            all.push(Substitution { kind: Kind::ReadOnly, meta, put: None });
        }
        if self.meta.is_signer {
            let meta = AccountMeta { is_signer: false, ..self.meta.clone() };
            all.push(Substitution { kind: Kind::Unsigned, meta, put: None });
        }
        all
    }

    /// Copies of the account; programs and what the chain keeps itself cannot be copied.
    fn copies(&self) -> Vec<Substitution> {
        let Some(account) = self.account.as_ref().filter(|account| !account.executable) else { return Vec::new() };
        let elsewhere = AccountMeta { pubkey: keypair("look-alike").pubkey(), ..self.meta.clone() };
        let look_alike = Substitution { kind: Kind::LookAlike, meta: elsewhere.clone(), put: Some(account.clone()) };
        let mut all = vec![look_alike];
        for owner in owners_instead_of(&account.owner) {
            for (kind, meta) in [(Kind::WrongOwner, elsewhere.clone()), (Kind::ReOwned, self.meta.clone())] {
                all.push(Substitution { kind, meta, put: Some(Account { owner, ..account.clone() }) });
            }
        }
        if is_token_account(account) {
            let mut given_away = account.clone();
            given_away.data[32..64].copy_from_slice(keypair("stranger").pubkey().as_ref());
            let theirs = |meta| Substitution { kind: Kind::StrangersTokens, meta, put: Some(given_away.clone()) };
            all.push(theirs(elsewhere));
            // What a program owns it gives to nobody.
            if is_a_wallets(account) {
                all.push(theirs(self.meta.clone()));
            }
        }
        all
    }

    /// Accounts of other people.
    fn others(&self, stock: &Stock, siblings: &Siblings, trial: &Trial) -> Vec<(Kind, Address)> {
        let class = self.account.as_ref().map(Class::of);
        let mut all = Vec::new();
        if let Some((twin, _)) = stock.twins(self.call).get(self.index) {
            all.push((Kind::Twin, *twin));
        }
        if let Some(class) = &class {
            let here = siblings.get(class).into_iter().flatten().copied();
            let others = here.take(MOST_SIBLINGS).chain(stock.some_of(class, MOST_OTHERS));
            all.extend(others.map(|other| (Kind::Other, other)));
        }
        for (other, address) in stock.one_of_each().filter(|(other, _)| Some(*other) != class.as_ref()) {
            let related = class.as_ref().is_some_and(|class| class.owner == other.owner);
            all.push((if related { Kind::WrongType } else { Kind::Foreign }, address));
        }
        all.retain(|(kind, address)| trial.holds(address) || *kind == Kind::Twin);
        all
    }
}

/// Whether this is a token account of either program.
fn is_token_account(account: &Account) -> bool {
    let tokens = account.owner == TOKEN_PROGRAM || account.owner == TOKEN_2022_PROGRAM;
    tokens && (account.data.len() == 165 || account.data.get(165) == Some(&2))
}

/// Whether a token account is one that a key pair signs for.
fn is_a_wallets(account: &Account) -> bool {
    account.data[32..64].try_into().is_ok_and(|owner| Address::new_from_array(owner).is_on_curve())
}

/// Other owners that an account is given: of ours our other programs, of a token program the other one, and for all a
/// program that anybody could have deployed.
fn owners_instead_of(owner: &Address) -> Vec<Address> {
    let related = [provena_registry::ID, provena_royalty::ID, provena_market::ID];
    let related = match *owner {
        TOKEN_PROGRAM => vec![TOKEN_2022_PROGRAM],
        TOKEN_2022_PROGRAM => vec![TOKEN_PROGRAM],
        ours if related.contains(&ours) => related.into_iter().filter(|other| *other != ours).collect(),
        _ => related.to_vec(),
    };
    related.into_iter().chain([keypair("any program").pubkey()]).collect()
}
