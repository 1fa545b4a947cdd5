//! What a tag of statements does to memory.

use std::ops::Range;

use minijinja::machinery::{Span, Token};

use super::{Edit, TICK, TICKED};

/// Tags that may be used.
const TAGS: [&str; 12] =
    ["for", "endfor", "if", "elif", "else", "endif", "set", "endset", "macro", "endmacro", "continue", "break"];

/// What a tag keeps.
pub(super) enum Effect {
    /// Nothing.
    None,
    /// The value at this place of the source; `inside` when it becomes a part of another one.
    Keep { value: Range<u32>, inside: bool },
    /// The arguments that a macro is called with.
    Macro { parameters: Vec<String> },
    /// What is rendered up to the tag's end, under this name.
    Capture { target: String },
    /// A macro or a `set` block ends.
    End { of_macro: bool },
}

/// Checks a tag of statements.
///
/// # Errors
/// What it uses that is not available.
pub(super) fn effect(tag: &[(Token<'_>, Span)]) -> Result<Effect, String> {
    let refused = |what: &str| Err(format!("uses '{what}', which is not available here"));
    let Some((Token::Ident(word), _)) = tag.first() else { return Ok(Effect::None) };
    match *word {
        word if !TAGS.contains(&word) => refused(word),
        "for" if tag.iter().any(|(token, _)| matches!(token, Token::Ident("recursive"))) => refused("recursive"),
        "macro" => Ok(Effect::Macro { parameters: parameters(tag) }),
        "endmacro" => Ok(Effect::End { of_macro: true }),
        "endset" => Ok(Effect::End { of_macro: false }),
        "set" => set(tag),
        _ => Ok(Effect::None),
    }
}

/// What makes each condition of a tag ask for the time first, and each loop when it begins. What stands within a loop asks
/// for itself.
pub(super) fn ticks(tag: &[(Token<'_>, Span)]) -> Vec<Edit> {
    let (Some((Token::Ident(word), _)), Some((_, last))) = (tag.first(), tag.last()) else { return vec![] };
    let place = |wanted: &str| {
        outside(tag).find(|(_, token, depth)| *depth == 0 && matches!(token, Token::Ident(word) if *word == wanted))
    };
    let at = |place: usize| tag[place].1.end_offset;
    let condition = |word: usize| {
        let begin = at(word);
        [Edit::new(begin..begin, format!(" {TICK}() and (")), Edit::new(last.end_offset..last.end_offset, ")".into())]
    };
    match *word {
        "if" | "elif" if tag.len() > 1 => condition(0).into(),
        "for" => {
            let (Some((begin, ..)), filter) = (place("in"), place("if").map(|found| found.0)) else { return vec![] };
            let end = filter.map_or(last.end_offset, |filter| tag[filter].1.start_offset);
            if filter.is_some_and(|filter| filter <= begin + 1 || filter + 1 == tag.len()) || begin + 1 == tag.len() {
                // The parser says what is missing.
                return vec![];
            }
            let begin = at(begin);
            let mut edits = vec![Edit::new(begin..begin, " (".into()), Edit::new(end..end, format!(")|{TICKED} "))];
            edits.extend(filter.into_iter().flat_map(condition));
            edits
        }
        _ => vec![],
    }
}

/// What lies in no bracket, with its place in the tag.
fn outside<'t>(tag: &'t [(Token<'t>, Span)]) -> impl Iterator<Item = (usize, &'t Token<'t>, usize)> {
    let mut depth = 0usize;
    tag.iter().enumerate().map(move |(i, (token, _))| {
        match token {
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => depth += 1,
            Token::ParenClose | Token::BracketClose | Token::BraceClose => depth = depth.saturating_sub(1),
            _ => {}
        }
        (i, token, depth)
    })
}

/// `set target = value`, or `set target` of a block.
fn set(tag: &[(Token<'_>, Span)]) -> Result<Effect, String> {
    let assign = outside(tag).find(|(_, token, depth)| *depth == 0 && matches!(token, Token::Assign));
    if let (Some((assign, ..)), Some((_, last))) = (assign, tag.last()) {
        let value = tag[assign].1.end_offset..last.end_offset;
        let inside = tag[..assign].iter().any(|(token, _)| matches!(token, Token::Dot));
        return Ok(Effect::Keep { value, inside });
    }
    // A filter may follow the target.
    let mut target = String::new();
    for (token, _) in tag[1..].iter().take_while(|(token, _)| !matches!(token, Token::Pipe)) {
        match token {
            Token::Ident(name) => target.push_str(name),
            Token::Dot => target.push('.'),
            _ => return Err("has a set block whose target is no name".into()),
        }
    }
    Ok(Effect::Capture { target })
}

/// The names of a macro's parameters: those that follow the bracket or a comma.
fn parameters(tag: &[(Token<'_>, Span)]) -> Vec<String> {
    let mut names = Vec::new();
    let mut before: Option<&Token<'_>> = None;
    for (_, token, depth) in outside(tag) {
        if let (Token::Ident(name), 1, Some(Token::ParenOpen | Token::Comma)) = (token, depth, before) {
            names.push((*name).to_owned());
        }
        before = Some(token);
    }
    names
}
