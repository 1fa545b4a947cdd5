//! The crash log: what survives, what is cut off, what it forbids.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use ed25519_dalek::SigningKey;
use provena_arith::receipt::{KIND_JOB, RECEIPT_VERSION, Receipt};
use provena_node::journal::{Computed, End, Entry, Event, JobKey, Journal, JournalError, Step, Terms};
use provena_wire::{Units, receipt};
use solana_pubkey::Pubkey;

use crate::support::small_disk::SmallDisk;

const JOB: Pubkey = Pubkey::new_from_array([33; 32]);

const POSTED: u64 = 345;

pub(crate) fn key() -> JobKey {
    JobKey { job: JOB, posted_at: POSTED, input_root: [8; 32] }
}

pub(crate) fn entry(event: Event) -> Entry {
    Entry { key: key(), event }
}

pub(crate) fn taking(index: u8) -> Event {
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

pub(crate) fn result(result_root: [u8; 32]) -> Event {
    Event::Computed { result_root, units_in: 2, units_out: 1, salt: [8; 32] }
}

fn computed(result_root: [u8; 32]) -> Entry {
    entry(result(result_root))
}

fn signing(result_root: [u8; 32], amount: u64) -> Entry {
    entry(Event::Signing(signed(&key(), result_root, amount)))
}

pub(crate) fn signed(posting: &JobKey, result_root: [u8; 32], amount: u64) -> receipt::SignedReceipt {
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
    let path = folder.path().join("deep/journal.redb");
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

/// The job number `number`.
fn numbered(number: u32) -> JobKey {
    let mut job = [0; 32];
    job[..4].copy_from_slice(&number.to_be_bytes());
    JobKey { job: Pubkey::from(job), ..key() }
}

/// Not a test of its own: the process that
/// [`what_was_appended_survives_a_kill_at_any_moment`] kills. It says each number once it is appended.
#[test]
fn appends_until_it_is_killed() {
    let Some(path) = std::env::var_os("PROVENA_TEST_JOURNAL") else { return };
    let journal = Journal::open(Path::new(&path)).unwrap();
    let first = (0..).find(|number| journal.job(&numbered(*number)).is_none()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let journal = journal.clone();
            scope.spawn(move || {
                for number in (first + thread..).step_by(3) {
                    let of = |event| Entry { key: numbered(number), event };
                    journal.append_all(&[of(taking(0)), of(result([9; 32]))]).unwrap();
                    println!("appended {number}");
                    journal.append(&of(Event::Ended(End::Settled))).unwrap();
                }
            });
        }
    });
}

#[test]
fn what_was_appended_survives_a_kill_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.redb");
    let mut said = BTreeSet::new();
    for round in 0..12 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "journal::appends_until_it_is_killed", "--nocapture"])
            .env("PROVENA_TEST_JOURNAL", &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let number = |line: String| line.split_once("appended ").and_then(|(_, number)| number.parse::<u32>().ok());
        let mut numbers = lines.filter_map(number);
        said.extend(numbers.by_ref().take(3 + 7 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        said.extend(numbers);
        let journal = Journal::open(&path).unwrap();
        for number in &said {
            let record = journal.job(&numbered(*number)).unwrap_or_else(|| panic!("{number} is lost"));
            assert_eq!((record.taking, record.computed.unwrap().result_root), (Some((0, terms())), [9; 32]));
        }
        // Of the two entries that went together there are both or none.
        assert!(journal.in_progress().iter().all(|(_, record)| record.taking.is_some() && record.computed.is_some()));
    }
    assert!(said.len() > 400, "only {} jobs", said.len());
}

#[test]
fn open_rejects_damage_or_reads_everything_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.redb");
    let journal = Journal::open(&path).unwrap();
    let jobs = 0..60;
    for number in jobs.clone() {
        let key = numbered(number);
        let event = result([9; 32]);
        journal.append_all(&[Entry { key, event: taking(0) }, Entry { key, event }]).unwrap();
    }
    drop(journal);
    let whole = std::fs::read(&path).unwrap();
    let (mut refused, mut read) = (0, 0);
    for at in (0..whole.len()).step_by(997) {
        let mut bytes = whole.clone();
        bytes[at..].iter_mut().take(16).for_each(|byte| *byte ^= 0x5a);
        std::fs::write(&path, &bytes).unwrap();
        match Journal::open(&path) {
            Err(error @ JournalError::Damaged { .. }) => {
                assert!(error.to_string().contains("restore it from a backup"), "{error}");
                refused += 1;
            }
            Err(other) => panic!("at {at}: {other}"),
            Ok(journal) => {
                assert_eq!(journal.in_progress().len(), 60, "at {at}");
                let sound = |number| journal.job(&numbered(number)).unwrap().computed.unwrap().result_root == [9; 32];
                assert!(jobs.clone().all(sound), "at {at}");
                read += 1;
            }
        }
    }
    eprintln!("{refused} damaged files were refused, {read} read whole");
    assert!(refused > 3);
    std::fs::write(&path, "Dear reader, this is no database.").unwrap();
    assert!(matches!(Journal::open(&path), Err(JournalError::Damaged { .. })));
}

#[test]
fn open_rejects_the_log_of_an_earlier_version() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("journal.jsonl"), "{}\n").unwrap();
    let error = Journal::open(&folder.path().join("journal.redb")).unwrap_err();
    assert!(matches!(error, JournalError::Outdated { .. }), "{error}");
    assert!(error.to_string().contains("journal.jsonl") && error.to_string().contains("earlier version"), "{error}");
}

#[test]
fn open_rejects_a_second_user() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.redb");
    let first = Journal::open(&path).unwrap();
    let error = Journal::open(&path).unwrap_err();
    assert!(matches!(error, JournalError::InUse { .. }) && error.to_string().contains("other node"), "{error}");
    drop(first);
    Journal::open(&path).unwrap();
}

#[test]
fn append_rejects_a_second_result_and_a_second_receipt() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.redb");
    let journal = Journal::open(&path).unwrap();
    let refused = |entry: &Entry| {
        let before = journal.job(&key());
        let error = journal.append(entry).unwrap_err();
        assert!(matches!(error, JournalError::Conflict { job, .. } if job == JOB), "{error}");
        assert_eq!(journal.job(&key()), before, "a refused entry was written");
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
    let error = Journal::open(Path::new("/dev/null/journal.redb")).unwrap_err();
    assert!(matches!(error, JournalError::Io { .. }) && error.to_string().contains("writable"), "{error}");
}

#[test]
fn jobs_that_are_over_are_dropped_the_oldest_first_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.redb");
    let of = |number: u32, event: Event| Entry { key: numbered(number), event };
    let settled = |number| [of(number, taking(0)), of(number, result([9; 32])), of(number, Event::Ended(End::Settled))];
    let journal = Journal::open_keeping(&path, 2).unwrap();
    // Begun before all others and never over.
    journal.append_all(&[entry(taking(1)), computed([7; 32]), signing([7; 32], 10)]).unwrap();
    for number in 1..=3 {
        journal.append_all(&settled(number)).unwrap();
    }
    journal.append(&of(4, Event::Ended(End::Abandoned("taken".to_owned())))).unwrap();
    // Abandoned with a result: another one must stay forbidden.
    journal.append_all(&[of(5, result([9; 32])), of(5, Event::Ended(End::Abandoned("late".to_owned())))]).unwrap();
    let kept =
        |journal: &Journal| (1..=5).filter(|number| journal.job(&numbered(*number)).is_some()).collect::<Vec<_>>();
    assert_eq!(kept(&journal), [3, 4, 5]);
    // One that is taken up again is no longer over.
    journal.append(&of(3, taking(2))).unwrap();
    journal.append_all(&settled(6)).unwrap();
    assert_eq!(kept(&journal), [3, 4, 5]);
    journal.append_all(&settled(7)).unwrap();
    assert_eq!(kept(&journal), [3, 5]);
    drop(journal);
    let journal = Journal::open_keeping(&path, 2).unwrap();
    assert_eq!(kept(&journal), [3, 5]);
    assert_eq!(journal.job(&key()).unwrap().receipt.unwrap().amount, 10);
    assert_eq!(journal.receipt(&JOB).unwrap().amount, 10);
    assert_eq!(journal.in_progress().len(), 2);
    let other = Event::Computed { result_root: [1; 32], units_in: 2, units_out: 1, salt: [8; 32] };
    assert!(matches!(journal.append(&of(5, other)).unwrap_err(), JournalError::Conflict { .. }));
}

#[test]
fn the_file_stays_as_small_as_what_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.redb");
    let journal = Journal::open_keeping(&path, 200).unwrap();
    let batch = |from: u32| {
        let jobs = (from..from + 500).flat_map(|number| {
            let key = numbered(number);
            let signing = Event::Signing(signed(&key, [9; 32], 10));
            let events = [taking(0), result([9; 32]), signing, Event::Ended(End::Settled)];
            events.map(|event| Entry { key, event })
        });
        journal.append_all(&jobs.collect::<Vec<_>>()).unwrap();
        path.metadata().unwrap().len()
    };
    let sizes: Vec<u64> = (0..20).map(|round| batch(round * 500)).collect();
    eprintln!("bytes of the file after each 500 jobs: {sizes:?}");
    assert!(sizes[19] <= 2 * sizes[1], "{sizes:?}");
    assert_eq!(journal.in_progress().len() + journal.awaiting_pay().len(), 0);
    assert!(journal.receipt(&numbered(9_999).job).is_some() && journal.receipt(&numbered(0).job).is_none());
    assert_eq!(journal.last_receipt().unwrap().job, numbered(9_999).job.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_that_write_together_are_told_each_their_own_outcome_and_one_that_goes_away_holds_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.redb");
    let journal = Journal::open(&path).unwrap();
    let key = |number: u8| JobKey { job: Pubkey::new_from_array([number; 32]), ..key() };
    let write = |number: u8, root: u8| {
        let (journal, event) = (journal.clone(), result([root; 32]));
        tokio::spawn(async move { journal.write(vec![Entry { key: key(number), event }]).await })
    };
    let mut rivals = Vec::new();
    for number in 0..60 {
        rivals.push([write(number, 1), write(number, 2)]);
        write(number, 1).abort();
    }
    for (number, [first, second]) in (0..).zip(rivals) {
        let outcomes = [first.await.unwrap(), second.await.unwrap()];
        let won: Vec<u8> = (1..).zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()).map(|(root, _)| root).collect();
        let [root] = won[..] else { panic!("{outcomes:?}") };
        let refused = outcomes.into_iter().find_map(Result::err);
        assert!(matches!(refused, Some(JournalError::Conflict { job, .. }) if job == key(number).job), "{refused:?}");
        assert_eq!(journal.job(&key(number)).unwrap().computed.unwrap().result_root, [root; 32]);
    }
}

#[test]
fn of_two_results_at_the_same_time_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&folder.path().join("journal.redb")).unwrap();
    for number in 0..50 {
        let append = |root: u8| {
            let (journal, key) = (journal.clone(), numbered(number));
            std::thread::spawn(move || journal.append(&Entry { key, event: result([root; 32]) }).is_ok())
        };
        let outcomes = [1, 2, 3].map(append).map(|thread| thread.join().unwrap());
        assert_eq!(outcomes.iter().filter(|taken| **taken).count(), 1, "{outcomes:?}");
        let winner = outcomes.iter().position(|taken| *taken).unwrap() + 1;
        let root = journal.job(&numbered(number)).unwrap().computed.unwrap().result_root;
        assert_eq!(usize::from(root[0]), winner);
    }
}

/// A full disk takes no seat, loses nothing that was begun, and all is well again when there is room.
#[test]
fn n1_a_full_disk_takes_what_was_begun_and_nothing_new() {
    let Some(disk) = SmallDisk::mount(24 << 20) else { return };
    let path = disk.path().join("journal.redb");
    let journal = Journal::open(&path).unwrap();
    assert!(!journal.is_degraded());
    journal.append(&entry(taking(1))).unwrap();
    disk.fill();
    // What was held back is used up: this goes on for long.
    let mut written = 0;
    while !journal.is_degraded() {
        written += 1;
        let key = numbered(written);
        journal.append_all(&[Entry { key, event: taking(0) }, Entry { key, event: result([9; 32]) }]).unwrap();
        assert!(written < 20_000, "the disk is not full");
    }
    journal.append(&computed([9; 32])).unwrap();
    assert!(!journal.restore(), "there is no room");

    // Somebody takes that room as well.
    disk.fill();
    let mut more = written;
    let full = loop {
        more += 1;
        let key = numbered(more);
        if let Err(error) = journal.append(&Entry { key, event: taking(0) }) {
            break error;
        }
        assert!(more < written + 20_000, "the disk is not full");
    };
    assert!(matches!(full, JournalError::Full { .. }), "{full}");
    assert_eq!(journal.job(&numbered(more)), None, "a seat that must not be asked for");
    let error = journal.append(&signing([9; 32], 10)).unwrap_err();
    assert!(matches!(error, JournalError::Full { .. }), "{error}");
    // It is remembered, and so are the rules.
    assert_eq!(journal.receipt(&JOB).unwrap().amount, 10);
    assert!(matches!(journal.append(&signing([9; 32], 11)).unwrap_err(), JournalError::Conflict { .. }));
    assert!(matches!(journal.append(&computed([8; 32])).unwrap_err(), JournalError::Conflict { .. }));
    assert_eq!(journal.broken(), None);

    disk.empty();
    assert!(journal.restore(), "there is room again");
    drop(journal);
    let journal = Journal::open(&path).unwrap();
    assert!(!journal.is_degraded());
    let record = journal.job(&key()).unwrap();
    assert_eq!((record.taking, record.receipt.unwrap().amount), (Some((1, terms())), 10));
    assert!((1..=written).all(|number| journal.job(&numbered(number)).is_some_and(|job| job.computed.is_some())));
}

#[test]
fn a_node_starts_on_a_full_disk_and_finishes_what_was_begun() {
    let Some(disk) = SmallDisk::mount(24 << 20) else { return };
    let path = disk.path().join("journal.redb");
    Journal::open(&path).unwrap().append(&entry(taking(1))).unwrap();
    disk.fill();
    let journal = Journal::open(&path).unwrap();
    journal.append(&computed([9; 32])).unwrap();
    drop(journal);
    disk.fill();
    let journal = Journal::open(&path).unwrap();
    assert_eq!(journal.job(&key()).unwrap().computed.unwrap().result_root, [9; 32]);
}

#[test]
fn lost_bonds_are_remembered_with_their_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.redb");
    let journal = Journal::open(&path).unwrap();
    let lost = |number, reason: &str| {
        let end = Event::Ended(End::Abandoned(reason.to_owned()));
        journal.append(&Entry { key: numbered(number), event: end }).unwrap();
    };
    lost(1, End::MISSED);
    lost(2, "no other node takes a seat");
    lost(3, End::DEFAULTED);
    let known: Vec<_> = journal.lost_bonds().into_iter().map(|bond| (bond.job, bond.reason)).collect();
    let of = |number, reason: &str| (numbered(number).job.to_string(), reason.to_owned());
    assert_eq!(known, [of(3, End::DEFAULTED), of(1, End::MISSED)]);
    for number in 4..=150 {
        lost(number, End::MISSED);
    }
    assert_eq!(journal.lost_bonds().len(), 100);
}

/// H1: a payer posts another input at the address of a closed job. What was written for the first posting is not used for the
/// second, and nothing written for the second touches the first.
#[test]
fn h1_a_record_is_of_one_posting_and_not_of_an_address() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.redb");
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
fn what_was_put_on_chain_is_remembered_after_other_transactions_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.redb");
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
