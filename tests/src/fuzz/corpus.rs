//! The corpus that fuzzing begins with: every instruction once as it should be, after having been asked for without a
//! signature and by somebody else, and longer stories. The committed files are what this module makes.

use std::{collections::BTreeMap, fs, path::PathBuf};

use super::{
    input::{Edit, Input, Meta, Raw, Step, WAITS},
    running::Runner,
    stage::Stage,
};
use crate::programs::{self, OURS};

/// Where the files are.
#[must_use]
pub fn folder() -> PathBuf {
    programs::repository().join("tests/fuzz/corpus/instructions")
}

/// Names and bytes of the files, as they are committed.
///
/// # Panics
///
/// When the folder or a file cannot be read.
#[must_use]
pub fn committed() -> BTreeMap<String, Vec<u8>> {
    let folder = folder();
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.expect("the folder can be read").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("names are plain").to_owned();
        (name, fs::read(&path).expect("a file can be read"))
    };
    entries.map(read).collect()
}

/// Names and bytes of the files, as they should be.
///
/// # Panics
///
/// When a story names a call that is none.
#[must_use]
pub fn made(runner: &Runner) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut put = |name: String, input: &Input| {
        let bytes = input.encode();
        assert_eq!(Input::decode(&bytes), *input, "{name} is too long");
        assert!(files.insert(name.clone(), bytes).is_none(), "{name} twice");
    };
    for world in [0, 1] {
        let stage = runner.stage(world);
        let kind = if world == 0 { "" } else { "bare-" };
        let stories = if world == 0 { SINGLE } else { BARE };
        for label in stories {
            put(format!("{kind}{}", label.replace([' ', '.'], "-")), &asked(stage, world, label));
        }
    }
    for (name, story) in STORIES {
        put((*name).to_owned(), &told(runner.stage(0), story));
    }
    for (name, input) in findings(runner.stage(0)) {
        put(name.to_owned(), &input);
    }
    for label in RAW {
        let input = Input { world: 0, steps: vec![Step::Raw(raw(runner, label))] };
        put(format!("raw-{}", label.replace([' ', '.'], "-")), &input);
    }
    files
}

/// A call, after the same without each of its signatures, and the same with another signer in each signer's place.
fn asked(stage: &Stage, world: u8, label: &str) -> Input {
    let call = stage.number(label);
    let metas = &stage.calls[usize::from(call)].instruction.accounts;
    let others = [stage.wallets[3 % stage.wallets.len()], stage.wallets[1]];
    let mut steps = Vec::new();
    for (at, meta) in (0u8..).zip(metas).filter(|(_, meta)| meta.is_signer).take(3) {
        let flags = 2 * u8::from(meta.is_writable);
        steps.push(Step::Call { call, edits: vec![Edit::Flags { at, flags }] });
        let other = others.iter().find(|other| **other != meta.pubkey).expect("they are two");
        steps.push(Step::Call { call, edits: vec![Edit::Replace { at, account: stage.account(other) }] });
    }
    steps.push(Step::Call { call, edits: Vec::new() });
    Input { world, steps }
}

/// Calls by their labels and times of waiting, one after the other.
fn told(stage: &Stage, story: &str) -> Input {
    let steps = story.split(';').map(str::trim).map(|step| match step.strip_prefix("wait ") {
        Some(slots) => {
            let slots: u64 = slots.parse().expect("a number of slots");
            let code = WAITS.iter().position(|wait| *wait == slots).expect("one of the listed times");
            Step::Wait(u8::try_from(code).expect("few"))
        }
        None => Step::Call { call: stage.number(step), edits: Vec::new() },
    });
    Input { world: 0, steps: steps.collect() }
}

/// A call, made from nothing.
fn raw(runner: &Runner, label: &str) -> Raw {
    let stage = runner.stage(0);
    let call = &stage.calls[usize::from(stage.number(label))].instruction;
    let program = OURS.iter().position(|(_, id)| *id == call.program_id).expect("it is one of the three");
    let known = super::stage::instructions(OURS[program].0);
    let instruction = known.iter().position(|(_, bytes)| call.data.starts_with(bytes)).expect("it is known");
    let accounts = call.accounts.iter().map(|meta| Meta {
        account: stage.account(&meta.pubkey),
        flags: u8::from(meta.is_signer) | (2 * u8::from(meta.is_writable)),
    });
    Raw {
        program: u8::try_from(program).expect("three"),
        instruction: u8::try_from(instruction).expect("few"),
        data: call.data[8..].to_vec(),
        accounts: accounts.collect(),
    }
}

/// Calls that are accepted at once.
const SINGLE: &[&str] = &[
    "market.acknowledge agreed",
    "market.add_stake mallory",
    "market.cancel_job fresh",
    "market.cancel_job euro",
    "market.close_job closable payer",
    "market.close_job closable mallory",
    "market.close_node 5",
    "market.close_offer 0",
    "market.close_offer hers",
    "market.collect_protocol defaulted",
    "market.collect_protocol paying",
    "market.collect_protocol dollar-paying tokens",
    "market.collect_protocol yen-paying tokens",
    "market.collect_refund cancelled",
    "market.collect_refund euro-paying",
    "market.collect_refund yen-paying",
    "market.collect_residual payer sol",
    "market.collect_residual node dollar",
    "market.collect_residual payer dollar",
    "market.collect_royalty paying",
    "market.collect_royalty dollar-paying",
    "market.collect_royalty yen-paying",
    "market.collect_seat agreed 2",
    "market.collect_seat paying 0",
    "market.collect_seat dollar-paying 0",
    "market.collect_seat dollar-paying 0 in SOL",
    "market.collect_seat yen-paying 0",
    "market.collect_seat hers-paying 0",
    "market.commit committed 2 at 2",
    "market.create_offer sol",
    "market.create_offer hers",
    "market.demand_answer agreed",
    "market.leave_seat taken 0 at 0",
    "market.open_treasury_inbox sol",
    "market.open_treasury_inbox yen",
    "market.park old 0",
    "market.park old-dollar 0",
    "market.park old-dollar payer",
    "market.post_job sol payer",
    "market.post_job dollar payer",
    "market.post_job yen mallory",
    "market.post_job hers mallory",
    "market.propose_authority",
    "market.prove_length long mallory",
    "market.put_answer demanded mallory",
    "market.register_node alice",
    "market.reveal revealing 1 at 1",
    "market.set_min_stake",
    "market.set_pause all",
    "market.set_protocol_fee",
    "market.set_treasury heir",
    "market.sweep_treasury sol",
    "market.sweep_treasury yen",
    "market.take_seat fresh 0 at 0",
    "market.take_seat taken 6 at 1",
    "market.update_node 0",
    "market.withdraw_stake 5",
    "registry.abandon_asset empty",
    "registry.abandon_asset derived",
    "registry.abandon_claim model",
    "registry.add_parent empty paid",
    "registry.add_parent version",
    "registry.add_version model",
    "registry.begin_asset unbegun",
    "registry.claim_content mallory",
    "registry.inherit derived",
    "registry.propose_authority",
    "registry.publish_licence model",
    "registry.raise_floor model",
    "registry.register_dataset dataset",
    "registry.register_model model",
    "registry.register_model hers",
    "registry.retire_licence dataset",
    "registry.seal_asset empty",
    "registry.seal_asset whole",
    "registry.set_pause all",
    "registry.set_uri model",
    "royalty.abandon_pool hers",
    "royalty.abandon_pool creator's a position",
    "royalty.add_holders hers",
    "royalty.allow_mint krone",
    "royalty.approve alice",
    "royalty.claim windowed sol alice",
    "royalty.claim windowed dollar for alice",
    "royalty.claim windowed sol to carol",
    "royalty.claim_many windowed euro mallory",
    "royalty.claim_many sol",
    "royalty.close_inbox hers sol",
    "royalty.close_position carol",
    "royalty.collect child sol",
    "royalty.collect child dollar",
    "royalty.create_pool plain",
    "royalty.create_pool windowed",
    "royalty.deposit windowed sol",
    "royalty.deposit windowed yen",
    "royalty.deposit model dollar",
    "royalty.disallow_mint euro",
    "royalty.open_books windowed",
    "royalty.open_books hers",
    "royalty.open_inbox hers sol",
    "royalty.open_inbox hers yen",
    "royalty.propose_authority",
    "royalty.revoke bob",
    "royalty.set_pause all",
    "royalty.sweep sol",
    "royalty.sweep dollar",
    "royalty.sync windowed sol",
    "royalty.sync windowed yen",
    "royalty.sync model dollar",
    "royalty.transfer_shares mallory to alice",
    "royalty.transfer_shares to newcomer",
    "royalty.transfer_shares by delegate",
    "royalty.verify_creator child",
];

/// The same where nothing was set up.
const BARE: &[&str] = &["market.initialize_admin", "registry.initialize_admin", "royalty.initialize_admin"];

/// Calls that are made from nothing.
const RAW: &[&str] = &[
    "market.collect_seat dollar-paying 0",
    "market.take_seat fresh 0 at 0",
    "registry.publish_licence hers",
    "royalty.claim windowed yen mallory",
    "royalty.deposit windowed dollar",
];

/// What takes several instructions.
const STORIES: &[(&str, &str)] = &[
    (
        "story-single",
        "market.take_seat single 0 at 0; market.answer single 0 at 0; market.acknowledge single; \
         market.collect_seat single 0; market.collect_royalty single; market.collect_protocol single; \
         market.collect_refund single; wait 151; market.close_job single payer",
    ),
    (
        "story-dollar",
        "market.take_seat dollar 0 at 0; market.answer dollar 0 at 0; market.acknowledge dollar; \
         market.collect_seat dollar 0; market.collect_royalty dollar; market.collect_protocol dollar tokens; \
         market.collect_refund dollar; wait 151; market.close_job dollar payer",
    ),
    (
        "story-yen",
        "market.take_seat yen 0 at 0; market.answer yen 0 at 0; wait 1501; market.collect_seat yen 0; \
         market.collect_royalty yen; market.collect_protocol yen tokens; market.collect_refund yen; \
         royalty.sync model yen",
    ),
    (
        "story-euro",
        "market.take_seat euro 0 at 0; market.take_seat euro 1 at 1; market.commit euro 0 at 0; \
         market.commit euro 1 at 1; market.reveal euro 0 at 0; market.reveal euro 1 at 1; market.acknowledge euro; \
         market.collect_seat euro 0",
    ),
    (
        "story-hers",
        "market.take_seat hers 6 at 0; market.answer hers 6 at 0; market.acknowledge hers; market.collect_seat hers 0; \
         market.collect_royalty hers; royalty.sync model dollar",
    ),
    (
        "story-committed",
        "market.commit committed 2 at 2; market.reveal committed 0 at 0; market.reveal committed 1 at 1; \
         market.reveal committed 2 at 2; market.acknowledge committed; market.collect_seat committed 0; \
         market.collect_seat committed 1; market.collect_seat committed 2",
    ),
    (
        "story-expired",
        "wait 100; market.expire_seat late 0; wait 201; market.finalize late []; market.collect_protocol late; \
         market.collect_refund late; market.close_job late payer",
    ),
    (
        "story-late",
        "wait 201; market.finalize taken [0]; market.collect_protocol taken; market.collect_refund taken; \
         market.close_job taken payer",
    ),
    ("story-nobody", "wait 201; market.finalize fresh []; market.collect_refund fresh; market.close_job fresh payer"),
    (
        "story-unrevealed",
        "wait 151; market.finalize revealing [1, 2]; market.collect_seat revealing 0; \
         market.collect_protocol revealing; market.collect_refund revealing; market.close_job revealing payer",
    ),
    (
        "story-revealed-in-part",
        "market.reveal revealing 1 at 1; wait 151; market.finalize revealing [2]; wait 1501; \
         market.collect_seat revealing 0; market.collect_seat revealing 1; market.collect_royalty revealing; \
         market.collect_protocol revealing; market.collect_refund revealing; market.close_job revealing payer",
    ),
    (
        "story-defaulted",
        "wait 751; market.default_answer demanded [0]; market.collect_protocol demanded; market.collect_refund demanded; \
         market.close_job demanded payer",
    ),
    (
        "story-demanded",
        "market.demand_answer agreed; wait 751; market.default_answer agreed [0, 1]; market.collect_seat agreed 2; \
         market.collect_protocol agreed; market.collect_refund agreed; market.close_job agreed payer",
    ),
    (
        "story-answered",
        "market.put_answer demanded mallory; market.put_answer demanded node; market.seal_answer demanded mallory; \
         market.collect_seat demanded 0; market.collect_royalty demanded; market.close_answer demanded node signed; \
         wait 1501; market.close_answer demanded mallory",
    ),
    ("story-too-long", "market.prove_length long node; market.collect_seat long 0; market.collect_royalty long"),
    (
        "story-left",
        "market.leave_seat taken 0 at 0; market.take_seat taken 6 at 0; market.take_seat taken 1 at 1; \
         market.commit taken 1 at 1; wait 200; market.finalize taken []",
    ),
    (
        "story-treasury",
        "market.sweep_treasury sol; market.close_treasury_inbox sol 0; market.open_treasury_inbox dollar; \
         market.close_treasury_inbox dollar 1; market.set_treasury heir; market.sweep_treasury euro",
    ),
    (
        "story-node",
        "market.withdraw_stake 5 all; market.add_stake 5; market.update_node 5; market.close_node 5; \
         market.register_node alice",
    ),
    (
        "story-parked",
        "market.park old 0; market.park old-dollar 0; market.park old-dollar payer; market.collect_residual payer dollar; \
         market.collect_residual payer sol; market.collect_protocol old-dollar tokens; market.collect_royalty old-dollar; \
         market.close_job old-dollar mallory",
    ),
    (
        "story-withheld",
        "gift yen inbox; royalty.sync model yen; gift harvest inbox; gift harvest vault; royalty.sync windowed yen; \
         wait 100; royalty.claim windowed yen alice; royalty.claim windowed yen for bob",
    ),
    (
        "story-market-authority",
        "market.propose_authority; market.cancel_authority; market.propose_authority; wait 432000; market.accept_authority",
    ),
    (
        "story-registry-authority",
        "registry.propose_authority; registry.cancel_authority; registry.propose_authority; wait 432000; registry.accept_authority",
    ),
    (
        "story-royalty-authority",
        "royalty.propose_authority; royalty.cancel_authority; royalty.propose_authority; wait 432000; royalty.accept_authority",
    ),
    (
        "story-window",
        "royalty.sync windowed sol; wait 100; royalty.transfer_shares alice to mallory; wait 9; \
         royalty.claim windowed sol alice; royalty.claim windowed sol mallory; wait 100; royalty.claim windowed sol for bob; \
         royalty.transfer_shares by delegate; royalty.claim windowed sol mallory",
    ),
    (
        "story-all-shares",
        "royalty.transfer_shares mallory to all; royalty.claim windowed sol mallory; royalty.claim windowed dollar mallory; \
         royalty.claim windowed euro mallory; royalty.claim windowed yen mallory; wait 200; royalty.claim windowed sol for bob; \
         royalty.close_position mallory",
    ),
    (
        "story-sweep",
        "royalty.sweep sol; royalty.sync dataset sol; gift sol pool; royalty.collect model sol; royalty.collect child sol; \
         royalty.sweep sol; royalty.claim child sol",
    ),
    ("story-abandoned", "royalty.abandon_pool hers a position; royalty.add_holders hers; royalty.abandon_pool hers"),
    ("story-sealed", "royalty.add_holders hers; royalty.abandon_pool hers a position; royalty.abandon_pool hers"),
    (
        "story-inboxes",
        "royalty.open_inbox hers dollar; royalty.close_inbox hers 1 dollar; royalty.close_inbox hers dollar; \
         royalty.open_inbox hers yen; royalty.close_inbox hers 1 yen; royalty.open_inbox yen; royalty.close_inbox alice's yen",
    ),
    (
        "story-asset",
        "registry.publish_licence model; registry.retire_licence model; registry.raise_floor model; \
         market.post_job sol payer; registry.raise_floor model bps; registry.add_version model; \
         market.post_job dollar payer; market.close_offer 1",
    ),
    (
        "story-draft",
        "registry.begin_asset unbegun; registry.abandon_asset empty by mallory; wait 1512001; \
         registry.abandon_asset empty by mallory; registry.inherit derived; registry.abandon_asset derived",
    ),
    (
        "story-lineage",
        "registry.add_parent empty paid; registry.add_parent empty; registry.seal_asset empty; registry.inherit derived; \
         registry.add_parent derived paid; registry.seal_asset derived",
    ),
    (
        "story-later-parents",
        "registry.add_parent whole paid; registry.retire_licence root of drafts; registry.seal_asset whole; \
         registry.add_parent version passing; registry.add_parent version",
    ),
    (
        "story-claims",
        "registry.claim_content mallory; registry.abandon_claim model by alice; wait 216001; \
         registry.abandon_claim model by alice; registry.add_version model",
    ),
    (
        "story-paused",
        "royalty.set_pause all; royalty.create_pool plain; royalty.set_pause all; royalty.deposit model sol",
    ),
    (
        "story-registered",
        "registry.register_dataset dataset; registry.register_model model; registry.register_model hers",
    ),
    (
        "story-gifts",
        "gift sol residual to be; market.park old 0; gift sol index; gift sol node; gift sol books; royalty.sync model sol; \
         market.withdraw_stake 0",
    ),
    ("story-disallowed", "royalty.disallow_mint euro; royalty.deposit model euro; royalty.claim windowed euro alice"),
];

/// What fuzzing found: a call with a change that ended in a way not thought of, and the call as it should be.
///
/// - A length beyond the data ends the program while the framework sets memory aside for the list.
/// - Positions that follow `abandon_pool` without the right to write them are refused by the runtime.
/// - An account that a group of `claim_many` names twice is refused by a failed borrow.
fn findings(stage: &Stage) -> [(&'static str, Input); 3] {
    let found = |label: &str, edit: Edit| {
        let call = stage.number(label);
        let steps = vec![Step::Call { call, edits: vec![edit] }, Step::Call { call, edits: Vec::new() }];
        Input { world: 0, steps }
    };
    let many = "royalty.claim_many windowed euro mallory";
    let position = stage.calls[usize::from(stage.number(many))].instruction.accounts[8].pubkey;
    let twice = Edit::Replace { at: 9, account: stage.account(&position) };
    [
        ("finding-length-beyond-the-data", found("royalty.create_pool plain", Edit::Flip { at: 22, bits: 128 })),
        ("finding-readonly-position", found("royalty.abandon_pool hers", Edit::Flags { at: 5, flags: 0 })),
        ("finding-named-twice", found(many, twice)),
    ]
}
