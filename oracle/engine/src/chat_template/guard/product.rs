//! Operators that become calls. Products: Python's `*` repeats texts, so that one sign could fill the memory. And `in`:
//! what is looked for in a message's text has to be marked as that text is.

use minijinja::machinery::{Span, Token};

use super::{Edit, TIMES, WITHIN};

/// What makes a call of [`TIMES`] of each product in a tag, which is bounded: `a * b` becomes `a|__times(b)`.
///
/// # Errors
/// When a product follows a quotient or a power, which a filter would not read from the left.
pub(super) fn products(tag: &[(Token<'_>, Span)]) -> Result<Vec<Edit>, String> {
    let mut edits = Vec::new();
    for (i, (token, span)) in tag.iter().enumerate() {
        match token {
            Token::Mul if i > 0 && ends_operand(&tag[i - 1].0) => {}
            // Before a name in a call it hands over a list, which the parser refuses.
            Token::Mul => return Err("uses '*' before a value, which is not available here".into()),
            _ => continue,
        }
        let quotient =
            |(token, _): &(Token<'_>, Span)| matches!(token, Token::Div | Token::FloorDiv | Token::Mod | Token::Pow);
        if tag.iter().any(quotient) {
            return Err("uses '*' beside '/', '%' or '**', which is not available here".into());
        }
        let Some(end) = operand(tag, i + 1) else { return Err("uses '*' without a value after it".into()) };
        edits.push(Edit::new(span.start_offset..span.end_offset, format!("|{TIMES}(")));
        edits.push(Edit::new(end..end, ")".into()));
    }
    Ok(edits)
}

/// What makes a test of ours of each `'text' in value`: it becomes `'text' is __within(value)`. Where such a comparison
/// is a part of arithmetic it stays as it is.
pub(super) fn contained(tag: &[(Token<'_>, Span)]) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (i, window) in tag.windows(2).enumerate() {
        let text = |token: &Token<'_>| matches!(token, Token::Str(_) | Token::String(_));
        let [(left, _), (next, span)] = window else { continue };
        let negated = matches!(next, Token::Ident("not"))
            && matches!(tag.get(i + 2).map(|(token, _)| token), Some(Token::Ident("in")));
        if !text(left) || !(negated || matches!(next, Token::Ident("in"))) {
            continue;
        }
        let before = i.checked_sub(1).map(|before| &tag[before].0);
        let begins =
            matches!(before, None | Some(Token::ParenOpen | Token::Ident("if" | "elif" | "and" | "or" | "not")));
        let operator = i + 1 + usize::from(negated);
        let Some(end) = operand(tag, operator + 1) else { continue };
        let after = tag.iter().find(|(_, span)| span.start_offset >= end).map(|(token, _)| token);
        let ends = matches!(after, None | Some(Token::ParenClose | Token::Ident("and" | "or" | "else" | "if")));
        if !begins || !ends || edits.last().is_some_and(|edit: &Edit| edit.place.end > span.start_offset as usize) {
            continue;
        }
        let not = if negated { "not " } else { "" };
        edits.push(Edit::new(span.start_offset..tag[operator].1.end_offset, format!("is {not}{WITHIN}(")));
        edits.push(Edit::new(end..end, ")".into()));
    }
    edits
}

/// Whether a value may end with this sign.
fn ends_operand(token: &Token<'_>) -> bool {
    use Token::{BraceClose, BracketClose, Float, Ident, Int, Int128, ParenClose, Str, String};
    matches!(
        token,
        Ident(_) | Str(_) | String(_) | Int(_) | Int128(_) | Float(_) | ParenClose | BracketClose | BraceClose
    )
}

/// Where the value ends in the source that begins at this place of the tag.
fn operand(tag: &[(Token<'_>, Span)], begin: usize) -> Option<u32> {
    let mut at = begin + tag.get(begin..)?.iter().take_while(|(token, _)| matches!(token, Token::Minus)).count();
    at = match &tag.get(at)?.0 {
        Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => closed(tag, at)?,
        token if ends_operand(token) => at,
        _ => return None,
    };
    loop {
        at = match tag.get(at + 1).map(|(token, _)| token) {
            Some(Token::ParenOpen | Token::BracketOpen) => closed(tag, at + 1)?,
            Some(Token::Dot | Token::Pipe) if tag.get(at + 2).is_some() => at + 2,
            _ => return Some(tag[at].1.end_offset),
        };
    }
}

/// The place at which the bracket is closed that opens here.
fn closed(tag: &[(Token<'_>, Span)], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (i, (token, _)) in tag.iter().enumerate().skip(open) {
        match token {
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => depth += 1,
            Token::ParenClose | Token::BracketClose | Token::BraceClose => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(i);
        }
    }
    None
}
