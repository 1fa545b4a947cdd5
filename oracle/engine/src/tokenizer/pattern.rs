//! Regular expressions of tokenizers, which come from anybody: only those are taken that cannot run away.
//!
//! A match may be looked for with backtracking. Where no repetition lies in another, where nothing refers back, and
//! where at most one unlimited repetition stands beside what looks around, one attempt takes a time that grows with the
//! text; attempts are made one at a time, with the time that is left asked between them.

use fancy_regex::{Expr, Regex};
use tokenizers::{Offsets, pattern::Pattern};

use crate::{error::Error, patience::Patience};

/// The longest expression in bytes: those of published tokenizers have up to 500.
const MAX_LEN: usize = 4_096;
/// How often a limited repetition may repeat, all that lie in each other multiplied.
const MAX_COUNT: usize = 16;

/// What an expression may do.
#[derive(Clone, Copy, Default)]
struct Shape {
    /// The fewest characters that it matches.
    least: usize,
    /// Unlimited repetitions on the way through it.
    unlimited: usize,
    /// Whether it looks around, so that it is matched with backtracking.
    looks: bool,
    /// How often its parts may be repeated.
    count: usize,
}

/// Why an expression is refused; `None` where it is not.
fn shape(expression: &Expr) -> Result<Shape, String> {
    let item = Shape { least: 1, count: 1, ..Shape::default() };
    match expression {
        Expr::Empty | Expr::Assertion(_) => Ok(Shape { least: 0, ..item }),
        Expr::Any { .. } => Ok(item),
        Expr::Literal { val, .. } => Ok(Shape { least: val.chars().count(), ..item }),
        Expr::Delegate { size, .. } => Ok(Shape { least: *size, ..item }),
        Expr::Group(inner) => shape(inner),
        Expr::AtomicGroup(inner) => Ok(Shape { looks: true, ..shape(inner)? }),
        Expr::LookAround(inner, _) => {
            let inner = shape(inner)?;
            if inner.unlimited > 0 || inner.looks {
                return Err("looks around without a limit".into());
            }
            Ok(Shape { least: 0, looks: true, ..inner })
        }
        Expr::Concat(parts) => {
            let mut all = Shape { least: 0, ..item };
            for part in parts {
                let part = shape(part)?;
                all.least = all.least.saturating_add(part.least);
                all.unlimited += part.unlimited;
                all.looks |= part.looks;
                all.count = all.count.max(part.count);
            }
            if all.looks && all.unlimited > 1 {
                return Err("looks around beside several unlimited repetitions".into());
            }
            Ok(all)
        }
        Expr::Alt(parts) => {
            let mut all = Shape { least: usize::MAX, ..item };
            for part in parts {
                let part = shape(part)?;
                all.least = all.least.min(part.least);
                all.unlimited = all.unlimited.max(part.unlimited);
                all.looks |= part.looks;
                all.count = all.count.max(part.count);
            }
            Ok(all)
        }
        Expr::Repeat { child, lo, hi, .. } => repeated(shape(child)?, *lo, *hi),
        _ => Err("refers back, or depends on what was found before".into()),
    }
}

/// The shape of what is repeated `lo` to `hi` times.
fn repeated(inner: Shape, lo: usize, hi: usize) -> Result<Shape, String> {
    let most = if hi == usize::MAX { lo } else { hi };
    if hi > 1 && inner.unlimited > 0 {
        return Err("repeats a repetition".into());
    }
    if hi == usize::MAX && inner.looks {
        return Err("repeats what looks around".into());
    }
    if hi == usize::MAX && inner.least == 0 {
        return Err("repeats what may be nothing".into());
    }
    let count = inner.count.saturating_mul(most.max(1));
    if count > MAX_COUNT {
        return Err(format!("repeats something {count} times, allowed are {MAX_COUNT}"));
    }
    let unlimited = if hi == usize::MAX { 1 } else { inner.unlimited };
    Ok(Shape { least: inner.least.saturating_mul(lo), unlimited, count, ..inner })
}

/// Reads an expression.
fn checked(pattern: &str) -> Result<Shape, Error> {
    let refused = |reason: &str| Error::Tokenizer(format!("the pattern {:?} {reason}", shortened(pattern)));
    if pattern.len() > MAX_LEN {
        return Err(refused(&format!("has {} bytes, allowed are {MAX_LEN}", pattern.len())));
    }
    let tree = Expr::parse_tree(pattern).map_err(|error| refused(&format!("cannot be read: {error}")))?;
    shape(&tree.expr).map_err(|reason| refused(&reason))
}

/// The beginning of what may be long.
pub(super) fn shortened(text: &str) -> String {
    const SHOWN: usize = 60;
    if text.chars().count() <= SHOWN { text.to_owned() } else { text.chars().take(SHOWN).chain(['…']).collect() }
}

/// Checks an expression at which a text is cut.
///
/// # Errors
/// [`Error::Tokenizer`] with what is wrong with it.
pub(super) fn check_split(pattern: &str) -> Result<(), Error> {
    match checked(pattern)?.least {
        0 => Err(Error::Tokenizer(format!("the pattern {:?} may match nothing", shortened(pattern)))),
        _ => Ok(()),
    }
}

/// Checks an expression whose matches are replaced, which nobody can watch: only those that look at each part of a text
/// once are taken. Gives the fewest bytes of a match.
///
/// # Errors
/// [`Error::Tokenizer`] with what is wrong with it.
pub(super) fn check_replace(pattern: &str) -> Result<usize, Error> {
    let refused = |reason: &str| Err(Error::Tokenizer(format!("the pattern {:?} {reason}", shortened(pattern))));
    let shape = checked(pattern)?;
    let tree = Expr::parse_tree(pattern).map_err(|error| Error::Tokenizer(error.to_string()))?;
    match shape {
        Shape { least: 0, .. } => refused("may match nothing"),
        Shape { looks: true, .. } => refused("looks around, which a replacement may not"),
        _ if !ends_with_repetition(&tree.expr) => refused("goes on after an unlimited repetition"),
        _ => Ok(shape.least),
    }
}

/// Whether unlimited repetitions are greedy and at the ends of alternatives only.
fn ends_with_repetition(expression: &Expr) -> bool {
    let limited = |part: &Expr| shape(part).is_ok_and(|shape| shape.unlimited == 0);
    match expression {
        Expr::Alt(parts) => parts.iter().all(ends_with_repetition),
        Expr::Group(inner) => ends_with_repetition(inner),
        Expr::Concat(parts) => match parts.split_last() {
            Some((last, before)) => before.iter().all(limited) && ends_with_repetition(last),
            None => true,
        },
        Expr::Repeat { hi: usize::MAX, greedy, .. } => *greedy,
        other => limited(other),
    }
}

/// An expression that is tried at one place after the other.
pub(super) struct Places {
    regex: Regex,
}

impl Places {
    /// Reads an expression that [`check_split`] took.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] when it cannot be read.
    pub(super) fn new(pattern: &str) -> Result<Self, Error> {
        // `\G` ties an attempt to its place.
        let regex = Regex::new(&format!(r"\G(?:{pattern})"));
        let regex = regex.map_err(|error| {
            Error::Tokenizer(format!("the pattern {:?} cannot be read: {error}", shortened(pattern)))
        })?;
        Ok(Self { regex })
    }

    /// The same matches as a search from the beginning, as long as there is patience.
    pub(super) fn watched(&self, patience: Patience) -> Watched<'_> {
        Watched { regex: &self.regex, patience }
    }
}

/// See [`Places::watched`].
pub(super) struct Watched<'a> {
    regex: &'a Regex,
    patience: Patience,
}

impl Pattern for Watched<'_> {
    fn find_matches(&self, inside: &str) -> tokenizers::Result<Vec<(Offsets, bool)>> {
        if inside.is_empty() {
            return Ok(vec![((0, 0), false)]);
        }
        let (mut found, mut copied, mut at) = (Vec::new(), 0, 0);
        while at < inside.len() {
            self.patience.check()?;
            match self.regex.find_from_pos(inside, at)? {
                Some(place) if place.end() > place.start() => {
                    if copied != place.start() {
                        found.push(((copied, place.start()), false));
                    }
                    found.push(((place.start(), place.end()), true));
                    (copied, at) = (place.end(), place.end());
                }
                _ => at += inside[at..].chars().next().map_or(1, char::len_utf8),
            }
        }
        if copied != inside.len() {
            found.push(((copied, inside.len()), false));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use tokenizers::pattern::Pattern;

    use super::*;

    /// Of GPT-2, Llama 3, Qwen 2, GPT-4o, parts of `DeepSeek`, BLOOM.
    const PUBLISHED: [&str; 8] = [
        r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        r"[\r\n]",
        r"\s+$",
        r"[一-龥ࠀ-一가-퟿]+",
        r" ?[^(\s|[.,!?…。，、।۔،])]+",
    ];

    #[test]
    fn published_patterns_match_where_the_library_matches() {
        let mut random = fastrand::Rng::with_seed(2);
        let signs: Vec<char> = "aZé中 \n\r\t'sté12.,!<|µ\u{301}😀".chars().collect();
        for pattern in PUBLISHED {
            check_split(pattern).unwrap();
            let (own, theirs) = (Places::new(pattern).unwrap(), tokenizers::utils::SysRegex::new(pattern).unwrap());
            for _ in 0..400 {
                let text: String = (0..random.usize(..24)).map(|_| signs[random.usize(..signs.len())]).collect();
                let own = own.watched(Patience::new()).find_matches(&text).unwrap();
                assert_eq!(own, (&theirs).find_matches(&text).unwrap(), "{pattern} in {text:?}");
            }
        }
    }

    #[test]
    fn patterns_that_can_run_away_are_refused_with_the_reason() {
        for (pattern, reason) in [
            (r"(a+)+b", "repeats a repetition"),
            (r"(a*)*", "repeats a repetition"),
            (r"(\w+)\1", "refers back"),
            (r"a+b*c+(?!d)", "looks around beside several unlimited repetitions"),
            (r"a(?=.*b)", "looks around without a limit"),
            (r"a{1000}", "repeats something 1000 times, allowed are 16"),
            (r"(?:a{9}){9}", "repeats something 81 times"),
            (r"a*", "may match nothing"),
            (r"(?:(?=a)a)+", "repeats what looks around"),
            (r"(", "cannot be read"),
        ] {
            let error = check_split(pattern).unwrap_err().to_string();
            assert!(error.contains(reason), "{pattern}: {error}");
        }
        assert!(check_split(&"a".repeat(5_000)).unwrap_err().to_string().contains("has 5000 bytes"));
        for (pattern, reason) in [
            (r"\s+(?!\S)", "looks around"),
            (r"a+b", "goes on after"),
            (r".*?", "may match nothing"),
            (r"a+?", "goes on"),
        ] {
            let error = check_replace(pattern).unwrap_err().to_string();
            assert!(error.contains(reason), "{pattern}: {error}");
        }
        for pattern in [r" {2,}", r"\s+", r"``|''", r"[\n\r\t]", r"^x", r" ?\n"] {
            assert!(check_replace(pattern).is_ok(), "{pattern}");
        }
    }

    #[test]
    fn matching_ends_when_patience_does() {
        let places = Places::new(r".*?b|a").unwrap();
        let error = places.watched(Patience::none()).find_matches("aaa").unwrap_err();
        assert!(error.downcast_ref::<Error>().is_some_and(|error| matches!(error, Error::Preparation(_))), "{error}");
    }
}
