//! Texts that end an answer, wherever tokens begin and end.

/// Looks for texts in a text that comes in pieces.
#[derive(Debug)]
pub struct StopTexts {
    stops: Vec<String>,
    /// What may be the beginning of one of them.
    held: String,
}

impl StopTexts {
    /// Looks for these texts, none of which is empty.
    pub fn new(stops: Vec<String>) -> Self {
        Self { stops, held: String::new() }
    }

    /// Takes the next piece and gives what can be shown by now: all but the longest end that may be the beginning of a
    /// stop. Where stops are complete, it gives the text before the first of them, and true.
    pub fn push(&mut self, piece: &str) -> (String, bool) {
        self.held.push_str(piece);
        if let Some(at) = self.stops.iter().filter_map(|stop| self.held.find(stop.as_str())).min() {
            self.held.truncate(at);
            return (std::mem::take(&mut self.held), true);
        }
        let begun = |stop: &String| {
            let ends = self.held.char_indices().map(|(at, _)| at);
            let first = self.held.len().saturating_sub(stop.len());
            ends.filter(|at| *at >= first).find(|at| stop.starts_with(&self.held[*at..]))
        };
        let keep = self.stops.iter().filter_map(begun).min().unwrap_or(self.held.len());
        let held = self.held.split_off(keep);
        (std::mem::replace(&mut self.held, held), false)
    }

    /// What was held back, when no piece follows.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown of the pieces, and whether a stop was found.
    fn shown(stops: &[&str], pieces: &[&str]) -> (String, bool) {
        let mut texts = StopTexts::new(stops.iter().map(|stop| (*stop).into()).collect());
        let mut all = String::new();
        for piece in pieces {
            let (text, found) = texts.push(piece);
            all += &text;
            if found {
                return (all, true);
            }
        }
        (all + &texts.finish(), false)
    }

    #[test]
    fn a_stop_is_found_across_pieces_and_is_not_shown() {
        assert_eq!(shown(&["<end>"], &["one <e", "n", "d> two"]), ("one ".into(), true));
        assert_eq!(shown(&["<end>"], &["one <e", "n", "t> two"]), ("one <ent> two".into(), false));
        assert_eq!(shown(&["aab"], &["a", "a", "a", "b"]), ("a".into(), true));
        assert_eq!(shown(&["b", "ab"], &["xab"]), ("x".into(), true));
        assert_eq!(shown(&["€€"], &["1€", "2€", "€3"]), ("1€2".into(), true));
        assert_eq!(shown(&[], &["a", "b"]), ("ab".into(), false));
    }

    #[test]
    fn what_is_shown_does_not_depend_on_the_pieces_when_there_is_one_stop() {
        let mut random = fastrand::Rng::with_seed(9);
        for _ in 0..3_000 {
            let word =
                |random: &mut fastrand::Rng, len| -> String { (0..len).map(|_| random.char('a'..='b')).collect() };
            let len = random.usize(1..5);
            let stop = word(&mut random, len);
            let len = random.usize(..12);
            let text = word(&mut random, len);
            let (mut pieces, mut rest) = (vec![], text.as_str());
            while !rest.is_empty() {
                let (piece, left) = rest.split_at(random.usize(1..=rest.len()));
                pieces.push(piece);
                rest = left;
            }
            let expected = text.find(&stop).map_or((text.clone(), false), |at| (text[..at].into(), true));
            assert_eq!(shown(&[&stop], &pieces), expected, "{stop} in {pieces:?}");
        }
    }
}
