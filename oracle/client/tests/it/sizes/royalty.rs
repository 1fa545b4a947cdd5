//! Pools, books, shares, and money that moves.

use bytemuck::Zeroable;
use provena_common::pda::associated_token;
use provena_royalty::{
    Holder, MAX_INBOXES, MAX_MINTS, WRAPPABLE,
    client::{self, Currency, Evidence},
    pda,
    state::{Pool, Position, Vesting},
};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use spl_associated_token_account_interface::instruction::create_associated_token_account_idempotent;

use super::{Page, TOKENS, key, most_that_fit, token};

pub(crate) fn currency(index: usize) -> Currency {
    let (mint, program) = token(index);
    Currency::Token { mint, program }
}

/// Opens the account of `wallet` for a payment mint.
pub(super) fn open_account(payer: &Pubkey, wallet: &Pubkey, index: usize) -> Instruction {
    let (mint, program) = token(index);
    create_associated_token_account_idempotent(payer, wallet, &mint, &program)
}

fn holders(count: usize) -> Vec<Holder> {
    let vesting = Some(Vesting { total: u64::from(u32::MAX), start: u64::MAX, end: u64::MAX });
    let holder = |index| Holder { holder: key(&format!("holder {index}")), shares: u64::from(u32::MAX), vesting };
    (0..count).map(holder).collect()
}

pub(super) fn record(page: &mut Page) {
    let (owner, asset, other) = (key("owner"), key("asset"), key("other"));
    let pool = pda::pool(&asset).0;
    let (child, paid) = (key("child's pool"), currency(0));
    let administration = [
        ("initialize_admin", client::initialize_admin(&owner)),
        ("allow_mint", client::allow_mint(&owner, &token(0).0)),
        ("disallow_mint", client::disallow_mint(&owner, &token(0).0)),
    ];
    for (name, instruction) in administration {
        page.record(format!("`royalty.{name}`"), &owner, &[instruction]);
    }

    let create =
        |count: usize| (owner, client::create_pool(&owner, &asset, u64::MAX, u32::MAX, WRAPPABLE, &holders(count)));
    let add = |count: usize| (owner, client::add_holders(&owner, &pool, &holders(count)));
    let (first, more) = (most_that_fit(64, false, create), most_that_fit(64, false, add));
    page.record(
        format!("`royalty.create_pool`, as many holders that vest as fit: {first}"),
        &owner,
        &[create(first).1],
    );
    page.record(format!("`royalty.add_holders`, as many holders that vest as fit: {more}"), &owner, &[add(more).1]);
    let open = client::open_books(&owner, &asset, paid, Evidence::Creator).expect("it is a token");
    page.record("`royalty.open_books` by the creator", &owner, &[open]);

    let mut state = Pool::zeroed();
    (state.creator, state.asset) = (owner, asset);
    let position = |index: usize| {
        let mut position = Position::zeroed();
        (position.holder, position.rent_payer) = (key(&format!("holder {index}")), key(&format!("payer {index}")));
        position
    };
    let close = |count: usize| {
        let closed: Vec<Position> = (0..count).map(position).collect();
        (owner, client::abandon_pool(&pool, &state, &closed, &[]))
    };
    let closed = most_that_fit(64, false, close);
    page.record(format!("`royalty.abandon_pool`, as many positions as fit: {closed}"), &owner, &[close(closed).1]);
    let opened = open_account(&owner, &owner, 0);
    page.record("an associated token account", &owner, &[opened]);
    let all: Vec<Currency> = std::iter::once(Currency::Sol).chain((0..TOKENS).map(currency)).collect();
    assert_eq!(all.len(), MAX_MINTS);
    for count in [MAX_MINTS - 1, MAX_MINTS] {
        let last = client::abandon_pool(&pool, &state, &[], &all[..count]);
        page.record(format!("`royalty.abandon_pool`, books in {count} mints"), &owner, &[last]);
    }

    let shares = [
        ("transfer_shares", client::transfer_shares_by(&owner, &key("holder"), &other, &pool, u64::MAX)),
        ("approve", client::approve(&owner, &pool, &other, u64::MAX)),
        ("revoke", client::revoke(&owner, &pool)),
        ("close_position", client::close_position(&owner, &key("holder"), &other, &pool)),
    ];
    for (name, instruction) in shares {
        page.record(format!("`royalty.{name}`"), &owner, &[instruction]);
    }

    let (mint, program) = token(0);
    let destination = associated_token(&other, &mint, &program);
    let claim = client::claim_to(&owner, &pool, paid, &destination);
    page.record("`royalty.claim` of tokens, to a new account", &owner, &[open_account(&owner, &other, 0), claim]);
    let claim = client::claim_for(&key("holder"), &pool, paid);
    let open = open_account(&owner, &key("holder"), 0);
    page.record("`royalty.claim` of tokens for a holder, to a new account", &owner, &[open, claim]);
    let parent = pda::pool(&key("parent")).0;
    let open = client::open_books(&owner, &key("parent"), paid, Evidence::Child(child)).expect("it is a token");
    let sweep = client::sweep(&child, &parent, paid);
    page.record("`royalty.sweep` of tokens, into new books", &owner, &[open, sweep]);
    let source = associated_token(&pool, &mint, &program);
    let open = client::open_books(&owner, &asset, paid, Evidence::Tokens(source)).expect("it is a token");
    page.record("`royalty.collect` of tokens, into new books", &owner, &[open, client::collect(&pool, paid)]);
    page.record("`royalty.deposit` of tokens", &owner, &[client::deposit(&owner, &pool, paid, u64::MAX)]);
    let sync = |count: usize| {
        let shards: Vec<u8> = (0..MAX_INBOXES).take(count).collect();
        (owner, client::sync(&pool, paid, &shards))
    };
    let synced = most_that_fit(usize::from(MAX_INBOXES), false, sync);
    page.record(format!("`royalty.sync` of tokens, as many inboxes as fit: {synced}"), &owner, &[sync(synced).1]);
}
