//! What wallets and marketplaces show of an NFT, and who keeps it: options of every minting.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use provena_client::{
    asset::{Reach, check_uri},
    mint::{Hosting, Metadata, Picture},
    store::Store,
};

use crate::{
    failure::Failure,
    nft::{self, Portrait, Told},
    output::Output,
};

/// Options about what is shown.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What wallets and marketplaces show")]
pub(super) struct ShownArgs {
    /// The NFT's picture: a file, or an address on the web [default: one is drawn from the content's hash].
    #[arg(long, value_name = "FILE|URL")]
    image: Option<String>,
    /// A page about it.
    #[arg(long, value_name = "URL", default_value = "", hide_default_value = true)]
    external_url: String,
    /// A film, a sound or a page to show in place of the picture.
    #[arg(long, value_name = "URL", default_value = "", hide_default_value = true)]
    animation_url: String,
    /// A language that it knows (repeat for more).
    #[arg(long = "language", value_name = "LANGUAGE")]
    pub languages: Vec<String>,
    /// Something else that people should see (repeat for more).
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = attribute)]
    attributes: Vec<(String, String)>,
    /// You keep the document: it is written to a folder here, for you to put at this address.
    #[arg(long, value_name = "URL", conflicts_with = "host")]
    uri: Option<String>,
    /// This server keeps it, as http(s)://host/v1: a node that serves your store, or an object storage that takes PUT.
    #[arg(long, value_name = "URL")]
    host: Option<String>,
    /// It may lie in a folder of this machine, where nobody else can read it: for private chains.
    #[arg(long, env = "PROVENA_LOCAL", value_parser = clap::builder::FalseyValueParser::new())]
    local: bool,
}

fn attribute(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, value)| !name.trim().is_empty() && !value.trim().is_empty());
    let (name, value) = pair.ok_or_else(|| format!("`{text}` is no attribute; write NAME=VALUE"))?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

impl ShownArgs {
    /// The picture of an asset with this title and content. Drawing one takes a moment.
    ///
    /// # Errors
    /// The owner's is none.
    pub(super) fn picture(&self, title: &str, root: &[u8; 32], told: &Told) -> Result<Picture> {
        match &self.image {
            Some(image) => nft::open(image),
            None => Ok(nft::draw(&Portrait { motif: told.motif, title, figures: &told.figures, root })),
        }
    }

    /// What is shown of an asset with this picture.
    ///
    /// # Errors
    /// An address is none.
    pub(super) fn metadata(&self, picture: Picture, told: Told, output: &Output) -> Result<Metadata> {
        for (option, url) in [("--external-url", &self.external_url), ("--animation-url", &self.animation_url)] {
            if !url.is_empty() && check_uri(url)? == Reach::Local {
                return Err(Failure::usage(format!("{option}: nobody else can read a file:// address"))
                    .hint("write it like https://models.example/digits")
                    .into());
            }
        }
        let hosting = match (&self.uri, &self.host, self.local) {
            (Some(uri), ..) => {
                warn_unprotected(uri, output)?;
                Hosting::Owner(uri.clone())
            }
            (None, Some(host), _) => {
                Hosting::Host(Store::open(&[host]).context("--host names no server that keeps documents")?)
            }
            (None, None, true) => Hosting::Local,
            (None, None, false) => Hosting::Store,
        };
        let mut attributes = told.attributes;
        attributes.extend(self.attributes.iter().cloned());
        let (external_url, animation_url) = (self.external_url.clone(), self.animation_url.clone());
        Ok(Metadata { picture, external_url, animation_url, attributes, hosting })
    }
}

/// Remarks that plain HTTP can be changed on its way.
///
/// # Errors
/// It is no address of a document.
pub(crate) fn warn_unprotected(uri: &str, output: &Output) -> Result<()> {
    if check_uri(uri)? == Reach::Unprotected {
        output.note("http:// can be changed on its way, and many wallets do not show it; https:// is better.");
    }
    Ok(())
}

/// Writes document and picture where their owner finds them, and says where they belong.
pub(super) fn keep_for_owner(
    folder: &Path,
    metadata: &Metadata,
    document: &[u8],
    uri: &str,
    output: &Output,
) -> Result<()> {
    let name = uri.rsplit('/').next().filter(|name| name.ends_with(".json")).unwrap_or("document.json");
    let safe: String = name
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || letter == '.' || letter == '-' { letter } else { '-' })
        .collect();
    let safe = safe.trim_start_matches('.');
    let file = folder.join(safe);
    let cannot = || format!("the asset is minted, but its document was not written to {}", file.display());
    fs::create_dir_all(folder).with_context(cannot)?;
    fs::write(&file, document).with_context(cannot)?;
    output.note(&format!("Put this file at {uri}:\n  {}", file.display()));
    if metadata.picture.uri.is_none() {
        let picture = file.with_extension("png");
        fs::write(&picture, &metadata.picture.bytes).with_context(cannot)?;
        output.note(&format!("and this picture beside it:\n  {}", picture.display()));
    }
    Ok(())
}
