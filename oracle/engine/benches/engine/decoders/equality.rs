//! Logits of one text on both backends, whole, in parts and beside itself: all of them must be equal.

use std::error::Error;

use provena_engine::backend::Backend;
use provena_engine::models::llama::Llama;

use super::run::Run;

/// Prompts, cut in these ways.
const PARTS: [&[usize]; 3] = [&[1, 63, 17, 47], &[16; 8], &[127, 1]];
/// Tokens of the text.
const TOKENS: usize = 128;
/// A text of so many tokens and a few steps after it, for large models.
const FEW: usize = 18;
/// Copies of the text's beginning that are computed together.
const COPIES: usize = 8;

/// Compares what the device gives, and what both give for other parts, with what the processor gives for the whole text.
/// Gives the number of logits compared.
///
/// # Errors
/// When any of them differs.
pub(super) fn thorough(name: &str, llama: &Llama, backends: &[&Backend]) -> Result<usize, Box<dyn Error>> {
    let expected = logits(llama, backends[0], &[TOKENS])?;
    let mut compared = 0;
    let mut check = |what: &str, found: &[i32], expected: &[i32]| {
        compared += found.len();
        if found == expected { Ok(()) } else { Err(format!("{name}, {what}: the logits differ")) }
    };
    for (at, backend) in backends.iter().enumerate() {
        if at > 0 {
            check("whole", &logits(llama, backend, &[TOKENS])?, &expected)?;
        }
        for parts in PARTS {
            check(&format!("in parts of {parts:?}"), &logits(llama, backend, parts)?, &expected)?;
        }
        let each = TOKENS / COPIES;
        let vocabulary = expected.len() / TOKENS;
        for copy in together(llama, backend, each)?.chunks_exact(each * vocabulary) {
            check("together with others", copy, &expected[..each * vocabulary])?;
        }
    }
    Ok(compared)
}

/// The same for a few tokens: a prompt, then one by one.
///
/// # Errors
/// When any of them differs.
pub(super) fn brief(name: &str, llama: &Llama, backends: &[&Backend]) -> Result<usize, Box<dyn Error>> {
    let mut parts = vec![FEW - 2];
    parts.extend([1, 1]);
    let expected = logits(llama, backends[0], &[FEW])?;
    let mut compared = 0;
    for backend in backends {
        let found = logits(llama, backend, &parts)?;
        compared += found.len();
        if found != expected {
            return Err(format!("{name}: the logits differ").into());
        }
    }
    Ok(compared)
}

/// The logits after every token of the text, computed in these parts.
fn logits(llama: &Llama, backend: &Backend, parts: &[usize]) -> Result<Vec<i32>, Box<dyn Error>> {
    let mut run = Run::new(llama, backend, 1, parts.iter().sum(), true)?;
    let (mut all, mut at) = (vec![], 0);
    for &count in parts {
        let rows = (at..at + count).flat_map(|i| run.row(run.token(i), i, 0)).collect();
        let outputs = run.execute(&run.plan(count, count), rows, (0..count as u32).collect())?;
        all.extend_from_slice(outputs[1].as_i32());
        at += count;
    }
    Ok(all)
}

/// The logits of copies of the text's first `each` tokens, computed in one plan, copy after copy.
fn together(llama: &Llama, backend: &Backend, each: usize) -> Result<Vec<i32>, Box<dyn Error>> {
    let mut run = Run::new(llama, backend, COPIES, each, true)?;
    let row = |at: usize| run.row(run.token(at % each), at % each, at / each);
    let rows = (0..COPIES * each).flat_map(row).collect();
    let plan = run.plan(COPIES * each, COPIES * each);
    Ok(run.execute(&plan, rows, (0..(COPIES * each) as u32).collect())?[1].as_i32().to_vec())
}
