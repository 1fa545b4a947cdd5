//! The crash log: what survives, what is cut off, what it forbids.

use std::io::Write;

use ed25519_dalek::SigningKey;
use provena_arith::receipt::{RECEIPT_VERSION, Receipt};
use provena_node::journal::{Computed, End, Entry, Event, Journal, JournalError, Step};
use provena_wire::receipt;
use solana_pubkey::Pubkey;

const JOB: Pubkey = Pubkey::new_from_array([33; 32]);

fn entry(event: Event) -> Entry {
    Entry { job: JOB, event }
}

fn computed(result_root: [u8; 32]) -> Entry {
    entry(Event::Computed { result_root, units: 2, salt: [8; 32] })
}

fn signing(result_root: [u8; 32], slot: u64) -> Entry {
    let key = SigningKey::from_bytes(&[5; 32]);
    let statement = Receipt {
        version: RECEIPT_VERSION,
        cluster: [1; 32],
        market_program: [2; 32],
        job: JOB.to_bytes(),
        node: key.verifying_key().to_bytes(),
        asset: [4; 32],
        content_root: [6; 32],
        recipe_root: [7; 32],
        input_root: [8; 32],
        result_root,
        engine_class: 1,
        units: 2,
        slot,
    };
    entry(Event::Signing(receipt::sign(&statement, &key).unwrap()))
}

#[test]
fn everything_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/journal.jsonl");
    {
        let journal = Journal::open(&path).unwrap();
        for entry in [
            entry(Event::Claiming { index: 1 }),
            entry(Event::Sending { step: Step::Claim, signature: "sig".to_owned(), last_valid_block_height: 9 }),
            computed([9; 32]),
            signing([9; 32], 10),
        ] {
            journal.append(&entry).unwrap();
        }
    }
    let journal = Journal::open(&path).unwrap();
    let record = journal.job(&JOB).unwrap();
    assert_eq!(record.index, Some(1));
    assert_eq!(record.computed, Some(Computed { result_root: [9; 32], units: 2, salt: [8; 32] }));
    assert_eq!(record.sent, Some((Step::Claim, "sig".to_owned(), 9)));
    assert_eq!(record.receipt.unwrap().slot, 10);
    assert_eq!(journal.unfinished().len(), 1);
    journal.append(&entry(Event::Ended(End::Settled))).unwrap();
    assert_eq!(journal.unfinished().len(), 0);
}

#[test]
fn a_torn_last_entry_is_cut_off_at_every_length() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    Journal::open(&path).unwrap().append(&entry(Event::Claiming { index: 1 })).unwrap();
    let whole = std::fs::read(&path).unwrap();
    Journal::open(&path).unwrap().append(&computed([9; 32])).unwrap();
    let both = std::fs::read(&path).unwrap();
    for len in whole.len()..both.len() {
        std::fs::write(&path, &both[..len]).unwrap();
        let journal = Journal::open(&path).unwrap();
        assert_eq!(journal.job(&JOB).unwrap().computed, None, "{len} bytes");
        journal.append(&computed([7; 32])).unwrap();
        drop(journal);
        let journal = Journal::open(&path).unwrap();
        assert_eq!(journal.job(&JOB).unwrap().computed.unwrap().result_root, [7; 32], "{len} bytes");
    }
}

#[test]
fn open_rejects_damage_in_the_middle() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let journal = Journal::open(&path).unwrap();
    journal.append(&entry(Event::Claiming { index: 1 })).unwrap();
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
    // Even after the end, and after a new claim of the same job.
    refused(&computed([8; 32]));
    journal.append(&entry(Event::Claiming { index: 0 })).unwrap();
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
    let of = |number: u8, event: Event| Entry { job: job(number), event };
    let result = || Event::Computed { result_root: [9; 32], units: 2, salt: [8; 32] };
    {
        let journal = Journal::open(&path).unwrap();
        for number in 1..=3 {
            journal.append(&of(number, Event::Claiming { index: 0 })).unwrap();
            journal.append(&of(number, result())).unwrap();
            journal.append(&of(number, Event::Ended(End::Settled))).unwrap();
        }
        journal.append(&of(4, Event::Claiming { index: 0 })).unwrap();
        journal.append(&of(4, Event::Ended(End::Abandoned("taken".to_owned())))).unwrap();
        // Abandoned with a result: another one must stay forbidden.
        journal.append(&of(5, result())).unwrap();
        journal.append(&of(5, Event::Ended(End::Abandoned("late".to_owned())))).unwrap();
        journal.append(&entry(Event::Claiming { index: 1 })).unwrap();
        journal.append(&computed([7; 32])).unwrap();
        journal.append(&signing([7; 32], 10)).unwrap();
    }
    let before = std::fs::read(&path).unwrap();
    drop(Journal::open_keeping(&path, 4).unwrap());
    assert_eq!(std::fs::read(&path).unwrap(), before, "few enough are kept as they are");

    let kept = Journal::open_keeping(&path, 3).unwrap();
    let (five, mine) = (kept.job(&job(5)), kept.job(&JOB));
    assert!(five.is_some() && mine.clone().unwrap().receipt.is_some());
    assert_eq!((kept.job(&job(1)), kept.job(&job(4))), (None, None));
    let other = Event::Computed { result_root: [1; 32], units: 2, salt: [8; 32] };
    assert!(matches!(kept.append(&of(5, other)).unwrap_err(), JournalError::Conflict { .. }));
    kept.append(&of(6, Event::Claiming { index: 2 })).unwrap();
    drop(kept);
    let again = Journal::open(&path).unwrap();
    assert_eq!((again.job(&job(5)), again.job(&JOB)), (five, mine));
    assert_eq!(again.job(&job(6)).unwrap().index, Some(2));
}
