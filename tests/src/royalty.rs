//! Instructions and ready-made scenes of the royalty program.

use anchor_lang::{InstructionData, ToAccountMetas, prelude::Address};
use provena_royalty::{
    DEFAULT_TOTAL_SHARES, Holder, ID, INSTRUCTIONS_SYSVAR, TOKEN_METADATA_PROGRAM, TOKEN_PROGRAM, accounts,
    instruction, pda,
    state::{Pool, PoolMint, Position},
    upgrade,
};
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{
    tokens::Money,
    world::{World, keypair},
};

const SYSTEM_PROGRAM: Address = Address::new_from_array([0; 32]);

/// An instruction from Anchor's builders.
pub fn build(program: Address, accounts: &impl ToAccountMetas, data: &impl InstructionData) -> Instruction {
    Instruction { program_id: program, accounts: accounts.to_account_metas(None), data: data.data() }
}

/// `initialize_config`.
pub fn initialize_config(authority: &Address) -> Instruction {
    let accounts = accounts::InitializeConfig {
        authority: *authority,
        config: pda::config().0,
        program_data: upgrade::program_data(&ID),
        system_program: SYSTEM_PROGRAM,
    };
    build(ID, &accounts, &instruction::InitializeConfig {})
}

/// `allow_mint`.
pub fn allow_mint(authority: &Address, mint: &Address) -> Instruction {
    let accounts = accounts::AllowMint { authority: *authority, config: pda::config().0, mint: *mint };
    build(ID, &accounts, &instruction::AllowMint {})
}

/// `create_pool`.
pub fn create_pool(creator: &Address, asset: &Address, total_shares: u64, holders: &[(Address, u64)]) -> Instruction {
    let pool = pda::pool(asset).0;
    let accounts = accounts::CreatePool { creator: *creator, asset: *asset, pool, system_program: SYSTEM_PROGRAM };
    let data = instruction::CreatePool { total_shares, holders: to_holders(holders) };
    with_positions(build(ID, &accounts, &data), &pool, holders)
}

/// `add_holders`.
pub fn add_holders(creator: &Address, pool: &Address, holders: &[(Address, u64)]) -> Instruction {
    let accounts = accounts::AddHolders { creator: *creator, pool: *pool, system_program: SYSTEM_PROGRAM };
    let data = instruction::AddHolders { holders: to_holders(holders) };
    with_positions(build(ID, &accounts, &data), pool, holders)
}

fn to_holders(holders: &[(Address, u64)]) -> Vec<Holder> {
    holders.iter().map(|(holder, shares)| Holder { holder: *holder, shares: *shares }).collect()
}

fn with_positions(mut instruction: Instruction, pool: &Address, holders: &[(Address, u64)]) -> Instruction {
    let positions = holders.iter().map(|(holder, _)| pda::position(pool, holder).0);
    instruction.accounts.extend(positions.map(|position| AccountMeta::new(position, false)));
    instruction
}

/// `add_mint`.
pub fn add_mint(payer: &Address, pool: &Address, money: Money) -> Instruction {
    let mint = money.mint();
    let pool_mint = pda::pool_mint(pool, &mint).0;
    let accounts = accounts::AddMint {
        payer: *payer,
        config: pda::config().0,
        pool: *pool,
        mint,
        pool_mint,
        vault: vault(&pool_mint, money),
        token_program: token_program(money),
        system_program: SYSTEM_PROGRAM,
    };
    build(ID, &accounts, &instruction::AddMint {})
}

/// `deposit`.
pub fn deposit(payer: &Address, pool_mint: &Address, money: Money, amount: u64) -> Instruction {
    let accounts = accounts::Deposit {
        payer: *payer,
        pool_mint: *pool_mint,
        source: money.is_token().then(|| money.account_of(payer)),
        vault: vault(pool_mint, money),
        token_program: token_program(money),
        system_program: SYSTEM_PROGRAM,
    };
    build(ID, &accounts, &instruction::Deposit { amount })
}

/// `sync`.
pub fn sync(pool_mint: &Address, money: Money) -> Instruction {
    let accounts = accounts::Sync { pool_mint: *pool_mint, vault: vault(pool_mint, money) };
    build(ID, &accounts, &instruction::Sync {})
}

/// `claim` to where the holder keeps this money.
pub fn claim(holder: &Address, pool: &Address, money: Money) -> Instruction {
    let pool_mint = pda::pool_mint(pool, &money.mint()).0;
    let accounts = accounts::Claim {
        holder: *holder,
        position: pda::position(pool, holder).0,
        pool_mint,
        destination: money.account_of(holder),
        vault: vault(&pool_mint, money),
        token_program: token_program(money),
    };
    build(ID, &accounts, &instruction::Claim {})
}

/// `sweep` from a child's pool to a parent's.
pub fn sweep(child_pool: &Address, parent_pool: &Address, money: Money) -> Instruction {
    let child = pda::pool_mint(child_pool, &money.mint()).0;
    let parent = pda::pool_mint(parent_pool, &money.mint()).0;
    let accounts = accounts::Sweep {
        child,
        position: pda::position(child_pool, parent_pool).0,
        parent_pool: *parent_pool,
        parent,
        child_vault: vault(&child, money),
        parent_vault: vault(&parent, money),
        token_program: token_program(money),
    };
    build(ID, &accounts, &instruction::Sweep {})
}

/// `transfer_shares`, paid for by the holder, in a pool with these mints.
pub fn transfer_shares(
    holder: &Address,
    recipient: &Address,
    pool: &Address,
    shares: u64,
    mints: &[Money],
) -> Instruction {
    let accounts = accounts::TransferShares {
        holder: *holder,
        payer: *holder,
        pool: *pool,
        from: pda::position(pool, holder).0,
        recipient: *recipient,
        to: pda::position(pool, recipient).0,
        system_program: SYSTEM_PROGRAM,
    };
    let mut instruction = build(ID, &accounts, &instruction::TransferShares { shares });
    let pool_mints = mints.iter().map(|money| pda::pool_mint(pool, &money.mint()).0);
    instruction.accounts.extend(pool_mints.map(|address| AccountMeta::new_readonly(address, false)));
    instruction
}

/// `verify_creator`.
pub fn verify_creator(pool: &Address, metadata: &Address) -> Instruction {
    let accounts = accounts::VerifyCreator {
        pool: *pool,
        metadata: *metadata,
        token_metadata_program: TOKEN_METADATA_PROGRAM,
        instructions: INSTRUCTIONS_SYSVAR,
        system_program: SYSTEM_PROGRAM,
    };
    build(ID, &accounts, &instruction::VerifyCreator {})
}

/// The vault of a pool mint, if the money is a token.
pub fn vault(pool_mint: &Address, money: Money) -> Option<Address> {
    money.is_token().then(|| pda::vault(pool_mint).0)
}

fn token_program(money: Money) -> Option<Address> {
    money.is_token().then_some(TOKEN_PROGRAM)
}

/// Creates the configuration and allows the given money. Returns the authority.
pub fn configure(world: &mut World, money: &[Money]) -> Keypair {
    let authority = world.wallet("royalty authority");
    world.accept(&[initialize_config(&authority.pubkey())], &[&authority]);
    for money in money.iter().filter(|money| money.is_token()) {
        world.accept(&[allow_mint(&authority.pubkey(), &money.mint())], &[&authority]);
    }
    authority
}

/// A sealed pool in a world.
pub struct Scene {
    pub pool: Address,
    /// The key pair of the asset's mint.
    pub asset: Keypair,
    pub creator: Keypair,
    pub money: Vec<Money>,
}

impl Scene {
    /// A pool of [`DEFAULT_TOTAL_SHARES`] split among `holders`, ready to receive `money`. The configuration exists.
    pub fn new(world: &mut World, asset: &str, holders: &[(Address, u64)], money: &[Money]) -> Self {
        let creator = world.wallet("pool creator");
        let asset = keypair(asset);
        let create = create_pool(&creator.pubkey(), &asset.pubkey(), DEFAULT_TOTAL_SHARES, holders);
        world.accept(&[create], &[&creator, &asset]);
        let pool = pda::pool(&asset.pubkey()).0;
        for money in money {
            world.accept(&[add_mint(&creator.pubkey(), &pool, *money)], &[&creator]);
        }
        Self { pool, asset, creator, money: money.to_vec() }
    }

    /// The pool's account.
    pub fn state(&self, world: &World) -> Pool {
        world.state(&self.pool)
    }

    /// Address of the pool's account for some money.
    pub fn pool_mint_address(&self, money: Money) -> Address {
        pda::pool_mint(&self.pool, &money.mint()).0
    }

    /// The pool's account for some money.
    pub fn pool_mint(&self, world: &World, money: Money) -> PoolMint {
        world.state(&self.pool_mint_address(money))
    }

    /// A holder's position.
    pub fn position(&self, world: &World, holder: &Address) -> Position {
        world.state(&pda::position(&self.pool, holder).0)
    }

    /// What a holder could claim.
    pub fn owed(&self, world: &World, holder: &Address, money: Money) -> u64 {
        provena_royalty::view::owed(&self.pool_mint(world, money), &self.position(world, holder))
    }

    /// What the pool actually holds, rent not counted.
    pub fn holdings(&self, world: &World, money: Money) -> u64 {
        let address = self.pool_mint_address(money);
        match vault(&address, money) {
            Some(vault) => crate::tokens::token_balance(world, &vault),
            None => world.lamports(&address) - self.pool_mint(world, money).rent,
        }
    }

    /// Deposits from a wallet that is given the money for it.
    pub fn deposit(&self, world: &mut World, money: Money, amount: u64) {
        let payer = world.wallet("depositor");
        money.give(world, &payer.pubkey(), amount);
        let instruction = deposit(&payer.pubkey(), &self.pool_mint_address(money), money, amount);
        world.accept(&[instruction], &[&payer]);
    }
}
