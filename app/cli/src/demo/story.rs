//! The demo in plain words, for somebody who has never heard of any of this.

use std::time::Duration;

use anyhow::Result;
use provena_client::{
    amount::{Currency, show_bps},
    mint::Minted,
    offer::Terms,
    royalty::Moved,
};
use provena_engine::artifact::Artifact;
use provena_wire::{Generate, Prompt, Request, Response};
use solana_signer::Signer;

use super::{
    Answered,
    cast::{CURATOR_BPS, Cast, DATASET_BPS, SECOND_BPS},
    ledger::{Holding, Split},
    stage::Stage,
    subject::Subject,
    worker::Worker,
};
use crate::{
    commands::{infer, rent::seconds},
    output::{
        Output,
        lines::wrap,
        progress::Progress,
        style::Style,
        table::{Align, COLUMNS, Table},
        text::short,
    },
};

/// Tells the story on stdout, unless the person asked for JSON.
pub(super) struct Story<'a> {
    output: &'a Output,
    progress: Progress,
    style: Style,
}

impl<'a> Story<'a> {
    /// Begins, with what is being done first.
    pub(super) fn begin(output: &'a Output, doing: &'static str) -> Self {
        Self { output, progress: Progress::spinner(output, doing), style: output.style() }
    }

    /// Says on the terminal what is being done now.
    pub(super) fn doing(&self, what: &'static str) {
        self.progress.message(what);
    }

    fn say(&self, text: &str) -> Result<()> {
        if self.output.json() {
            return Ok(());
        }
        self.progress.suspend(|| self.output.line(text))
    }

    /// A numbered paragraph.
    fn step(&self, number: u8, heading: &str, text: &str) -> Result<()> {
        const INDENT: usize = 3;
        let heading = self.style.strong(heading);
        let lines = text.lines().flat_map(|line| wrap(line, COLUMNS - INDENT));
        let indented: Vec<String> = lines.map(|line| format!("{:INDENT$}{line}", "").trim_end().to_owned()).collect();
        self.say(&format!("\n{number}. {heading}\n{}", indented.join("\n")))
    }

    /// The private chain.
    pub(super) fn opening(&self, currency: &Currency) -> Result<()> {
        self.say(&format!(
            "{}\nReal data and a real model, on a private Solana chain in this computer's\n\
             memory. The people are made up and the money ({}) is play money; everything\n\
             else happens as it would on the real chain.",
            self.style.strong("Provena: models that can be owned, answers that can be checked."),
            currency.symbol,
        ))
    }

    /// Dataset and model.
    pub(super) fn minted(
        &self,
        subject: &Subject,
        artifact: &Artifact,
        dataset: &Minted,
        model: &Minted,
    ) -> Result<()> {
        let rest = |bps: u16| show_bps(10_000 - bps);
        let text = format!(
            "{}.\nAn NFT is a token of which only one exists: who holds it owns the thing.\n\
             The content was claimed 8 slots before: nobody could copy it in between.\n\
             Two contributors share what the dataset earns: {} and {}. Its licence lets \
             others build on it, for {} of what they make.\n{}",
            subject.dataset_is,
            rest(SECOND_BPS),
            show_bps(SECOND_BPS),
            show_bps(DATASET_BPS),
            self.asset(dataset),
        );
        self.step(1, &format!("The dataset \"{}\" becomes an NFT", subject.dataset_title), &capital(&text))?;
        let text = format!(
            "{}, so {} of whatever the model earns goes to the dataset.\n\
             The trainer keeps {}, the curator gets {}. {} weights, in exact integers.\n{}",
            subject.derived,
            show_bps(DATASET_BPS),
            rest(DATASET_BPS + CURATOR_BPS),
            show_bps(CURATOR_BPS),
            artifact.summary().parameters,
            self.asset(model),
        );
        self.step(2, &format!("The model \"{}\" becomes an NFT, too", subject.model_title), &text)
    }

    fn asset(&self, minted: &Minted) -> String {
        self.style.faint(&format!("NFT {}   content {}…", minted.mint, &hex::encode(minted.content_root)[..16]))
    }

    /// The offer.
    pub(super) fn offered(&self, subject: &Subject, currency: &Currency, terms: &Terms) -> Result<()> {
        let text = format!(
            "{} for each {}.\n{} of every fee goes to those who share the model, the rest pays for the work.",
            currency.show(terms.input_price),
            subject.unit,
            show_bps(terms.royalty_bps),
        );
        self.step(3, "The trainer sells the model's use", &text)
    }

    /// The node.
    pub(super) fn joined(&self, worker: &Worker, stake: u64) -> Result<()> {
        let text = format!(
            "A node is a computer that works for others. This one put {} at stake, which it loses when it lets a \
             job down. It computes on {} through {}.",
            Currency::sol().show(stake),
            worker.adapter.name,
            worker.adapter.backend,
        );
        self.step(4, "A node joins", &text)
    }

    /// Question and answer.
    pub(super) fn answered(&self, subject: &Subject, answered: &Answered, currency: &Currency) -> Result<()> {
        let asked = answered.finished.job.winner().map_or(0, |seat| seat.units_in);
        let paid = answered.posted.units.total();
        let deposit = currency.show(answered.posted.deposit);
        let hand = format!("You hand {deposit} to the market program, which no person can empty: enough for");
        let response = infer::answer::response(Some(&subject.request), &answered.finished.response, self.style);
        let mut text = match &subject.request {
            Request::Generate(Generate { prompt: Prompt::Chat(said), max_tokens, .. }) => {
                let question = said.last().map_or("", |message| message.content.as_str());
                format!(
                    "{hand}\n{paid} {}, more than your question and an answer of {max_tokens} can be. You ask:\n\n\
                     {question}\n\n{response}\n",
                    subject.units
                )
            }
            _ => format!("{hand} {paid} {}. You ask for {asked}:\n\n{response}\n", subject.units),
        };
        if let (Response::Classify { labels, .. }, false) = (&answered.finished.response, subject.labels.is_empty()) {
            let right = labels.iter().zip(&subject.labels).filter(|(model, person)| model == person).count();
            text += &format!("People read the same in {right} of {} cases.\n", labels.len());
        }
        self.step(5, "You pay and ask", &text)?;
        let reference = self.verdict(answered.matches, "byte for byte the same answer");
        let receipt = self.verdict(answered.receipt_verified, "signed by the node, and the chain agrees");
        let text = format!(
            "Computed again on this machine: {reference}\nThe receipt: {receipt}\n{}",
            self.style.faint(&format!(
                "answer {}…   job {}",
                &hex::encode(answered.finished.job.winner().map_or([0; 32], |seat| seat.value))[..16],
                answered.posted.job
            )),
        );
        self.step(6, "You check", &text)
    }

    fn verdict(&self, holds: bool, what: &str) -> String {
        if holds { format!("{} {what}", self.style.good("yes,")) } else { self.style.bad(&format!("NO: not {what}")) }
    }

    /// Where the deposit went.
    pub(super) fn split(&self, split: &Split, answered: &Answered, currency: &Currency, cast: &Cast) -> Result<()> {
        let mut table = Table::new(&[("to", Align::Left), ("amount", Align::Right), ("address", Align::Left)]);
        let rows = [
            ("the model's inbox (royalty)", split.royalty, split.inbox),
            ("the node, for its work", split.node_fee, cast.operator.pubkey()),
            ("the protocol's inbox", split.protocol_fee, split.treasury),
            ("back to you, not used", split.refund, cast.you.pubkey()),
        ];
        for (to, amount, address) in rows {
            let address: String = address.to_string().chars().take(16).collect();
            table.row([to.into(), currency.show(amount), self.style.faint(&(address + "…"))]);
        }
        let signatures: Vec<String> =
            split.paid.iter().map(|paid| format!("transaction {}", short(&paid.to_string()))).collect();
        let text = format!(
            "You have the answer and say so; from then on anybody may have each of them paid.\n{}\n{}\n\
             {} more are rent for the job's account: lent, and back when the job is closed, {} slots \
             from now (about {} s on the real chain).",
            table.text(self.style),
            self.style.faint(&signatures.join("\n")),
            Currency::sol().show(answered.rent.lamports),
            answered.rent_in,
            seconds(answered.rent_in),
        );
        self.step(7, &format!("The {} are paid out", currency.show(split.deposit)), &text)
    }

    /// Everybody collects.
    pub(super) fn claimed(
        &self,
        swept: &[Moved],
        holdings: &[Holding],
        left: u64,
        conserved: bool,
        currency: &Currency,
    ) -> Result<()> {
        let columns = [
            ("who", Align::Left),
            ("part", Align::Right),
            ("was owed", Align::Right),
            ("received", Align::Right),
            ("has now", Align::Right),
        ];
        let mut table = Table::new(&columns);
        let mut signatures = Table::new(&[("who", Align::Left), ("transaction", Align::Left)]);
        for moved in swept {
            let amount = currency.show(moved.amount);
            table.row(["the dataset".into(), show_bps(DATASET_BPS), amount.clone(), amount, "(passed on)".into()]);
            signatures.row(["the dataset".into(), short(&moved.signature.to_string())]);
        }
        for holding in holdings {
            let name = holding.name.replace('-', " ");
            let [owed, claimed, after] = [holding.owed, holding.claimed, holding.after].map(|base| currency.show(base));
            table.row([name.clone(), show_bps(holding.bps), owed, claimed, after]);
            let signature = holding.signature.map_or_else(String::new, |signature| short(&signature.to_string()));
            signatures.row([name, signature]);
        }
        let sum = if conserved {
            let rest =
                if left == 0 { String::new() } else { format!(" ({left} base units wait for the next payment)") };
            format!("{} every unit that went in came out exactly once{rest}.", self.style.good("It adds up:"))
        } else {
            self.style.bad("IT DOES NOT ADD UP: what came out is not what went in.")
        };
        let signatures = self.style.faint(&signatures.text(Style::plain()));
        let how = "The model's inbox is booked; the dataset's part is swept into the dataset's own pool; then \
                   each holder is paid what it is owed. Anybody may take these steps.";
        self.step(8, "Everybody collects", &format!("{how}\n{}\n\n{signatures}\n\n{sum}", table.text(self.style)))
    }

    /// The end.
    pub(super) fn closing(&self, took: Duration, stage: &Stage, keep: bool) -> Result<()> {
        self.progress.finish();
        if keep {
            return self.say(&format!(
                "\nThe chain and the node keep running; ctrl-c stops them. In another terminal:\n   \
                 export PROVENA_URL={} PROVENA_STORE=file://{} PROVENA_KEYPAIR={}\n   provena offer list",
                stage.urls().0,
                stage.path("store").display(),
                stage.path("wallets/you.json").display(),
            ));
        }
        self.say(&format!(
            "\nDone in {:.1} s; chain and node are stopped. Try it yourself:\nprovena demo --keep, or provena --help.",
            took.as_secs_f64()
        ))
    }
}

/// The text with its first letter in upper case.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
