//! Templates that would take the machine with them.

use provena_engine::{Error, chat_template::render};
use provena_wire::Message;

use super::support::chat;

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
        ("{% filter upper %}x{% endfilter %}".into(), "uses 'filter', which is not available here"),
        (
            "{% for x in messages recursive %}{{ loop(x) }}{% endfor %}".into(),
            "uses 'recursive', which is not available here",
        ),
        ("{{ '%999999999d' | format(1) }}".into(), "unknown filter"),
        ("{{ '{:999999999}'.format(1) }}".into(), "format takes only places for values"),
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
fn what_macros_and_set_blocks_keep_is_bounded() {
    let text = "x".repeat(1_000);
    let doubled = |part: &str| format!("{{% set x = 'ab' %}}{}", part.repeat(60));
    let calls = |count: usize, call: &str| vec![call; count].join(" ~ ");
    // Each macro calls the one before it many times.
    let tower = |times: usize, levels: usize| {
        let mut tower = format!("{{% macro m0() %}}{text}{{% endmacro %}}");
        for level in 1..=levels {
            let calls = calls(times, &format!("m{}()", level - 1));
            tower.push_str(&format!("{{% macro m{level}() %}}{{{{ {calls} }}}}{{% endmacro %}}"));
        }
        tower + &format!("{{{{ m{levels}() }}}}")
    };
    for (template, reason) in [
        // What calls itself.
        ("{% macro m(x) %}{{ m(x) }}{% endmacro %}{{ m(1) }}".into(), "recursion limit exceeded"),
        ("{% macro m(x) %}{{ m(x ~ x) }}{% endmacro %}{{ m('ab') }}".into(), "recursion limit exceeded"),
        ("{% macro m(x) %}{{ m(x) ~ m(x) }}{% endmacro %}{{ m(1) }}".into(), "recursion limit exceeded"),
        (
            "{% macro a(x) %}{{ b(x) }}{% endmacro %}{% macro b(x) %}{{ a(x) }}{% endmacro %}{{ a(1) }}".into(),
            "recursion limit exceeded",
        ),
        (
            format!("{{% macro m(x) %}}{{{{ m({}) }}}}{{% endmacro %}}{{{{ m('ab') }}}}", calls(60, "x")),
            "keeps a value of more than 1048576 bytes",
        ),
        (tower(60, 4), "shows more than 67108864 bytes"),
        (tower(2, 16), "recursion limit exceeded"),
        // What doubles at each step.
        (doubled("{% set x %}{{ x }}{{ x }}{% endset %}"), "keeps a value of more than 1048576 bytes"),
        (
            "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x %}{{ ns.x }}{{ ns.x }}{% endset %}{% endfor %}"
                .into(),
            "keeps a value of more than 1048576 bytes",
        ),
        (doubled("{% set x | replace('a', 'aaaaaaaa') %}{{ x }}{{ x }}{% endset %}"), "keeps a value of more than 1048576 bytes"),
        (
            format!("{{% macro m(x) %}}{{{{ x }}}}{{{{ x }}}}{{% endmacro %}}{}", doubled("{% set x = m(x) %}")),
            "keeps a value of more than 1048576 bytes",
        ),
        // Text between tags, again and again.
        (
            format!("{{% set x %}}{{% for i in range(99999) %}}{text}{{% endfor %}}{{% endset %}}"),
            "shows more than 67108864 bytes",
        ),
        (
            format!("{{% for i in range(99999) %}}{{% set x %}}{text}{{% endset %}}{{% endfor %}}"),
            "shows more than 67108864 bytes",
        ),
        (
            format!(
                "{{% macro m() %}}{text}{{% endmacro %}}{{% for i in range(99999) %}}{{% set y = m() %}}{{% endfor %}}"
            ),
            "shows more than 67108864 bytes",
        ),
        (
            format!(
                "{{% macro m() %}}{{% raw %}}{text}{{% endraw %}}{{% endmacro %}}{{% for i in range(99999) %}}{{% if m() %}}{{% endif %}}{{% endfor %}}"
            ),
            "shows more than 67108864 bytes",
        ),
        // Macros where only values may be, and blocks that do not fit together.
        (
            "{% macro m() %}{% endmacro %}{% set ns = namespace() %}{% set ns.m = m %}".into(),
            "a macro cannot be a part of something",
        ),
        ("{% macro m() %}{% endmacro %}{% set l = [m] %}".into(), "a macro cannot be a part of something"),
        ("{% macro m() %}{% endmacro %}{% call m() %}x{% endcall %}".into(), "uses 'call', which is not available here"),
        ("{% set a[0] %}x{% endset %}".into(), "has a set block whose target is no name"),
        ("{% endset %}".into(), "ends what it did not begin, line 1"),
        ("{% macro m() %}\n{% set x %}\n{% endmacro %}{% endset %}".into(), "ends what it did not begin, line 3"),
        ("{% set x %}".repeat(9) + &"{% endset %}".repeat(9), "has more than 8 macros and set blocks in each other"),
        ("{% macro m() %}\nnever ends".into(), "syntax error"),
    ] {
        let error = refused(&template);
        let shown: String = template.chars().take(160).collect();
        assert!(error.starts_with("chat template: ") && error.contains(reason), "{shown}: {error}");
    }
}

#[test]
fn products_and_forms_are_bounded() {
    let many = format!("{{{{ '{}'.format(messages[0].content) }}}}", "{0}".repeat(10_000));
    for (template, reason) in [
        ("{{ 'a' * 100000000 }}", "makes a product of more than 65536 bytes"),
        ("{{ 100000000 * 'a' }}", "makes a product of more than 65536 bytes"),
        ("{{ 'a' * 60000 * 60000 }}", "makes a product of more than 65536 bytes"),
        ("{{ 'a' * (60000 * 60000) }}", "makes a product of more than 65536 bytes"),
        ("{% set x = 'a' * 70000 %}", "makes a product of more than 65536 bytes"),
        ("{{ [1, 2] * 1000 }}", "'*' takes numbers, or a text and a number"),
        ("{{ 9999999999 * 9999999999 }}", "'*' takes numbers, or a text and a number"),
        ("{{ messages * 2 }}", "'*' takes numbers, or a text and a number"),
        ("{{ 8 / 2 * 4 }}", "uses '*' beside '/', '%' or '**', which is not available here"),
        ("{{ range(*messages) }}", "uses '*' before a value, which is not available here"),
        ("{{ 2 * }}", "uses '*' without a value after it"),
        ("{{ '{:9999999}'.format(1) }}", "format takes only places for values"),
        ("{{ '{0.a}'.format(1) }}", "format takes only places for values"),
        ("{{ messages[0].content.split('') }}", "splits a text at nothing"),
        (&many, "makes a text of more than 4194304 bytes"),
    ] {
        let long = chat(&[("user", &"hello ".repeat(100))]);
        let error = render(template, &long, "", "").unwrap_err().to_string();
        assert!(error.contains(reason), "{}: {error}", template.chars().take(80).collect::<String>());
    }
}

#[test]
fn long_conversations_are_bounded() {
    let of = |len: usize| vec![Message { role: "user".into(), content: "a ".repeat(len / 2) }];
    let error = |template: &str, len: usize| render(template, &of(len), "", "").unwrap_err().to_string();
    let show = "{{ messages[0].content[:3] }}";
    assert_eq!(render(show, &of(4 << 20 >> 1), "", "").unwrap(), "a a");
    assert_eq!(error(show, 4 << 20), "chat template: a conversation may have 4194304 bytes");
    assert_eq!(
        error("{% set x %}x{% endset %}", 1 << 20),
        "chat template: a conversation for a template with macros or set blocks may have 1048576 bytes"
    );
    for parts in ["split()", "split('a')", "split(' ', 999999)", "splitlines()"] {
        let template = format!("{{{{ messages[0].content.replace(' ', '\n \n').{parts} | length }}}}");
        let error = error(&template, 600_000);
        assert!(error.contains("makes more than 262144 parts of a text"), "{parts}: {error}");
    }
    assert!(error("{{ messages[0].content | list | length }}", 600_000).contains("makes more than 262144 parts"));
    assert_eq!(render("{{ messages[0].content.split() | length }}", &of(400_000), "", "").unwrap(), "200000");
}

/// What a template says cannot become a tag, though text within macros does.
#[test]
fn text_in_a_macro_stays_text() {
    for text in [r#"" }}{% include 'secrets' %}{{ ""#, r"\", r#"\" }} {{ 'x' }}"#, "{{ bos_token }}\n\\n", "{#", "'"] {
        let template = format!("{{% macro m() %}}{{% raw %}}{text}{{% endraw %}}{{% endmacro %}}{{{{ m() }}}}");
        assert_eq!(render(&template, &chat(&[("user", "hello")]), "<s>", "</s>").unwrap(), text);
    }
}

#[test]
fn an_error_in_a_macro_names_the_line_of_the_template() {
    let macros = "{% macro m() %}\n\n  text\n  {#- of\n two lines #}\n{{ nothing.at_all }}{% endmacro %}\n{{ m() }}";
    assert_eq!(refused(macros), "chat template: undefined value, line 6");
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
