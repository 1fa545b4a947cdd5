//! What a node's answers to the question for a quote mean, over a real socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{StatusCode, header::LOCATION};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use provena_client::{Endpoint, Reply, reach::Reach};
use provena_wire::{Generate, Prompt, Quote, Refusal, Request, Sampling, Units};
use solana_pubkey::Pubkey;

/// Answers by the first byte of the offer's address.
async fn quotes(Path(offer): Path<String>, request: Bytes) -> Response {
    let [kind, ..] = offer.parse::<Pubkey>().unwrap().to_bytes();
    match kind {
        0 => {
            let units = Request::from_bytes(&request).unwrap().units();
            axum::Json(Quote { units_in: units.input, units_out: units.output }).into_response()
        }
        1 => {
            let refusal = Refusal { refused: "kind".to_owned(), reason: "it reads\u{1b}[2J pictures".to_owned() };
            (StatusCode::UNPROCESSABLE_ENTITY, axum::Json(refusal)).into_response()
        }
        2 => (StatusCode::NOT_FOUND, "no such offer\n").into_response(),
        3 => (StatusCode::TOO_MANY_REQUESTS, "asked too often\n").into_response(),
        4 => (StatusCode::OK, "a".repeat(1 << 20)).into_response(),
        5 => (StatusCode::OK, "no quote").into_response(),
        _ => (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, "/v1/quotes/11111111111111111111111111111111")])
            .into_response(),
    }
}

async fn node(routes: Router) -> Endpoint {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Endpoint::new(Pubkey::new_unique(), &url, Reach::Private).unwrap()
}

fn offer(kind: u8) -> Pubkey {
    Pubkey::new_from_array([kind; 32])
}

#[tokio::test]
async fn each_answer_of_a_node_has_one_meaning() {
    let prompt = Prompt::Text("What is gravity?".to_owned());
    let request = Request::Generate(Generate { prompt, max_tokens: 7, sampling: Sampling::GREEDY, stop: Vec::new() });
    let bytes = Bytes::from(request.to_bytes());
    let quoting = node(Router::new().route("/v1/quotes/{offer}", post(quotes))).await;
    let ask = async |kind: u8| quoting.quote(&offer(kind), &Pubkey::default(), bytes.clone()).await;
    assert_eq!(ask(0).await, Reply::Takes(request.units()));
    assert_eq!(request.units(), Units::new(17, 7));
    assert!(matches!(ask(1).await, Reply::Refuses(refusal) if refusal.refused == "kind"));
    // It knows quotes, and not this offer: it would not take the job.
    assert!(matches!(ask(2).await, Reply::Silent(why) if why == "HTTP 404 no such offer"));
    assert!(matches!(ask(3).await, Reply::Silent(why) if why == "HTTP 429 asked too often"));
    assert!(matches!(ask(4).await, Reply::Silent(why) if why.contains("too long")));
    assert!(matches!(ask(5).await, Reply::Silent(why) if why.contains("no quote")));
    // A node does not send us elsewhere.
    assert!(matches!(ask(6).await, Reply::Silent(why) if why == "HTTP 307"));

    let old = node(Router::new()).await;
    assert_eq!(old.quote(&offer(0), &Pubkey::default(), bytes.clone()).await, Reply::Unquoted);
    let gone = Endpoint::new(Pubkey::new_unique(), "http://127.0.0.1:9", Reach::Private).unwrap();
    assert!(
        matches!(gone.quote(&offer(0), &Pubkey::default(), bytes.clone()).await, Reply::Silent(why) if why == "nothing answers there")
    );
}

/// A stranger registers an address in somebody's own network, as it stands or under a name that leads there.
#[tokio::test]
async fn x12_an_address_in_ones_own_network_is_not_called_for_a_stranger() {
    let called = Arc::new(AtomicUsize::new(0));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let counter = called.clone();
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0.0.0.0"] {
        let url = format!("http://{host}:{port}");
        let node = Endpoint::new(Pubkey::new_unique(), &url, Reach::Public).unwrap();
        let refused = |why: String| assert!(why.contains("not at a public address"), "{host}: {why}");
        let Reply::Silent(why) = node.quote(&offer(0), &Pubkey::default(), Bytes::from_static(b"a request")).await
        else {
            panic!("{host}")
        };
        refused(why);
        refused(node.receipt(&offer(0)).await.unwrap_err());
        refused(node.blob(&[1; 32]).await.unwrap_err().to_string());
        refused(node.large_blob(&[1; 32], 1, &mut |_| {}).await.unwrap_err().to_string());
        assert_eq!(node.size(&[1; 32]).await, None);
    }
    assert_eq!(called.load(Ordering::Relaxed), 0);
    let ours = Endpoint::new(Pubkey::new_unique(), &format!("http://127.0.0.1:{port}"), Reach::Private).unwrap();
    ours.quote(&offer(0), &Pubkey::default(), Bytes::from_static(b"a request")).await;
    assert!(called.load(Ordering::Relaxed) > 0);
}
