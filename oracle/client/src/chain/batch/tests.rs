use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::*;

/// Somebody's own task that asks for `keys`.
fn ask(batch: &Arc<Batch<u64, u64>>, keys: Vec<u64>) -> JoinHandle<Answer<u64>> {
    let batch = Arc::clone(batch);
    tokio::spawn(async move { batch.ask(&keys).await })
}

/// Doubles numbers, slowly, and counts how often it was asked.
fn doubling(most: usize) -> (Arc<Batch<u64, u64>>, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let double = move |keys: Vec<u64>| {
        counted.fetch_add(1, Ordering::Relaxed);
        async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok(keys.iter().map(|key| key * 2).collect())
        }
    };
    (Arc::new(Batch::new(most, double)), asked)
}

#[tokio::test]
async fn questions_that_come_while_one_is_asked_go_together() {
    let (batch, asked) = doubling(100);
    let all: Vec<_> = (0..50).map(|key| ask(&batch, vec![key, 7])).collect();
    for (key, answer) in (0..).zip(all) {
        assert_eq!(answer.await.unwrap().unwrap(), [key * 2, 14]);
    }
    assert_eq!(asked.load(Ordering::Relaxed), 2, "the first alone, then all the others");
    assert!(batch.waiting().questions.is_empty());
}

#[tokio::test]
async fn a_question_is_never_split() {
    let fetch = |all: Vec<u64>| async {
        assert!(all.len() <= 4);
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok(all)
    };
    let batch = Arc::new(Batch::new(4, fetch));
    let all: Vec<_> = (0..20).map(|first| (first, ask(&batch, vec![first, first + 1, first + 2]))).collect();
    for (first, answer) in all {
        assert_eq!(answer.await.unwrap().unwrap(), [first, first + 1, first + 2]);
    }
}

/// Whoever came first had asked for all, and when he went away each of them asked again.
#[tokio::test]
async fn who_came_first_and_goes_away_changes_nothing_for_the_others() {
    let (batch, asked) = doubling(100);
    let first = ask(&batch, vec![1]);
    tokio::task::yield_now().await;
    let others: Vec<_> = (2..30).map(|key| ask(&batch, vec![key])).collect();
    assert_eq!(first.await.unwrap().unwrap(), [2]);
    // Now one of the others has it asked for all of them.
    while asked.load(Ordering::Relaxed) < 2 {
        tokio::task::yield_now().await;
    }
    let mut others = others.into_iter().zip(2..);
    let (leader, _) = others.next().unwrap();
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    for (other, key) in others {
        assert_eq!(other.await.unwrap().unwrap(), [key * 2]);
    }
    assert_eq!(asked.load(Ordering::Relaxed), 2, "nobody had to ask again");
}

#[tokio::test]
async fn who_asked_alone_and_goes_away_leaves_the_turn_to_the_next() {
    let (batch, asked) = doubling(100);
    let alone = ask(&batch, vec![1]);
    tokio::task::yield_now().await;
    let next = ask(&batch, vec![2]);
    tokio::task::yield_now().await;
    alone.abort();
    assert_eq!(next.await.unwrap().unwrap(), [4]);
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    // Who goes away before he is asked for is not asked for.
    let first = ask(&batch, vec![3]);
    tokio::task::yield_now().await;
    let gone = ask(&batch, vec![4]);
    tokio::task::yield_now().await;
    gone.abort();
    assert_eq!(first.await.unwrap().unwrap(), [6]);
    assert!(gone.await.unwrap_err().is_cancelled());
    assert_eq!(ask(&batch, vec![5]).await.unwrap().unwrap(), [10]);
    assert_eq!(asked.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn who_is_asked_for_together_fails_together_and_nobody_else_does() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let fetch = move |keys: Vec<u64>| {
        let first = counted.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if first || keys.contains(&49) { Err(ChainError::Build("it fails".to_owned())) } else { Ok(keys) }
        }
    };
    let batch = Arc::new(Batch::new(100, fetch));
    let all: Vec<_> = (0..50).map(|key| ask(&batch, vec![key])).collect();
    for answer in all {
        assert!(matches!(answer.await.unwrap(), Err(ChainError::Build(_))));
    }
    assert_eq!(asked.load(Ordering::Relaxed), 2, "the first alone, then all the others");
    assert_eq!(ask(&batch, vec![7]).await.unwrap().unwrap(), [7]);
}

/// A request that dies takes those with it that it asked for, and the next one goes on.
#[tokio::test]
async fn a_request_that_dies_is_an_error_and_keeps_no_turn() {
    let fetch = |keys: Vec<u64>| async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(!keys.contains(&1), "this one dies");
        Ok(keys)
    };
    let batch = Arc::new(Batch::new(1, fetch));
    let (dying, next) = (ask(&batch, vec![1]), ask(&batch, vec![2]));
    assert!(matches!(dying.await.unwrap(), Err(ChainError::Rpc { .. })));
    assert_eq!(next.await.unwrap().unwrap(), [2]);
}

#[tokio::test]
async fn a_request_that_hangs_holds_up_no_later_one() {
    let fetch = |all: Vec<u64>| async move {
        if all.contains(&1) {
            std::future::pending::<()>().await;
        }
        Ok(all)
    };
    let batch = Arc::new(Batch::new(2, fetch));
    let hanging = ask(&batch, vec![1, 2]);
    tokio::task::yield_now().await;
    let others: Vec<_> = (3..9).map(|key| (key, ask(&batch, vec![key]))).collect();
    for (key, other) in others {
        assert_eq!(other.await.unwrap().unwrap(), [key]);
    }
    assert!(!hanging.is_finished());
    hanging.abort();
}
