//! A node's account: its stake, and what it says of itself.

use crate::localnet::{Localnet, nobody};
use crate::provena::Ended;

#[test]
fn n5_a_nodes_stake_is_raised_taken_out_and_comes_back_at_the_end() {
    let net = Localnet::start(10);
    let endpoint = "http://127.0.0.1:8700";
    let register =
        |stake: &'static str, endpoint: &'static str| ["node", "register", "--stake", stake, "--endpoint", endpoint];
    let long = format!("https://{}.example", "n".repeat(96));
    net.refuses(&[
        (&register("0.5", endpoint), 1, &["at least 1 SOL", "--stake"]),
        (&register("1", "ftp://127.0.0.1"), 2, &["is no address that HTTP reaches", "https://"]),
        (&["node", "register", "--stake", "1", "--endpoint", &long], 2, &["there is room for 96"]),
        (&["node", "status"], 1, &["is no node on this chain", "node register"]),
        (&["node", "stake", "1"], 1, &["is no node"]),
        (&["node", "withdraw", "1"], 1, &["is no node"]),
        (&["node", "update", "--capacity", "1"], 1, &["is no node"]),
        (&["node", "close"], 1, &["is no node"]),
    ]);
    let before = net.balance();
    net.run(&register("2", endpoint)).ok();
    net.refuses(&[
        (&register("2", endpoint), 1, &["is a node already", "node update"]),
        (&["node", "withdraw", "1.5"], 1, &["0.5 SOL would be left", "withdraw all"]),
        (&["node", "withdraw", "2.1"], 1, &["2 SOL of the stake is free, not 2.1 SOL"]),
        (&["node", "withdraw", "0"], 2, &["that is nothing"]),
        (&["node", "stake", "0"], 2, &["that is nothing"]),
        (&["node", "update"], 2, &["there is nothing to change"]),
    ]);
    assert_eq!(net.run(&["node", "stake", "1"]).ok().json()["stake"], 3_000_000_000u64);
    assert_eq!(net.run(&["node", "withdraw", "1.5"]).ok().json()["stake"], 1_500_000_000u64);
    let moved = net.run(&["node", "update", "--endpoint", "https://new.example", "--capacity", "8"]).ok().json();
    assert_eq!((&moved["endpoint"], &moved["capacity"]), (&"https://new.example".into(), &8.into()));
    let kept = net.run(&["node", "update", "--capacity", "4"]).ok().json();
    assert_eq!((&kept["endpoint"], &kept["capacity"]), (&"https://new.example".into(), &4.into()));

    let listed = net.run(&["node", "list"]).ok().json();
    assert_eq!((&listed[0]["node"], &listed[0]["free"]), (&net.address().into(), &1_500_000_000u64.into()));
    assert!(net.read(&["node", "list"]).contains("https://new.example"));
    assert!(net.read(&["node", "status", &net.address()]).contains("1.5 SOL"));
    net.refuses(&[(&["node", "status", &nobody()], 1, &["is no node"])]);

    let closed = net.run(&["node", "close"]).ok().json();
    assert_eq!(closed["stake"], 1_500_000_000u64);
    let spent = before - net.balance();
    assert!(spent <= 50_000, "only fees are spent, not {spent}");
    assert_eq!(net.run(&["node", "list"]).ok().json(), serde_json::json!([]));
}

/// N5, N10, N18 from the operator's side: what keeps a node from earning is found, and named with what to do.
#[test]
fn the_doctor_finds_what_keeps_a_node_from_earning() {
    let net = Localnet::start(10);
    let config = net.person.path("node.toml").display().to_string();
    let doctor = ["node", "doctor", "--config", &config];
    net.refuses(&[(&doctor, 1, &["cannot be read (there is no such file", "sample-config >"])]);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let endpoint = format!("http://127.0.0.1:{port}");
    let sample = net.run(&["node", "sample-config"]).ok().stdout;
    let sample = sample.replace("127.0.0.1:8700", &format!("127.0.0.1:{port}"));
    let sample = sample.replace("#adapter = \"best\"", "adapter = \"cpu\"");
    net.file("node.toml", &sample);

    let found = |ended: &Ended| -> std::collections::BTreeMap<String, String> {
        let findings = ended.json();
        let of = |finding: &serde_json::Value, name: &str| finding[name].as_str().unwrap().to_owned();
        findings.as_array().unwrap().iter().map(|one| (of(one, "check"), of(one, "verdict"))).collect()
    };
    let stranger = net.run(&doctor);
    assert_eq!(stranger.code, Some(1), "{}", stranger.stderr);
    assert!(stranger.stdout.contains("provena node register"), "{}", stranger.stdout);
    let verdicts = found(&stranger);
    for check in ["key", "adapter", "port", "chain", "clock", "genesis"] {
        assert_eq!(verdicts[check], "ok", "{check}: {}", stranger.stdout);
    }
    assert_eq!(verdicts["account"], "fail");

    let dear = ["node", "register", "--stake", "100", "--endpoint", &endpoint];
    net.refuses(&[(&dear, 1, &["it takes 100.00", "the wallet has", "nothing was sent"])]);
    // Registered, and not running: it can be started.
    net.run(&["node", "register", "--stake", "1", "--endpoint", &endpoint]).ok();
    let filled = net.run(&["node", "sample-config"]).ok().stdout;
    assert!(filled.contains(&format!("listen = \"127.0.0.1:{port}\"")), "the endpoint's port: {filled}");
    let idle = net.run(&doctor);
    assert_eq!(idle.code, Some(0), "{}{}", idle.stdout, idle.stderr);
    let verdicts = found(&idle);
    assert_eq!((&verdicts["endpoint"][..], &verdicts["stake"][..], &verdicts["balance"][..]), ("warn", "ok", "ok"));
    assert_eq!(verdicts["offers"], "warn", "nothing is on offer");

    // Running: its address leads to it, and `status` has its word.
    let mut node =
        net.command(&["node", "run", "--config", &config]).stderr(std::process::Stdio::null()).spawn().unwrap();
    let running = (0..100).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(200));
        let status = net.run(&["node", "status"]).ok().json();
        (status["health"]["status"] == "ok").then_some(status)
    });
    let well = net.run(&doctor);
    let text = net.read(&["node", "status"]);
    // Its address leads elsewhere, and then others may write its key, too.
    let key = net.person.path(".config/provena/id.json");
    let mode = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
    net.run(&["node", "update", "--endpoint", "http://127.0.0.1:9"]).ok();
    let unwell = net.run(&doctor);
    std::fs::set_permissions(&key, mode(0o666)).unwrap();
    let worse = net.run(&doctor);
    node.kill().unwrap();
    node.wait().unwrap();
    let running = running.expect("it never says that it is well");
    assert_eq!(running["health"]["jobs"]["computing"], 0);
    assert!(running["health"]["money"]["balance"].as_u64() > Some(0), "{running}");
    assert!(text.contains("says of itself") && text.contains("awaiting pay"), "{text}");
    assert_eq!(well.code, Some(0), "{}{}", well.stdout, well.stderr);
    assert_eq!(found(&well)["endpoint"], "ok", "{}", well.stdout);
    assert_eq!(unwell.code, Some(1), "{}", unwell.stdout);
    assert_eq!((&found(&unwell)["key"][..], &found(&unwell)["endpoint"][..]), ("ok", "fail"), "{}", unwell.stdout);
    assert!(unwell.stdout.contains("node update --endpoint"), "{}", unwell.stdout);
    assert_eq!((worse.code, &found(&worse)["key"][..]), (Some(1), "fail"), "{}", worse.stdout);
    assert!(worse.stdout.contains("chmod 600"), "{}", worse.stdout);
    assert!(unwell.stderr.contains("a check failed"), "{}", unwell.stderr);
}
