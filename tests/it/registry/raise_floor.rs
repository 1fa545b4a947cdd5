//! `raise_floor`: floors grow, by realloc where a mint is new, and never fall.

use anchor_lang::prelude::Address;
use provena_common::error::CommonError;
use provena_registry::{
    client,
    error::RegistryError,
    state::{Asset, AssetStatus, Floor},
};
use provena_tests::{
    World,
    registry::{Registered, model, world},
    world::keypair,
};
use solana_instruction_error::InstructionError;
use solana_signer::Signer;

struct Stage {
    world: World,
    model: Registered,
}

impl Stage {
    fn new() -> Self {
        let mut world = world();
        let model = model(&mut world, "classifier", &[]);
        Self { world, model }
    }

    fn raising(&self, bps: u16, per_unit: Option<Floor>) -> solana_instruction::Instruction {
        client::raise_floor(&self.model.creator.pubkey(), &self.model.mint.pubkey(), &self.model.nft(), bps, per_unit)
    }

    #[track_caller]
    fn raise(&mut self, bps: u16, per_unit: Option<Floor>) {
        self.world.accept(&[self.raising(bps, per_unit)], &[&self.model.creator]);
    }

    #[track_caller]
    fn refused(&mut self, bps: u16, per_unit: Option<Floor>, error: impl provena_tests::ExpectedError) {
        self.world.refuses(&[self.raising(bps, per_unit)], &[&self.model.creator], error);
    }
}

fn floor(name: &str, per_unit: u64) -> Floor {
    Floor { mint: keypair(name).pubkey(), per_unit }
}

#[test]
fn floors_rise_in_basis_points_and_per_unit() {
    let mut stage = Stage::new();
    let before = stage.model.state(&stage.world);
    let wallet = stage.world.lamports(&stage.model.creator.pubkey());
    stage.raise(100, None);
    let sol = Floor { mint: Address::default(), per_unit: 5 };
    stage.raise(100, Some(sol));
    stage.raise(200, Some(floor("dollar", 9)));
    stage.raise(200, Some(Floor { per_unit: 6, ..sol }));
    assert_eq!(stage.model.state(&stage.world), Asset { floor_bps: 200, ..before });
    assert_eq!(stage.model.floors(&stage.world), [Floor { per_unit: 6, ..sol }, floor("dollar", 9)]);
    // Two entries of 40 bytes, paid for by the holder.
    let account = stage.world.account(&stage.model.asset).expect("the asset exists");
    assert_eq!((account.data.len(), account.lamports), (232, 2_505_600));
    assert_eq!(wallet - stage.world.lamports(&stage.model.creator.pubkey()), 556_800);
}

#[test]
fn the_same_floor_again_changes_nothing() {
    let mut stage = Stage::new();
    stage.raise(100, Some(floor("dollar", 9)));
    let again = stage.raising(100, Some(floor("dollar", 9)));
    stage.world.changes_nothing(&[again], &[&stage.model.creator]);
}

#[test]
fn raise_floor_rejects_a_lower_one() {
    let mut stage = Stage::new();
    stage.raise(100, Some(floor("dollar", 9)));
    stage.refused(99, None, RegistryError::FloorLowered);
    stage.refused(0, Some(floor("dollar", 10)), RegistryError::FloorLowered);
    stage.refused(100, Some(floor("dollar", 8)), RegistryError::FloorLowered);
    stage.refused(200, Some(floor("dollar", 0)), RegistryError::FloorLowered);
}

#[test]
fn raise_floor_rejects_more_than_the_whole() {
    let mut stage = Stage::new();
    stage.refused(10_001, None, CommonError::BpsTooHigh);
    stage.raise(10_000, None);
}

#[test]
fn raise_floor_rejects_nothing_per_unit() {
    let mut stage = Stage::new();
    stage.refused(100, Some(floor("dollar", 0)), RegistryError::ZeroFloor);
}

#[test]
fn raise_floor_rejects_a_ninth_mint() {
    let mut stage = Stage::new();
    for n in 0..8 {
        stage.raise(0, Some(floor(&n.to_string(), n + 1)));
    }
    stage.refused(0, Some(floor("8", 9)), RegistryError::TooManyFloors);
    stage.raise(0, Some(floor("7", u64::MAX)));
    assert_eq!(stage.model.floors(&stage.world).len(), 8);
}

#[test]
fn raise_floor_rejects_a_holder_who_cannot_pay_for_the_entry() {
    let mut stage = Stage::new();
    let holder = stage.model.creator.pubkey();
    let mut account = stage.world.account(&holder).expect("the holder exists");
    account.lamports = 900_000;
    stage.world.svm.set_account(holder, account).expect("the account is sound");
    // (128 + 0) * 6,960 = 890,880 keep an empty wallet alive; 278,400 more are needed for 40 bytes.
    let raising = stage.raising(0, Some(floor("dollar", 9)));
    let failed = stage.world.send(&[raising], &[&stage.model.creator]).expect_err("it cannot be paid");
    assert!(format!("{:?}", failed.err).contains("InsufficientFundsForRent"), "{:?}", failed.err);
    assert!(stage.model.floors(&stage.world).is_empty());
}

#[test]
fn floors_can_be_raised_whatever_the_status() {
    let mut stage = Stage::new();
    let state = Asset { status: AssetStatus::Frozen as u8, ..stage.model.state(&stage.world) };
    stage.world.set_state(&stage.model.asset, &state);
    stage.raise(100, None);
}

#[test]
fn raise_floor_rejects_another_system_program() {
    let mut stage = Stage::new();
    let mut raising = stage.raising(100, None);
    raising.accounts[3].pubkey = provena_registry::TOKEN_PROGRAM;
    stage.world.refuses(&[raising], &[&stage.model.creator], InstructionError::IncorrectProgramId);
}
