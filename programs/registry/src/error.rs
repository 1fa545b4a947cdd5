//! Everything this program refuses to do. Append only: the numbers are public.

provena_royalty::program_errors! {
    /// Errors of the registry program, from 7000.
    RegistryError, offset = 7000;
    EmptyName = "An asset needs a name",
    NameTooLong = "The name is longer than 32 bytes",
    SymbolTooLong = "The symbol is longer than 10 bytes",
    UriTooLong = "The URI is longer than 200 bytes",
    SellerFeeTooHigh = "The seller fee exceeds 10,000 basis points",
    EmptyContentRoot = "The content root is all zero",
    EmptyRecipeRoot = "A model needs a recipe root that is not all zero",
    UnknownLicenceFlags = "The licence sets flags that this program does not know",
    LicenceBpsTooHigh = "The licence asks for more than 10,000 basis points",
    WrongPool = "The pool belongs to another asset",
    PoolNotSealed = "The pool still has unassigned shares",
    TooManyParents = "An asset has at most 16 direct parents",
    WrongParentAccounts = "Each parent needs its asset and its pool's position, and its NFT and owner where consent is due",
    ParentNotFound = "The parent is not a registered asset",
    DuplicateParent = "The same parent is named twice",
    ParentIsSelf = "An asset cannot be its own parent",
    WrongPosition = "The position is not the parent pool's position in this asset's pool",
    ParentBpsTooHigh = "The parents' shares exceed 10,000 basis points",
    ParentBpsTooLow = "The parent's licence asks for a larger share",
    ParentShareMissing = "The parent's pool holds less of this asset's pool than promised",
    ConsentMissing = "The parent forbids derivatives unless the owner of its NFT signs",
    NotPreviousCreator = "Only the creator of the previous version may register the next one",
    WrongPreviousKind = "The previous version is of another kind",
    VersionOverflow = "There are too many versions",
    WrongRoyaltyProgram = "Not the royalty program",
    BrokenInvariant = "An account has another version or breaks its invariant",
}
