//! The date that templates see.
//!
//! Everybody who computes an answer again must get the same text, so there is no clock. Templates that ask for today get
//! one date for good: 26 July 2024, which the templates of Llama 3 write where there is no clock.

/// `strftime_now(format)`: the fixed date at midnight, written as C's `strftime` does in the locale of C. What stands
/// for nothing there, stays as it is.
pub(super) fn strftime_now(format: &str) -> String {
    let mut text = String::with_capacity(format.len() + 16);
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let unpadded = rest.starts_with('-');
        let Some(letter) = rest[usize::from(unpadded)..].chars().next() else {
            text.push('%');
            continue;
        };
        match written(letter) {
            Some(part) if unpadded => {
                let short = part.trim_start_matches(['0', ' ']);
                let is_zero = short.is_empty() && !part.is_empty();
                text.push_str(if is_zero { "0" } else { short });
            }
            Some(part) => text.push_str(part),
            None => {
                text.push('%');
                continue;
            }
        }
        rest = &rest[usize::from(unpadded) + letter.len_utf8()..];
    }
    text.push_str(rest);
    text
}

/// What a letter of a format stands for.
fn written(letter: char) -> Option<&'static str> {
    Some(match letter {
        'Y' | 'G' => "2024",
        'y' | 'g' => "24",
        'C' => "20",
        'm' => "07",
        'd' | 'e' => "26",
        'b' | 'h' => "Jul",
        'B' => "July",
        'a' => "Fri",
        'A' => "Friday",
        'u' | 'w' => "5",
        'j' => "208",
        'U' => "29",
        'V' | 'W' => "30",
        'H' | 'M' | 'S' => "00",
        'I' => "12",
        'f' => "000000",
        'p' => "AM",
        'F' => "2024-07-26",
        'D' | 'x' => "07/26/24",
        'T' | 'X' => "00:00:00",
        'R' => "00:00",
        'c' => "Fri Jul 26 00:00:00 2024",
        'z' | 'Z' => "",
        '%' => "%",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::strftime_now;

    /// As Python writes `datetime(2024, 7, 26)`.
    #[test]
    fn the_date_is_written_as_python_writes_it() {
        for (format, expected) in [
            ("%d %b %Y", "26 Jul 2024"),
            ("%Y-%m-%d", "2024-07-26"),
            ("%A, %B %-d, %Y at %H:%M:%S", "Friday, July 26, 2024 at 00:00:00"),
            ("%-m/%-d/%y %-I %p %-H %-M", "7/26/24 12 AM 0 0"),
            ("%a %j %U %W %V %u %w %f", "Fri 208 29 30 30 5 5 000000"),
            (
                "%F %T %c %x %X %R %D%z%Z",
                "2024-07-26 00:00:00 Fri Jul 26 00:00:00 2024 07/26/24 00:00:00 00:00 07/26/24",
            ),
            ("100 %% %Q é%", "100 % %Q é%"),
            ("%é %-Q %-", "%é %-Q %-"),
            ("", ""),
        ] {
            assert_eq!(strftime_now(format), expected, "{format}");
        }
    }
}
