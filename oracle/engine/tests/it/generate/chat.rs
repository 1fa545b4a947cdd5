//! Chat templates as models ship them. The expected texts in `tests/data/chat` are those that Python's Jinja gives with
//! the settings and functions of `transformers`.

use provena_engine::{Error, chat_template::render};

use super::support::chat;

/// The conversations of `tests/data/chat`, in the order of the expected texts.
fn conversations() -> [Vec<provena_engine::io::Message>; 3] {
    [
        chat(&[
            ("system", " Answer  briefly. "),
            ("user", "Hi there"),
            ("assistant", "Nice to meet you! "),
            ("user", " one two three <é> \"q\"?"),
        ]),
        chat(&[("user", "Hello, who are you?\nTell me: 'a' & \"b\".")]),
        chat(&[
            ("user", "What is your favourite condiment?"),
            ("assistant", "Lemon juice!"),
            ("user", "Do you have mayonnaise recipes?"),
        ]),
    ]
}

#[test]
fn templates_render_as_transformers_renders_them() {
    let folder = crate::assets::own("tests/data/chat");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| Some(entry.unwrap().file_name().to_str()?.strip_suffix(".jinja")?.to_owned()))
        .collect();
    names.sort();
    assert_eq!(names, ["chatml", "llama2", "llama3", "llama32", "mistral", "python", "qwen25", "smollm2", "zephyr"]);
    for name in names {
        let template = std::fs::read_to_string(folder.join(format!("{name}.jinja"))).unwrap();
        let json = std::fs::read(folder.join(format!("{name}.json"))).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
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
    let template = |name: &str| {
        std::fs::read_to_string(crate::assets::own("tests/data/chat").join(format!("{name}.jinja"))).unwrap()
    };
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

/// The error of a template with one message.
fn refused(template: &str) -> String {
    match render(template, &chat(&[("user", "hello")]), "<s>", "</s>") {
        Err(error @ Error::ChatTemplate(_)) => error.to_string(),
        other => panic!("{template}: {other:?}"),
    }
}

#[test]
fn a_template_that_does_not_end_or_writes_too_much_is_stopped() {
    let endless = "{% for a in range(9999) %}{% for b in range(9999) %}{% set x = 1 %}{% endfor %}{% endfor %}";
    assert_eq!(refused(endless), "chat template: does not end within 3000000 steps");
    let long = "{% for a in range(99999) %}{{ messages }} and so on, and so on, and so on{% endfor %}";
    assert_eq!(refused(long), "chat template: writes more than 4194304 bytes");
}

#[test]
fn a_template_sees_no_file_no_clock_and_no_other_template() {
    for (template, reason) in [
        ("{% include 'secrets.txt' %}", "uses 'include', which is not available here"),
        ("{% include '/etc/passwd' %}", "uses 'include', which is not available here"),
        ("{% extends 'base' %}", "uses 'extends', which is not available here"),
        ("{% from '../keys' import key %}", "uses 'from', which is not available here"),
        ("{% import 'keys' as keys %}", "uses 'import', which is not available here"),
        ("{{ open('/etc/passwd').read() }}", "unknown function"),
        ("{{ strftime_now('%d') }}", "unknown function"),
        ("{{ messages.__class__.__mro__ }}", "undefined value"),
        ("{{ now() }}{{ env('HOME') }}", "unknown function"),
    ] {
        let error = refused(template);
        assert!(error.starts_with(&format!("chat template: {reason}")), "{template}: {error}");
    }
}

#[test]
fn a_template_cannot_fill_the_memory_or_the_stack() {
    let repeated = |begin: &str, part: &str, times: usize, end: &str| format!("{begin}{}{end}", part.repeat(times));
    let growing =
        |step: &str| format!("{{% set ns = namespace(x='ab') %}}{{% for i in range(60) %}}{step}{{% endfor %}}ok");
    for (template, reason) in [
        // What doubles at each step.
        (growing("{% set ns.x = ns.x + ns.x %}"), "keeps a value of more than 4194304 bytes"),
        (growing("{% set ns.x = ns.x ~ ns.x %}"), "keeps a value of more than 4194304 bytes"),
        (growing("{% set ns.x = [ns.x, ns.x] %}"), "keeps a value of more than"),
        (growing("{% set ns.x = [ns.x] %}"), "lists lie too deep in lists"),
        (growing("{% set ns.x = ns.x.replace('b', 'bbbbbbbb').replace('a', ns.x) %}"), "makes a text of more than"),
        (growing("{% set ns.x = ns.x.join([ns.x, ns.x, ns.x]) %}"), " a "),
        (growing("{% set ns.x = ns.x|tojson|tojson %}"), ""),
        (repeated("{% set x = 'ab' %}", "{% set x = x ~ x %}", 60, ""), "keeps a value of more than 4194304 bytes"),
        (repeated("{% set x = [1] %}", "{% set x = x + x %}", 60, ""), "keeps a value of more than 4194304 bytes"),
        ("{% set x = 'a' * 100000000 %}".into(), "uses '*', which is not available here"),
        ("{% set x %}{{ messages }}{% endset %}".into(), "uses 'endset', which is not available here"),
        ("{% macro m(x) %}{{ m(x ~ x) }}{% endmacro %}".into(), "uses 'macro', which is not available here"),
        ("{% filter upper %}x{% endfilter %}".into(), "uses 'filter', which is not available here"),
        (
            "{% for x in messages recursive %}{{ loop(x) }}{% endfor %}".into(),
            "uses 'recursive', which is not available here",
        ),
        ("{{ '%999999999d' | format(1) }}".into(), "unknown filter"),
        ("{{ '{:999999999}'.format(1) }}".into(), "unknown method"),
        // What holds itself, and what lies deep.
        ("{% set ns = namespace() %}{% set ns.me = ns %}{{ ns }}".into(), "a namespace cannot be a part of something"),
        (
            "{% set ns = namespace() %}{% set ns.me = [{'a': ns}] %}{{ ns }}".into(),
            "a namespace cannot be a part of something",
        ),
        ("{% set a = namespace() %}{% set b = namespace(a=a) %}".into(), "a namespace cannot be a part of something"),
        (
            "{% set ns = namespace() %}{% set l = [ns] %}{% set ns.me = l %}{{ ns }}".into(),
            "a namespace cannot be a part of something",
        ),
        (repeated("{{ ", "-", 50_000, "1 }}"), "has a tag of more than 256 signs in line 1"),
        (repeated("{{ 1", "+1", 20_000, " }}"), "has a tag of more than 256 signs in line 1"),
        (repeated("{{ x", ".a", 20_000, " }}"), "has a tag of more than 256 signs in line 1"),
        (repeated("\n\n{{ 1", "|string", 5_000, " }}"), "has a tag of more than 256 signs in line 3"),
        (repeated("{{ ", "[", 200, " }}"), "syntax error"),
        (repeated("", "{% if 1 %}", 6_000, ""), "syntax error"),
        (repeated("", "x", (64 << 10) + 1, ""), "has 65537 bytes, allowed are 65536"),
    ] {
        let error = refused(&template);
        let shown: String = template.chars().take(80).collect();
        assert!(error.starts_with("chat template: ") && error.contains(reason), "{shown}: {error}");
    }
    // Long, but harmless.
    let chain = repeated("{% if 0 %}", "{% elif 0 %}", 5_000, "{% endif %}fine");
    assert_eq!(render(&chain, &chat(&[("user", "hello")]), "", "").unwrap(), "fine");
}

#[test]
fn a_template_that_cannot_be_used_says_why() {
    assert_eq!(refused(""), "chat template: the model has none; send a text instead of a conversation");
    assert_eq!(
        refused(
            "{% if messages[0].role == 'x' %}{{ raise_exception('no') }}{% endif %}{{ raise_exception('Unknown role: ' + messages[0].role) }}"
        ),
        "chat template: refuses the conversation: Unknown role: user"
    );
    let error = refused("one\n{% for m in messages %}{{ m.content }");
    assert!(error.starts_with("chat template: syntax error: ") && error.ends_with(", line 2"), "{error}");
    let error = refused("{{ messages | nosuchfilter }}");
    assert!(error.starts_with("chat template: unknown filter: "), "{error}");
    let error = refused("{{ nothing | tojson }}");
    assert!(error.contains("an undefined value is no JSON"), "{error}");
    let error = refused("{{ messages[0] + 1 }}");
    assert!(error.starts_with("chat template: invalid operation: "), "{error}");
}

#[test]
fn no_damage_to_a_template_panics() {
    let folder = crate::assets::own("tests/data/chat");
    let mut random = fastrand::Rng::with_seed(4);
    let mut rendered = 0;
    for name in ["python", "llama32", "zephyr"] {
        let template: Vec<char> =
            std::fs::read_to_string(folder.join(format!("{name}.jinja"))).unwrap().chars().collect();
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
    assert!((100..1_200).contains(&rendered), "{rendered}");
}
