//! A server that is down, or that is none.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use provena_client::chain::{ChainError, ChainReader, ChainSubmitter, Combined, RpcChain, RpcOptions, Watch};
use provena_client::reach::Reach;
use solana_pubkey::Pubkey;
use tokio::io::AsyncReadExt;

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
    assert!(text.contains(&chain.url()) && text.contains("does not answer"), "{text}");
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

/// A server that takes every connection and answers nothing, and how many requests it was sent.
async fn hanging_server() -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = requests.clone();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let counter = counter.clone();
            tokio::spawn(async move {
                let mut piece = [0; 4096];
                while let Ok(len @ 1..) = connection.read(&mut piece).await {
                    counter
                        .fetch_add(piece[..len].windows(5).filter(|word| *word == b"POST ").count(), Ordering::Relaxed);
                }
            });
        }
    });
    (url, requests)
}

/// Sixty tasks look at their jobs while the server hangs. One after the other they would wait for a timeout each.
#[tokio::test]
async fn x18_whoever_asks_a_server_that_hangs_waits_for_one_timeout_and_not_for_everybodys() {
    const TASKS: u8 = 60;
    let (url, requests) = hanging_server().await;
    let options = RpcOptions { retries: 0, timeout: Duration::from_millis(300), ..RpcOptions::new(url) };
    let chain = Arc::new(Combined::new(RpcChain::new(&options).unwrap()));
    let task = |index: u8| {
        let chain = chain.clone();
        tokio::spawn(async move {
            let own = Pubkey::new_from_array([index; 32]);
            let account = chain.account(&own).await.unwrap_err();
            let height = chain.block_height().await.unwrap_err();
            let hash = chain.recent_blockhash().await.unwrap_err();
            [account, height, hash].map(|error| assert!(matches!(error, ChainError::Unreachable { .. }), "{error}"))
        })
    };
    for task in (0..TASKS).map(task).collect::<Vec<_>>() {
        task.await.unwrap();
    }
    // Of each of the three kinds the first asker's own, and one for all the others. What is sent is preceded by a comparison of
    // the chain, which fails in the same way.
    let requests = requests.load(Ordering::Relaxed);
    assert!(requests <= 12, "{requests} requests for {TASKS} tasks");
}

/// Somebody's own door to a public chain, such as a tunnel, made its strangers look like neighbours.
#[tokio::test]
async fn strangers_addresses_lead_as_far_as_the_chain_says_and_not_its_door() {
    let serve = async |genesis: &'static str| {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answer = move |axum::Json(asked): axum::Json<serde_json::Value>| async move {
            assert_eq!(asked["method"], "getGenesisHash");
            axum::Json(serde_json::json!({ "jsonrpc": "2.0", "id": asked["id"], "result": genesis }))
        };
        tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
        RpcChain::new(&RpcOptions::new(url)).unwrap()
    };
    const MAINNET: &str = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d";
    assert_eq!(serve(MAINNET).await.reach().await.unwrap(), Reach::Public);
    assert_eq!(serve("11111111111111111111111111111112").await.reach().await.unwrap(), Reach::Private);
    // Whoever says that his nodes are there is heard, and a chain that cannot be asked is none of one's own.
    assert_eq!(serve(MAINNET).await.with_reach(Reach::Private).reach().await.unwrap(), Reach::Private);
    assert!(matches!(nowhere(0).reach().await, Err(ChainError::Unreachable { .. })));
    let far = RpcChain::new(&RpcOptions::new("https://rpc.example/")).unwrap();
    assert_eq!(far.reach().await.unwrap(), Reach::Public);
}
