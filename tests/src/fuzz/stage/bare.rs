//! A world in which nothing was set up: whoever comes first sets up the programs.

use provena_market::client as market;
use provena_registry::client as registry;
use provena_royalty::client as royalty;
use solana_signer::Signer;

use super::{Calls, Stage};
use crate::{World, market::CLUSTER};

pub(super) fn build() -> Stage {
    let mut world = World::new();
    let wallets: Vec<_> = ["mallory", "alice", "treasury"].map(|name| world.wallet(name)).into();
    let (mallory, treasury) = (wallets[0].pubkey(), wallets[2].pubkey());
    // Programs are set up by who may upgrade them.
    for program in [provena_royalty::ID, provena_market::ID] {
        world.set_upgrade_authority(&program, &mallory);
    }
    let mut calls = Calls::default();
    calls.add("royalty.initialize_admin", "", royalty::initialize_admin(&mallory));
    calls.add("registry.initialize_admin", "", registry::initialize_admin(&mallory));
    calls.add("market.initialize_admin", "", market::initialize_admin(mallory, treasury, CLUSTER, 250, 1_000_000_000));
    calls.add("royalty.set_pause", "", royalty::set_pause(&mallory, 1));
    calls.add("registry.set_pause", "", registry::set_pause(&mallory, 1));
    calls.add("market.set_pause", "", market::set_pause(mallory, 7));
    Stage::new(world, wallets, &["mint a"], calls.0, Vec::new())
}
