//! What the settings, the treasury and the nodes' accounts cost.

use provena_market::{client, pda};
use provena_tests::{
    Calls, World,
    market::{CLUSTER, configure},
    tokens::{Money, donate_tokens},
};
use solana_signer::Signer;

/// Calls everything that no offer and no job has a part in.
pub(super) fn calls(calls: &mut dyn Calls) {
    admin(calls);
    for case in ["", ".token", ".token_2022"] {
        treasury(calls, case);
    }
    node(calls);
}

fn admin(calls: &mut dyn Calls) {
    let mut world = World::new();
    let (authority, heir) = (world.wallet("market authority"), world.wallet("heir"));
    let treasury = world.wallet("treasury").pubkey();
    let (key, next) = (authority.pubkey(), heir.pubkey());
    for (name, instruction) in [
        ("market.initialize_admin", client::initialize_admin(key, treasury, CLUSTER, 250, 1_000_000_000)),
        ("market.set_treasury", client::set_treasury(key, next)),
        ("market.set_protocol_fee", client::set_protocol_fee(key, 500)),
        ("market.set_min_stake", client::set_min_stake(key, 1)),
        ("market.set_pause", client::set_pause(key, 0)),
        ("market.propose_authority", client::propose_authority(key, next)),
        ("market.cancel_authority", client::cancel_authority(key)),
    ] {
        calls.call(name, &mut world, &[instruction], &[&authority]);
    }
    world.accept(&[client::propose_authority(key, next)], &[&authority]);
    world.pass_slots(432_000);
    calls.call("market.accept_authority", &mut world, &[client::accept_authority(next)], &[&heir]);
}

fn treasury(calls: &mut dyn Calls, case: &str) {
    let mut world = World::new();
    let treasury = configure(&mut world);
    let opener = world.wallet("opener");
    let money = match case {
        "" => Money::Sol,
        ".token" => Money::token(&mut world, "dollar"),
        _ => Money::token_2022(&mut world, "new dollar", &[]),
    };
    let currency = money.currency();
    let open = client::open_treasury_inbox(opener.pubkey(), currency, 0);
    calls.call(&format!("market.open_treasury_inbox{case}"), &mut world, &[open], &[&opener]);
    let inbox = pda::treasury_inbox(&money.mint(), 0).0;
    if money.is_token() {
        money.give(&mut world, &treasury, 0);
        donate_tokens(&mut world, &pda::treasury_vault(&inbox).0, 1_000);
    } else {
        world.add_lamports(&inbox, 1_000);
    }
    let sweep = client::sweep_treasury(treasury, currency, 0);
    calls.call(&format!("market.sweep_treasury{case}"), &mut world, &[sweep], &[]);
    let close = client::close_treasury_inbox(opener.pubkey(), currency, 0);
    calls.call(&format!("market.close_treasury_inbox{case}"), &mut world, &[close], &[&opener]);
}

fn node(calls: &mut dyn Calls) {
    let mut world = World::new();
    configure(&mut world);
    let node = world.wallet("node");
    let key = node.pubkey();
    for (name, instruction) in [
        ("market.register_node", client::register_node(key, 2_000_000_000, "https://node.example.org", [0; 32], 0)),
        ("market.update_node", client::update_node(key, "https://other.example.org", [0; 32], 1)),
        ("market.add_stake", client::add_stake(key, 1)),
        ("market.withdraw_stake", client::withdraw_stake(key, 1)),
        ("market.close_node", client::close_node(key)),
    ] {
        calls.call(name, &mut world, &[instruction], &[&node]);
    }
}
