//! L4: every account is read with its exact length and its version; another one is refused before anything else
//! happens.

use anchor_lang::prelude::Address;
use provena_common::error::CommonError;
use provena_registry::{client, error::RegistryError, pda, state::AssetKind};
use provena_tests::{
    World,
    registry::{PERCENT, RECIPE, claim, content, dataset, draft, model, prepare, terms, world},
};
use solana_instruction::Instruction;
use solana_instruction_error::InstructionError;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// An instruction, and an account of ours that it reads: where its version is, and whether it has items.
struct Case {
    name: &'static str,
    instruction: Instruction,
    account: Address,
    /// Offset of the version, discriminator included.
    version: usize,
    /// Offset of the number of items, where there can be some.
    count: Option<usize>,
}

/// A derived model that could be registered, a dataset with the rights to it, and every read of an account of ours.
fn cases(world: &mut World) -> (Vec<Case>, Vec<Keypair>) {
    let digits = dataset(world, "digits", &[]);
    let classifier = model(world, "classifier", &[]);
    let (creator, mint) = prepare(world, "trainer", "derived", &[(digits.pool, 20 * PERCENT)]);
    let mut derived = draft(AssetKind::Model, &creator, &mint);
    derived.parents = vec![digits.as_parent(1)];
    claim(world, &creator, &derived.content);
    let second = content("classifier 2");
    claim(world, &classifier.creator, &second);
    let (holder, its_mint, nft) = (classifier.creator.pubkey(), classifier.mint.pubkey(), classifier.nft());

    let register = derived.instruction();
    let accounts = derived.accounts();
    let adding = client::add_version(&holder, &its_mint, &nft, 2, second, Some(RECIPE));
    let its_claim = adding.accounts[4].pubkey;
    let authority = world.wallet("registry authority");
    let (admin, licence) = (pda::admin().0, pda::licence(&digits.asset, 1).0);
    let retiring = client::retire_licence(&digits.creator.pubkey(), &digits.mint.pubkey(), &digits.nft(), 1);
    let raising = client::raise_floor(&holder, &its_mint, &nft, 1, None);
    let setting = client::set_uri(&holder, &its_mint, &nft, "x");
    let publishing = client::publish_licence(&holder, &its_mint, &nft, 9, terms(0));
    let pausing = client::set_pause(&authority.pubkey(), 0);
    let abandoning = client::abandon_claim(&holder, &its_claim, &holder);

    let asset = |name, instruction: &Instruction, account| Case {
        name,
        instruction: instruction.clone(),
        account,
        version: 89,
        count: Some(148),
    };
    let plain = |name, instruction: &Instruction, account, version| Case {
        name,
        instruction: instruction.clone(),
        account,
        version,
        count: None,
    };
    let cases = vec![
        plain("register: admin", &register, admin, 89),
        plain("register: claim", &register, accounts.claim, 49),
        asset("register: parent", &register, digits.asset),
        plain("register: licence", &register, licence, 223),
        plain("add_version: admin", &adding, admin, 89),
        asset("add_version: asset", &adding, classifier.asset),
        plain("add_version: claim", &adding, its_claim, 49),
        asset("set_uri: asset", &setting, classifier.asset),
        asset("raise_floor: asset", &raising, classifier.asset),
        plain("publish_licence: admin", &publishing, admin, 89),
        asset("publish_licence: asset", &publishing, classifier.asset),
        asset("retire_licence: asset", &retiring, digits.asset),
        plain("retire_licence: licence", &retiring, licence, 223),
        plain("set_pause: admin", &pausing, admin, 89),
        plain("abandon_claim: claim", &abandoning, its_claim, 49),
    ];
    (cases, vec![creator, mint, classifier.creator, digits.creator, authority])
}

fn signers<'a>(case: &Case, all: &'a [Keypair]) -> Vec<&'a Keypair> {
    let signs =
        |key: &Keypair| case.instruction.accounts.iter().any(|meta| meta.is_signer && meta.pubkey == key.pubkey());
    let mut seen: Vec<&Keypair> = Vec::new();
    for key in all.iter().filter(|key| signs(key)) {
        if !seen.iter().any(|other| other.pubkey() == key.pubkey()) {
            seen.push(key);
        }
    }
    seen
}

/// Refused with the account changed, accepted as it was: the change alone was the reason.
#[track_caller]
fn check(spoil: impl Fn(&Case, &mut Vec<u8>) -> Option<InstructionError>) {
    let mut world = world();
    let (cases, keys) = cases(&mut world);
    for case in &cases {
        let sound = world.account(&case.account).unwrap_or_else(|| panic!("{}", case.name));
        let mut spoiled = sound.clone();
        let Some(error) = spoil(case, &mut spoiled.data) else { continue };
        spoiled.lamports = world.svm.minimum_balance_for_rent_exemption(spoiled.data.len()).max(spoiled.lamports);
        world.svm.set_account(case.account, spoiled).expect("the account is sound");
        println!("{}", case.name);
        world.refuses(std::slice::from_ref(&case.instruction), &signers(case, &keys), error);
        world.svm.set_account(case.account, sound).expect("the account is sound");
        let untouched = world.svm.clone();
        world.accept(std::slice::from_ref(&case.instruction), &signers(case, &keys));
        world.svm = untouched;
    }
}

fn custom(error: CommonError) -> InstructionError {
    InstructionError::Custom(error.code())
}

#[test]
fn l4_another_version_is_refused() {
    for version in [0, 2, 255] {
        check(|case, data| {
            assert_eq!(data[case.version], 1, "{}", case.name);
            data[case.version] = version;
            Some(custom(CommonError::StateVersion))
        });
    }
}

#[test]
fn l4_a_longer_account_is_refused() {
    check(|_, data| {
        data.push(0);
        Some(custom(CommonError::AccountLength))
    });
}

#[test]
fn l4_a_shorter_account_is_refused() {
    check(|_, data| {
        data.pop();
        Some(InstructionError::AccountDataTooSmall)
    });
}

#[test]
fn l4_items_that_are_not_there_and_room_without_items_are_refused() {
    check(|case, data| {
        let count = case.count?;
        data[count] = 1;
        // Anchor's own check finds more items than there is room for.
        Some(InstructionError::InvalidAccountData)
    });
    check(|case, data| {
        case.count?;
        data.extend([0; 40]);
        Some(custom(CommonError::AccountLength))
    });
}

#[test]
fn l4_another_discriminator_is_refused() {
    check(|_, data| {
        data[0] ^= 1;
        Some(InstructionError::InvalidAccountData)
    });
}

/// Bytes that no version of the program writes, in accounts of the right length and version.
#[test]
fn broken_accounts_are_refused() {
    let mut world = world();
    let digits = dataset(&mut world, "digits", &[]);
    let (holder, mint, nft) = (digits.creator.pubkey(), digits.mint.pubkey(), digits.nft());
    let next = content("digits 2");
    claim(&mut world, &digits.creator, &next);
    let raising = client::raise_floor(&holder, &mint, &nft, 10_000, None);
    let adding = client::add_version(&holder, &mint, &nft, 2, next, None);
    let retiring = client::retire_licence(&holder, &mint, &nft, 1);
    let licence = pda::licence(&digits.asset, 1).0;
    let by_holder = &digits.creator;
    // Kind, status, number of the latest version and floor; a licence's share, floor and flags.
    let cases: [(_, &Address, usize, &[u8], &Keypair); 8] = [
        (&raising, &digits.asset, 82, &[3], by_holder),
        (&raising, &digits.asset, 83, &[0], by_holder),
        (&raising, &digits.asset, 72, &[0; 4], by_holder),
        (&adding, &digits.asset, 82, &[0], by_holder),
        (&adding, &digits.asset, 80, &[0xff, 0xff], by_holder),
        (&retiring, &licence, 216, &[0xff, 0xff], by_holder),
        (&retiring, &licence, 218, &[0xff, 0xff], by_holder),
        (&retiring, &licence, 220, &[0xff, 0xff], by_holder),
    ];
    for (instruction, address, at, bytes, signer) in cases {
        let sound = world.account(address).expect("it exists");
        let mut broken = sound.clone();
        broken.data[at..at + bytes.len()].copy_from_slice(bytes);
        world.svm.set_account(*address, broken).expect("the account is sound");
        world.refuses(std::slice::from_ref(instruction), &[signer], RegistryError::BrokenInvariant);
        world.svm.set_account(*address, sound).expect("the account is sound");
    }
    world.accept(&[raising, adding, retiring], &[by_holder]);
}
