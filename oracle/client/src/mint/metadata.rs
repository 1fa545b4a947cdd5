//! The words of an NFT, as the chain has them.

use provena_registry::{MAX_NAME_LEN, MAX_SYMBOL_LEN, NftText};
use provena_wire::Untrusted;
use solana_pubkey::Pubkey;

use super::{MintError, error::unread};
use crate::chain::Chain;

/// The words of an NFT.
#[derive(Clone, Debug, Default)]
pub struct Text {
    /// Its name, up to 32 bytes.
    pub title: String,
    /// Its ticker, up to 10 bytes.
    pub symbol: String,
    /// A sentence about it.
    pub description: String,
    /// The licence's name or text.
    pub licence: String,
    /// What marketplaces that honour it pay to the pool on a resale.
    pub resale_bps: u16,
}

impl Text {
    /// Says what is too long before anything is sent.
    ///
    /// # Errors
    /// [`MintError::TextTooLong`] or [`MintError::Untitled`].
    pub fn check(&self) -> Result<(), MintError> {
        let limits = [("title", &self.title, MAX_NAME_LEN), ("symbol", &self.symbol, MAX_SYMBOL_LEN)];
        for (what, text, limit) in limits {
            if text.len() > limit {
                return Err(MintError::TextTooLong { what, text: text.clone(), limit });
            }
        }
        if self.title.is_empty() { Err(MintError::Untitled) } else { Ok(()) }
    }

    /// As the registry takes it.
    #[must_use]
    pub fn nft(&self, uri: &str) -> NftText {
        NftText {
            name: self.title.clone(),
            symbol: self.symbol.clone(),
            uri: uri.to_owned(),
            seller_fee_basis_points: self.resale_bps,
        }
    }
}

/// What an NFT's metadata account says; strangers chose all of it.
#[derive(Clone, Debug, Default)]
pub struct NftWords {
    /// Its name.
    pub name: Untrusted,
    /// Its ticker.
    pub symbol: Untrusted,
    /// Where its document is.
    pub uri: Untrusted,
}

/// The name in an NFT's metadata account, if there is one.
///
/// # Errors
/// A failure to read.
pub async fn name_of(chain: &dyn Chain, mint: &Pubkey) -> Result<Option<Untrusted>, MintError> {
    Ok(words_of(chain, mint).await?.map(|words| words.name))
}

/// The words in an NFT's metadata account, if there is one.
///
/// # Errors
/// A failure to read.
pub async fn words_of(chain: &dyn Chain, mint: &Pubkey) -> Result<Option<NftWords>, MintError> {
    // Key (1), update authority (32), mint (32), then the texts, each with its length (u32) and trailing zeros.
    const NAME: usize = 65;
    let account = chain.account(&provena_registry::pda::metadata(mint).0).await.map_err(unread("the NFT"))?;
    let words = account.and_then(|account| {
        let mut rest = account.data.get(NAME..)?;
        let name = text(&mut rest)?;
        Some(NftWords { name, symbol: text(&mut rest).unwrap_or_default(), uri: text(&mut rest).unwrap_or_default() })
    });
    Ok(words)
}

/// Takes a text with its length from the front.
fn text(rest: &mut &[u8]) -> Option<Untrusted> {
    let (len, behind) = rest.split_first_chunk::<4>()?;
    let (text, behind) = behind.split_at_checked(usize::try_from(u32::from_le_bytes(*len)).ok()?)?;
    *rest = behind;
    Some(Untrusted::from(String::from_utf8_lossy(text).trim_end_matches('\0')))
}
