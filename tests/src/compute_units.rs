//! Compute units from a transaction's log, and the committed report that they are held against.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::programs;

/// What one instruction consumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Everything, called programs included.
    pub total: u64,
    /// What our programs consumed themselves, at any depth; the runtime charges a call's base cost to the caller.
    pub ours: u64,
}

/// One program's activation while the log is read.
struct Frame {
    program: String,
    consumed: u64,
    /// What the programs called by this one consumed.
    callees: u64,
}

impl Cost {
    /// The cost of the `index`-th instruction of a transaction, from its log.
    ///
    /// Built-in programs, such as the System program, log no consumption: it counts as their caller's.
    pub fn from_logs(logs: &[String], index: usize) -> Option<Self> {
        let mut stack: Vec<Frame> = Vec::new();
        let mut top_level = 0;
        let mut ours = 0;
        for line in logs {
            let mut words = line.split(' ');
            let (Some("Program"), Some(program), Some(verb)) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            match verb {
                "invoke" => stack.push(Frame { program: program.to_owned(), consumed: 0, callees: 0 }),
                "consumed" => {
                    let consumed = words.next()?.parse().ok()?;
                    stack.last_mut()?.consumed = consumed;
                }
                "success" => {
                    let frame = stack.pop()?;
                    if top_level == index && programs::is_ours(&frame.program) {
                        ours += frame.consumed - frame.callees;
                    }
                    match stack.last_mut() {
                        Some(caller) => caller.callees += frame.consumed,
                        None if top_level == index => return Some(Self { total: frame.consumed, ours }),
                        None => top_level += 1,
                    }
                }
                _ => {}
            }
        }
        None
    }
}

/// Costs by instruction, named `program.instruction` or `program.instruction.case`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Report(BTreeMap<String, Cost>);

impl Report {
    /// Adds one measurement.
    ///
    /// # Panics
    ///
    /// When the name was recorded before.
    pub fn record(&mut self, name: &str, cost: Cost) {
        assert!(self.0.insert(name.to_owned(), cost).is_none(), "{name} was recorded twice");
    }

    /// The cost recorded under a name.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn cost(&self, name: &str) -> Cost {
        *self.0.get(name).unwrap_or_else(|| panic!("{name} was not measured"))
    }

    /// The committed report.
    ///
    /// # Panics
    ///
    /// When the file is missing or unreadable.
    pub fn committed() -> Self {
        let path = json_path();
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Writes the report and its rendering into `docs`.
    ///
    /// # Panics
    ///
    /// When a file cannot be written.
    pub fn write(&self) {
        let json = serde_json::to_string_pretty(self).expect("numbers serialise");
        fs::write(json_path(), json + "\n").expect("docs/compute-units.json is writable");
        fs::write(docs("COMPUTE_UNITS.md"), self.to_markdown()).expect("docs/COMPUTE_UNITS.md is writable");
    }

    /// A table of every instruction that costs more than committed, or is missing on either side; empty when all is well.
    pub fn regressions(&self, committed: &Self) -> String {
        let mut table = String::new();
        for name in self.0.keys().chain(committed.0.keys()).collect::<std::collections::BTreeSet<_>>() {
            let line = match (self.0.get(name), committed.0.get(name)) {
                (Some(now), Some(then)) if now.total > then.total || now.ours > then.ours => {
                    format!("{:>8} -> {:>8} total, {:>7} -> {:>7} ours", then.total, now.total, then.ours, now.ours)
                }
                (Some(now), None) => format!("new: {} total, {} ours", now.total, now.ours),
                (None, Some(_)) => "is no longer measured".to_owned(),
                _ => continue,
            };
            writeln!(table, "{name:<40} {line}").expect("strings grow");
        }
        table
    }

    /// The report as the page `docs/COMPUTE_UNITS.md`.
    pub fn to_markdown(&self) -> String {
        let mut page = String::from(INTRODUCTION);
        for (name, cost) in &self.0 {
            writeln!(page, "| `{name}` | {} | {} |", thousands(cost.total), thousands(cost.ours))
                .expect("strings grow");
        }
        page
    }
}

const INTRODUCTION: &str = "\
# Compute units

What each instruction costs, measured in the SVM (Agave 3.1, mainnet's features) with the real Token Metadata and the
real SPL Token program. *Total* includes every called program; *ours* is what our programs consumed themselves, including
the base cost of calling others. A plain name is the simplest case, paid in SOL; `.token` is the same paid in an SPL token,
`.classic_token` the same where the older SPL Token program still runs.

Rendered from `compute-units.json`; a test fails when an instruction costs more than is committed here. To accept new
figures: `PROVENA_WRITE_CU=1 cargo test -p provena-tests --test it compute_units`.

| instruction | total | ours |
|---|---:|---:|
";

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn docs(name: &str) -> PathBuf {
    programs::repository().join("docs").join(name)
}

fn json_path() -> PathBuf {
    docs("compute-units.json")
}
