//! The crash log: what survives, what is cut off, what it forbids.

use std::io::Write;

use ed25519_dalek::SigningKey;
use provena_arith::receipt::{KIND_JOB, RECEIPT_VERSION, Receipt};
use provena_node::journal::{Computed, End, Entry, Event, JobKey, Journal, JournalError, Step, Terms};
use provena_wire::{Units, receipt};
use solana_pubkey::Pubkey;

const JOB: Pubkey = Pubkey::new_from_array([33; 32]);

const POSTED: u64 = 345;

fn key() -> JobKey {
    JobKey { job: JOB, posted_at: POSTED, input_root: [8; 32] }
}

fn entry(event: Event) -> Entry {
    Entry { key: key(), event }
}

fn taking(index: u8) -> Event {
    Event::Taking { index, terms: terms() }
}

fn terms() -> Terms {
    Terms {
        hash: [5; 32],
        asset: Pubkey::new_from_array([4; 32]),
        asset_version: 2,
        content_root: [6; 32],
        recipe_root: [7; 32],
        engine_class: 1,
        mint: Pubkey::default(),
    }
}

fn result(result_root: [u8; 32]) -> Event {
    Event::Computed { result_root, units_in: 2, units_out: 1, salt: [8; 32] }
}

fn computed(result_root: [u8; 32]) -> Entry {
    entry(result(result_root))
}

fn signing(result_root: [u8; 32], amount: u64) -> Entry {
    entry(Event::Signing(signed(&key(), result_root, amount)))
}

fn signed(posting: &JobKey, result_root: [u8; 32], amount: u64) -> receipt::SignedReceipt {
    let key = SigningKey::from_bytes(&[5; 32]);
    let statement = Receipt {
        version: RECEIPT_VERSION,
        kind: KIND_JOB,
        cluster: [1; 32],
        program: [2; 32],
        place: posting.job.to_bytes(),
        number: 0,
        node: key.verifying_key().to_bytes(),
        payer: [3; 32],
        asset: [4; 32],
        asset_version: 2,
        content_root: [6; 32],
        recipe_root: [7; 32],
        input_root: posting.input_root,
        result_root,
        terms_hash: [5; 32],
        mint: [0; 32],
        amount,
        engine_class: 1,
        units_in: 2,
        units_out: 1,
        slot: posting.posted_at,
    };
    receipt::sign(&statement, &key).unwrap()
}

#[test]
fn everything_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/journal.jsonl");
    {
        let journal = Journal::open(&path).unwrap();
        for entry in [
            entry(taking(1)),
            entry(Event::Sending { step: Step::Take, signature: "sig".to_owned(), last_valid_block_height: 9 }),
            entry(Event::Seated),
            computed([9; 32]),
            signing([9; 32], 10),
        ] {
            journal.append(&entry).unwrap();
        }
    }
    let journal = Journal::open(&path).unwrap();
    let record = journal.job(&key()).unwrap();
    assert_eq!(record.taking, Some((1, terms())));
    assert!(record.seated && !record.left);
    assert_eq!(record.computed, Some(Computed { result_root: [9; 32], units: Units::new(2, 1), salt: [8; 32] }));
    assert_eq!(record.sent, Some((Step::Take, "sig".to_owned(), 9)));
    assert_eq!(record.receipt.unwrap().amount, 10);
    let counts = |journal: &Journal| (journal.in_progress().len(), journal.awaiting_pay().len());
    assert_eq!(counts(&journal), (1, 0));
    journal.append(&entry(Event::Decided { agreed: true })).unwrap();
    assert_eq!(counts(&journal), (0, 1));
    drop(journal);
    let journal = Journal::open(&path).unwrap();
    assert_eq!(counts(&journal), (0, 1), "waiting for pay survives a restart");
    journal.append(&entry(Event::Ended(End::Settled))).unwrap();
    assert_eq!(counts(&journal), (0, 0));
}

#[test]
fn a_torn_last_entry_is_cut_off_at_every_length() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    Journal::open(&path).unwrap().append(&entry(taking(1))).unwrap();
    let whole = std::fs::read(&path).unwrap();
    Journal::open(&path).unwrap().append(&computed([9; 32])).unwrap();
    let both = std::fs::read(&path).unwrap();
    for len in whole.len()..both.len() {
        std::fs::write(&path, &both[..len]).unwrap();
        let journal = Journal::open(&path).unwrap();
        assert_eq!(journal.job(&key()).unwrap().computed, None, "{len} bytes");
        journal.append(&computed([7; 32])).unwrap();
        drop(journal);
        let journal = Journal::open(&path).unwrap();
        assert_eq!(journal.job(&key()).unwrap().computed.unwrap().result_root, [7; 32], "{len} bytes");
    }
}

#[test]
fn open_rejects_damage_in_the_middle() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let journal = Journal::open(&path).unwrap();
    journal.append(&entry(taking(1))).unwrap();
    drop(journal);
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"{\"job\":\"half\n").unwrap();
    drop(file);
    let error = Journal::open(&path).unwrap_err();
    assert!(matches!(error, JournalError::Damaged { line: 2, .. }), "{error}");
}

#[test]
fn open_rejects_a_second_user() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let first = Journal::open(&path).unwrap();
    let error = Journal::open(&path).unwrap_err();
    assert!(matches!(error, JournalError::InUse { .. }) && error.to_string().contains("other node"), "{error}");
    drop(first);
    Journal::open(&path).unwrap();
}

#[test]
fn append_rejects_a_second_result_and_a_second_receipt() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let journal = Journal::open(&path).unwrap();
    let refused = |entry: &Entry| {
        let before = std::fs::read(&path).unwrap();
        let error = journal.append(entry).unwrap_err();
        assert!(matches!(error, JournalError::Conflict { job, .. } if job == JOB), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before, "a refused entry was written");
    };
    refused(&signing([9; 32], 10));
    journal.append(&computed([9; 32])).unwrap();
    journal.append(&computed([9; 32])).unwrap();
    refused(&computed([8; 32]));
    refused(&signing([8; 32], 10));
    journal.append(&signing([9; 32], 10)).unwrap();
    journal.append(&signing([9; 32], 10)).unwrap();
    refused(&signing([9; 32], 11));
    journal.append(&entry(Event::Ended(End::Abandoned("late".to_owned())))).unwrap();
    // Even after the end, and after a seat of the same posting is taken again.
    refused(&computed([8; 32]));
    journal.append(&entry(taking(0))).unwrap();
    refused(&computed([8; 32]));
}

#[test]
fn open_says_what_to_do_when_the_folder_is_unusable() {
    let error = Journal::open(std::path::Path::new("/dev/null/journal.jsonl")).unwrap_err();
    assert!(matches!(error, JournalError::Io { .. }) && error.to_string().contains("writable"), "{error}");
}

#[test]
fn jobs_that_are_over_are_dropped_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let job = |number: u8| Pubkey::new_from_array([number; 32]);
    let key_of = |number: u8| JobKey { job: job(number), ..key() };
    let of = |number: u8, event: Event| Entry { key: key_of(number), event };
    let result = || result([9; 32]);
    {
        let journal = Journal::open(&path).unwrap();
        for number in 1..=3 {
            journal.append(&of(number, taking(0))).unwrap();
            journal.append(&of(number, result())).unwrap();
            journal.append(&of(number, Event::Ended(End::Settled))).unwrap();
        }
        journal.append(&of(4, taking(0))).unwrap();
        journal.append(&of(4, Event::Ended(End::Abandoned("taken".to_owned())))).unwrap();
        // Abandoned with a result: another one must stay forbidden.
        journal.append(&of(5, result())).unwrap();
        journal.append(&of(5, Event::Ended(End::Abandoned("late".to_owned())))).unwrap();
        journal.append(&entry(taking(1))).unwrap();
        journal.append(&computed([7; 32])).unwrap();
        journal.append(&signing([7; 32], 10)).unwrap();
    }
    let before = std::fs::read(&path).unwrap();
    drop(Journal::open_keeping(&path, 4).unwrap());
    assert_eq!(std::fs::read(&path).unwrap(), before, "few enough are kept as they are");

    let kept = Journal::open_keeping(&path, 3).unwrap();
    let (five, mine) = (kept.job(&key_of(5)), kept.job(&key()));
    assert!(five.is_some() && mine.clone().unwrap().receipt.is_some());
    assert_eq!((kept.job(&key_of(1)), kept.job(&key_of(4))), (None, None));
    let other = Event::Computed { result_root: [1; 32], units_in: 2, units_out: 1, salt: [8; 32] };
    assert!(matches!(kept.append(&of(5, other)).unwrap_err(), JournalError::Conflict { .. }));
    kept.append(&of(6, taking(2))).unwrap();
    drop(kept);
    let again = Journal::open(&path).unwrap();
    assert_eq!((again.job(&key_of(5)), again.job(&key())), (five, mine));
    assert_eq!(again.job(&key_of(6)).unwrap().taking, Some((2, terms())));
}

/// H1: a payer posts another input at the address of a closed job. What was written for the first posting is not used for the
/// second, and nothing written for the second touches the first.
#[test]
fn h1_a_record_is_of_one_posting_and_not_of_an_address() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let other_input = JobKey { input_root: [9; 32], ..key() };
    let other_slot = JobKey { posted_at: POSTED + 1, ..key() };
    let journal = Journal::open(&path).unwrap();
    journal.append(&computed([9; 32])).unwrap();
    for other in [other_input, other_slot] {
        assert_eq!(journal.job(&other), None);
        journal.append(&Entry { key: other, event: result([1; 32]) }).unwrap();
        // A receipt for one posting is none for another.
        let wrong = Entry { key: other, event: Event::Signing(signed(&key(), [1; 32], 10)) };
        let error = journal.append(&wrong).unwrap_err();
        assert!(error.to_string().contains("another posting"), "{error}");
        journal.append(&Entry { key: other, event: Event::Signing(signed(&other, [1; 32], 10)) }).unwrap();
    }
    drop(journal);
    let journal = Journal::open(&path).unwrap();
    let root = |key: &JobKey| journal.job(key).unwrap().computed.unwrap().result_root;
    assert_eq!((root(&key()), root(&other_input), root(&other_slot)), ([9; 32], [1; 32], [1; 32]));
    assert_eq!(journal.at(&JOB).len(), 3);
}

#[test]
fn what_was_put_on_chain_is_remembered_after_other_transactions_and_after_compaction() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let sending = |step| Event::Sending { step, signature: "sig".to_owned(), last_valid_block_height: 9 };
    let over = Entry { key: JobKey { posted_at: 1, ..key() }, event: Event::Ended(End::Settled) };
    {
        let journal = Journal::open(&path).unwrap();
        for event in [taking(0), result([9; 32]), Event::Decided { agreed: true }, sending(Step::PutAnswer)] {
            journal.append(&entry(event)).unwrap();
        }
        assert!(journal.job(&key()).unwrap().answering);
        journal.append(&entry(sending(Step::Collect))).unwrap();
        journal.append(&over).unwrap();
    }
    for _ in 0..2 {
        let journal = Journal::open_keeping(&path, 0).unwrap();
        let record = journal.job(&key()).unwrap();
        assert!(record.answering && record.is_awaiting_pay());
        assert_eq!(record.sent.unwrap().0, Step::Collect);
    }
}
