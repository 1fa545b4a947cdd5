//! What a template may be made of, so that it cannot take the machine with it.
//!
//! Steps are counted while a template runs, but a step may double a text, and a few dozen of those fill any memory. So
//! what a template keeps is weighed: the value of each `set` and each argument of a macro passes through [`KEPT`] or
//! [`KEPT_INSIDE`]. Within one tag little can grow, because a tag may have only so many signs. What is rendered into a
//! macro's result or a `set` block is counted: there, text between tags becomes a tag that shows it, since everything
//! that tags show is counted. Tags that fetch something are refused.
//!
//! Each loop and each condition asks for the time that is left ([`TICK`]), and what a message contains is asked
//! by a test of our own ([`WITHIN`]).

mod product;
mod tag;

use std::ops::Range;

use minijinja::machinery::{Span, Token, WhitespaceConfig, tokenize};
use product::{contained, products};
use tag::{Effect, effect, ticks};

/// The filter that weighs a value which gets a name.
pub(super) const KEPT: &str = "__kept";
/// The filter that weighs a value which becomes a part of another one.
pub(super) const KEPT_INSIDE: &str = "__kept_inside";
/// The filter that multiplies.
pub(super) const TIMES: &str = "__times";

/// The test for a text in another one.
pub(super) const WITHIN: &str = "__within";
/// The function that fails when no time is left.
pub(super) const TICK: &str = "__tick";
/// The filter that does the same and changes nothing.
pub(super) const TICKED: &str = "__ticked";

/// The longest template in bytes, several times that of any real one.
const MAX_TEMPLATE_LEN: usize = 64 << 10;
/// Signs and names in one tag.
const MAX_SIGNS: usize = 256;
/// Macros and `set` blocks that may lie in each other.
const MAX_CAPTURES: usize = 8;

/// A template that is safe to run.
pub(super) struct Guarded {
    /// The template with all that it keeps weighed.
    pub source: String,
    /// Whether it keeps what it renders, in macros or in `set` blocks.
    pub captures: bool,
}

/// The template with all that it keeps weighed.
///
/// # Errors
/// Why the template is refused.
pub(super) fn guarded(source: &str) -> Result<Guarded, String> {
    if source.len() > MAX_TEMPLATE_LEN {
        return Err(format!("has {} bytes, allowed are {MAX_TEMPLATE_LEN}", source.len()));
    }
    let whitespace = WhitespaceConfig { keep_trailing_newline: false, lstrip_blocks: true, trim_blocks: true };
    let mut writer = Writer { source, out: String::with_capacity(source.len() + 256), copied: 0, line: 1 };
    let (mut tag, mut open, mut captures) = (Vec::new(), Vec::new(), false);
    for token in tokenize(source, false, Default::default(), whitespace) {
        // What cannot be read, the parser says with its line.
        let Ok((token, span)) = token else { return Ok(Guarded { source: source.to_owned(), captures }) };
        match token {
            Token::TemplateData(text) if !open.is_empty() => writer.show(text, span),
            Token::TemplateData(_) => {}
            Token::BlockStart | Token::VariableStart => {
                tag.clear();
                if !open.is_empty() {
                    writer.skip_to(span);
                }
            }
            Token::VariableEnd => {
                let mut edits = products(&tag)?;
                if edits.is_empty() {
                    edits = contained(&tag);
                }
                writer.edit(edits, span);
            }
            Token::BlockEnd => {
                let mut edits = products(&tag)?;
                if edits.is_empty() {
                    edits = contained(&tag);
                }
                edits.extend(ticks(&tag));
                let effect = effect(&tag)?;
                if let Effect::Keep { value, inside } = &effect {
                    edits.push(Edit::new(value.start..value.start, "(".into()));
                    edits.push(Edit::new(value.end..value.end, format!(")|{}", weighing(*inside))));
                }
                writer.edit(edits, span);
                match effect {
                    Effect::None | Effect::Keep { .. } => {}
                    Effect::Macro { parameters } => {
                        parameters.iter().for_each(|parameter| writer.weigh(parameter, false, span));
                        open.push(None);
                    }
                    Effect::Capture { target } => {
                        open.push(Some(target));
                    }
                    Effect::End { of_macro } => match open.pop() {
                        Some(None) if of_macro => {}
                        Some(Some(target)) if !of_macro => writer.weigh(&target, target.contains('.'), span),
                        _ => return Err(format!("ends what it did not begin, line {}", span.start_line)),
                    },
                }
                captures |= !open.is_empty();
                if open.len() > MAX_CAPTURES {
                    return Err(format!("has more than {MAX_CAPTURES} macros and set blocks in each other"));
                }
            }
            token => tag.push((token, span)),
        }
        if tag.len() > MAX_SIGNS {
            return Err(format!("has a tag of more than {MAX_SIGNS} signs in line {}", span.start_line));
        }
    }
    writer.copy_to(source.len());
    Ok(Guarded { source: writer.out, captures })
}

/// The filter that weighs.
fn weighing(inside: bool) -> &'static str {
    if inside { KEPT_INSIDE } else { KEPT }
}

/// A change of a tag: what is put in the place of a part of the source.
struct Edit {
    place: Range<usize>,
    text: String,
}

impl Edit {
    fn new(place: Range<u32>, text: String) -> Self {
        Self { place: place.start as usize..place.end as usize, text }
    }
}

/// Writes the guarded template.
struct Writer<'s> {
    source: &'s str,
    out: String,
    /// Up to where the source was copied or left out.
    copied: usize,
    /// The line that is being written.
    line: u16,
}

impl Writer<'_> {
    /// Copies the source up to a place.
    fn copy_to(&mut self, end: usize) {
        let source = self.source;
        self.push(&source[self.copied..end]);
        self.copied = end;
    }

    /// Copies a tag up to the sign that ends it, with changes that do not overlap.
    fn edit(&mut self, mut edits: Vec<Edit>, end: Span) {
        edits.sort_by_key(|edit| edit.place.start);
        for edit in edits {
            self.copy_to(edit.place.start);
            self.out.push_str(&edit.text);
            self.copied = edit.place.end;
        }
        self.copy_to(end.end_offset as usize);
    }

    /// Leaves out the source up to a token, whose line stays what it was.
    fn skip_to(&mut self, span: Span) {
        if self.line < span.start_line {
            self.push(&format!("{{#{}#}}", "\n".repeat(usize::from(span.start_line - self.line))));
        }
        self.copied = span.start_offset as usize;
    }

    /// Writes a tag that shows a text.
    fn show(&mut self, text: &str, span: Span) {
        self.skip_to(span);
        self.push(&format!("{{{{ \"{}\" }}}}", text.replace('\\', "\\\\").replace('"', "\\\"")));
    }

    /// Writes a tag that weighs a variable, and ends as the tag before it does, because that says which spaces are left
    /// out after it.
    fn weigh(&mut self, target: &str, inside: bool, end: Span) {
        let end = &self.source[end.start_offset as usize..end.end_offset as usize];
        self.out.push_str(&format!("{{% set {target} = {target}|{} {end}", weighing(inside)));
    }

    fn push(&mut self, text: &str) {
        self.line = self.line.saturating_add(u16::try_from(text.matches('\n').count()).unwrap_or(u16::MAX));
        self.out.push_str(text);
    }
}
