//! Strangers' words never reach a terminal, a log or a page raw.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
};

use provena_client::{
    chain::{ChainReader, RpcChain, RpcOptions, send_and_confirm},
    keys,
};
use provena_wire::untrusted::is_harmless;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use crate::{
    localnet::Localnet,
    names::digits,
    provena::{Ended, Person},
};

/// Moves the cursor, sets the window's title, turns the direction, fakes a line, hides letters, and looks like a space.
const EVIL: &str = "\u{1b}[2J\u{9b}1m\u{202e}\n\r\u{200b}\u{e0041}\u{2003}x";

/// Asserts that nothing of what a command wrote could do anything to a terminal, and that the harmless part is there.
fn harmless(what: &str, ended: &Ended) {
    for (stream, text) in [("stdout", &ended.stdout), ("stderr", &ended.stderr)] {
        let bad = text.chars().find(|letter| !is_harmless(*letter) && *letter != '\n');
        assert_eq!(bad, None, "{what} writes {bad:?} on {stream}: {text:?}");
    }
}

/// Somebody else's assets, offers and nodes, made by hand so that no check of ours is in the way.
fn plant(net: &Localnet, asset: &str) {
    let wallet = keys::read(&net.person.path(".config/provena/id.json")).unwrap();
    let chain = RpcChain::new(&RpcOptions::new(net.url().to_owned())).unwrap();
    let (owner, mint): (Pubkey, Pubkey) = (wallet.pubkey(), asset.parse().unwrap());
    let nft = provena_registry::pda::token_account(&owner, &mint);
    let uri = format!("https://{EVIL}.example");
    let set_uri = provena_registry::client::set_uri(&owner, &mint, &nft, &uri);
    let endpoint = format!("http://{EVIL}");
    let register = provena_market::client::register_node(owner, 1_000_000_000, &endpoint, owner.to_bytes(), 1);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        assert!(chain.slot().await.unwrap() > 0);
        for instruction in [set_uri, register] {
            send_and_confirm(&chain, &[instruction], &[&wallet]).await.unwrap();
        }
    });
}

#[test]
fn n16_no_command_prints_what_strangers_wrote() {
    let net = Localnet::start(10);
    let artifact = digits(&net);
    let title = format!("Evil{EVIL}");
    let minted = net.run(&["model", "mint", &artifact, "--title", &title, "--derivative-share", "10%"]);
    harmless("model mint", &minted);
    let asset = minted.ok().json()["asset"].as_str().unwrap().to_owned();
    let child = net.file("child.csv", "child\n");
    let parent = format!("{asset}=10%");
    let child = net.run(&["dataset", "mint", &child, "--title", "Child", "--parent", &parent]).ok().json();
    let child = child["asset"].as_str().unwrap().to_owned();
    net.run(&["offer", "create", &asset, "--price", "0.001"]).ok();
    plant(&net, &asset);

    let lines: [&[&str]; 9] = [
        &["offer", "list"],
        &["asset", "show", &asset],
        &["asset", "show", &child],
        &["asset", "licence", "list", &asset],
        &["model", "show", &asset],
        &["royalty", "show", &asset],
        &["royalty", "show", &child],
        &["node", "list"],
        &["node", "status"],
    ];
    for line in lines {
        let text = net.person.run(&[line, &["--url", net.url()]].concat());
        harmless(&line.join(" "), &text);
        text.ok();
        let json = net.run(line);
        harmless(&format!("{} --json", line.join(" ")), &json);
        json.ok();
    }
    // The letters among the evil are still told, to people and to programs.
    assert!(net.read(&["offer", "list"]).contains("Evil\\u{1b}[2J"));
    assert_eq!(net.run(&["offer", "list"]).ok().json()[0]["title"], title.as_str());
    assert!(net.run(&["node", "list"]).ok().json()[0]["endpoint"].as_str().unwrap().contains('\u{1b}'));
    harmless("node list", &net.person.run(&["asset", "show", &title, "--url", net.url()]));
}

/// A server that answers every question with an error in evil words.
fn evil_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                line.clear();
            }
            let error = serde_json::json!({ "code": -32_000, "message": EVIL });
            let body = serde_json::json!({ "jsonrpc": "2.0", "id": 0, "error": error }).to_string();
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
        }
    });
    url
}

#[test]
fn n16_errors_and_logs_do_not_carry_a_servers_words_raw() {
    let person = Person::new();
    person.run(&["keygen"]).ok();
    let url = evil_server();
    for line in [&["balance"][..], &["offer", "list"], &["node", "list"], &["royalty", "claim"]] {
        for options in [&[][..], &["-vv"], &["--json"], &["-vv", "--json"]] {
            let ended = person.run(&[line, &["--url", &url], options].concat());
            assert_ne!(ended.code, Some(0));
            harmless(&format!("{line:?} {options:?}"), &ended);
        }
    }
}
