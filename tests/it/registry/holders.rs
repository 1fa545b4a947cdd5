//! Whoever holds the NFT has the asset's rights, and nobody else: the same refusals for every instruction of the
//! holder.

use anchor_lang::prelude::Address;
use provena_common::{error::CommonError, token::TOKEN_2022_PROGRAM};
use provena_registry::{
    ContentReveal, client, pda,
    state::{AssetKind, Floor},
};
use provena_tests::{
    World,
    registry::{RECIPE, Registered, claim, content, model, terms, world},
    tokens::{put_mint, put_token_account},
    world::keypair,
};
use solana_instruction::Instruction;
use solana_instruction_error::InstructionError;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// Where a holder's instruction names the holder, and where the token account.
struct Case {
    name: &'static str,
    build: fn(&Registered, &Address, &Address) -> Instruction,
    nft: usize,
    asset: usize,
}

fn next_content() -> ContentReveal {
    content("classifier 2")
}

const CASES: [Case; 5] = [
    Case {
        name: "add_version",
        build: |asset, holder, nft| {
            client::add_version(holder, &asset.mint.pubkey(), nft, 2, next_content(), Some(RECIPE))
        },
        nft: 3,
        asset: 2,
    },
    Case {
        name: "set_uri",
        build: |asset, holder, nft| client::set_uri(holder, &asset.mint.pubkey(), nft, "https://example.org/new"),
        nft: 2,
        asset: 1,
    },
    Case {
        name: "raise_floor",
        build: |asset, holder, nft| {
            let floor = Floor { mint: Address::default(), per_unit: 7 };
            client::raise_floor(holder, &asset.mint.pubkey(), nft, 100, Some(floor))
        },
        nft: 2,
        asset: 1,
    },
    Case {
        name: "publish_licence",
        build: |asset, holder, nft| client::publish_licence(holder, &asset.mint.pubkey(), nft, 2, terms(100)),
        nft: 3,
        asset: 2,
    },
    Case {
        name: "retire_licence",
        build: |asset, holder, nft| client::retire_licence(holder, &asset.mint.pubkey(), nft, 1),
        nft: 2,
        asset: 1,
    },
];

/// A model, a stranger, and claims of both to the next version's content.
struct Stage {
    world: World,
    model: Registered,
    stranger: Keypair,
}

impl Stage {
    fn new() -> Self {
        let mut world = world();
        let model = model(&mut world, "classifier", &[]);
        let stranger = world.wallet("stranger");
        claim(&mut world, &model.creator, &next_content());
        claim(&mut world, &stranger, &next_content());
        Self { world, model, stranger }
    }

    /// Each instruction, by the stranger with this token account, is refused as not the holder's.
    #[track_caller]
    fn stranger_refused(&mut self, nft: &Address) {
        for case in &CASES {
            let instruction = (case.build)(&self.model, &self.stranger.pubkey(), nft);
            self.world.refuses(&[instruction], &[&self.stranger], CommonError::NotNftHolder);
        }
    }
}

#[test]
fn the_holder_can_do_all_of_it() {
    let mut stage = Stage::new();
    for case in &CASES {
        let instruction = (case.build)(&stage.model, &stage.model.creator.pubkey(), &stage.model.nft());
        stage.world.accept(&[instruction], &[&stage.model.creator]);
    }
    assert_eq!(stage.model.state(&stage.world).latest, 2);
}

#[test]
fn a_stranger_with_the_holders_token_account_is_refused() {
    let mut stage = Stage::new();
    let nft = stage.model.nft();
    stage.stranger_refused(&nft);
}

#[test]
fn token_accounts_that_hold_something_else_are_refused() {
    let mut stage = Stage::new();
    let (stranger, mint) = (stage.stranger.pubkey(), stage.model.mint.pubkey());
    let look_alike = keypair("look-alike").pubkey();
    put_mint(&mut stage.world, &look_alike, &provena_registry::TOKEN_PROGRAM, 0);
    for (name, mint, amount) in [("empty", mint, 0), ("two", mint, 2), ("of a look-alike mint", look_alike, 1)] {
        let account = keypair(name).pubkey();
        put_token_account(&mut stage.world, &account, &mint, &stranger, amount);
        stage.stranger_refused(&account);
    }
}

#[test]
fn accounts_that_are_no_token_accounts_of_spl_token_are_refused() {
    let mut stage = Stage::new();
    let (stranger, mint) = (stage.stranger.pubkey(), stage.model.mint.pubkey());
    let account = keypair("forged").pubkey();
    for owner in [TOKEN_2022_PROGRAM, provena_royalty::ID] {
        put_token_account(&mut stage.world, &account, &mint, &stranger, 1);
        stage.world.forge(&account, &account, Some(owner));
        stage.stranger_refused(&account);
    }
    // Of SPL Token, but not initialised, and the mint itself.
    put_token_account(&mut stage.world, &account, &mint, &stranger, 1);
    let mut blank = stage.world.account(&account).expect("it exists");
    blank.data[108] = 0;
    stage.world.svm.set_account(account, blank).expect("the account is sound");
    stage.stranger_refused(&account);
    stage.stranger_refused(&mint);
    stage.stranger_refused(&keypair("nothing").pubkey());
}

/// A delegate of the token account may move the NFT, but does not hold it.
#[test]
fn a_delegate_is_not_the_holder() {
    let mut stage = Stage::new();
    let nft = stage.model.nft();
    let mut account = stage.world.account(&nft).expect("it exists");
    account.data[72..76].copy_from_slice(&1u32.to_le_bytes());
    account.data[76..108].copy_from_slice(stage.stranger.pubkey().as_ref());
    account.data[121..129].copy_from_slice(&1u64.to_le_bytes());
    stage.world.svm.set_account(nft, account).expect("the account is sound");
    stage.stranger_refused(&nft);
}

#[test]
fn the_holder_must_sign() {
    let mut stage = Stage::new();
    for case in &CASES {
        let mut instruction = (case.build)(&stage.model, &stage.model.creator.pubkey(), &stage.model.nft());
        instruction.accounts[0].is_signer = false;
        stage.world.refuses(&[instruction], &[], InstructionError::MissingRequiredSignature);
    }
}

/// Holding one NFT gives no rights over another asset.
#[test]
fn the_nft_of_another_asset_is_refused() {
    let mut stage = Stage::new();
    let other = provena_tests::registry::dataset(&mut stage.world, "other", &[]);
    assert_eq!(other.state(&stage.world).kind(), Ok(AssetKind::Dataset));
    for case in &CASES {
        let mut instruction = (case.build)(&stage.model, &other.creator.pubkey(), &other.nft());
        if case.name == "add_version" {
            // A claim of the signer's own, so that only the holding is in question.
            claim_for(&mut stage.world, &other.creator);
            instruction = (case.build)(&stage.model, &other.creator.pubkey(), &other.nft());
        }
        stage.world.refuses(&[instruction], &[&other.creator], CommonError::NotNftHolder);
    }
}

fn claim_for(world: &mut World, claimant: &Keypair) {
    claim(world, claimant, &next_content());
}

#[test]
fn the_asset_must_be_the_programs_own() {
    let mut stage = Stage::new();
    let forged = keypair("forged").pubkey();
    stage.world.forge(&stage.model.asset, &forged, Some(provena_royalty::ID));
    for case in &CASES {
        let mut instruction = (case.build)(&stage.model, &stage.model.creator.pubkey(), &stage.model.nft());
        instruction.accounts[case.asset].pubkey = forged;
        stage.world.refuses(&[instruction], &[&stage.model.creator], InstructionError::IllegalOwner);
    }
}

/// Rights move with the token, whichever token account it lies in.
#[test]
fn the_new_holder_has_the_rights_in_any_token_account() {
    let mut stage = Stage::new();
    let (stranger, mint) = (stage.stranger.pubkey(), stage.model.mint.pubkey());
    let account = keypair("not the associated one").pubkey();
    put_token_account(&mut stage.world, &stage.model.nft(), &mint, &stage.model.creator.pubkey(), 0);
    put_token_account(&mut stage.world, &account, &mint, &stranger, 1);
    for case in &CASES {
        let old = (case.build)(&stage.model, &stage.model.creator.pubkey(), &stage.model.nft());
        stage.world.refuses(&[old], &[&stage.model.creator], CommonError::NotNftHolder);
        let new = (case.build)(&stage.model, &stranger, &account);
        assert_eq!(new.accounts[case.nft].pubkey, account);
        stage.world.accept(&[new], &[&stage.stranger]);
    }
    assert_eq!(pda::asset(&mint).0, stage.model.asset);
}
