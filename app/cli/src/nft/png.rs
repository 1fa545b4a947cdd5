//! PNG: eight bits of red, green and blue, compressed. The format is small enough to write, and its libraries would bring
//! a second decompressor.

use std::io::Write;

use flate2::{Compression, Crc, write::ZlibEncoder};

use super::canvas::Canvas;

const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n'];
/// Bytes of a pixel.
const PIXEL: usize = 3;

/// The canvas as a file.
pub(super) fn encode(canvas: &Canvas) -> Vec<u8> {
    let side = u32::try_from(canvas.side()).unwrap_or(u32::MAX).to_be_bytes();
    // Eight bits, true colour, no interlacing.
    let header = [&side[..], &side[..], &[8, 2, 0, 0, 0]].concat();
    let mut file = SIGNATURE.to_vec();
    chunk(&mut file, b"IHDR", &header);
    chunk(&mut file, b"IDAT", &compressed(&canvas.bytes(), canvas.side() * PIXEL));
    chunk(&mut file, b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) {
    let mut crc = Crc::new();
    crc.update(name);
    crc.update(data);
    file.extend_from_slice(&u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
    file.extend_from_slice(name);
    file.extend_from_slice(data);
    file.extend_from_slice(&crc.sum().to_be_bytes());
}

/// Rows as differences to the pixel on the left or to the row above, whichever is smaller, then packed.
fn compressed(bytes: &[u8], pitch: usize) -> Vec<u8> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
    let empty = vec![0; pitch];
    let mut above = &empty[..];
    for row in bytes.chunks(pitch) {
        let left = |at: usize| at.checked_sub(PIXEL).map_or(0, |at| row[at]);
        let sub: Vec<u8> = row.iter().enumerate().map(|(at, byte)| byte.wrapping_sub(left(at))).collect();
        let up: Vec<u8> = row.iter().zip(above).map(|(byte, above)| byte.wrapping_sub(*above)).collect();
        let size = |row: &[u8]| -> u64 { row.iter().map(|byte| u64::from(byte.cast_signed().unsigned_abs())).sum() };
        let (filter, row_bytes) = if size(&sub) < size(&up) { (1, sub) } else { (2, up) };
        // Writing into memory does not fail.
        let _ = packed.write_all(&[filter]).and_then(|()| packed.write_all(&row_bytes));
        above = row;
    }
    packed.finish().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::{
        super::canvas::{Canvas, Colour},
        *,
    };

    /// Reads back what was written, with the checks that readers make.
    #[test]
    fn a_reader_gets_the_same_pixels() {
        let canvas = Canvas::new(9, Colour([0.1, 0.2, 0.3]), Colour([0.9, 0.1, 0.5]));
        let file = encode(&canvas);
        assert_eq!(file[..8], SIGNATURE);
        let (mut rest, mut data) = (&file[8..], Vec::new());
        while !rest.is_empty() {
            let len = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
            let mut crc = Crc::new();
            crc.update(&rest[4..8 + len]);
            assert_eq!(crc.sum().to_be_bytes(), rest[8 + len..12 + len]);
            if &rest[4..8] == b"IDAT" {
                data.extend_from_slice(&rest[8..8 + len]);
            }
            rest = &rest[12 + len..];
        }
        let mut rows = Vec::new();
        flate2::read::ZlibDecoder::new(&data[..]).read_to_end(&mut rows).unwrap();
        let pitch = 9 * PIXEL;
        let mut pixels: Vec<u8> = Vec::new();
        for row in rows.chunks(pitch + 1) {
            for at in 0..pitch {
                let before =
                    if row[0] == 1 { (at >= PIXEL).then_some(PIXEL) } else { (pixels.len() >= pitch).then_some(pitch) };
                let base = before.map_or(0, |back| pixels[pixels.len() - back]);
                pixels.push(row[1 + at].wrapping_add(base));
            }
        }
        assert_eq!(pixels, canvas.bytes());
    }
}
