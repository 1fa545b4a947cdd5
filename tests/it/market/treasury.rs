//! `open_treasury_inbox`, `sweep_treasury`, `close_treasury_inbox`.

use anchor_lang::prelude::Address;
use provena_common::{
    error::CommonError,
    token::{TOKEN_2022_PROGRAM, TOKEN_PROGRAM},
};
use provena_market::{
    client::{self, Currency},
    error::MarketError,
    pda,
    state::TreasuryInbox,
};
use provena_tests::{
    World,
    market::configure,
    registry::decode,
    tokens::{
        Extension, Money, TransferFee, donate_tokens, put_token_account, set_frozen, set_token_owner, token_balance,
    },
    world::keypair,
};
use solana_instruction::Instruction;
use solana_instruction_error::InstructionError;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// Rent of an inbox of 184 bytes.
const RENT: u64 = 2_171_520;

/// A market whose treasury has inbox 0 in some money, opened by "opener".
struct Stage {
    world: World,
    money: Money,
    treasury: Address,
    opener: Keypair,
}

impl Stage {
    /// Without the inbox.
    fn before(money: impl FnOnce(&mut World) -> Money) -> Self {
        let mut world = World::new();
        let treasury = configure(&mut world);
        let money = money(&mut world);
        if money.is_token() {
            money.give(&mut world, &treasury, 0);
        }
        let opener = world.wallet("opener");
        Self { world, money, treasury, opener }
    }

    fn new(money: impl FnOnce(&mut World) -> Money) -> Self {
        let mut stage = Self::before(money);
        let open = stage.open(0);
        stage.world.accept(&[open], &[&stage.opener]);
        stage
    }

    fn sol() -> Self {
        Self::new(|_| Money::Sol)
    }

    fn token() -> Self {
        Self::new(|world| Money::token(world, "dollar"))
    }

    fn all() -> [Self; 3] {
        [Self::sol(), Self::token(), Self::new(|world| Money::token_2022(world, "new dollar", &[]))]
    }

    fn currency(&self) -> Currency {
        self.money.currency()
    }

    fn open(&self, shard: u8) -> Instruction {
        client::open_treasury_inbox(self.opener.pubkey(), self.currency(), shard)
    }

    fn sweep(&self) -> Instruction {
        client::sweep_treasury(self.treasury, self.currency(), 0)
    }

    fn close(&self) -> Instruction {
        client::close_treasury_inbox(self.opener.pubkey(), self.currency(), 0)
    }

    fn inbox(&self) -> Address {
        pda::treasury_inbox(&self.money.mint(), 0).0
    }

    fn vault(&self) -> Address {
        pda::treasury_vault(&self.inbox()).0
    }

    /// Puts money where jobs would.
    fn pay_in(&mut self, amount: u64) {
        let (inbox, vault) = (self.inbox(), self.vault());
        match self.money {
            Money::Sol => self.world.add_lamports(&inbox, amount),
            _ => donate_tokens(&mut self.world, &vault, amount),
        }
    }

    fn treasury_has(&self) -> u64 {
        self.money.balance(&self.world, &self.treasury)
    }
}

#[test]
fn anybody_opens_inboxes_in_any_money() {
    for stage in Stage::all() {
        let inbox: TreasuryInbox = decode(&stage.world, &stage.inbox());
        assert_eq!((inbox.mint, inbox.shard, inbox.rent_payer), (stage.money.mint(), 0, stage.opener.pubkey()));
        assert_eq!((inbox.rent, stage.world.lamports(&stage.inbox())), (RENT, 2_171_520));
        if let Currency::Token { mint, program } = stage.currency() {
            let vault = stage.world.account(&stage.vault()).expect("the vault exists");
            assert_eq!((inbox.vault, vault.owner, vault.data.len()), (stage.vault(), program, 165));
            assert_eq!(vault.data[..32], mint.to_bytes());
            assert_eq!(vault.data[32..64], stage.inbox().to_bytes(), "the inbox owns the vault");
        } else {
            assert_eq!(inbox.vault, Address::default());
        }
    }
}

#[test]
fn inboxes_open_in_any_order_up_to_number_127() {
    let mut stage = Stage::token();
    for shard in [127, 1] {
        let open = stage.open(shard);
        stage.world.accept(&[open], &[&stage.opener]);
    }
    for shard in [128, 255] {
        let open = stage.open(shard);
        stage.world.refuses(&[open], &[&stage.opener], MarketError::ShardOutOfRange);
    }
    let again = stage.open(0);
    stage.world.refuses(&[again], &[&stage.opener], 0);
}

#[test]
fn open_treasury_inbox_rejects_another_address() {
    let mut stage = Stage::before(|world| Money::token(world, "dollar"));
    for (place, address) in [(1, pda::treasury_inbox(&stage.money.mint(), 1).0), (2, keypair("elsewhere").pubkey())] {
        let mut open = stage.open(0);
        open.accounts[place].pubkey = address;
        stage.world.refuses(&[open], &[&stage.opener], CommonError::WrongPda);
    }
}

#[test]
fn open_treasury_inbox_rejects_what_is_no_sound_mint() {
    for (extension, error) in [
        (Extension::PermanentDelegate(true), CommonError::MintHasPermanentDelegate),
        (Extension::TransferHook(Some(provena_market::ID)), CommonError::MintHasTransferHook),
        (Extension::NonTransferable, CommonError::MintNotTransferable),
        (Extension::CloseAuthority(true), CommonError::MintHasCloseAuthority),
        (Extension::DefaultFrozen(true), CommonError::MintFreezesByDefault),
        (Extension::Pausable, CommonError::MintExtensionNotAllowed),
    ] {
        let mut stage = Stage::before(|world| Money::token_2022(world, "odd dollar", &[extension]));
        let open = stage.open(0);
        stage.world.refuses(&[open], &[&stage.opener], error);
    }
    // A token account in the place of a mint, the other program, and no program at all.
    let mut stage = Stage::before(|world| Money::token(world, "dollar"));
    let account = stage.money.account_of(&stage.treasury);
    let mint = stage.money.mint();
    let currencies = [
        (account, TOKEN_PROGRAM, CommonError::UnsupportedMint),
        (mint, TOKEN_2022_PROGRAM, CommonError::WrongTokenProgram),
        (mint, provena_registry::ID, CommonError::WrongTokenProgram),
    ];
    for (mint, program, error) in currencies {
        let open = client::open_treasury_inbox(stage.opener.pubkey(), Currency::Token { mint, program }, 0);
        stage.world.refuses(&[open], &[&stage.opener], error);
    }
}

#[test]
fn open_treasury_inbox_rejects_a_token_without_its_accounts() {
    let mut stage = Stage::before(|world| Money::token(world, "dollar"));
    for place in [2, 4] {
        let mut open = stage.open(0);
        // Anchor reads the program's own address as an absent optional account.
        open.accounts[place].pubkey = provena_market::ID;
        open.accounts[place].is_writable = false;
        stage.world.refuses(&[open], &[&stage.opener], CommonError::MissingTokenAccount);
    }
}

#[test]
fn lamports_sent_to_the_addresses_before_do_not_keep_an_inbox_from_opening() {
    let mut stage = Stage::before(|world| Money::token(world, "dollar"));
    let (inbox, vault) = (stage.inbox(), stage.vault());
    stage.world.add_lamports(&inbox, 9_000_000);
    stage.world.add_lamports(&vault, 1);
    let open = stage.open(0);
    stage.world.accept(&[open], &[&stage.opener]);
    assert_eq!((stage.world.lamports(&inbox), stage.world.lamports(&vault)), (9_000_000, 2_039_280));
    // What lies above the rent is the treasury's.
    let before = stage.world.lamports(&stage.treasury);
    let sweep = stage.sweep();
    stage.world.accept(&[sweep], &[]);
    assert_eq!(stage.world.lamports(&stage.treasury), before + 6_828_480);
    assert_eq!(stage.world.lamports(&inbox), 2_171_520);
}

#[test]
fn anybody_sweeps_everything_to_the_treasury() {
    for mut stage in Stage::all() {
        let before = stage.treasury_has();
        stage.pay_in(123_456_789);
        let sweep = stage.sweep();
        stage.world.accept(std::slice::from_ref(&sweep), &[]);
        assert_eq!(stage.treasury_has(), before + 123_456_789);
        assert_eq!(stage.world.lamports(&stage.inbox()), 2_171_520);
        // Nothing left is no error.
        stage.world.changes_nothing(&[sweep], &[]);
    }
}

#[test]
fn a_mints_fee_is_taken_on_the_way_to_the_treasury() {
    let fee = Extension::TransferFee(TransferFee { bps: 100, most: 1_000_000 });
    let mut stage = Stage::new(|world| Money::token_2022(world, "taxed dollar", &[fee]));
    let vault = stage.world.account(&stage.vault()).expect("the vault exists");
    assert_eq!(vault.data.len(), 178);
    stage.pay_in(10_000);
    let sweep = stage.sweep();
    stage.world.accept(&[sweep], &[]);
    assert_eq!((stage.treasury_has(), token_balance(&stage.world, &stage.vault())), (9_900, 0));
}

#[test]
fn sweep_treasury_rejects_another_receiver() {
    for mut stage in Stage::all() {
        stage.pay_in(1_000);
        let mallory = stage.world.wallet("mallory").pubkey();
        if stage.money.is_token() {
            stage.money.give(&mut stage.world, &mallory, 0);
        }
        let mut sweep = stage.sweep();
        sweep.accounts[2].pubkey = mallory;
        stage.world.refuses(&[sweep], &[], MarketError::WrongTreasury);
        if stage.money.is_token() {
            let mut sweep = stage.sweep();
            sweep.accounts[4].pubkey = stage.money.account_of(&mallory);
            stage.world.refuses(&[sweep], &[], MarketError::WrongTreasury);
        }
    }
}

#[test]
fn sweep_treasury_rejects_a_token_account_that_is_not_the_treasurys_associated_one() {
    let mut stage = Stage::token();
    stage.pay_in(1_000);
    let (own, mint) = (keypair("another of the treasury").pubkey(), stage.money.mint());
    put_token_account(&mut stage.world, &own, &mint, &stage.treasury, 0);
    let mut sweep = stage.sweep();
    sweep.accounts[4].pubkey = own;
    stage.world.refuses(&[sweep], &[], MarketError::WrongTreasury);
    // The associated account, given away by its owner.
    let associated = stage.money.account_of(&stage.treasury);
    set_token_owner(&mut stage.world, &associated, &keypair("mallory").pubkey());
    let sweep = stage.sweep();
    stage.world.refuses(&[sweep], &[], CommonError::WrongTokenAccount);
}

#[test]
fn sweep_treasury_rejects_other_accounts_of_the_token() {
    let mut stage = Stage::token();
    let other = Money::token(&mut stage.world, "euro");
    let open = client::open_treasury_inbox(stage.opener.pubkey(), other.currency(), 0);
    stage.world.accept(&[open], &[&stage.opener]);
    let other_vault = pda::treasury_vault(&pda::treasury_inbox(&other.mint(), 0).0).0;
    for (place, address, error) in [
        (3, other_vault, CommonError::WrongTokenAccount),
        (5, other.mint(), CommonError::WrongMint),
        (6, TOKEN_2022_PROGRAM, CommonError::WrongTokenProgram),
    ] {
        let mut sweep = stage.sweep();
        sweep.accounts[place].pubkey = address;
        stage.world.refuses(&[sweep], &[], error);
    }
    for place in [3, 4, 5, 6] {
        let mut sweep = stage.sweep();
        sweep.accounts[place].pubkey = provena_market::ID;
        sweep.accounts[place].is_writable = false;
        stage.world.refuses(&[sweep], &[], CommonError::MissingTokenAccount);
    }
}

#[test]
fn sweep_treasury_rejects_forged_inboxes() {
    let mut stage = Stage::sol();
    let (foreign, typed) = (keypair("foreign").pubkey(), keypair("typed").pubkey());
    let genuine = stage.inbox();
    stage.world.forge(&genuine, &foreign, Some(provena_registry::ID));
    stage.world.forge(&pda::admin().0, &typed, None);
    for (address, error) in [(foreign, InstructionError::IllegalOwner), (typed, InstructionError::InvalidAccountData)] {
        let mut sweep = stage.sweep();
        sweep.accounts[1].pubkey = address;
        stage.world.refuses(&[sweep], &[], error);
    }
}

#[test]
fn a_frozen_vault_keeps_nobody_from_another_inbox() {
    let mut stage = Stage::token();
    let open = stage.open(1);
    stage.world.accept(&[open], &[&stage.opener]);
    let (first, second) = (stage.vault(), pda::treasury_vault(&pda::treasury_inbox(&stage.money.mint(), 1).0).0);
    donate_tokens(&mut stage.world, &first, 5);
    donate_tokens(&mut stage.world, &second, 7);
    set_frozen(&mut stage.world, &first, true);
    let sweep = stage.sweep();
    // The token program's error for a frozen account.
    stage.world.refuses(&[sweep], &[], 17);
    stage.world.accept(&[client::sweep_treasury(stage.treasury, stage.currency(), 1)], &[]);
    assert_eq!(stage.treasury_has(), 7);
}

#[test]
fn sweeping_follows_the_treasury_to_a_new_wallet() {
    let mut stage = Stage::sol();
    stage.pay_in(500);
    let (authority, new) = (keypair("market authority"), stage.world.wallet("new treasury").pubkey());
    stage.world.accept(&[client::set_treasury(authority.pubkey(), new)], &[&authority]);
    let old = stage.sweep();
    stage.world.refuses(&[old], &[], MarketError::WrongTreasury);
    let before = stage.world.lamports(&new);
    stage.world.accept(&[client::sweep_treasury(new, Currency::Sol, 0)], &[]);
    assert_eq!(stage.world.lamports(&new), before + 500);
}

#[test]
fn l6_the_rent_of_an_inbox_comes_back() {
    for mut stage in Stage::all() {
        stage.pay_in(77);
        let (before, close) = (stage.world.lamports(&stage.opener.pubkey()), stage.close());
        stage.world.refuses(std::slice::from_ref(&close), &[&stage.opener], MarketError::NotEmpty);
        let sweep = stage.sweep();
        stage.world.accept(&[sweep, close], &[&stage.opener]);
        let vault_rent = if stage.money.is_token() { 2_039_280 } else { 0 };
        assert_eq!(stage.world.lamports(&stage.opener.pubkey()), before + 2_171_520 + vault_rent);
        assert_eq!((stage.world.account(&stage.inbox()), stage.world.account(&stage.vault())), (None, None));
        // And it can be opened again, by anybody.
        let open = stage.open(0);
        stage.world.accept(&[open], &[&stage.opener]);
    }
}

#[test]
fn close_treasury_inbox_rejects_anybody_but_who_paid() {
    let mut stage = Stage::sol();
    let mallory = stage.world.wallet("mallory");
    let close = client::close_treasury_inbox(mallory.pubkey(), Currency::Sol, 0);
    stage.world.refuses(&[close], &[&mallory], MarketError::NotRentPayer);
    let mut unsigned = stage.close();
    unsigned.accounts[0].is_signer = false;
    stage.world.refuses(&[unsigned], &[], InstructionError::MissingRequiredSignature);
}
