//! Wrong accounts that are accepted all the same, and errors that do not name the account: each with the reason why nobody
//! gains by it.

use super::kinds::Kind::{
    self, Absent, Duplicate, Foreign, LookAlike, Missing, Other, ReOwned, ReadOnly, StrangersTokens, Twin, Unsigned,
    WrongOwner, WrongType,
};

/// Some accounts of some calls.
#[derive(Debug)]
pub(crate) struct Exception {
    /// The call; with `*` at its end every call that begins so.
    pub call: &'static str,
    pub account: &'static str,
    pub kinds: &'static [Kind],
    /// The error; none where the call is accepted.
    pub error: Option<&'static str>,
    pub reason: &'static str,
}

impl Exception {
    /// Whether this is about an account of a call, what was put there, and how that ended.
    pub(crate) fn covers(&self, call: &str, account: &str, kind: Kind, error: Option<&str>) -> bool {
        let named = match self.call.strip_suffix('*') {
            Some(beginning) => call.starts_with(beginning),
            None => call == self.call,
        };
        named && account == self.account && self.kinds.contains(&kind) && error == self.error
    }
}

const fn accepted(
    call: &'static str,
    account: &'static str,
    kinds: &'static [Kind],
    reason: &'static str,
) -> Exception {
    Exception { call, account, kinds, error: None, reason }
}

const fn refused(
    call: &'static str,
    account: &'static str,
    kinds: &'static [Kind],
    error: &'static str,
    reason: &'static str,
) -> Exception {
    Exception { call, account, kinds, error: Some(error), reason }
}

/// Another wallet that signs and pays.
const PAYERS: &[Kind] = &[Twin, Other, LookAlike];
/// Whoever signs.
const SIGNERS: &[Kind] = &[Twin, Other, Foreign, WrongOwner, LookAlike, Missing, Duplicate];
/// Whatever can take lamports.
const RECEIVERS: &[Kind] = &[Twin, Other, Foreign, WrongOwner, LookAlike, Duplicate];
/// Another token account of the same mint.
const TOKENS: &[Kind] = &[Other, StrangersTokens, LookAlike];

const ANY_JOB: &str = "it is the call for another job";
const BOOKS: &str = "the books say which money moves: those of the same pool in SOL move SOL";
const FINAL: &str = "a program that nobody can upgrade any more can be set up by anybody; deployments set it up before";
const LOADER: &str = "the address is derived by the loader, who owns it";
const MINT: &str = "only whether the asset's mint exists counts, and nobody makes it another program's";
const NFT: &str = "any token account of the holder that holds the one NFT will do";
const OWN_TOKENS: &str = "whoever signs names any token account of his own";
const PAYS: &str = "anybody may pay for this";
const STAYS_OWED: &str = "what is not paid stays owed";
const UNUSED: &str = "it is not needed here: nothing is created, or there is nothing to move";
const WHOEVER: &str = "anybody may do this";
const HOLDER_CHOOSES: &str = "the holder signs and says where the money goes";

/// All of them.
pub(crate) const EXCEPTIONS: &[Exception] = &[
    // The royalty program.
    accepted("royalty.abandon_pool.two_holders", "+5", &[ReadOnly, ReOwned, WrongType, Missing], UNUSED),
    accepted("royalty.abandon_pool.two_holders", "+5", RECEIVERS, UNUSED),
    accepted("royalty.abandon_pool*", "+5", &[StrangersTokens], "the creator signs and says where a gift goes"),
    accepted("royalty.abandon_pool.rent_payer", "+5", &[LookAlike], "the creator signs and says where a gift goes"),
    refused(
        "royalty.abandon_pool.rent_payer",
        "+5",
        &[Duplicate, Other],
        "Custom(11)",
        "a vault cannot empty into itself",
    ),
    accepted(
        "royalty.allow_mint",
        "mint",
        &[Twin, Other, Foreign, WrongOwner, ReOwned, LookAlike],
        "the authority says which mint",
    ),
    accepted("royalty.claim", "destination", RECEIVERS, HOLDER_CHOOSES),
    accepted("royalty.claim", "destination", &[Missing], HOLDER_CHOOSES),
    accepted("royalty.claim.to_a_friend", "destination", RECEIVERS, HOLDER_CHOOSES),
    accepted("royalty.claim.to_a_friend.token", "destination", TOKENS, HOLDER_CHOOSES),
    accepted("royalty.claim.token*", "destination", TOKENS, HOLDER_CHOOSES),
    accepted("royalty.claim.to_a_friend.token", "books", &[Other], BOOKS),
    accepted("royalty.claim.token*", "books", &[Other], BOOKS),
    accepted("royalty.claim", "holder", &[Unsigned], "anybody may have a holder paid at its own address"),
    accepted("royalty.claim.token*", "holder", &[Unsigned], "anybody may have a holder paid at its own address"),
    accepted("royalty.claim_many.two_pools", "destination", RECEIVERS, HOLDER_CHOOSES),
    accepted("royalty.claim_many.two_pools", "destination", &[Missing], HOLDER_CHOOSES),
    accepted("royalty.claim_many.to_a_friend", "destination", RECEIVERS, HOLDER_CHOOSES),
    accepted("royalty.claim_many.two_pools.token*", "destination", TOKENS, HOLDER_CHOOSES),
    accepted("royalty.claim_many.two_pools.token*", "destination", &[Duplicate], HOLDER_CHOOSES),
    accepted("royalty.claim_many.to_a_friend.token", "destination", TOKENS, HOLDER_CHOOSES),
    accepted("royalty.claim_many.to_a_friend.token", "destination", &[Duplicate], HOLDER_CHOOSES),
    accepted(
        "royalty.claim_many.two_pools*",
        "holder",
        &[Unsigned],
        "anybody may have a holder paid at its own address",
    ),
    accepted("royalty.close_position", "authority", &[Other, Duplicate], "who paid the rent may do this as well"),
    accepted("royalty.close_position.by_rent_payer", "authority", &[Other], "the holder may do this as well"),
    accepted("royalty.collect.token*", "books", &[Other], BOOKS),
    accepted(
        "royalty.collect.token*",
        "source",
        &[LookAlike],
        "any token account of the pool in the mint may hold royalties",
    ),
    accepted(
        "royalty.create_pool.one_holder",
        "creator",
        PAYERS,
        "who signs beside the asset's key is the pool's creator",
    ),
    accepted("royalty.deposit", "payer", PAYERS, PAYS),
    accepted("royalty.deposit.token*", "books", &[Other], BOOKS),
    accepted("royalty.deposit.token*", "source", &[LookAlike], OWN_TOKENS),
    accepted("royalty.initialize_admin", "authority", PAYERS, FINAL),
    accepted("royalty.initialize_admin*", "program_data", &[ReOwned], LOADER),
    accepted("royalty.open_books.child", "asset", &[ReOwned], MINT),
    accepted("royalty.open_books.child", "payer", PAYERS, PAYS),
    accepted("royalty.open_books.nft", "+0", &[LookAlike], NFT),
    accepted("royalty.open_books.nft", "asset", &[ReOwned], MINT),
    accepted("royalty.open_books.tokens", "+0", &[LookAlike], "any token account of the pool in the mint shows money"),
    accepted(
        "royalty.open_books.tokens",
        "+0",
        &[WrongOwner, ReOwned],
        "no token program makes accounts of the other's mints",
    ),
    accepted("royalty.open_books.tokens", "asset", &[ReOwned], MINT),
    accepted("royalty.open_books.tokens", "payer", PAYERS, PAYS),
    accepted("royalty.open_inbox.by_anybody", "asset", &[ReOwned], MINT),
    accepted("royalty.open_inbox.by_anybody", "payer", PAYERS, PAYS),
    accepted("royalty.sync.token*", "books", &[Other], BOOKS),
    accepted("royalty.sync.two_inboxes", "+0", &[Other], "it is another inbox of the same books"),
    accepted(
        "royalty.sync.token*",
        "vault",
        &[ReOwned],
        "the books name their vault, and no token program gives it to the other",
    ),
    accepted("royalty.transfer_shares", "payer", SIGNERS, UNUSED),
    accepted("royalty.transfer_shares.window", "payer", SIGNERS, UNUSED),
    accepted("royalty.transfer_shares.settled*", "payer", SIGNERS, UNUSED),
    accepted("royalty.transfer_shares.two_pools", "payer", SIGNERS, UNUSED),
    accepted("royalty.transfer_shares.by_delegate", "payer", SIGNERS, UNUSED),
    accepted("royalty.transfer_shares.by_delegate", "authority", &[Other], "it is the holder itself"),
    accepted("royalty.transfer_shares.by_delegate", "from", &[Other], "it is the delegate's own position"),
    accepted("royalty.transfer_shares.new_holder*", "payer", PAYERS, PAYS),
    accepted("royalty.transfer_shares.new_holder*", "payer", &[Duplicate], PAYS),
    accepted(
        "royalty.verify_creator",
        "metadata",
        &[LookAlike],
        "Token Metadata makes metadata at derived addresses alone",
    ),
    // The registry.
    accepted("registry.abandon_asset", "pool", &[ReOwned], "a pool that is not the royalty program's any more is gone"),
    accepted("registry.abandon_claim.lapsed", "caller", SIGNERS, WHOEVER),
    accepted("registry.add_parent.consent", "parent_nft", &[LookAlike], NFT),
    accepted("registry.add_parent.token", "source", &[LookAlike], OWN_TOKENS),
    accepted("registry.add_parent.version", "nft", &[LookAlike], NFT),
    refused(
        "registry.add_parent.version",
        "nft",
        &[Absent, Duplicate],
        "NotDraft",
        "without an NFT it must be a draft",
    ),
    accepted("registry.add_version*", "nft", &[LookAlike], NFT),
    accepted(
        "registry.begin_asset",
        "registrant",
        PAYERS,
        "whoever signs is the registrant, and the mint signs as well",
    ),
    accepted(
        "registry.claim_content",
        "claimant",
        PAYERS,
        "whoever signs is the claimant, and of use to the one in the hash alone",
    ),
    accepted("registry.inherit*", "payer", PAYERS, PAYS),
    accepted("registry.initialize_admin", "authority", PAYERS, FINAL),
    accepted("registry.initialize_admin*", "program_data", &[ReOwned], LOADER),
    accepted("registry.publish_licence*", "nft", &[LookAlike], NFT),
    accepted("registry.raise_floor*", "nft", &[LookAlike], NFT),
    accepted("registry.register_model.consent", "+3", &[LookAlike], NFT),
    accepted("registry.retire_licence*", "licence", &[Other], "it is another licence of the same asset"),
    accepted("registry.retire_licence*", "nft", &[LookAlike], NFT),
    accepted("registry.set_uri*", "metadata", &[LookAlike], "Token Metadata makes metadata at derived addresses alone"),
    accepted("registry.set_uri*", "nft", &[LookAlike], NFT),
    // The market.
    accepted("market.close_answer*", "job", &[ReOwned], "a job that is not the program's any more is gone"),
    refused("market.close_answer.unsealed", "poster", &[Unsigned], "AnswerInUse", "anybody may close it later"),
    refused("market.close_job.two_answers", "caller", SIGNERS, "TooEarly", "anybody may close a job later"),
    accepted("market.close_job.two_answers", "job", &[Other], ANY_JOB),
    accepted("market.collect_royalty.two_answers", "job", &[Other], ANY_JOB),
    accepted("market.collect_seat.two_answers", "job", &[Other], ANY_JOB),
    refused("market.close_job", "caller", SIGNERS, "TooEarly", "anybody may close a job later"),
    refused("market.close_job.token*", "caller", SIGNERS, "TooEarly", "anybody may close a job later"),
    accepted("market.close_job.gift", "caller", SIGNERS, WHOEVER),
    accepted("market.close_job.by_anybody", "caller", SIGNERS, WHOEVER),
    accepted("market.close_job.gift", "payer_token", &[LookAlike], OWN_TOKENS),
    accepted("market.close_job.token*", "payer_token", TOKENS, UNUSED),
    accepted(
        "market.close_job.token*",
        "payer_token",
        &[Twin, WrongType, Foreign, WrongOwner, ReOwned, Missing],
        UNUSED,
    ),
    accepted("market.close_offer*", "nft", &[LookAlike], NFT),
    accepted("market.close_offer", "offer", &[Other], "it is another offer of the same asset"),
    accepted("market.collect_protocol", "job", &[Twin, Other], ANY_JOB),
    accepted("market.collect_protocol.three_of_five", "job", &[Twin, Other], ANY_JOB),
    accepted("market.collect_protocol.forfeits", "inbox", &[Absent], STAYS_OWED),
    accepted("market.collect_protocol.forfeits", "token_inbox", &[Absent], STAYS_OWED),
    refused("market.collect_protocol*", "inbox", &[Absent, Duplicate], "CannotReceive", STAYS_OWED),
    refused("market.collect_protocol*", "token_inbox", &[Absent, Duplicate], "CannotReceive", STAYS_OWED),
    refused("market.collect_refund*", "escrow", &[Absent], "CannotReceive", STAYS_OWED),
    accepted("market.collect_refund.chosen", "payer_token", &[LookAlike], OWN_TOKENS),
    accepted("market.collect_seat*", "escrow", &[Absent], STAYS_OWED),
    accepted("market.collect_seat.chosen", "node_token", &[LookAlike], OWN_TOKENS),
    accepted("market.create_offer*", "nft", &[LookAlike], NFT),
    accepted("market.initialize_admin", "authority", PAYERS, FINAL),
    accepted("market.initialize_admin", "authority", &[Duplicate], FINAL),
    accepted("market.initialize_admin*", "program_data", &[ReOwned], LOADER),
    accepted(
        "market.initialize_admin*",
        "treasury",
        &[Twin, Other, LookAlike, Duplicate],
        "the authority says which wallet",
    ),
    accepted("market.open_treasury_inbox*", "payer", PAYERS, PAYS),
    accepted("market.park*", "rent_payer", PAYERS, PAYS),
    accepted("market.park.again*", "rent_payer", &[Foreign, WrongOwner, Missing], UNUSED),
    accepted("market.park.payer", "job", &[Other], "it is another job of the same payer"),
    refused("market.park*", "escrow", &[Absent], "NothingToPark", STAYS_OWED),
    accepted("market.post_job.token*", "payer_token", &[LookAlike], OWN_TOKENS),
    accepted("market.prove_length", "job", &[Twin, Other], ANY_JOB),
    accepted(
        "market.prove_length",
        "prover",
        &[Twin, Other, Foreign, WrongOwner, LookAlike],
        "whoever shows it gets the deposit",
    ),
    refused("market.reveal", "job", &[LookAlike], "WrongPreimage", "a commitment names its job's address"),
    accepted(
        "market.set_treasury",
        "treasury",
        &[Twin, Other, LookAlike, Duplicate],
        "the authority says which wallet",
    ),
    accepted(
        "market.sweep_treasury.token*",
        "inbox",
        &[Other],
        "all inboxes are the treasury's: one for SOL is swept of its SOL",
    ),
];
