//! What is asked, from the command line.

use anyhow::Result;
use provena_wire::Request;

use super::Args;
use crate::{digits, failure::Failure};

/// The request that the options make.
///
/// # Errors
/// There is nothing to ask, options do not go together, or a file has no such picture.
pub(super) fn request(args: &Args) -> Result<Request> {
    if let Some(prompt) = &args.prompt {
        return Ok(Request::Generate(args.text.question(prompt)?));
    }
    if let Some(option) = args.text.given() {
        let wrong = Failure::usage(format!("{option} is for answers in words, and no question was asked"));
        return Err(wrong.hint("ask it with --prompt").into());
    }
    if !args.texts.is_empty() {
        return Ok(Request::Embed { texts: args.texts.clone() });
    }
    let mut images = Vec::new();
    for file in &args.images {
        images.push(digits::read_pgm(file)?.pixels);
    }
    if let Some(csv) = &args.csv {
        let all = digits::read_csv(csv)?;
        for row in &args.rows {
            let digit = all.get(*row).ok_or_else(|| {
                let last = all.len().saturating_sub(1);
                Failure::usage(format!("{} has no row {row}; its rows are 0 to {last}", csv.display()))
            })?;
            images.push(digit.pixels.clone());
        }
    }
    if images.is_empty() {
        return Err(Failure::usage("there is nothing to ask")
            .hint("give --prompt, --text, --image, or --csv with --row")
            .into());
    }
    Ok(Request::Classify { images })
}
