use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::*;
use crate::journal::tables::Bounds;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(10);

fn seated(job: u8) -> [Entry; 1] {
    let key = JobKey { job: Pubkey::new_from_array([job; 32]), input_root: [job; 32], posted_at: 1 };
    [Entry { key, event: Event::Seated }]
}

/// A writer that panicked left everybody waiting for it, for ever, and the node looked well.
#[test]
fn whoever_waits_for_a_writer_that_dies_learns_it_and_the_log_is_broken() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bounds = Bounds { over: 10, bound: 10, receipts: 10 };
    let (file, records) = LogFile::open(&folder.path().join("journal.redb"), bounds).expect("it is made");
    let queue = Arc::new(Queue::new(file, records));
    queue.append(&seated(1)).expect("it works");

    let ((began, begun), (die, dies)) = (mpsc::channel(), mpsc::channel::<()>());
    let writer = std::thread::spawn({
        let queue = Arc::clone(&queue);
        move || {
            let mut state = queue.lock();
            queue.enqueue(&mut state, &seated(2)).expect("the log allows it");
            let write = |_: &BTreeMap<JobKey, JobRecord>| -> Result<(), JournalError> {
                began.send(()).expect("the test waits");
                dies.recv().expect("the test says when");
                panic!("the database's pages contradict each other");
            };
            drop(queue.write_by(state, write));
        }
    });
    begun.recv_timeout(LONG).expect("it writes");
    let (tell, told) = mpsc::channel();
    let waits = Arc::clone(&queue);
    std::thread::spawn(move || drop(tell.send(waits.append(&seated(3)))));
    while queue.lock().last < 3 {
        std::thread::yield_now();
    }
    assert!(queue.broken().is_none());
    die.send(()).expect("it waits");
    let outcome = told.recv_timeout(LONG).expect("nobody waits for ever");
    assert!(matches!(outcome, Err(JournalError::Io { .. })), "{outcome:?}");
    assert!(writer.join().is_err(), "it died");
    assert_eq!(queue.broken().as_deref(), Some("the thread that wrote it died"));
    // Nothing is written any more, and what was written before is there.
    assert!(matches!(queue.append(&seated(4)), Err(JournalError::Io { .. })));
    let [Entry { key, .. }] = seated(1);
    assert!(queue.job(&key).is_some_and(|record| record.seated));
}
