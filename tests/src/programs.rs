//! The program files that tests load.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use anchor_lang::prelude::Address;

/// One of our programs or Token Metadata: its address and its file's bytes.
pub struct Program {
    pub id: Address,
    pub bytes: Vec<u8>,
}

/// Our programs' library names and ids.
pub const OURS: &[(&str, Address)] = &[
    ("provena_registry", provena_registry::ID),
    ("provena_royalty", provena_royalty::ID),
    ("provena_market", provena_market::ID),
];

/// The largest program file that is acceptable.
pub const MAX_PROGRAM_LEN: usize = 300 * 1000;

/// All four programs, read once.
///
/// # Panics
///
/// When a file is missing, saying what to run.
pub fn all() -> &'static [Program] {
    static PROGRAMS: OnceLock<Vec<Program>> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let mut programs: Vec<Program> =
            OURS.iter().map(|(name, id)| Program { id: *id, bytes: built(name) }).collect();
        programs.push(Program { id: provena_royalty::TOKEN_METADATA_PROGRAM, bytes: built("token_metadata") });
        programs
    })
}

/// Whether a program is one of ours.
pub fn is_ours(id: &str) -> bool {
    OURS.iter().any(|(_, ours)| ours.to_string() == id)
}

fn built(name: &str) -> Vec<u8> {
    let path = repository().join("target/deploy").join(name).with_extension("so");
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask build`", path.display()))
}

/// The repository's root.
pub fn repository() -> PathBuf {
    let parent = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    parent.expect("the package lies in the repository").to_path_buf()
}
