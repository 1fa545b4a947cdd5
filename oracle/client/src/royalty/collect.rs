//! Resale royalties: what marketplaces paid to the pool as the NFT's creator.

use provena_royalty::{
    client::{self as royalty, Evidence},
    pda,
    state::Books,
};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::{
    Moved, RoyaltyError, admin,
    error::{unread, unsent},
    revenue::revenue,
};
use crate::{
    batch,
    chain::{Chain, accounts},
    token::{self, PaymentMint},
};

/// Books the resale royalties that wait in a pool's own accounts, in every payment mint that is allowed. Anybody may do
/// this; `payer` pays the fees, and the rent of books in a mint that the pool was not paid in before.
///
/// # Errors
/// [`RoyaltyError::NotSetUp`], [`RoyaltyError::Unsent`], or a failure to read. What was collected before stays collected.
pub async fn collect(chain: &dyn Chain, payer: &Keypair, pool: &Pubkey) -> Result<Vec<Moved>, RoyaltyError> {
    let before = revenue(chain, pool).await?;
    let mut groups = Vec::new();
    let mut waiting: Vec<(PaymentMint, u64)> =
        before.mints.iter().filter(|one| one.resale > 0).map(|one| (one.mint, one.resale)).collect();
    groups.extend(waiting.iter().map(|(mint, _)| vec![royalty::collect(pool, mint.means())]));
    for mint in admin(chain).await?.ok_or(RoyaltyError::NotSetUp)?.allowed() {
        if before.state.mints().contains(mint) {
            continue;
        }
        let mint = token::payment_mint(chain, mint).await?;
        let source = mint.account_of(pool);
        let account = chain.account(&source).await.map_err(unread("read the pool's token accounts"))?;
        let amount = account.as_ref().map_or(0, token::amount_of);
        let evidence = Evidence::Tokens(source);
        let open = royalty::open_books(&payer.pubkey(), &before.state.asset, mint.means(), evidence);
        if let (Some(open), true) = (open, amount > 0) {
            groups.push(vec![open, royalty::collect(pool, mint.means())]);
            waiting.push((mint, amount));
        }
    }
    let sent = batch::send_all(chain, &groups, &[payer]).await;
    let sent = sent.map_err(unsent("the resale royalties were not collected"))?;
    let mut moved = Vec::new();
    for ((mint, _), sent) in waiting.iter().zip(sent) {
        let address = pda::books(pool, &mint.address).0;
        let after: Books = accounts::fetch(chain, &address).await.map_err(unread("read the pool's books"))?;
        let old = before.mints.iter().find(|one| one.mint == *mint).map(|one| one.books.received).unwrap_or_default();
        let amount = after.received.minus(old).and_then(|booked| booked.amount()).unwrap_or_default().0;
        moved.push(Moved { pool: *pool, mint: mint.address, amount, signature: sent.signature });
    }
    Ok(moved)
}
