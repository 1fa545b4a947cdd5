//! The owner's own picture.

use std::path::Path;

use anyhow::{Context as _, Result};
use provena_client::{
    asset::{Reach, check_uri},
    mint::Picture,
};

use crate::failure::Failure;

/// Largest picture; wallets show no larger ones.
const MOST: u64 = 10 << 20;

/// A picture by its file, or by its address on the web.
///
/// # Errors
/// It is no picture that wallets show, or cannot be read.
pub(crate) fn open(named: &str) -> Result<Picture> {
    if named.contains("://") {
        if check_uri(named)? == Reach::Local {
            return Err(Failure::usage("wallets cannot read a picture at a file:// address")
                .hint("name the file itself: --image picture.png")
                .into());
        }
        let media = by_name(named).unwrap_or("image/png").to_owned();
        return Ok(Picture { bytes: Vec::new(), media, uri: Some(named.to_owned()) });
    }
    let file = Path::new(named);
    let cannot = || format!("cannot read the picture {}", file.display());
    let len = std::fs::metadata(file).with_context(cannot)?.len();
    if len > MOST {
        return Err(Failure::usage(format!("the picture {} has {} MB", file.display(), len >> 20))
            .hint("wallets show at most 10 MB; make it smaller")
            .into());
    }
    let bytes = std::fs::read(file).with_context(cannot)?;
    let media = by_content(&bytes).ok_or_else(|| {
        Failure::usage(format!("{} is no picture that wallets show", file.display()))
            .hint("give a PNG, JPEG, GIF or WebP file")
    })?;
    Ok(Picture { bytes, media: media.into(), uri: None })
}

fn by_content(bytes: &[u8]) -> Option<&'static str> {
    let begins = |with: &[u8]| bytes.starts_with(with);
    match () {
        () if begins(b"\x89PNG\r\n\x1a\n") => Some("image/png"),
        () if begins(b"\xff\xd8\xff") => Some("image/jpeg"),
        () if begins(b"GIF8") => Some("image/gif"),
        () if begins(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") => Some("image/webp"),
        () => None,
    }
}

fn by_name(uri: &str) -> Option<&'static str> {
    let path = uri.split(['?', '#']).next()?.to_ascii_lowercase();
    let types = [
        (".png", "image/png"),
        (".jpg", "image/jpeg"),
        (".jpeg", "image/jpeg"),
        (".gif", "image/gif"),
        (".webp", "image/webp"),
        (".svg", "image/svg+xml"),
    ];
    types.iter().find(|(ending, _)| path.ends_with(ending)).map(|(_, media)| *media)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_what_is_in_them() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("picture.png");
        let named = file.to_str().unwrap();
        std::fs::write(&file, b"\xff\xd8\xff\xe0").unwrap();
        assert_eq!(open(named).unwrap().media, "image/jpeg");
        std::fs::write(&file, b"<html>").unwrap();
        assert!(open(named).unwrap_err().to_string().contains("is no picture"));
        assert!(open("file:///tmp/a.png").is_err() && open("nowhere.png").is_err());
        assert_eq!(open("https://a.example/b.webp?x=1").unwrap().media, "image/webp");
    }
}
