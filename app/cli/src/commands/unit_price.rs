//! Amounts per unit of use, as people type them: `SOL=0.00001` or `MINT=0.25`.

use std::str::FromStr;

use anyhow::Result;
use provena_client::{amount::Amount, chain::Chain, token};
use provena_registry::{Price, state::Floor};
use solana_pubkey::Pubkey;

use crate::failure::Failure;

/// An amount of a mint whose decimals are not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UnitPrice {
    /// SOL or a token's mint.
    mint: Pubkey,
    /// Digits.
    amount: String,
}

impl FromStr for UnitPrice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || format!("`{text}` is not an amount of a mint; write SOL=0.00001 or MINT=0.25");
        let (mint, amount) = text.split_once('=').ok_or_else(form)?;
        Ok(Self { mint: token::parse(mint)?, amount: amount.to_owned() })
    }
}

impl UnitPrice {
    /// In base units, as a floor.
    ///
    /// # Errors
    /// No such mint, or no exact amount of it above zero.
    pub(super) async fn floor(&self, chain: &dyn Chain) -> Result<Floor> {
        Ok(Floor {
            mint: self.mint,
            per_unit: self.base(chain, "a royalty of nothing per unit asks for nothing").await?,
        })
    }

    /// In base units, as the price of a licence.
    ///
    /// # Errors
    /// As for [`UnitPrice::floor`].
    pub(super) async fn price(&self, chain: &dyn Chain) -> Result<Price> {
        Ok(Price { mint: self.mint, amount: self.base(chain, "a price of nothing asks for nothing").await? })
    }

    async fn base(&self, chain: &dyn Chain, nothing: &'static str) -> Result<u64> {
        let currency = token::currency(chain, &self.mint).await?;
        let amount =
            Amount::parse(&self.amount, currency.decimals).map_err(|error| Failure::usage(error.to_string()))?;
        if amount.base == 0 {
            return Err(Failure::usage(nothing).hint("leave it out").into());
        }
        Ok(amount.base)
    }
}

/// Several of them.
///
/// # Errors
/// As for [`UnitPrice::floor`].
pub(super) async fn floors(chain: &dyn Chain, prices: &[UnitPrice]) -> Result<Vec<Floor>> {
    let mut floors: Vec<Floor> = Vec::new();
    for price in prices {
        let floor = price.floor(chain).await?;
        if floors.iter().any(|earlier| earlier.mint == floor.mint) {
            let twice = format!("{} is named twice", token::name(&floor.mint));
            return Err(Failure::usage(twice).hint("give each mint one royalty per unit").into());
        }
        floors.push(floor);
    }
    Ok(floors)
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn an_amount_names_its_mint() {
        let sol = UnitPrice { mint: Pubkey::default(), amount: "0.5".into() };
        assert_eq!("sol=0.5".parse(), Ok(sol));
        for wrong in ["0.5", "=1", "nothing=1"] {
            assert!(wrong.parse::<UnitPrice>().is_err(), "{wrong}");
        }
    }
}
