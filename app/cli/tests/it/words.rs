//! Language models: talking with one, and asking one for money.

use std::{
    fs,
    io::{Read, Write},
    process::{Child, Stdio},
};

use provena_engine::{
    artifact::{Artifact, LlamaRecipe},
    reference,
};
use provena_wire::{Generate, Message, Prompt, Request, Response, Sampling};
use serde_json::Value;

use crate::{
    provena::{Ended, Person, ended},
    tiny_llama,
};

/// Writes a small language model, changed by `change`, and gives its path.
fn model(person: &Person, change: impl FnOnce(&mut LlamaRecipe)) -> (String, Artifact) {
    let mut recipe = tiny_llama::recipe();
    change(&mut recipe);
    let artifact = tiny_llama::random(&recipe, 21);
    let path = person.path("words.pvna");
    fs::write(&path, artifact.bytes()).unwrap();
    (path.display().to_string(), artifact)
}

fn said(role: &str, content: &str) -> Message {
    Message { role: role.to_owned(), content: content.to_owned() }
}

/// What the reference answers.
fn answer(artifact: &Artifact, messages: &[Message], max_tokens: u32, sampling: Sampling) -> (Vec<u32>, String) {
    let prompt = Prompt::Chat(messages.to_vec());
    let request = Request::Generate(Generate { prompt, max_tokens, sampling, stop: Vec::new() });
    match reference::run(artifact, &request).unwrap() {
        Response::Generate { tokens, text, .. } => (tokens, text),
        other => panic!("{other:?}"),
    }
}

/// Starts a conversation whose questions come through a pipe.
fn converse(person: &Person, arguments: &[&str]) -> Child {
    let mut command = person.command();
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Asks these questions and lets the conversation end.
fn conversation(person: &Person, arguments: &[&str], questions: &[u8]) -> Ended {
    let mut child = converse(person, arguments);
    child.stdin.take().unwrap().write_all(questions).unwrap();
    ended(child.wait_with_output().unwrap())
}

#[test]
fn an_answer_is_the_references_and_told_in_full_as_json() {
    let person = Person::new();
    let (path, artifact) = model(&person, |_| {});
    let flags = ["--max-tokens", "9", "--temperature", "0.8", "--top-k", "30", "--top-p", "0.95", "--seed", "7"];
    let ask = ["model", "chat", &path, "--adapter", "cpu", "--json", "--system", "w9", "--prompt", "w7 w8"];
    let answered = person.run(&[&ask[..], &flags].concat()).ok().json();
    let sampling = Sampling { temperature_milli: 800, top_k: 30, top_p_milli: 950, seed: 7 };
    let (tokens, text) = answer(&artifact, &[said("system", "w9"), said("user", "w7 w8")], 9, sampling);
    assert_eq!(answered["tokens"], Value::from(tokens));
    assert_eq!((&answered["text"], &answered["question"]), (&Value::from(text), &"w7 w8".into()));
    assert_eq!(answered["prompt_tokens"], 8);
    assert!(["stop", "length"].contains(&answered["finish"].as_str().unwrap()));
}

#[test]
fn a_conversation_is_remembered() {
    let person = Person::new();
    let (path, artifact) = model(&person, |_| {});
    let chat = ["model", "chat", &path, "--adapter", "cpu", "--max-tokens", "5"];
    let (_, first) = answer(&artifact, &[said("user", "w7")], 5, Sampling::GREEDY);
    let history = [said("user", "w7"), said("assistant", &first), said("user", "w8 w9")];
    let (_, second) = answer(&artifact, &history, 5, Sampling::GREEDY);

    let talk = conversation(&person, &[&chat[..], &["--json"]].concat(), b"w7\n\n   \nw8 w9").ok();
    let answers: Vec<Value> = talk.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 2, "blank lines are no questions");
    assert_eq!((&answers[0]["text"], &answers[1]["text"]), (&first.as_str().into(), &second.as_str().into()));
    assert_eq!(talk.stderr, "");

    // For people: the words alone on stdout, how fast they came on stderr.
    let talk = conversation(&person, &chat, b"w7\nw8 w9\n").ok();
    assert_eq!(talk.stdout, format!("{first}\n{second}\n"));
    assert_eq!(talk.stderr.lines().filter(|line| line.contains("tokens of prompt")).count(), 2, "{}", talk.stderr);
}

#[test]
fn a_model_without_a_template_says_how_to_use_it() {
    let person = Person::new();
    let (path, artifact) = model(&person, |recipe| recipe.chat_template.clear());
    let ask = ["model", "chat", &path, "--adapter", "cpu", "--max-tokens", "4", "--prompt", "w7 w8"];
    person.run(&ask).fails(1, &["template for conversations cannot be used", "--plain"]);

    let answered = person.run(&[&ask[..], &["--plain", "--json"]].concat()).ok().json();
    let prompt = Prompt::Text("w7 w8".to_owned());
    let request = Request::Generate(Generate { prompt, max_tokens: 4, sampling: Sampling::GREEDY, stop: vec![] });
    let Response::Generate { text, .. } = reference::run(&artifact, &request).unwrap() else { panic!("no words") };
    assert_eq!((&answered["text"], &answered["prompt_tokens"]), (&text.into(), &2.into()));

    let shown = person.run(&["model", "show", &path]).ok();
    assert!(shown.stdout.contains("no template: it continues texts (--plain)"), "{}", shown.stdout);
}

#[test]
fn what_does_not_fit_the_model_says_so() {
    let person = Person::new();
    let (path, _) = model(&person, |_| {});
    let long = vec!["w2"; 200].join(" ");
    let chat = ["model", "chat", &path, "--adapter", "cpu"];
    let ended = person.run(&[&chat[..], &["--prompt", &long]].concat());
    ended.fails(1, &["no longer fits the model", "tokens; the model takes at most 100", "begin a new one"]);
    let ended = conversation(&person, &chat, b"w7 \xff\n");
    ended.fails(1, &["the input cannot be read as text"]);
}

#[test]
fn what_cannot_chat_is_refused() {
    let person = Person::new();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../oracle/engine/models/digits");
    let digits = person.path("digits.pvna").display().to_string();
    person.run(&["model", "import", folder, "--out", &digits]).ok();
    person.run(&["model", "chat", &digits]).fails(2, &["classifies pictures; it cannot chat", "model import"]);
    let damaged = person.path("damaged.pvna").display().to_string();
    let (path, _) = model(&person, |_| {});
    let bytes = fs::read(&path).unwrap();
    fs::write(&damaged, &bytes[..bytes.len() / 2]).unwrap();
    person.run(&["model", "chat", &damaged]).fails(1, &["damaged.pvna is no valid artifact"]);
    person.run(&["model", "chat", "nowhere.pvna"]).fails(1, &["nowhere.pvna"]);
    person.run(&["model", "chat", &path, "--adapter", "no such"]).fails(1, &["adapter", "no such"]);
}

#[test]
fn an_adapter_without_room_names_what_did_not_fit() {
    let person = Person::new();
    // Large enough that the self-test fits where this model does not.
    let (path, _) = model(&person, |recipe| (recipe.inner, recipe.layers) = (65_536, 6));
    let chat = ["model", "chat", &path, "--prompt", "w7", "--max-tokens", "2", "--adapter"];
    let limited = |adapter: &str| {
        let mut command = person.command();
        ended(command.args(chat).arg(adapter).env("PROVENA_GPU_MEMORY", "16000000").output().unwrap())
    };
    limited("gpu").fails(1, &["cannot be loaded on this adapter", "does not fit", "--adapter cpu"]);
    limited("cpu").ok();
}

#[test]
fn settings_that_make_no_sense_are_refused_with_an_example() {
    let person = Person::new();
    let chat = |flag: &str, value: &str| person.run(&["model", "chat", "words.pvna", flag, value]);
    chat("--temperature", "hot").fails(2, &["a temperature is 0 to 100", "such as 0.7"]);
    chat("--temperature", "-1").fails(2, &["a temperature is 0 to 100"]);
    chat("--top-p", "90%").fails(2, &["a probability is above 0, at most 1", "such as 0.9"]);
    chat("--max-tokens", "0").fails(2, &["a whole number, at least 1"]);
    chat("--prompt", "  ").fails(2, &["the prompt is empty"]);
    person.run(&["model", "chat", "words.pvna", "--plain", "--system", "w2"]).fails(2, &["cannot be used with"]);

    let offer = "FLMpa898vXMExH9CgE6LQF8BaEfWn7X3XCtuGZxEm512";
    let infer = |arguments: &[&str]| person.run(&[&["infer", offer], arguments].concat());
    infer(&["--prompt", ""]).fails(2, &["the prompt is empty"]);
    infer(&["--prompt", "a", "--text", "b"]).fails(2, &["cannot be used with"]);
    infer(&["--text", "b", "--temperature", "1"]).fails(2, &["--temperature is for answers in words", "--prompt"]);
    infer(&["--input-units", "0", "--prompt", "a"]).fails(2, &["a whole number, at least 1"]);
    infer(&[]).fails(2, &["there is nothing to ask", "--prompt"]);
}

#[test]
fn help_says_what_a_newcomer_needs_to_know() {
    let person = Person::new();
    // Wherever lines break.
    let help = person.run(&["infer", "--help"]).ok().stdout;
    let infer = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in
        ["paid by the token", "one for each byte", "What is not used comes back", "--input-units", "rent that is lent"]
    {
        assert!(infer.contains(words), "`{words}` is missing in:\n{infer}");
    }
    let chat = person.run(&["model", "chat", "--help"]).ok().stdout;
    for words in ["Ctrl-c stops an", "ctrl-d", "--system", "the same seed and question give the same answer"] {
        assert!(chat.contains(words), "`{words}` is missing in:\n{chat}");
    }
    let others: [(&[&str], &str); 3] = [
        (&["infer"], "dark ink on light paper: 0 is black, and all ink"),
        (&["localnet"], "kill -9 or a power cut may lose the last second"),
        (
            &["dataset", "mint"],
            "one that needs no consent, then one that binds this asset alone, then the lowest floors",
        ),
    ];
    for (command, words) in others {
        let help = person.run(&[command, &["--help"]].concat()).ok().stdout;
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(help.contains(words), "`{words}` is missing in:\n{help}");
    }
}

/// A model that would talk for minutes.
fn talker(person: &Person) -> String {
    model(person, |recipe| (recipe.positions, recipe.stops) = (60_000, Vec::new())).0
}

/// Waits for the first words, then presses ctrl-c.
#[cfg(unix)]
fn interrupt(child: &mut Child) {
    let mut first = [0; 1];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    assert!(std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_the_answer_and_the_command() {
    let person = Person::new();
    let path = talker(&person);
    let ask = ["model", "chat", &path, "--adapter", "cpu", "--max-tokens", "50000", "--prompt", "w7"];
    let mut child = converse(&person, &ask);
    interrupt(&mut child);
    let ended = ended(child.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    assert!(ended.stderr.contains("stopped before the answer was complete"), "{}", ended.stderr);
    assert!(ended.stdout.split_whitespace().count() < 50_000);
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_one_answer_and_the_conversation_goes_on() {
    let person = Person::new();
    let path = talker(&person);
    let mut child = converse(&person, &["model", "chat", &path, "--adapter", "cpu", "--max-tokens", "3000"]);
    let mut questions = child.stdin.take().unwrap();
    questions.write_all(b"w7\n").unwrap();
    interrupt(&mut child);
    questions.write_all(b"w8\n").unwrap();
    drop(questions);
    let ended = ended(child.wait_with_output().unwrap()).ok();
    let summaries: Vec<&str> = ended.stderr.lines().filter(|line| line.contains("tokens of prompt)")).collect();
    assert!(ended.stderr.contains(", stopped"), "{}", ended.stderr);
    assert_eq!(summaries.len(), 1, "the second answer is complete: {}", ended.stderr);
}
