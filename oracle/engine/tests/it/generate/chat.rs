//! Chat templates as models ship them. The expected texts in `tests/data/chat` are those that Python's Jinja gives with
//! the settings and functions of `transformers`.

use provena_engine::{Error, chat_template::render};
use provena_wire::Message;

use super::support::chat;

fn folder() -> std::path::PathBuf {
    crate::assets::own("tests/data/chat")
}

fn template(name: &str) -> String {
    std::fs::read_to_string(folder().join(format!("{name}.jinja"))).unwrap()
}

fn json(name: &str) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(folder().join(format!("{name}.json"))).unwrap()).unwrap()
}

/// The conversations of `tests/data/chat`, in the order of the expected texts.
fn conversations() -> Vec<Vec<Message>> {
    let message = |json: &serde_json::Value| Message {
        role: json["role"].as_str().unwrap().into(),
        content: json["content"].as_str().unwrap().into(),
    };
    let conversations = json("conversations");
    conversations.as_array().unwrap().iter().map(|all| all.as_array().unwrap().iter().map(message).collect()).collect()
}

#[test]
fn templates_render_as_transformers_renders_them() {
    let mut names: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .filter_map(|entry| Some(entry.unwrap().file_name().to_str()?.strip_suffix(".jinja")?.to_owned()))
        .collect();
    names.sort();
    assert_eq!(names.len(), 17, "{names:?}");
    for name in names {
        let (template, json) = (template(&name), json(&name));
        let [bos, eos] = ["bos", "eos"].map(|key| json[key].as_str().unwrap());
        for (i, messages) in conversations().iter().enumerate() {
            let found = match render(&template, messages, bos, eos) {
                Ok(text) => text,
                Err(error) => error.to_string().replace("chat template: refuses the conversation: ", "refused: "),
            };
            assert_eq!(found, json["expected"][i].as_str().unwrap(), "{name}, conversation {i}");
        }
    }
}

/// What documentation of these models shows, written out.
#[test]
fn templates_render_as_documented() {
    let pirate = chat(&[
        ("system", "You are a friendly chatbot who always responds in the style of a pirate"),
        ("user", "How many helicopters can a human eat in one sitting?"),
    ]);
    assert_eq!(
        render(&template("zephyr"), &pirate, "<s>", "</s>").unwrap(),
        "<|system|>\nYou are a friendly chatbot who always responds in the style of a pirate</s>\n<|user|>\n\
         How many helicopters can a human eat in one sitting?</s>\n<|assistant|>\n"
    );
    let questions =
        chat(&[("user", "Hi there!"), ("assistant", "Nice to meet you!"), ("user", "Can I ask a question?")]);
    assert_eq!(
        render(&template("chatml"), &questions, "", "").unwrap(),
        "<|im_start|>user\nHi there!<|im_end|>\n<|im_start|>assistant\nNice to meet you!<|im_end|>\n<|im_start|>user\n\
         Can I ask a question?<|im_end|>\n<|im_start|>assistant\n"
    );
    assert_eq!(
        render(&template("mistral"), &questions, "<s>", "</s>").unwrap(),
        "<s>[INST] Hi there! [/INST]Nice to meet you!</s>[INST] Can I ask a question? [/INST]"
    );
}

#[test]
fn no_damage_to_a_template_panics() {
    let mut random = fastrand::Rng::with_seed(4);
    let mut rendered = 0;
    for name in ["python", "llama32", "zephyr", "captures"] {
        let template: Vec<char> = template(name).chars().collect();
        for _ in 0..400 {
            let mut damaged = template.clone();
            for _ in 0..random.usize(1..4) {
                let at = random.usize(..damaged.len());
                match random.u32(..3) {
                    0 => drop(damaged.remove(at)),
                    1 => damaged[at] = random.char(' '..='~'),
                    _ => damaged.insert(at, template[random.usize(..template.len())]),
                }
            }
            let damaged: String = damaged.into_iter().collect();
            match render(&damaged, &conversations()[0], "<s>", "</s>") {
                Ok(_) => rendered += 1,
                Err(error) => assert!(matches!(error, Error::ChatTemplate(_)), "{error}"),
            }
        }
    }
    assert!((100..1_600).contains(&rendered), "{rendered}");
}
