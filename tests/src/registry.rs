//! Instructions and ready-made scenes of the registry program.

use anchor_lang::prelude::Address;
use provena_registry::{
    ASSOCIATED_TOKEN_PROGRAM, ID, INSTRUCTIONS_SYSVAR, NftText, TOKEN_METADATA_PROGRAM, TOKEN_PROGRAM, accounts,
    instruction, pda,
    state::{Asset, AssetKind, Licence},
};
use provena_royalty::DEFAULT_TOTAL_SHARES;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{
    royalty::{self, build},
    tokens::Money,
    world::{World, keypair},
};

/// A registration before it is sent; change its fields to make it wrong.
#[derive(Clone)]
pub struct Draft {
    pub kind: AssetKind,
    pub creator: Address,
    pub mint: Address,
    pub nft: NftText,
    pub content_root: [u8; 32],
    pub recipe_root: [u8; 32],
    pub licence: Licence,
    pub previous: Option<Address>,
    pub parent_bps: Vec<u16>,
    /// The accounts that follow for the parents.
    pub parent_accounts: Vec<AccountMeta>,
}

impl Draft {
    /// A valid registration without parents; the roots derive from the mint.
    pub fn new(kind: AssetKind, creator: &Address, mint: &Address) -> Self {
        let recipe_root = if kind == AssetKind::Model { [7; 32] } else { [0; 32] };
        let nft = NftText {
            name: "Handwritten digits".to_owned(),
            symbol: "PROVENA".to_owned(),
            uri: "https://example.org/assets/digits.json".to_owned(),
            seller_fee_basis_points: 500,
        };
        Self {
            kind,
            creator: *creator,
            mint: *mint,
            nft,
            content_root: mint.to_bytes(),
            recipe_root,
            licence: Licence { terms_hash: [9; 32], derivative_bps: 1_000, flags: 0 },
            previous: None,
            parent_bps: Vec::new(),
            parent_accounts: Vec::new(),
        }
    }

    /// Adds a parent and the accounts it needs while it asks for no consent.
    #[must_use]
    pub fn with_parent(mut self, parent: &Registered, bps: u16) -> Self {
        let pool = provena_royalty::pda::pool(&self.mint).0;
        let position = provena_royalty::pda::position(&pool, &parent.pool).0;
        self.parent_bps.push(bps);
        self.parent_accounts.push(AccountMeta::new_readonly(parent.asset, false));
        self.parent_accounts.push(AccountMeta::new_readonly(position, false));
        self
    }

    /// The accounts of the instruction.
    pub fn accounts(&self) -> accounts::Register {
        accounts::Register {
            creator: self.creator,
            mint: self.mint,
            asset: pda::asset(&self.mint).0,
            pool: provena_royalty::pda::pool(&self.mint).0,
            previous: self.previous,
            token_account: pda::token_account(&self.creator, &self.mint).0,
            metadata: pda::metadata(&self.mint).0,
            master_edition: pda::master_edition(&self.mint).0,
            royalty_program: provena_royalty::ID,
            token_metadata_program: TOKEN_METADATA_PROGRAM,
            associated_token_program: ASSOCIATED_TOKEN_PROGRAM,
            token_program: TOKEN_PROGRAM,
            instructions: INSTRUCTIONS_SYSVAR,
            system_program: Address::new_from_array([0; 32]),
        }
    }

    /// The instruction with other accounts than its own.
    pub fn instruction_with(&self, accounts: &accounts::Register) -> Instruction {
        let Self { nft, content_root, recipe_root, licence, parent_bps, .. } = self.clone();
        let mut built = match self.kind {
            AssetKind::Dataset => {
                build(ID, accounts, &instruction::RegisterDataset { nft, content_root, licence, parent_bps })
            }
            AssetKind::Model => {
                build(ID, accounts, &instruction::RegisterModel { nft, content_root, recipe_root, licence, parent_bps })
            }
        };
        built.accounts.extend(self.parent_accounts.iter().cloned());
        built
    }

    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        self.instruction_with(&self.accounts())
    }
}

/// An asset that is registered.
pub struct Registered {
    pub asset: Address,
    pub mint: Keypair,
    pub pool: Address,
    pub creator: Keypair,
}

impl Registered {
    /// The asset's account.
    pub fn state(&self, world: &World) -> Asset {
        world.state(&self.asset)
    }
}

/// A wallet and a mint of these names, with the pool of `holders` that a registration needs; the creator gets what shares
/// the holders leave.
pub fn prepare(
    world: &mut World,
    creator: &str,
    mint: &str,
    holders: &[(Address, u64)],
    money: &[Money],
) -> (Keypair, Keypair) {
    let creator = world.wallet(creator);
    let mint = keypair(mint);
    let rest = DEFAULT_TOTAL_SHARES - holders.iter().map(|(_, shares)| shares).sum::<u64>();
    let mut holders = holders.to_vec();
    if rest > 0 {
        holders.push((creator.pubkey(), rest));
    }
    let create = royalty::create_pool(&creator.pubkey(), &mint.pubkey(), DEFAULT_TOTAL_SHARES, &holders);
    world.accept(&[create], &[&creator, &mint]);
    let pool = provena_royalty::pda::pool(&mint.pubkey()).0;
    for money in money {
        world.accept(&[royalty::add_mint(&creator.pubkey(), &pool, *money)], &[&creator]);
    }
    (creator, mint)
}

/// Registers what a draft says.
pub fn register(world: &mut World, draft: &Draft, creator: Keypair, mint: Keypair) -> Registered {
    world.accept(&[draft.instruction()], &[&creator, &mint]);
    let pool = provena_royalty::pda::pool(&mint.pubkey()).0;
    Registered { asset: pda::asset(&mint.pubkey()).0, mint, pool, creator }
}

/// A registered dataset without parents, its pool ready for `money`. The royalty configuration exists.
pub fn dataset(world: &mut World, name: &str, holders: &[(Address, u64)], money: &[Money]) -> Registered {
    let (creator, mint) = prepare(world, "curator", name, holders, money);
    let draft = Draft::new(AssetKind::Dataset, &creator.pubkey(), &mint.pubkey());
    register(world, &draft, creator, mint)
}

/// A registered model whose parents hold, and were promised, these basis points of its pool.
pub fn model(world: &mut World, name: &str, parents: &[(&Registered, u16)], money: &[Money]) -> Registered {
    let shares = |bps: u16| u64::from(bps) * (DEFAULT_TOTAL_SHARES / 10_000);
    let holders: Vec<_> = parents.iter().map(|(parent, bps)| (parent.pool, shares(*bps))).collect();
    let (creator, mint) = prepare(world, "trainer", name, &holders, money);
    let mut draft = Draft::new(AssetKind::Model, &creator.pubkey(), &mint.pubkey());
    for (parent, bps) in parents {
        draft = draft.with_parent(parent, *bps);
    }
    register(world, &draft, creator, mint)
}
