//! What a template may be made of, so that it cannot take the machine with it.
//!
//! Steps are counted while a template runs, but a step may double a text, and a few dozen of those fill any memory. So
//! what a template keeps is weighed: the value of each `set` passes through [`KEPT`] or [`KEPT_INSIDE`]. Within one tag
//! little can grow, because a tag may have only so many signs. Tags that keep what was rendered, or fetch something, are
//! refused: the templates of chat models do without.

use minijinja::machinery::{Span, Token, WhitespaceConfig, tokenize};

/// The filter that weighs a value which gets a name.
pub const KEPT: &str = "__kept";
/// The filter that weighs a value which becomes a part of another one.
pub const KEPT_INSIDE: &str = "__kept_inside";

/// The longest template in bytes, several times that of any real one.
const MAX_TEMPLATE_LEN: usize = 64 << 10;
/// Signs and names in one tag.
const MAX_SIGNS: usize = 256;
/// Tags that keep nothing of what they render.
const TAGS: [&str; 9] = ["for", "endfor", "if", "elif", "else", "endif", "set", "continue", "break"];

/// The template with every `set` weighed.
///
/// # Errors
/// Why the template is refused.
pub fn guarded(source: &str) -> Result<String, String> {
    if source.len() > MAX_TEMPLATE_LEN {
        return Err(format!("has {} bytes, allowed are {MAX_TEMPLATE_LEN}", source.len()));
    }
    let whitespace = WhitespaceConfig { keep_trailing_newline: false, lstrip_blocks: true, trim_blocks: true };
    let mut out = String::with_capacity(source.len() + 256);
    let (mut copied, mut tag) = (0, Vec::new());
    for token in tokenize(source, false, Default::default(), whitespace) {
        // What cannot be read, the parser says with its line.
        let Ok((token, span)) = token else { return Ok(source.to_owned()) };
        match token {
            Token::BlockStart | Token::VariableStart | Token::TemplateData(_) => tag.clear(),
            Token::VariableEnd => {}
            Token::BlockEnd => {
                if let Some((value, end, filter)) = kept(&tag)? {
                    out.push_str(&source[copied..value]);
                    out.push('(');
                    out.push_str(&source[value..end]);
                    out.push_str(")|");
                    out.push_str(filter);
                    copied = end;
                }
            }
            // A product may be of any length at once.
            Token::Mul => return Err("uses '*', which is not available here".into()),
            token => tag.push((token, span)),
        }
        if tag.len() > MAX_SIGNS {
            return Err(format!("has a tag of more than {MAX_SIGNS} signs in line {}", span.start_line));
        }
    }
    out.push_str(&source[copied..]);
    Ok(out)
}

/// Checks a tag of statements. Where it keeps a value: the places at which that begins and ends, and what weighs it.
fn kept(tag: &[(Token<'_>, Span)]) -> Result<Option<(usize, usize, &'static str)>, String> {
    let refused = |what: &str| Err(format!("uses '{what}', which is not available here"));
    let (Some((Token::Ident(word), _)), Some((_, last))) = (tag.first(), tag.last()) else { return Ok(None) };
    if !TAGS.contains(word) {
        return refused(word);
    }
    if *word == "for" && tag.iter().any(|(token, _)| matches!(token, Token::Ident("recursive"))) {
        return refused("recursive");
    }
    if *word != "set" {
        return Ok(None);
    }
    let mut depth = 0usize;
    let assign = tag.iter().position(|(token, _)| {
        match token {
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => depth += 1,
            Token::ParenClose | Token::BracketClose | Token::BraceClose => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && matches!(token, Token::Assign)
    });
    let Some(assign) = assign else { return refused("endset") };
    let inside = tag[..assign].iter().any(|(token, _)| matches!(token, Token::Dot));
    let filter = if inside { KEPT_INSIDE } else { KEPT };
    Ok(Some((tag[assign].1.end_offset as usize, last.end_offset as usize, filter)))
}
