//! The options that say what an asset was made from.

use std::{path::PathBuf, str::FromStr};

use anyhow::Result;
use provena_client::{chain::Chain, keys, mint::ParentPlan, share::Share, token};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer as _;

use crate::failure::Failure;

/// Parents, their licences, and who consents.
#[derive(Debug, clap::Args)]
pub(super) struct ParentArgs {
    /// An asset that this one builds on, and its share of all revenue (repeat for more).
    #[arg(long = "parent", value_name = "ASSET=SHARE%")]
    parents: Vec<Share>,
    /// The number of the parent's licence to build under [default: of those that cost nothing and whose share is met, one
    /// that needs no consent, then one that binds this asset alone, then the lowest floors, then the lowest number].
    #[arg(long = "under", value_name = "ASSET=NUMBER", requires = "parents")]
    under: Vec<Under>,
    /// The key file of a parent's owner who consents (only where the parent's licence asks for it).
    #[arg(long = "consent", value_name = "FILE", requires = "parents")]
    consents: Vec<PathBuf>,
}

/// A parent and the number of its licence, as `ASSET=NUMBER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Under {
    parent: Pubkey,
    licence: u32,
}

impl FromStr for Under {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (parent, licence) = text.split_once('=')?;
            Some(Self { parent: parent.parse().ok()?, licence: licence.parse().ok()? })
        };
        parse().ok_or_else(|| format!("`{text}` names no licence; write ASSET=1"))
    }
}

impl ParentArgs {
    /// The parents.
    ///
    /// # Errors
    /// A licence of what is no parent.
    pub(super) fn plans(&self) -> Result<Vec<ParentPlan>> {
        if let Some(stray) = self.under.iter().find(|under| !self.parents.iter().any(|p| p.address == under.parent)) {
            return Err(Failure::usage(format!("--under names {}, which is no --parent", stray.parent)).into());
        }
        let plan = |share: &Share| ParentPlan {
            share: *share,
            licence: self.under.iter().find(|under| under.parent == share.address).map(|under| under.licence),
        };
        Ok(self.parents.iter().map(plan).collect())
    }

    /// The keys of those who consent.
    ///
    /// # Errors
    /// A file cannot be read, or its key owns none of the parents.
    pub(super) async fn consents(&self, chain: &dyn Chain) -> Result<Vec<Keypair>> {
        let consents: Vec<Keypair> = self.consents.iter().map(|file| keys::read(file)).collect::<Result<_, _>>()?;
        check_consents(chain, &consents, &self.consents, &self.parents).await?;
        Ok(consents)
    }
}

/// Checks that each key which is to consent owns a parent: a key that is not needed is a mistake in the command line.
async fn check_consents(chain: &dyn Chain, keys: &[Keypair], files: &[PathBuf], parents: &[Share]) -> Result<()> {
    for (key, file) in keys.iter().zip(files) {
        let wallet = key.pubkey();
        let mut owns = false;
        for parent in parents {
            owns |= token::nft_account(chain, &wallet, &parent.address).await?.is_some();
        }
        if !owns {
            return Err(Failure::usage(format!("--consent {}: {wallet} owns none of the parents", file.display()))
                .hint("provena asset show PARENT   tells who owns it")
                .into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_licence_is_named_by_its_number() {
        let parent = Pubkey::new_from_array([3; 32]);
        assert_eq!(format!("{parent}=7").parse(), Ok(Under { parent, licence: 7 }));
        assert!(format!("{parent}=x").parse::<Under>().is_err_and(|why| why.contains("write ASSET=1")));
    }
}
