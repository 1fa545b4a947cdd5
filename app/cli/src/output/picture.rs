//! Scanned digits as text art.

/// Side of a digit's picture, in pixels.
pub(crate) const SIDE: usize = 8;

/// Draws one 8x8 picture of 0..=16 grey levels, two characters per pixel so that it looks square.
pub(crate) fn digit(pixels: &[u8]) -> Vec<String> {
    const INK: [&str; 5] = ["  ", "░░", "▒▒", "▓▓", "██"];
    pixels
        .chunks(SIDE)
        .map(|row| row.iter().map(|&level| INK[usize::from(level.min(16)).div_ceil(4)]).collect())
        .collect()
}

/// Puts pictures next to each other, `gap` spaces apart.
pub(crate) fn side_by_side(pictures: &[Vec<String>], gap: usize) -> String {
    let height = pictures.iter().map(Vec::len).max().unwrap_or(0);
    let gap = " ".repeat(gap);
    let lines: Vec<String> = (0..height)
        .map(|row| {
            let cells: Vec<&str> = pictures.iter().map(|picture| picture.get(row).map_or("", String::as_str)).collect();
            cells.join(&gap).trim_end().to_owned()
        })
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_grey_level_has_its_ink() {
        let mut pixels = [0u8; 64];
        pixels[0] = 16;
        pixels[1] = 1;
        pixels[63] = 8;
        let picture = digit(&pixels);
        assert_eq!(picture.len(), 8);
        assert_eq!(picture[0].trim_end(), "██░░");
        assert_eq!(picture[7].trim_start(), "▒▒");
    }
}
