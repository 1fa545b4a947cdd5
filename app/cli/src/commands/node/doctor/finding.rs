//! What a check found, and what to do about it.

use serde::Serialize;

use crate::{
    failure::plain::plain,
    output::{Report, lines::wrap, style::Style, table::COLUMNS, text::printable},
};

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// As it should be.
    Ok,
    /// As others made it, and nothing that the node loses by.
    Note,
    /// The node can work, and may lose by it.
    Warn,
    /// The node cannot earn.
    Fail,
}

#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    found: String,
    advice: Option<String>,
}

/// What all checks found, in their order.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    /// All is well.
    pub(super) fn ok(&mut self, check: &'static str, found: impl Into<String>) {
        self.0.push(Finding { check, verdict: Verdict::Ok, found: found.into(), advice: None });
    }

    /// Nothing that the node loses by.
    pub(super) fn note(&mut self, check: &'static str, found: impl Into<String>, advice: impl Into<String>) {
        let advice = Some(advice.into());
        self.0.push(Finding { check, verdict: Verdict::Note, found: found.into(), advice });
    }

    /// The node can work, and may lose by it.
    pub(super) fn warn(&mut self, check: &'static str, found: impl Into<String>, advice: impl Into<String>) {
        let advice = Some(advice.into());
        self.0.push(Finding { check, verdict: Verdict::Warn, found: found.into(), advice });
    }

    /// The node cannot earn.
    pub(super) fn fail(&mut self, check: &'static str, found: impl Into<String>, advice: impl Into<String>) {
        let advice = Some(advice.into());
        self.0.push(Finding { check, verdict: Verdict::Fail, found: found.into(), advice });
    }

    /// How many checks went so.
    pub(super) fn count(&self, verdict: Verdict) -> usize {
        self.0.iter().filter(|finding| finding.verdict == verdict).count()
    }
}

impl Report for Findings {
    fn text(&self, style: Style) -> String {
        const VERDICT: usize = 6;
        let width = self.0.iter().map(|finding| finding.check.len()).max().unwrap_or(0) + 2;
        let indent = " ".repeat(VERDICT + width);
        let mut lines = Vec::new();
        for Finding { check, verdict, found, advice } in &self.0 {
            let verdict = match verdict {
                Verdict::Ok => style.good(&format!("{:<VERDICT$}", "ok")),
                Verdict::Note => format!("{:<VERDICT$}", "note"),
                Verdict::Warn => style.strong(&format!("{:<VERDICT$}", "warn")),
                Verdict::Fail => style.bad(&format!("{:<VERDICT$}", "FAIL")),
            };
            let words = wrap(&plain(&printable(found)), COLUMNS - VERDICT - width);
            let advice = advice.iter().flat_map(|advice| wrap(&printable(advice), COLUMNS - VERDICT - width));
            let advice = advice.map(|line| style.faint(&line));
            let mut words = words.into_iter().chain(advice);
            lines.push(format!("{verdict}{check:<width$}{}", words.next().unwrap_or_default()));
            lines.extend(words.map(|line| format!("{indent}{line}")));
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_fits_and_says_what_to_do_beneath() {
        let mut findings = Findings::default();
        findings.ok("key", "held by this user alone");
        findings.fail("disk", "nearly nothing is free ".repeat(5).trim(), "make room");
        let text = findings.text(Style::plain());
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
        assert!(text.starts_with("ok    key   held by this user alone\nFAIL  disk  nearly"), "{text}");
        assert!(text.ends_with("\n            make room"), "{text}");
        assert_eq!(findings.count(Verdict::Fail), 1);
    }
}
