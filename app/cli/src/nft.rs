//! What wallets and marketplaces show of an asset: its picture, and what it is in figures and words.

mod canvas;
mod card;
mod letters;
mod painting;
mod picture_file;
mod png;

use provena_client::mint::Picture;

pub(crate) use card::{Told, of_dataset, of_model};
pub(crate) use painting::{Motif, Portrait};
pub(crate) use picture_file::open;

/// The picture of an asset, drawn from what it is: the same on every machine.
pub(crate) fn draw(portrait: &Portrait<'_>) -> Picture {
    Picture { bytes: png::encode(&painting::paint(portrait)), media: "image/png".into(), uri: None }
}
