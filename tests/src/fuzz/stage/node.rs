//! Nodes, offers, the treasury and the market's settings, and gifts to whoever may hold lamports or tokens.

use anchor_lang::prelude::Address;
use provena_common::token::{TOKEN_2022_PROGRAM, TOKEN_PROGRAM};
use provena_market::{client, pda, state::Offer};
use solana_instruction::{AccountMeta, Instruction};
use solana_signer::Signer;

use super::populated::Site;
use crate::{
    market::terms,
    royalty::donate,
    tokens::{Money, transfer_checked},
    world::keypair,
};

pub(super) fn build(site: &mut Site) {
    for (_, money) in site.money {
        let inbox = pda::treasury_inbox(&money.mint(), 0).0;
        let at = if money.is_token() { pda::treasury_vault(&inbox).0 } else { inbox };
        donate(site.world(), money, &at, 12_345_678);
    }
    nodes(site);
    offers(site);
    treasury(site);
    settings(site);
    residuals(site);
    gifts(site);
}

fn nodes(site: &mut Site) {
    let (alice, mallory) = (site.alice.pubkey(), site.mallory.pubkey());
    let calls = &mut site.calls;
    calls.add("market.register_node", "alice", client::register_node(alice, 2_000_000_000, "https://a", [1; 32], 4));
    for (who, node) in [("mallory", mallory), ("5", site.scene.authority(5)), ("0", site.scene.authority(0))] {
        calls.add("market.update_node", who, client::update_node(node, "https://other.example.org", [2; 32], 9));
        calls.add("market.add_stake", who, client::add_stake(node, 1_000_000));
        calls.add("market.withdraw_stake", who, client::withdraw_stake(node, 3_000_000_000));
        calls.add("market.withdraw_stake", &format!("{who} all"), client::withdraw_stake(node, 5_000_000_000));
        calls.add("market.close_node", who, client::close_node(node));
    }
}

fn offers(site: &mut Site) {
    let [(_, sol), (_, dollar), ..] = site.money;
    let (trainer, nft, model) =
        (site.scene.model.creator.pubkey(), site.scene.model.nft(), site.scene.model.mint.pubkey());
    for (what, money) in [("sol", sol), ("dollar", dollar)] {
        let of = client::OfferOf { mint: money.mint(), ..site.scene.offer_of(9) };
        site.calls.add("market.create_offer", what, client::create_offer(trainer, nft, of, terms()));
    }
    let hers = client::OfferOf { asset: site.hers.mint.pubkey(), mint: dollar.mint(), version: 1, offer_id: 1 };
    let create = client::create_offer(site.mallory.pubkey(), site.hers.nft(), hers, terms());
    site.calls.add("market.create_offer", "hers", create);
    let of_mallory = (site.mallory.pubkey(), site.hers.nft(), site.hers.mint.pubkey());
    for (what, (holder, nft, asset), id) in
        [("0", (trainer, nft, model), 0), ("1", (trainer, nft, model), 1), ("hers", of_mallory, 0)]
    {
        let address = pda::offer(&asset, id).0;
        let offer: Offer = site.scene.state(&address);
        site.calls.add("market.close_offer", what, client::close_offer(holder, nft, address, &offer));
    }
}

fn treasury(site: &mut Site) {
    let (treasury, payer, mallory) = (site.scene.treasury, site.scene.payer.pubkey(), site.mallory.pubkey());
    for (what, money) in site.money {
        let currency = money.currency();
        let calls = &mut site.calls;
        calls.add("market.sweep_treasury", what, client::sweep_treasury(treasury, currency, 0));
        calls.add("market.open_treasury_inbox", what, client::open_treasury_inbox(mallory, currency, 1));
        calls.add(
            "market.close_treasury_inbox",
            &format!("{what} 0"),
            client::close_treasury_inbox(payer, currency, 0),
        );
        let close = client::close_treasury_inbox(mallory, currency, 1);
        calls.add("market.close_treasury_inbox", &format!("{what} 1"), close);
    }
}

fn settings(site: &mut Site) {
    let (authority, heir) = (keypair("market authority").pubkey(), keypair("heir").pubkey());
    let calls = &mut site.calls;
    calls.add("market.propose_authority", "", client::propose_authority(authority, heir));
    calls.add("market.accept_authority", "", client::accept_authority(heir));
    calls.add("market.cancel_authority", "", client::cancel_authority(authority));
    calls.add("market.set_pause", "all", client::set_pause(authority, 7));
    calls.add("market.set_treasury", "heir", client::set_treasury(authority, heir));
    calls.add("market.set_protocol_fee", "", client::set_protocol_fee(authority, 500));
    calls.add("market.set_min_stake", "", client::set_min_stake(authority, 10_000_000_000));
}

fn residuals(site: &mut Site) {
    let [(_, sol), (_, dollar), ..] = site.money;
    let mallory = site.mallory.pubkey();
    let node = site.scene.authority(1);
    let payer = site.scene.payer.pubkey();
    for (what, who, money) in
        [("node dollar", node, dollar), ("payer dollar", payer, dollar), ("payer sol", payer, sol)]
    {
        site.calls.add("market.collect_residual", what, client::collect_residual(who, mallory, money.currency()));
    }
}

/// What anybody can send to anywhere, and what anybody can do with withheld fees.
fn gifts(site: &mut Site) {
    let mallory = site.mallory.pubkey();
    let model = site.scene.model.pool;
    let (books, inbox) = (pool_books(&model, Money::Sol), pda::treasury_inbox(&Address::default(), 0).0);
    let somewhere = pda::residual(&site.scene.authority(0), &Address::default()).0;
    let targets = [
        ("pool", model),
        ("books", books),
        ("inbox", provena_royalty::pda::inbox(&books, 0).0),
        ("treasury inbox", inbox),
        ("index", provena_royalty::pda::index(&model).0),
        ("node", pda::node(&site.scene.authority(0)).0),
        ("residual to be", somewhere),
    ];
    for (what, to) in targets {
        site.calls.add("gift", &format!("sol {what}"), transfer(mallory, to, 3_000_007));
    }
    for (what, money) in site.money.into_iter().skip(1) {
        let program = if matches!(money, Money::Token(_)) { TOKEN_PROGRAM } else { TOKEN_2022_PROGRAM };
        let (mint, from) = (money.mint(), money.account_of(&mallory));
        let books = pool_books(&model, money);
        let vault = provena_royalty::pda::vault(&books).0;
        let inbox = provena_royalty::pda::inbox_vault(&provena_royalty::pda::inbox(&books, 0).0).0;
        for (place, to) in [("vault", vault), ("inbox", inbox)] {
            let gift = transfer_checked(&program, &from, &mint, &to, &mallory, 1_000_003, 6);
            site.calls.add("gift", &format!("{what} {place}"), gift);
            if what == "yen" {
                site.calls.add("gift", &format!("harvest {place}"), client::harvest_withheld(mint, to));
            }
        }
    }
}

fn pool_books(pool: &Address, money: Money) -> Address {
    provena_royalty::pda::books(pool, &money.mint()).0
}

/// The System program's `Transfer`.
fn transfer(from: Address, to: Address, lamports: u64) -> Instruction {
    let data = [&2u32.to_le_bytes()[..], &lamports.to_le_bytes()].concat();
    let accounts = vec![AccountMeta::new(from, true), AccountMeta::new(to, false)];
    Instruction { program_id: Address::default(), accounts, data }
}
