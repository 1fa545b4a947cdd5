//! Pictures of handwritten digits: 8x8 pixels of 0..=16, from CSV rows or PGM files.

use std::{fs, io::Read, path::Path};

use anyhow::{Context as _, Result, bail};

/// Pixels of one picture.
pub(crate) const PIXELS: usize = 64;
/// The darkest grey level.
pub(crate) const DARKEST: u8 = 16;

/// One picture and, where the file says it, what it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Digit {
    /// Row after row, 0 (paper) to 16 (ink).
    pub pixels: Vec<u8>,
    /// The digit that a person saw.
    pub label: Option<u8>,
}

/// Reads every row of a CSV file (`.gz` too): 64 values of 0..=16, and a label if there is a 65th.
///
/// # Errors
/// Names the row that is not a picture.
pub(crate) fn read_csv(path: &Path) -> Result<Vec<Digit>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let text = if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut text = String::new();
        // Ten megabytes hold fifty thousand pictures; a hostile archive may not fill the memory.
        let mut reader = flate2::read::GzDecoder::new(bytes.as_slice()).take(10 << 20);
        reader.read_to_string(&mut text).with_context(|| format!("{} is no gzip file", path.display()))?;
        text
    } else {
        String::from_utf8(bytes).with_context(|| format!("{} is no text", path.display()))?
    };
    let rows = text.lines().filter(|line| !line.trim().is_empty()).enumerate();
    rows.map(|(index, line)| row(line).with_context(|| format!("row {index} of {}", path.display()))).collect()
}

fn row(line: &str) -> Result<Digit> {
    let values: Vec<u8> = line
        .split(',')
        .map(|value| whole(value.trim()).with_context(|| format!("`{}` is not a grey level of 0 to 16", value.trim())))
        .collect::<Result<_>>()?;
    let (pixels, label) = match values.len() {
        PIXELS => (values.as_slice(), None),
        65 => (&values[..PIXELS], Some(values[PIXELS])),
        other => bail!("has {other} values; a picture has {PIXELS}, and one more when it is labelled"),
    };
    if let Some(level) = pixels.iter().find(|level| **level > DARKEST) {
        bail!("{level} is not a grey level of 0 to {DARKEST}");
    }
    Ok(Digit { pixels: pixels.to_vec(), label })
}

/// Reads `5` and `5.0`: the published file writes whole numbers as decimals.
fn whole(text: &str) -> Result<u8> {
    let whole = text
        .split_once('.')
        .map_or(text, |(whole, zeros)| if zeros.trim_matches('0').is_empty() { whole } else { text });
    Ok(whole.parse()?)
}

/// Reads an 8x8 PGM picture (P2 or P5), dark ink on white paper.
///
/// # Errors
/// It is another format or size.
pub(crate) fn read_pgm(path: &Path) -> Result<Digit> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    parse_pgm(&bytes).with_context(|| format!("{} is not an 8x8 picture in PGM format", path.display()))
}

fn parse_pgm(bytes: &[u8]) -> Result<Digit> {
    let mut rest = bytes;
    let magic = word(&mut rest)?;
    let mut number = || -> Result<u16> { Ok(word(&mut rest)?.parse()?) };
    let (width, height, white) = (number()?, number()?, number()?);
    if (width, height) != (8, 8) || white == 0 || white > 255 {
        bail!("it is {width}x{height} with {white} grey levels");
    }
    let levels: Vec<u16> = match magic.as_str() {
        "P2" => (0..PIXELS).map(|_| number()).collect::<Result<_>>()?,
        "P5" => rest.get(..PIXELS).context("it is cut short")?.iter().map(|level| u16::from(*level)).collect(),
        other => bail!("its format is {other}"),
    };
    let ink = |level: u16| u8::try_from((white.saturating_sub(level) * u16::from(DARKEST) + white / 2) / white);
    let pixels = levels.into_iter().map(|level| Ok(ink(level)?)).collect::<Result<_>>()?;
    Ok(Digit { pixels, label: None })
}

/// The next word of a PGM header; exactly one white space after it is consumed.
fn word(rest: &mut &[u8]) -> Result<String> {
    loop {
        let skip = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        *rest = &rest[skip..];
        if rest.first() != Some(&b'#') {
            break;
        }
        let line = rest.iter().take_while(|byte| **byte != b'\n').count();
        *rest = &rest[line..];
    }
    let len = rest.iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
    if len == 0 || len > 8 {
        bail!("its header is broken");
    }
    let word = String::from_utf8(rest[..len].to_vec())?;
    *rest = rest.get(len + 1..).unwrap_or_default();
    Ok(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_picture_and_perhaps_a_label() {
        let plain = vec!["3"; 64].join(",");
        assert_eq!(row(&plain).unwrap(), Digit { pixels: vec![3; 64], label: None });
        assert_eq!(row(&format!("{plain},7.000e0")).ok(), None);
        assert_eq!(row(&format!("{plain},7.0")).unwrap().label, Some(7));
        assert!(format!("{:#}", row("1,2").unwrap_err()).contains("has 2 values"));
        assert!(format!("{:#}", row(&plain.replacen('3', "17", 1)).unwrap_err()).contains("17 is not a grey level"));
        assert!(format!("{:#}", row(&plain.replacen('3', "NaN", 1)).unwrap_err()).contains("`NaN`"));
    }

    #[test]
    fn pgm_is_dark_on_white() {
        let mut binary = b"P5\n# by hand\n8 8\n255\n".to_vec();
        binary.extend([255u8; 63]);
        binary.push(0);
        let digit = parse_pgm(&binary).unwrap();
        assert_eq!((digit.pixels[0], digit.pixels[63]), (0, 16));
        let text = format!("P2 8 8 15 {}", vec!["0"; 64].join(" "));
        assert_eq!(parse_pgm(text.as_bytes()).unwrap().pixels, vec![16; 64]);
        for broken in ["", "P5 8 8 255 ", "P2 9 8 255 0", "P6 8 8 255 0", "P5 8 8 0 "] {
            assert!(parse_pgm(broken.as_bytes()).is_err(), "{broken}");
        }
    }
}
