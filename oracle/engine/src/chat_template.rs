//! Conversations become texts by the template that a model ships, as `transformers` renders it.
//!
//! A template is a program from anybody. It sees the conversation and nothing else: no clock, no files, no other
//! template. It is stopped after [`FUEL`] steps and after [`MAX_LEN`] bytes, and `guard` sees to it that what it keeps
//! stays small. Where it asks for the date, it gets the same one always, see `clock`.

mod clock;
mod functions;
mod guard;
mod json;
mod python;
mod texts;
mod weight;

use std::io::Write;

use minijinja::{AutoEscape, Environment, Error as Failure, ErrorKind, Value, context};
use provena_wire::Message;

use crate::{error::Error, patience::Patience, tokenizer::Marks};
use guard::Guarded;

/// Steps that a template may take: far beyond what the longest conversation of a real one needs.
pub const FUEL: u64 = 3_000_000;
/// Bytes that a template may write: several times the longest context of any model that this engine runs.
pub const MAX_LEN: usize = 4 << 20;
/// Bytes that a value may have that a template with macros or `set` blocks keeps, and its conversation: the values of all
/// macros that call each other are there at once.
const MAX_CAPTURED: usize = 1 << 20;
/// How deep loops may lie in each other; a macro counts about as much as six of them.
const MAX_DEPTH: usize = 100;
/// The same for a template with macros.
const MAX_DEPTH_CAPTURED: usize = 60;
/// Stack for a template's expressions, which are read and dropped part within part.
const STACK_LEN: usize = 256 << 20;

/// A conversation as its template writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The text, in which signs of control words that come from messages are marked.
    pub(crate) text: String,
    pub(crate) marks: Marks,
}

impl Rendered {
    /// The text without marks.
    pub fn text(&self) -> String {
        self.marks.unmark(&self.text)
    }
}

/// The text of a conversation, up to where the model goes on; `bos` and `eos` are the texts of the tokens that begin and
/// end a sequence.
///
/// # Errors
/// [`Error::ChatTemplate`] when there is no template, when it cannot be read, fails, refuses the conversation, asks for
/// a file, does not end or writes too much; [`Error::Preparation`] when it takes too long.
pub fn render(template: &str, messages: &[Message], bos: &str, eos: &str) -> Result<String, Error> {
    render_within(template, messages, bos, eos, Marks::default(), Patience::new()).map(|rendered| rendered.text)
}

/// The same, with what comes from the messages told apart from what the template writes, for a tokenizer's marks.
///
/// # Errors
/// As [`render`].
pub fn render_marked(
    template: &str,
    messages: &[Message],
    bos: &str,
    eos: &str,
    marks: Marks,
) -> Result<Rendered, Error> {
    render_within(template, messages, bos, eos, marks, Patience::new())
}

/// The same within a time.
pub(crate) fn render_within(
    template: &str,
    messages: &[Message],
    bos: &str,
    eos: &str,
    marks: Marks,
    patience: Patience,
) -> Result<Rendered, Error> {
    if template.is_empty() {
        return Err(Error::ChatTemplate("the model has none; send a text instead of a conversation".into()));
    }
    // Python's Jinja knows one kind of line end.
    let template = template.replace("\r\n", "\n").replace('\r', "\n");
    let guarded = guard::guarded(&without_marks(&template)).map_err(Error::ChatTemplate)?;
    let (most, kind) =
        if guarded.captures { (MAX_CAPTURED, " for a template with macros or set blocks") } else { (MAX_LEN, "") };
    if messages.iter().map(|message| 32 + message.role.len() + message.content.len()).sum::<usize>() > most {
        return Err(Error::ChatTemplate(format!("a conversation{kind} may have {most} bytes")));
    }
    let marked = |message: &Message| Message { role: marks.mark(&message.role), content: marks.mark(&message.content) };
    let messages: Vec<Message> = messages.iter().map(marked).collect();
    let text = std::thread::scope(|scope| {
        let build = std::thread::Builder::new().name("chat template".into()).stack_size(STACK_LEN);
        let run = || run(&guarded, &messages, bos, eos, marks.clone(), patience);
        let thread = build.spawn_scoped(scope, run);
        let thread = thread.map_err(|error| Error::ChatTemplate(format!("no thread for it: {error}")))?;
        thread.join().unwrap_or_else(|_| Err(Error::ChatTemplate("contradicts itself".into())))
    });
    match text {
        Ok(text) => Ok(Rendered { text, marks }),
        // A template's reason may repeat a message.
        Err(Error::ChatTemplate(reason)) => Err(Error::ChatTemplate(marks.unmark(&reason))),
        Err(error) => Err(error),
    }
}

/// Renders a template that was guarded.
fn run(
    guarded: &Guarded,
    messages: &[Message],
    bos: &str,
    eos: &str,
    marks: Marks,
    patience: Patience,
) -> Result<String, Error> {
    let environment = environment(guarded.captures, marks, patience);
    let template = environment.template_from_str(&guarded.source).map_err(|failure| described(&failure))?;
    let context = context! {
        messages,
        bos_token => bos,
        eos_token => eos,
        add_generation_prompt => true,
        tools => Value::from(()),
        documents => Value::from(()),
    };
    let mut out = Limited::default();
    template.render_captured_to(context, &mut out).map_err(|failure| described(&failure))?;
    String::from_utf8(out.0).map_err(|_| Error::ChatTemplate("writes what is not UTF-8".into()))
}

/// The environment that `transformers` gives to templates.
fn environment(captures: bool, marks: Marks, patience: Patience) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(if captures { MAX_DEPTH_CAPTURED } else { MAX_DEPTH });
    functions::add(&mut environment, if captures { MAX_CAPTURED } else { MAX_LEN } as u64, patience);
    texts::add(&mut environment, marks, patience);
    environment
}

/// Marks a failure that the template itself asked for.
#[derive(Debug, thiserror::Error)]
#[error("refused")]
struct Refusal;

/// Marks a failure because of the time.
#[derive(Debug, thiserror::Error)]
#[error("too slow")]
struct Slow;

/// Fails when no time is left.
fn in_time(patience: Patience) -> Result<(), Failure> {
    if patience.is_over() {
        return Err(Failure::new(ErrorKind::InvalidOperation, "takes too long").with_source(Slow));
    }
    Ok(())
}

/// What went wrong, in one line.
fn described(failure: &Failure) -> Error {
    let source = std::error::Error::source(failure);
    let detail = failure.detail().unwrap_or_default();
    if source.is_some_and(|source| source.is::<Refusal>()) {
        return Error::ChatTemplate(format!("refuses the conversation: {detail}"));
    }
    if source.is_some_and(|source| source.is::<Slow>()) {
        return Patience::error();
    }
    if source.and_then(|source| source.downcast_ref::<std::io::Error>()).is_some() {
        return Error::ChatTemplate(format!("writes more than {MAX_LEN} bytes"));
    }
    let line = failure.line().map(|line| format!(", line {line}")).unwrap_or_default();
    match failure.kind() {
        ErrorKind::OutOfFuel => Error::ChatTemplate(format!("does not end within {FUEL} steps")),
        kind if detail.is_empty() => Error::ChatTemplate(format!("{kind}{line}")),
        kind => Error::ChatTemplate(format!("{kind}: {detail}{line}")),
    }
}

/// What a template writes, up to the limit.
#[derive(Default)]
struct Limited(Vec<u8>);

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_LEN {
            return Err(std::io::Error::other("too long"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The template without the marks that training frameworks put around answers (`{% generation %}`), which change nothing
/// of what is rendered but that other readers do not know.
fn without_marks(template: &str) -> String {
    let mut source = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find("{%") {
        let Some(end) = rest[at + 2..].find("%}").map(|end| at + end + 4) else { break };
        let tag = &rest[at..end];
        let word = tag[2..tag.len() - 2].trim_matches(['-', '+']).trim();
        source.push_str(&rest[..at]);
        match word {
            "generation" => source.push_str(&tag.replacen("generation", "if true", 1)),
            "endgeneration" => source.push_str(&tag.replacen("endgeneration", "endif", 1)),
            _ => source.push_str(tag),
        }
        rest = &rest[end..];
    }
    source.push_str(rest);
    source
}
