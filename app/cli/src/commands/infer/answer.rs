//! An answer, for people and for programs.

use std::path::PathBuf;

use provena_client::{Finished, PostedJob, amount::Currency};
use provena_wire::{Finish, Request, Response, SignedReceipt};
use serde::Serialize;

use crate::output::{Report, picture, style::Style, table::facts};

/// Where the deposit went, in base units.
#[derive(Serialize)]
pub struct Paid {
    pub mint: String,
    pub decimals: u8,
    pub deposit: u64,
    pub node_fee: u64,
    pub royalty: u64,
    pub protocol_fee: u64,
    pub refund: u64,
    #[serde(skip)]
    pub currency: Currency,
}

/// Everything that `provena infer` tells.
#[derive(Serialize)]
pub struct Answer {
    job: String,
    asset: String,
    result_root: String,
    response: Response,
    paid: Paid,
    receipt: Option<SignedReceipt>,
    receipt_file: Option<PathBuf>,
    recomputed_equal: Option<bool>,
    signature: String,
    #[serde(skip)]
    request: Request,
}

impl Answer {
    /// Puts together what was asked, answered and paid.
    pub fn new(
        request: Request,
        posted: PostedJob,
        finished: Finished,
        paid: Paid,
        receipt: Option<(PathBuf, SignedReceipt)>,
        recomputed_equal: Option<bool>,
    ) -> Self {
        let (receipt_file, receipt) = receipt.unzip();
        Self {
            job: posted.job.to_string(),
            asset: finished.job.asset.to_string(),
            result_root: hex::encode(finished.job.result_root),
            response: finished.response,
            paid,
            receipt,
            receipt_file,
            recomputed_equal,
            signature: posted.posted.signature.to_string(),
            request,
        }
    }
}

impl Report for Answer {
    fn text(&self, style: Style) -> String {
        let show = |amount| self.paid.currency.show(amount);
        let paid = &self.paid;
        let mut rows = vec![
            ("paid", format!("{} ({} came back)", show(paid.deposit - paid.refund), show(paid.refund))),
            ("to the holders", show(paid.royalty)),
            ("to the node", show(paid.node_fee)),
            ("to the protocol", show(paid.protocol_fee)),
            ("job", self.job.clone()),
        ];
        rows.extend(self.receipt_file.as_ref().map(|file| ("receipt", file.display().to_string())));
        rows.extend(self.recomputed_equal.map(|equal| {
            let verdict = if equal { style.good("byte for byte equal") } else { style.bad("DIFFERENT") };
            ("computed again here", verdict)
        }));
        format!("{}\n\n{}", response(&self.request, &self.response, style), facts(&rows, style))
    }
}

/// The answer itself: pictures with their digits, texts by nearness, or words.
pub fn response(request: &Request, response: &Response, style: Style) -> String {
    match (request, response) {
        (Request::Classify { images }, Response::Classify { labels, .. }) => classified(images, labels, style),
        (Request::Embed { texts }, Response::Embed { vectors, .. }) => embedded(texts, vectors.len(), response, style),
        (Request::Generate(_), Response::Generate { prompt_tokens, tokens, text, finish }) => {
            let counted = format!("{prompt_tokens} tokens asked, {} answered; {}", tokens.len(), ended(*finish));
            format!("{}\n{}", style.strong(text.trim()), style.faint(&counted))
        }
        _ => "The answer is of another kind than the question.".into(),
    }
}

/// Why an answer ended, in words.
pub fn ended(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "the answer is complete",
        Finish::Length => "cut off at the most tokens that were asked for",
        Finish::Context => "cut off where the model's context is full",
    }
}

/// Pictures four to a line, what was read beneath each.
fn classified(images: &[Vec<u8>], labels: &[u8], style: Style) -> String {
    const PER_LINE: usize = 4;
    let width = picture::SIDE * 2;
    let groups = images.chunks(PER_LINE).zip(labels.chunks(PER_LINE)).map(|(images, labels)| {
        let pictures: Vec<Vec<String>> = images.iter().map(|image| picture::digit(image)).collect();
        let cells: Vec<String> = labels.iter().map(|label| format!("{:^width$}", format!("reads {label}"))).collect();
        format!("{}\n{}", picture::side_by_side(&pictures, 3), style.strong(cells.join("   ").trim_end()))
    });
    groups.collect::<Vec<_>>().join("\n\n")
}

/// The first text, then the others, nearest first.
fn embedded(texts: &[String], vectors: usize, response: &Response, style: Style) -> String {
    let mut ranked: Vec<(f64, &String)> = (1..vectors.min(texts.len()))
        .filter_map(|index| Some((response.similarity(0, index)?, texts.get(index)?)))
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let first = texts.first().map_or("", String::as_str);
    let mut lines = vec![format!("{} {}", style.faint("nearest to"), style.strong(first))];
    lines.extend(ranked.iter().map(|(nearness, text)| format!("  {nearness:>6.3}  {text}")));
    if ranked.is_empty() {
        lines = vec![format!("{} {}", style.faint("embedded"), style.strong(first))];
    }
    lines.join("\n")
}
