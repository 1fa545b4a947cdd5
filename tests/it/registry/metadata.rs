//! What others than the registry can do to an NFT, with the real Token Metadata: nothing, but what its holder may do to his
//! own token.

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
use provena_registry::{ASSOCIATED_TOKEN_PROGRAM, INSTRUCTIONS_SYSVAR, TOKEN_PROGRAM, pda};
use provena_tests::{
    World,
    registry::{Registered, dataset, world},
    tokens::token_balance,
    world::keypair,
};
use solana_instruction::Instruction;
use solana_signer::Signer;

const SYSTEM_PROGRAM: Address = Address::new_from_array([0; 32]);
const RENT_SYSVAR: Address = Address::from_str_const("SysvarRent111111111111111111111111111111111");

/// An NFT's accounts.
struct Nft {
    mint: Address,
    metadata: Address,
    edition: Address,
    /// The holder's token account.
    token: Address,
}

impl Nft {
    fn of(asset: &Registered) -> Self {
        let mint = asset.mint.pubkey();
        Self { mint, metadata: pda::metadata(&mint).0, edition: pda::master_edition(&mint).0, token: asset.nft() }
    }

    fn read(&self, world: &World) -> Metadata {
        let account = world.account(&self.metadata).expect("the metadata exists");
        Metadata::safe_deserialize(&account.data).expect("it is metadata")
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

fn nothing() -> UpdateMetadataAccountV2InstructionArgs {
    UpdateMetadataAccountV2InstructionArgs {
        data: None,
        new_update_authority: None,
        primary_sale_happened: None,
        is_mutable: None,
    }
}

fn nothing_v1() -> UpdateV1InstructionArgs {
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

/// The NFT's text with the pool replaced by a thief, who cannot be verified yet.
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

fn uses() -> Uses {
    Uses { use_method: UseMethod::Burn, remaining: 1, total: 1 }
}

/// Everything that could change the metadata, by `by`, who signs.
fn attempts(nft: &Nft, by: Address, collection: Address) -> Vec<(&'static str, Instruction)> {
    let data = |creators: Option<Vec<Creator>>| Data {
        name: "Stolen".to_owned(),
        symbol: String::new(),
        uri: String::new(),
        seller_fee_basis_points: 0,
        creators,
    };
    let delegated = |record: Address| (Some(record), keypair("delegate").pubkey());
    let (record, delegate) = delegated(keypair("record").pubkey());
    let mut list = vec![
        ("all text", nft.update(by, UpdateMetadataAccountV2InstructionArgs { data: Some(stolen(by)), ..nothing() })),
        (
            "the update authority",
            nft.update(by, UpdateMetadataAccountV2InstructionArgs { new_update_authority: Some(by), ..nothing() }),
        ),
        (
            "the first sale",
            nft.update(by, UpdateMetadataAccountV2InstructionArgs { primary_sale_happened: Some(true), ..nothing() }),
        ),
        ("mutability", nft.update(by, UpdateMetadataAccountV2InstructionArgs { is_mutable: Some(false), ..nothing() })),
        ("all text, by Update", nft.update_v1(by, UpdateV1InstructionArgs { data: Some(data(None)), ..nothing_v1() })),
        (
            "the update authority, by Update",
            nft.update_v1(by, UpdateV1InstructionArgs { new_update_authority: Some(by), ..nothing_v1() }),
        ),
        (
            "a collection",
            nft.update_v1(
                by,
                UpdateV1InstructionArgs {
                    collection: CollectionToggle::Set(Collection { verified: false, key: collection }),
                    ..nothing_v1()
                },
            ),
        ),
        ("uses", nft.update_v1(by, UpdateV1InstructionArgs { uses: UsesToggle::Set(uses()), ..nothing_v1() })),
        ("mutability, by Update", {
            nft.update_v1(by, UpdateV1InstructionArgs { is_mutable: Some(false), ..nothing_v1() })
        }),
    ];
    let standard =
        SetTokenStandard { metadata: nft.metadata, update_authority: by, mint: nft.mint, edition: Some(nft.edition) };
    list.push(("the token standard", standard.instruction()));
    list.push(("a creator's word", SignMetadata { metadata: nft.metadata, creator: by }.instruction()));
    let unsigned = RemoveCreatorVerification { metadata: nft.metadata, creator: by };
    list.push(("the pool's word", unsigned.instruction()));
    let unverified = UnverifyCreatorV1 {
        authority: by,
        delegate_record: None,
        metadata: nft.metadata,
        collection_mint: None,
        collection_metadata: None,
        system_program: SYSTEM_PROGRAM,
        sysvar_instructions: INSTRUCTIONS_SYSVAR,
    };
    list.push(("the pool's word, by Unverify", unverified.instruction()));
    let data_delegate = DelegateDataV1 {
        delegate_record: record,
        delegate,
        metadata: nft.metadata,
        master_edition: Some(nft.edition),
        token_record: None,
        mint: nft.mint,
        token: Some(nft.token),
        authority: by,
        payer: by,
        system_program: SYSTEM_PROGRAM,
        sysvar_instructions: INSTRUCTIONS_SYSVAR,
        spl_token_program: Some(TOKEN_PROGRAM),
        authorization_rules_program: None,
        authorization_rules: None,
    };
    let args = DelegateDataV1InstructionArgs { authorization_data: None };
    list.push(("a delegate for the data", data_delegate.instruction(args)));
    let collection_delegate = DelegateCollectionV1 {
        delegate_record: record,
        delegate,
        metadata: nft.metadata,
        master_edition: Some(nft.edition),
        token_record: None,
        mint: nft.mint,
        token: Some(nft.token),
        authority: by,
        payer: by,
        system_program: SYSTEM_PROGRAM,
        sysvar_instructions: INSTRUCTIONS_SYSVAR,
        spl_token_program: Some(TOKEN_PROGRAM),
        authorization_rules_program: None,
        authorization_rules: None,
    };
    let args = DelegateCollectionV1InstructionArgs { authorization_data: None };
    list.push(("a delegate for the collection", collection_delegate.instruction(args)));
    let authority = ApproveCollectionAuthority {
        collection_authority_record: keypair("record").pubkey(),
        new_collection_authority: by,
        update_authority: by,
        payer: by,
        metadata: nft.metadata,
        mint: nft.mint,
        system_program: SYSTEM_PROGRAM,
        rent: None,
    };
    list.push(("an authority for the collection", authority.instruction()));
    let using = ApproveUseAuthority {
        use_authority_record: keypair("record").pubkey(),
        owner: by,
        payer: by,
        user: by,
        owner_token_account: nft.token,
        metadata: nft.metadata,
        mint: nft.mint,
        burner: keypair("burner").pubkey(),
        token_program: TOKEN_PROGRAM,
        system_program: SYSTEM_PROGRAM,
        rent: None,
    };
    list.push(("a user", using.instruction(ApproveUseAuthorityInstructionArgs { number_of_uses: 1 })));
    let utilize = Utilize {
        metadata: nft.metadata,
        token_account: nft.token,
        mint: nft.mint,
        use_authority: by,
        owner: by,
        token_program: TOKEN_PROGRAM,
        ata_program: ASSOCIATED_TOKEN_PROGRAM,
        system_program: SYSTEM_PROGRAM,
        rent: RENT_SYSVAR,
        use_authority_record: None,
        burner: None,
    };
    list.push(("a use", utilize.instruction(UtilizeInstructionArgs { number_of_uses: 1 })));
    let sold = UpdatePrimarySaleHappenedViaToken { metadata: nft.metadata, owner: by, token: nft.token };
    list.push(("the first sale, by the token", sold.instruction()));
    list
}

#[test]
fn the_nft_names_the_pool_as_its_verified_creator_and_the_asset_as_its_update_authority() {
    let mut world = world();
    let digits = dataset(&mut world, "digits", &[]);
    let metadata = Nft::of(&digits).read(&world);
    assert_eq!(metadata.update_authority.to_bytes(), digits.asset.to_bytes());
    assert_eq!(metadata.name.trim_end_matches('\0'), "Handwritten digits");
    assert_eq!(metadata.symbol.trim_end_matches('\0'), "PROVENA");
    assert_eq!(metadata.uri.trim_end_matches('\0'), "https://example.org/assets/digits.json");
    assert_eq!(metadata.seller_fee_basis_points, 500);
    assert!(metadata.is_mutable, "the URI can change");
    assert_eq!(metadata.token_standard, Some(TokenStandard::NonFungible));
    assert_eq!((metadata.collection, metadata.uses, metadata.programmable_config), (None, None, None));
    let creators = metadata.creators.expect("there are creators");
    assert_eq!(creators.len(), 1);
    assert_eq!(creators[0].address.to_bytes(), digits.pool.to_bytes());
    assert!(creators[0].verified);
    assert_eq!(creators[0].share, 100);
}

#[test]
fn the_nft_is_one_of_a_kind() {
    let mut world = world();
    let digits = dataset(&mut world, "digits", &[]);
    let nft = Nft::of(&digits);
    assert_eq!(token_balance(&world, &nft.token), 1);
    let edition = world.account(&nft.edition).expect("the master edition exists");
    let edition = MasterEdition::safe_deserialize(&edition.data).expect("it is a master edition");
    assert_eq!(edition.max_supply, Some(0));
    let account = world.account(&nft.mint).expect("the mint exists");
    assert_eq!(account.data[36..44], 1u64.to_le_bytes(), "the supply is one");
    assert_eq!(account.data[44], 0, "and indivisible");
    assert_eq!(account.data[4..36], nft.edition.to_bytes(), "nobody can mint more");
    assert_eq!(account.data[50..82], nft.edition.to_bytes(), "nobody can freeze it");
}

#[test]
fn print_attempts() {
    let mut world = world();
    let digits = dataset(&mut world, "digits", &[]);
    let nft = Nft::of(&digits);
    let stranger = world.wallet("stranger");
    for by in [&digits.creator, &stranger] {
        for (name, instruction) in attempts(&nft, by.pubkey(), keypair("collection").pubkey()) {
            let before = world.account(&nft.metadata);
            let saved = world.svm.clone();
            let outcome = world.send(&[instruction], &[by]);
            let changed = world.account(&nft.metadata) != before;
            println!("{name}: {:?} changed {changed}", outcome.map(|_| ()).map_err(|failed| failed.err));
            world.svm = saved;
        }
    }
    let puff = PuffMetadata { metadata: nft.metadata }.instruction();
    println!("puff {:?}", world.send(&[puff], &[]).map(|_| ()).map_err(|failed| failed.err));
    let resize = Resize {
        metadata: nft.metadata,
        edition: nft.edition,
        mint: nft.mint,
        payer: (stranger.pubkey(), true),
        authority: None,
        token: None,
        system_program: SYSTEM_PROGRAM,
    };
    println!("resize {:?}", world.send(&[resize.instruction()], &[&stranger]).map(|_| ()).map_err(|failed| failed.err));
    let burn = BurnV1 {
        authority: digits.creator.pubkey(),
        collection_metadata: None,
        metadata: nft.metadata,
        edition: Some(nft.edition),
        mint: nft.mint,
        token: nft.token,
        master_edition: None,
        master_edition_mint: None,
        master_edition_token: None,
        edition_marker: None,
        token_record: None,
        system_program: SYSTEM_PROGRAM,
        sysvar_instructions: INSTRUCTIONS_SYSVAR,
        spl_token_program: TOKEN_PROGRAM,
    };
    println!(
        "burn {:?}",
        world
            .send(&[burn.instruction(BurnV1InstructionArgs { amount: 1 })], &[&digits.creator])
            .map(|_| ())
            .map_err(|failed| failed.err)
    );
}
