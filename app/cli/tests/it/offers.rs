//! What whoever makes an offer is told of it.

use crate::{localnet::Localnet, names::digits};

#[test]
fn what_usual_nodes_decline_is_offered_with_the_reason_and_the_number() {
    let net = Localnet::start(10);
    let artifact = digits(&net);
    net.run(&["model", "mint", &artifact, "--title", "Digits"]).ok();
    let warnings = |options: &[&str]| {
        let made = net.run(&[&["offer", "create", "@digits"], options].concat()).ok().json();
        assert!(made["offer"].is_string(), "it is made all the same");
        made["warnings"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(warnings(&["--price", "0.001"]), Vec::<String>::new());
    let [pay] = warnings(&["--price", "0.000000001"]).try_into().unwrap();
    assert!(pay.contains("0.000025 SOL") && pay.contains("(32 lamports)"), "{pay}");
    let [bond, nodes] = warnings(&["--price", "0.01", "--bond", "2", "--nodes", "3"]).try_into().unwrap();
    assert!(bond.contains("at most 1 SOL"), "{bond}");
    assert!(nodes.contains("No node is registered that stakes enough, and 2 must agree"), "{nodes}");
    let listed = net.read(&["offer", "list"]);
    assert!(listed.contains("0.000000001 SOL (1 lamport) a picture"), "{listed}");
    assert!(!listed.contains("or sentence"), "the model is on this machine, and tells: {listed}");
    // Nobody is sent to ask what nobody answers.
    let made = net.read(&["offer", "create", "@digits", "--price", "0.000000001"]);
    assert!(!made.contains("next:"), "{made}");
    // A name without its sign, and one of another kind.
    net.refuses(&[
        (&["offer", "create", "digits", "--price", "1"], 2, &["did you mean @digits?"]),
        (&["asset", "show", "@digits-2"], 2, &["@digits-2 is an offer"]),
    ]);
}
