//! The royalty program, instruction by instruction, in SOL and in tokens.

use anchor_lang::prelude::Address;
use provena_royalty::DEFAULT_TOTAL_SHARES;
use provena_tests::{
    World,
    royalty::{Scene, configure},
    tokens::Money,
};
use solana_keypair::Keypair;
use solana_signer::Signer;

mod claim;
mod config;
mod conservation;
mod create_pool;
mod deposit;
mod sweep;
mod ten_thousand_holders;
mod transfer_shares;

/// A pool of which Alice holds three quarters and Bob the rest.
struct Stage {
    world: World,
    alice: Keypair,
    bob: Keypair,
    scene: Scene,
    money: Money,
}

const QUARTER: u64 = DEFAULT_TOTAL_SHARES / 4;

impl Stage {
    fn new(world: World, money: Money) -> Self {
        let mut world = world;
        configure(&mut world, &[money]);
        let (alice, bob) = (world.wallet("alice"), world.wallet("bob"));
        let holders = [(alice.pubkey(), 3 * QUARTER), (bob.pubkey(), QUARTER)];
        let scene = Scene::new(&mut world, "digits", &holders, &[money]);
        for wallet in [&alice, &bob] {
            if money.is_token() {
                money.give(&mut world, &wallet.pubkey(), 0);
            }
        }
        Self { world, alice, bob, scene, money }
    }

    fn sol() -> Self {
        Self::new(World::new(), Money::Sol)
    }

    fn token() -> Self {
        let mut world = World::new();
        let money = Money::token(&mut world, "dollar");
        Self::new(world, money)
    }

    /// The same stage once for each kind of money.
    fn both() -> [Self; 2] {
        [Self::sol(), Self::token()]
    }

    fn pool_mint(&self) -> Address {
        self.scene.pool_mint_address(self.money)
    }

    fn deposit(&mut self, amount: u64) {
        self.scene.deposit(&mut self.world, self.money, amount);
    }

    fn owed(&self, holder: &Keypair) -> u64 {
        self.scene.owed(&self.world, &holder.pubkey(), self.money)
    }

    fn balance(&self, holder: &Keypair) -> u64 {
        self.money.balance(&self.world, &holder.pubkey())
    }
}
