//! What others than the registry can do to an NFT, with the real Token Metadata: nothing, but that its holder may burn
//! it.

use anchor_lang::prelude::Address;
use mpl_token_metadata::{
    accounts::{MasterEdition, Metadata},
    instructions::{
        ApproveCollectionAuthority, ApproveUseAuthority, ApproveUseAuthorityInstructionArgs, BurnV1,
        BurnV1InstructionArgs, DelegateCollectionV1, DelegateCollectionV1InstructionArgs, DelegateDataV1,
        DelegateDataV1InstructionArgs, PuffMetadata, RemoveCreatorVerification, Resize, SetTokenStandard, SignMetadata,
        UnverifyCreatorV1, UpdateMetadataAccountV2, UpdateMetadataAccountV2InstructionArgs,
        UpdatePrimarySaleHappenedViaToken, UpdateV1, UpdateV1InstructionArgs, Utilize, UtilizeInstructionArgs,
    },
    types::{
        Collection, CollectionDetailsToggle, CollectionToggle, Creator, Data, DataV2, RuleSetToggle, TokenStandard,
        UseMethod, Uses, UsesToggle,
    },
};
use provena_common::error::CommonError;
use provena_registry::{ASSOCIATED_TOKEN_PROGRAM, INSTRUCTIONS_SYSVAR, TOKEN_PROGRAM, client, pda};
use provena_tests::{
    World,
    registry::{Registered, dataset, world},
    tokens::token_balance,
    world::{RENT_SYSVAR, keypair},
};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

const SYSTEM_PROGRAM: Address = Address::new_from_array([0; 32]);

/// Token Metadata's errors.
mod refusal {
    pub(super) const UPDATE_AUTHORITY_INCORRECT: u32 = 7;
    pub(super) const UPDATE_AUTHORITY_IS_NOT_SIGNER: u32 = 8;
    pub(super) const CREATOR_NOT_FOUND: u32 = 40;
    pub(super) const OWNER_MISMATCH: u32 = 43;
    pub(super) const UNUSABLE: u32 = 85;
    /// What a holder may not update by his token.
    pub(super) const FEATURE_NOT_SUPPORTED: u32 = 145;
    pub(super) const MISSING_TOKEN_ACCOUNT: u32 = 148;
    /// What a stranger may not update.
    pub(super) const INVALID_AUTHORITY_TYPE: u32 = 158;
    pub(super) const ACCOUNT_ALREADY_RESIZED: u32 = 201;
}

/// A dataset's NFT, held by its creator, and a stranger.
struct Stage {
    world: World,
    digits: Registered,
    stranger: Keypair,
    mint: Address,
    metadata: Address,
    edition: Address,
    /// The holder's token account.
    token: Address,
}

impl Stage {
    fn new() -> Self {
        let mut world = world();
        let digits = dataset(&mut world, "digits", &[]);
        let stranger = world.wallet("stranger");
        let mint = digits.mint.pubkey();
        let (metadata, edition, token) = (pda::metadata(&mint).0, pda::master_edition(&mint).0, digits.nft());
        Self { world, digits, stranger, mint, metadata, edition, token }
    }

    fn read(&self) -> Metadata {
        let account = self.world.account(&self.metadata).expect("the metadata exists");
        Metadata::safe_deserialize(&account.data).expect("it is metadata")
    }

    /// What `build` builds for a signer is refused to the holder and to a stranger.
    #[track_caller]
    fn refused(&mut self, build: impl Fn(&Self, Address) -> Instruction, to_holder: u32, to_stranger: u32) {
        let holder = build(self, self.digits.creator.pubkey());
        self.world.refuses(&[holder], &[&self.digits.creator], to_holder);
        let stranger = build(self, self.stranger.pubkey());
        self.world.refuses(&[stranger], &[&self.stranger], to_stranger);
    }

    /// `UpdateMetadataAccountV2`.
    fn update(&self, by: Address, args: UpdateMetadataAccountV2InstructionArgs) -> Instruction {
        UpdateMetadataAccountV2 { metadata: self.metadata, update_authority: by }.instruction(args)
    }

    /// `Update`.
    fn update_v1(&self, by: Address, args: UpdateV1InstructionArgs) -> Instruction {
        let accounts = UpdateV1 {
            authority: by,
            delegate_record: None,
            token: Some(self.token),
            mint: self.mint,
            metadata: self.metadata,
            edition: Some(self.edition),
            payer: by,
            system_program: SYSTEM_PROGRAM,
            sysvar_instructions: INSTRUCTIONS_SYSVAR,
            authorization_rules_program: None,
            authorization_rules: None,
        };
        accounts.instruction(args)
    }
}

fn no_update() -> UpdateMetadataAccountV2InstructionArgs {
    UpdateMetadataAccountV2InstructionArgs {
        data: None,
        new_update_authority: None,
        primary_sale_happened: None,
        is_mutable: None,
    }
}

fn no_update_v1() -> UpdateV1InstructionArgs {
    UpdateV1InstructionArgs {
        new_update_authority: None,
        data: None,
        primary_sale_happened: None,
        is_mutable: None,
        collection: CollectionToggle::None,
        collection_details: CollectionDetailsToggle::None,
        uses: UsesToggle::None,
        rule_set: RuleSetToggle::None,
        authorization_data: None,
    }
}

/// The pool replaced by a thief.
fn stolen(thief: Address) -> DataV2 {
    DataV2 {
        name: "Stolen".to_owned(),
        symbol: String::new(),
        uri: String::new(),
        seller_fee_basis_points: 0,
        creators: Some(vec![Creator { address: thief, verified: false, share: 100 }]),
        collection: None,
        uses: None,
    }
}

#[test]
fn the_nft_names_the_pool_as_its_verified_creator_and_the_asset_as_its_update_authority() {
    let stage = Stage::new();
    let metadata = stage.read();
    assert_eq!(metadata.update_authority.to_bytes(), stage.digits.asset.to_bytes());
    assert_eq!(metadata.name.trim_end_matches('\0'), "Handwritten digits");
    assert_eq!(metadata.symbol.trim_end_matches('\0'), "PROVENA");
    assert_eq!(metadata.uri.trim_end_matches('\0'), "https://example.org/assets/digits.json");
    assert_eq!(metadata.seller_fee_basis_points, 500);
    assert!(metadata.is_mutable, "the URI can change");
    assert!(metadata.primary_sale_happened, "every sale is a resale");
    assert_eq!(metadata.token_standard, Some(TokenStandard::NonFungible));
    assert_eq!((metadata.collection, metadata.uses, metadata.programmable_config), (None, None, None));
    let creators = metadata.creators.expect("there are creators");
    assert_eq!(creators.len(), 1);
    assert_eq!(creators[0].address.to_bytes(), stage.digits.pool.to_bytes());
    assert!(creators[0].verified);
    assert_eq!(creators[0].share, 100);
}

#[test]
fn the_nft_is_one_of_a_kind() {
    let stage = Stage::new();
    assert_eq!(token_balance(&stage.world, &stage.token), 1);
    let edition = stage.world.account(&stage.edition).expect("the master edition exists");
    let edition = MasterEdition::safe_deserialize(&edition.data).expect("it is a master edition");
    assert_eq!(edition.max_supply, Some(0));
    let account = stage.world.account(&stage.mint).expect("the mint exists");
    assert_eq!(account.data[36..44], 1u64.to_le_bytes(), "the supply is one");
    assert_eq!(account.data[44], 0, "and indivisible");
    assert_eq!(account.data[4..36], stage.edition.to_bytes(), "nobody can mint more");
    assert_eq!(account.data[50..82], stage.edition.to_bytes(), "nobody can freeze it");
}

#[test]
fn nobody_but_the_asset_updates_the_metadata() {
    use refusal::UPDATE_AUTHORITY_INCORRECT as INCORRECT;
    let mut stage = Stage::new();
    let updates: [fn(Address) -> UpdateMetadataAccountV2InstructionArgs; 4] = [
        |by| UpdateMetadataAccountV2InstructionArgs { data: Some(stolen(by)), ..no_update() },
        |by| UpdateMetadataAccountV2InstructionArgs { new_update_authority: Some(by), ..no_update() },
        |_| UpdateMetadataAccountV2InstructionArgs { primary_sale_happened: Some(true), ..no_update() },
        |_| UpdateMetadataAccountV2InstructionArgs { is_mutable: Some(false), ..no_update() },
    ];
    for update in updates {
        stage.refused(|stage, by| stage.update(by, update(by)), INCORRECT, INCORRECT);
    }
    // In the asset's name, without its signature.
    let thief = stage.stranger.pubkey();
    let data = UpdateMetadataAccountV2InstructionArgs { data: Some(stolen(thief)), ..no_update() };
    let mut forged = stage.update(stage.digits.asset, data);
    forged.accounts[1].is_signer = false;
    stage.world.refuses(&[forged], &[], refusal::UPDATE_AUTHORITY_IS_NOT_SIGNER);
}

#[test]
fn nobody_but_the_asset_updates_the_metadata_by_the_newer_instruction() {
    let mut stage = Stage::new();
    let text = Data {
        name: "Stolen".to_owned(),
        symbol: String::new(),
        uri: String::new(),
        seller_fee_basis_points: 0,
        creators: None,
    };
    let collection = Collection { verified: false, key: keypair("collection").pubkey() };
    let uses = Uses { use_method: UseMethod::Burn, remaining: 1, total: 1 };
    let updates = [
        UpdateV1InstructionArgs { data: Some(text), ..no_update_v1() },
        UpdateV1InstructionArgs { is_mutable: Some(false), ..no_update_v1() },
        UpdateV1InstructionArgs { collection: CollectionToggle::Set(collection), ..no_update_v1() },
        UpdateV1InstructionArgs { uses: UsesToggle::Set(uses), ..no_update_v1() },
    ];
    for update in updates {
        stage.refused(
            |stage, by| stage.update_v1(by, update.clone()),
            refusal::FEATURE_NOT_SUPPORTED,
            refusal::INVALID_AUTHORITY_TYPE,
        );
    }
    stage.refused(
        |stage, by| stage.update_v1(by, UpdateV1InstructionArgs { new_update_authority: Some(by), ..no_update_v1() }),
        refusal::FEATURE_NOT_SUPPORTED,
        refusal::INVALID_AUTHORITY_TYPE,
    );
    let standard = |stage: &Stage, by| {
        let edition = Some(stage.edition);
        SetTokenStandard { metadata: stage.metadata, update_authority: by, mint: stage.mint, edition }.instruction()
    };
    let incorrect = refusal::UPDATE_AUTHORITY_INCORRECT;
    stage.refused(standard, incorrect, incorrect);
}

#[test]
fn nobody_signs_as_a_creator_or_takes_the_pools_word_back() {
    use refusal::CREATOR_NOT_FOUND as NOT_FOUND;
    let mut stage = Stage::new();
    let sign = |stage: &Stage, by| SignMetadata { metadata: stage.metadata, creator: by }.instruction();
    stage.refused(sign, NOT_FOUND, NOT_FOUND);
    let remove = |stage: &Stage, by| RemoveCreatorVerification { metadata: stage.metadata, creator: by }.instruction();
    stage.refused(remove, NOT_FOUND, NOT_FOUND);
    let unverify = |stage: &Stage, by| {
        let accounts = UnverifyCreatorV1 {
            authority: by,
            delegate_record: None,
            metadata: stage.metadata,
            collection_mint: None,
            collection_metadata: None,
            system_program: SYSTEM_PROGRAM,
            sysvar_instructions: INSTRUCTIONS_SYSVAR,
        };
        accounts.instruction()
    };
    stage.refused(unverify, NOT_FOUND, NOT_FOUND);
}

#[test]
fn nobody_appoints_a_delegate_over_the_metadata() {
    use refusal::UPDATE_AUTHORITY_INCORRECT as INCORRECT;
    let mut stage = Stage::new();
    let (record, delegate) = (keypair("record").pubkey(), keypair("delegate").pubkey());
    let over_data = |stage: &Stage, by| {
        let accounts = DelegateDataV1 {
            delegate_record: Some(record),
            delegate,
            metadata: stage.metadata,
            master_edition: Some(stage.edition),
            token_record: None,
            mint: stage.mint,
            token: Some(stage.token),
            authority: by,
            payer: by,
            system_program: SYSTEM_PROGRAM,
            sysvar_instructions: INSTRUCTIONS_SYSVAR,
            spl_token_program: Some(TOKEN_PROGRAM),
            authorization_rules_program: None,
            authorization_rules: None,
        };
        accounts.instruction(DelegateDataV1InstructionArgs { authorization_data: None })
    };
    stage.refused(over_data, INCORRECT, INCORRECT);
    let over_collection = |stage: &Stage, by| {
        let accounts = DelegateCollectionV1 {
            delegate_record: Some(record),
            delegate,
            metadata: stage.metadata,
            master_edition: Some(stage.edition),
            token_record: None,
            mint: stage.mint,
            token: Some(stage.token),
            authority: by,
            payer: by,
            system_program: SYSTEM_PROGRAM,
            sysvar_instructions: INSTRUCTIONS_SYSVAR,
            spl_token_program: Some(TOKEN_PROGRAM),
            authorization_rules_program: None,
            authorization_rules: None,
        };
        accounts.instruction(DelegateCollectionV1InstructionArgs { authorization_data: None })
    };
    stage.refused(over_collection, INCORRECT, INCORRECT);
    let older = |stage: &Stage, by| {
        let accounts = ApproveCollectionAuthority {
            collection_authority_record: record,
            new_collection_authority: by,
            update_authority: by,
            payer: by,
            metadata: stage.metadata,
            mint: stage.mint,
            system_program: SYSTEM_PROGRAM,
            rent: None,
        };
        accounts.instruction()
    };
    stage.refused(older, INCORRECT, INCORRECT);
}

#[test]
fn nobody_uses_the_nft_up() {
    use refusal::UNUSABLE;
    let mut stage = Stage::new();
    let appoint = |stage: &Stage, by| {
        let accounts = ApproveUseAuthority {
            use_authority_record: keypair("record").pubkey(),
            owner: by,
            payer: by,
            user: by,
            owner_token_account: stage.token,
            metadata: stage.metadata,
            mint: stage.mint,
            burner: keypair("burner").pubkey(),
            token_program: TOKEN_PROGRAM,
            system_program: SYSTEM_PROGRAM,
            rent: None,
        };
        accounts.instruction(ApproveUseAuthorityInstructionArgs { number_of_uses: 1 })
    };
    stage.refused(appoint, UNUSABLE, UNUSABLE);
    let utilize = |stage: &Stage, by| {
        let accounts = Utilize {
            metadata: stage.metadata,
            token_account: stage.token,
            mint: stage.mint,
            use_authority: by,
            owner: by,
            token_program: TOKEN_PROGRAM,
            ata_program: ASSOCIATED_TOKEN_PROGRAM,
            system_program: SYSTEM_PROGRAM,
            rent: RENT_SYSVAR,
            use_authority_record: None,
            burner: None,
        };
        accounts.instruction(UtilizeInstructionArgs { number_of_uses: 1 })
    };
    stage.refused(utilize, UNUSABLE, UNUSABLE);
}

/// A holder may say that the first sale has happened; it has from the start, so that nothing changes.
#[test]
fn what_the_holder_and_anybody_may_call_changes_nothing() {
    let mut stage = Stage::new();
    let sold = |stage: &Stage, owner| {
        let accounts = UpdatePrimarySaleHappenedViaToken { metadata: stage.metadata, owner, token: stage.token };
        accounts.instruction()
    };
    let by_holder = sold(&stage, stage.digits.creator.pubkey());
    stage.world.changes_nothing(&[by_holder], &[&stage.digits.creator]);
    let by_stranger = sold(&stage, stage.stranger.pubkey());
    stage.world.refuses(&[by_stranger], &[&stage.stranger], refusal::OWNER_MISMATCH);
    stage.world.changes_nothing(&[PuffMetadata { metadata: stage.metadata }.instruction()], &[]);
    let resize = |stage: &Stage, payer: Address, token| {
        let accounts = Resize {
            metadata: stage.metadata,
            edition: stage.edition,
            mint: stage.mint,
            payer: (payer, true),
            authority: None,
            token,
            system_program: SYSTEM_PROGRAM,
        };
        accounts.instruction()
    };
    let by_stranger = resize(&stage, stage.stranger.pubkey(), None);
    stage.world.refuses(&[by_stranger], &[&stage.stranger], refusal::MISSING_TOKEN_ACCOUNT);
    let by_holder = resize(&stage, stage.digits.creator.pubkey(), Some(stage.token));
    stage.world.refuses(&[by_holder], &[&stage.digits.creator], refusal::ACCOUNT_ALREADY_RESIZED);
}

/// A holder may burn his NFT. The asset stays on record, and nobody has its rights any more.
#[test]
fn a_burnt_nft_leaves_an_asset_without_a_holder() {
    let mut stage = Stage::new();
    let holder = stage.digits.creator.pubkey();
    let accounts = BurnV1 {
        authority: holder,
        collection_metadata: None,
        metadata: stage.metadata,
        edition: Some(stage.edition),
        mint: stage.mint,
        token: stage.token,
        master_edition: None,
        master_edition_mint: None,
        master_edition_token: None,
        edition_marker: None,
        token_record: None,
        system_program: SYSTEM_PROGRAM,
        sysvar_instructions: INSTRUCTIONS_SYSVAR,
        spl_token_program: TOKEN_PROGRAM,
    };
    let before = stage.digits.state(&stage.world);
    stage.world.accept(&[accounts.instruction(BurnV1InstructionArgs { amount: 1 })], &[&stage.digits.creator]);
    assert_eq!(stage.digits.state(&stage.world), before);
    let raise = client::raise_floor(&holder, &stage.mint, &stage.token, 1, None);
    let not_holder = CommonError::NotNftHolder;
    stage.world.refuses(&[raise], &[&stage.digits.creator], not_holder);
    // The mint account remains, with nobody who could mint again, so the asset cannot be registered anew.
    let mint = stage.world.account(&stage.mint).expect("SPL Token never closes a mint");
    assert_eq!(mint.data[36..44], [0; 8], "the supply is nothing");
    assert_eq!(mint.data[4..36], stage.edition.to_bytes());
    let set = client::set_uri(&holder, &stage.mint, &stage.token, "x");
    stage.world.refuses(&[set], &[&stage.digits.creator], not_holder);
}
