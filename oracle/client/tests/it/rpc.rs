//! A server that is down, or that is none.

use std::time::{Duration, Instant};

use provena_client::chain::{ChainError, ChainReader, ChainSubmitter, RpcChain, RpcOptions, Watch};
use solana_pubkey::Pubkey;

use crate::support::free_port;

fn nowhere(retries: u32) -> RpcChain {
    let mut options = RpcOptions::new(format!("http://127.0.0.1:{}", free_port()));
    options.retries = retries;
    options.timeout = Duration::from_secs(2);
    RpcChain::new(&options).unwrap()
}

#[tokio::test]
async fn a_server_that_is_down_is_named_and_counted() {
    let chain = nowhere(1);
    let error = chain.slot().await.unwrap_err();
    assert!(matches!(error, ChainError::Unreachable { .. }) && error.is_transient(), "{error}");
    let text = error.to_string();
    assert!(text.contains(&chain.url()) && text.contains("provena localnet"), "{text}");
    let health = chain.health();
    assert!(!health.reachable && health.last_error.is_some(), "{health:?}");
    assert_eq!(health.consecutive_failures, 2, "one question and one repetition");
    let error = chain.airdrop(&Pubkey::default(), 1).await.unwrap_err();
    assert!(matches!(error, ChainError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_speaks_no_rpc_is_an_error_too() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = axum::Router::new().fallback(|| async { "hello" });
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let mut options = RpcOptions::new(url);
    options.retries = 0;
    let error = RpcChain::new(&options).unwrap().slot().await.unwrap_err();
    assert!(matches!(error, ChainError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_in_time() {
    // Bound and never accepted: connections are taken by the system and stay silent.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut options = RpcOptions::new(format!("http://{}", listener.local_addr().unwrap()));
    options.retries = 0;
    options.timeout = Duration::from_millis(300);
    let begun = Instant::now();
    let error = RpcChain::new(&options).unwrap().slot().await.unwrap_err();
    assert!(matches!(error, ChainError::Unreachable { .. }), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn without_a_subscription_the_waiter_polls() {
    let chain = nowhere(0);
    let mut changes = chain.watch(Watch::Account(Pubkey::default()));
    let begun = Instant::now();
    assert!(changes.next(Duration::from_millis(50)).await.is_none());
    assert!(begun.elapsed() >= Duration::from_millis(50));
    assert!(!chain.health().subscribed);
}
