//! An answer, for people and for programs.

use std::path::PathBuf;

use provena_client::{PostedJob, amount::Currency, token, view::JobView};
use provena_market::state::{Offer, Party};
use provena_wire::{Finish, Request, Response, SignedReceipt};
use serde::Serialize;
use solana_pubkey::Pubkey;
use solana_signature::Signature;

use super::{bill::Bill, demand::Demand};
use crate::{
    commands::rent::Rent,
    output::{Report, picture, style::Style, table::facts, text::printable},
};

/// Where the deposit went, in base units.
#[derive(Serialize)]
pub(crate) struct Paid {
    mint: String,
    decimals: u8,
    deposit: u64,
    node_fee: u64,
    royalty: u64,
    protocol_fee: u64,
    refund: u64,
    /// Whether the refund is back in the payer's wallet.
    refunded: bool,
    #[serde(skip)]
    currency: Currency,
}

impl Paid {
    /// How a decided job divides its deposit.
    pub(crate) fn new(job: &JobView, currency: Currency) -> Self {
        let split = job.split().unwrap_or_default();
        let owed = job.job.owed(&job.seats, Party::Payer).unwrap_or_default();
        Self {
            mint: token::name(&job.job.mint),
            decimals: currency.decimals,
            deposit: job.job.deposit,
            node_fee: split.nodes.0,
            royalty: split.royalty.0,
            protocol_fee: split.protocol.0,
            refund: split.refund.0,
            refunded: owed.money.is_zero(),
            currency,
        }
    }

    /// As it is once `paid` transactions have paid everybody.
    pub(crate) fn after(mut self, paid: &[Signature]) -> Self {
        self.refunded |= !paid.is_empty();
        self
    }

    /// What was handed over.
    pub(crate) fn deposit(&self) -> String {
        self.currency.show(self.deposit)
    }

    /// Rows of a table of facts.
    pub(crate) fn rows(&self) -> Vec<(&'static str, String)> {
        let show = |amount| self.currency.show(amount);
        let back = if self.refunded { "came back" } else { "is still to come back" };
        if self.refund == self.deposit {
            // There is no answer that anybody could be paid for.
            return vec![("deposit", format!("{}; all of it {back}", show(self.deposit)))];
        }
        let refund = (self.refund > 0).then(|| format!(" of a deposit of {}; the rest {back}", show(self.deposit)));
        vec![
            ("paid", format!("{}{}", show(self.deposit - self.refund), refund.unwrap_or_default())),
            ("holders get", show(self.royalty)),
            ("nodes get", show(self.node_fee)),
            ("protocol gets", show(self.protocol_fee)),
        ]
    }
}

/// Everything that `provena infer` and `provena job answer` tell. Of a job that is closed less is known.
#[derive(Serialize)]
pub(crate) struct Answer {
    job: String,
    asset: Option<String>,
    version: Option<u32>,
    result_root: String,
    units_in: u32,
    units_out: u32,
    response: Response,
    paid: Option<Paid>,
    bill: Option<Bill>,
    /// What demanding the answer on the chain cost; nothing where that was not done.
    demand: Option<Demand>,
    rent: Option<Rent>,
    closed: bool,
    receipt: Option<SignedReceipt>,
    receipt_file: Option<PathBuf>,
    recomputed_equal: Option<bool>,
    /// The transaction that paid the deposit.
    signature: Option<String>,
    #[serde(skip)]
    shown: bool,
    #[serde(skip)]
    request: Option<Request>,
    #[serde(skip)]
    now: u64,
}

impl Answer {
    /// What was asked, if that is here, and answered.
    pub(crate) fn new(request: Option<Request>, response: Response) -> Self {
        let units = response.units();
        Self {
            job: String::new(),
            asset: None,
            version: None,
            result_root: hex::encode(response.result_root()),
            units_in: units.input,
            units_out: units.output,
            response,
            paid: None,
            bill: None,
            demand: None,
            rent: None,
            closed: false,
            receipt: None,
            receipt_file: None,
            recomputed_equal: None,
            signature: None,
            shown: false,
            request,
            now: 0,
        }
    }

    /// Adds the job as it was decided.
    pub(crate) fn of(mut self, job: &JobView, paid: Paid) -> Self {
        self.job = job.address.to_string();
        if let Some(winner) = job.winner() {
            (self.units_in, self.units_out) = (winner.units_in, winner.units_out);
        }
        self.paid = Some(paid);
        self
    }

    /// Says that the job is closed, and what its address was.
    pub(crate) fn of_closed(self, job: &Pubkey) -> Self {
        self.of_kept(job, true)
    }

    /// Says what the job's address was, and whether it is known to be closed.
    pub(crate) fn of_kept(mut self, job: &Pubkey, closed: bool) -> Self {
        self.job = job.to_string();
        self.closed = closed;
        self
    }

    /// Adds what became of a demand.
    pub(crate) fn demanded(mut self, demand: Option<Demand>) -> Self {
        self.demand = demand;
        self
    }

    /// Adds what was bought.
    pub(crate) fn sold(mut self, offer: &Offer) -> Self {
        self.asset = Some(offer.asset.to_string());
        self.version = Some(offer.asset_version);
        self
    }

    /// Adds what the payer spent, and what is lent still: nothing once the job is closed. `now` is the present slot.
    pub(crate) fn billed(mut self, bill: Option<Bill>, rent: Option<Rent>, now: u64) -> Self {
        self.closed = rent.is_none();
        (self.bill, self.rent, self.now) = (bill, rent, now);
        self
    }

    /// Adds a receipt, and where it was written.
    pub(crate) fn receipted(mut self, receipt: Option<(Option<PathBuf>, SignedReceipt)>) -> Self {
        let (file, receipt) = receipt.unzip();
        (self.receipt_file, self.receipt) = (file.flatten(), receipt);
        self
    }

    /// Adds the transaction that posted the job.
    pub(crate) fn posted(mut self, posted: &PostedJob) -> Self {
        self.signature = Some(posted.posted.signature.to_string());
        self
    }

    /// Says that the answer itself stands on the terminal already.
    pub(crate) fn shown(mut self, shown: bool) -> Self {
        self.shown = shown;
        self
    }

    /// Adds whether the answer was computed again, and equal.
    pub(crate) fn recomputed(mut self, equal: Option<bool>) -> Self {
        self.recomputed_equal = equal;
        self
    }
}

impl Report for Answer {
    fn text(&self, style: Style) -> String {
        let rent = self.rent.as_ref().map(|rent| rent.words(self.now, true));
        let mut rows = Vec::new();
        match (&self.paid, &self.bill) {
            (Some(paid), Some(bill)) => {
                rows.extend(paid.rows());
                rows.extend(bill.rows(&paid.currency, rent));
            }
            (paid, _) => {
                rows.extend(paid.iter().flat_map(Paid::rows));
                rows.extend(rent.map(|rent| ("lent, as rent", rent)));
            }
        }
        rows.push(("units", format!("{} in, {} out", self.units_in, self.units_out)));
        let closed = if self.closed { " (closed)" } else { "" };
        rows.push(("job", format!("{}{closed}", self.job)));
        rows.extend(self.receipt_file.as_ref().map(|file| ("receipt", file.display().to_string())));
        rows.extend(self.recomputed_equal.map(|equal| {
            let verdict = if equal { style.good("byte for byte equal") } else { style.bad("DIFFERENT") };
            ("computed again here", verdict)
        }));
        let facts = facts(&rows, style);
        match self.shown {
            true => facts,
            false => format!("{}\n\n{facts}", response(self.request.as_ref(), &self.response, style)),
        }
    }
}

/// The answer itself: pictures with their digits, texts by nearness, or words.
pub(crate) fn response(request: Option<&Request>, response: &Response, style: Style) -> String {
    match (request, response) {
        (Some(Request::Classify { images }), Response::Classify { labels, .. }) => classified(images, labels, style),
        (Some(Request::Embed { texts }), Response::Embed { vectors, .. }) => {
            embedded(texts, vectors.len(), response, style)
        }
        (Some(Request::Generate(_)) | None, Response::Generate { prompt_tokens, tokens, text, finish }) => {
            let counted = format!("{prompt_tokens} tokens asked, {} answered; {}", tokens.len(), ended(*finish));
            let text: Vec<String> = text.trim().lines().map(printable).collect();
            format!("{}\n{}", style.strong(&text.join("\n")), style.faint(&counted))
        }
        (None, Response::Classify { labels, .. }) => {
            let labels: Vec<String> = labels.iter().map(ToString::to_string).collect();
            style.strong(&format!("reads {}", labels.join(", ")))
        }
        (None, Response::Embed { vectors, .. }) => format!("{} vectors; --json prints them", vectors.len()),
        _ => "The answer is of another kind than the question.".into(),
    }
}

/// Why an answer ended, in words.
pub(crate) fn ended(finish: Finish) -> &'static str {
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
    let first = &texts.first().map(|text| printable(text)).unwrap_or_default();
    let mut lines = vec![format!("{} {}", style.faint("nearest to"), style.strong(first))];
    lines.extend(ranked.iter().map(|(nearness, text)| format!("  {nearness:>6.3}  {text}", text = printable(text))));
    if ranked.is_empty() {
        lines = vec![format!("{} {}", style.faint("embedded"), style.strong(first)), beginning(response)];
    }
    lines.join("\n")
}

/// The first numbers of the first vector.
fn beginning(response: &Response) -> String {
    const SHOWN: usize = 6;
    let Response::Embed { vectors, shift } = response else { return String::new() };
    let first = vectors.first().map(Vec::as_slice).unwrap_or_default();
    let scale = f64::from(-i32::from(*shift)).exp2();
    let shown: Vec<String> =
        first.iter().take(SHOWN).map(|value| format!("{:.4}", f64::from(*value) * scale)).collect();
    format!("  {} … ({} numbers; --json prints them)", shown.join(" "), first.len())
}
