//! Language models through the market, on the chain that `provena demo --keep` leaves running.

use crate::{
    keep::{Kept, pictures},
    provena::Person,
    tiny_llama,
};

#[test]
fn words_are_paid_by_the_token_and_the_rest_comes_back() {
    let person = Person::new();
    let kept = Kept::start(&person, &[]);
    let run = |arguments: &[&str]| kept.run(&person, arguments);
    let offer = kept.sell(&person, &tiny_llama::recipe());

    let receipt = person.path("words.json").display().to_string();
    let flags = ["--max-tokens", "12", "--temperature", "1", "--seed", "3", "--recompute", "--receipt", &receipt];
    let answer = run(&[&["infer", &offer, "--prompt", "w7 w8", "--system", "w9"][..], &flags].concat()).ok().json();
    assert_eq!(answer["recomputed_equal"], true);
    let generated = &answer["response"]["Generate"];
    assert_eq!(generated["prompt_tokens"], 8);
    let answered = generated["tokens"].as_array().unwrap().len() as u64;
    assert_eq!((&answer["units_in"], &answer["units_out"]), (&8.into(), &answered.into()));
    // The model is at hand, so what is paid in advance is exact: the prompt's tokens, and the most that were asked for.
    assert_eq!(answer["paid"]["deposit"], (8 + 12) * 30_000);
    assert_eq!(answer["paid"]["refund"], (12 - answered) * 30_000);
    let verified = run(&["verify", &receipt, "--recompute"]).ok().json();
    assert_eq!((&verified["units_in"], &verified["units_out"]), (&8.into(), &answered.into()));
    assert_eq!((&verified["amount"], &verified["mint"]), (&((8 + answered) * 30_000).into(), &"SOL".into()));
    assert_eq!(verified["recomputed"], "equal");

    let before = run(&["balance"]).ok().json()["amount"].clone();
    let ask = |options: &[&str]| run(&[&["infer", &offer, "--prompt"], options].concat());
    ask(&[&"w7 ".repeat(160)]).fails(1, &["tokens; the model takes at most 100", "nothing was paid"]);
    ask(&["w7", "--stop", ""]).fails(1, &["has 0 bytes, not 1 to 1024", "nothing was paid"]);
    ask(&["w7", "--input-units", "601"]).fails(1, &["can take 601 in", "allows 600 in, 600 out", "--input-units N"]);
    run(&["infer", &offer, "--text", "w7"]).fails(1, &["this model generates text", "nothing was paid"]);
    assert_eq!(run(&["balance"]).ok().json()["amount"], before);
}

#[test]
fn a_node_whose_adapter_runs_out_of_memory_answers_and_carries_on() {
    let person = Person::new();
    let kept = Kept::start(&person, &[("PROVENA_GPU_MEMORY", "24000000")]);
    let ask = |offer: &str, prompt: &str| {
        let flags = ["--plain", "--input-units", "97", "--max-tokens", "3", "--recompute"];
        let answer = kept.run(&person, &[&["infer", offer, "--prompt", prompt][..], &flags].concat()).ok().json();
        assert_eq!(answer["recomputed_equal"], true);
    };
    let mut recipe = tiny_llama::recipe();
    // Its weights fit, and what a long prompt makes of them does not.
    (recipe.inner, recipe.layers) = (65_536, 1);
    let one_layer = kept.sell(&person, &recipe);
    ask(&one_layer, "w7");
    let served = |words: &str| kept.log().contains(words);
    assert!(!served("the processor"), "{}", kept.log());
    ask(&one_layer, &"w8 ".repeat(90));
    assert!(served("the adapter failed; answering from the processor"), "{}", kept.log());
    // Its weights do not fit.
    recipe.layers = 8;
    ask(&kept.sell(&person, &recipe), "w7");
    assert!(served("the adapter cannot hold the model; the processor serves it"), "{}", kept.log());
    assert!(served("does not fit the device's memory"), "{}", kept.log());

    ask(&one_layer, "w9");
    let offers = kept.run(&person, &["offer", "list"]).ok().json();
    let digits = offers.as_array().unwrap().iter().find(|offer| offer["title"] == "Digit reader").unwrap();
    let digits = digits["offer"].as_str().unwrap();
    kept.run(&person, &["infer", digits, "--csv", &pictures(&person), "--row", "0"]).ok();
}
