//! Programs given on the command line, placed on the chain as its upgradeable loader would have placed them.

use anyhow::{Context, Result, ensure};
use solana_account::Account;
use solana_loader_v3_interface::{get_program_data_address, state::UpgradeableLoaderState};
use solana_pubkey::Pubkey;
use surfpool_core::surfnet::svm::SurfnetSvm;

use crate::args::ProgramArg;

const LOADER: Pubkey = solana_pubkey::pubkey!("BPFLoaderUpgradeab1e11111111111111111111111");
const ELF_MAGIC: &[u8] = b"\x7fELF";

/// A program file that was read and looks like one.
pub struct Program {
    id: Pubkey,
    elf: Vec<u8>,
}

/// Reads one `--program`.
///
/// # Errors
/// A file that cannot be read or is no ELF object, with its path.
pub fn read(arg: &ProgramArg) -> Result<Program> {
    let path = arg.path.display();
    let elf = std::fs::read(&arg.path)
        .with_context(|| format!("cannot read program {path}; build the programs first, or correct --program"))?;
    ensure!(elf.starts_with(ELF_MAGIC), "{path} is no program: it is not an ELF object");
    Ok(Program { id: arg.id, elf })
}

/// Writes the program account and its data account.
///
/// # Errors
/// When the virtual machine refuses the bytecode, with the program's id.
pub fn place(svm: &mut SurfnetSvm, program: &Program, authority: Option<Pubkey>) -> Result<()> {
    let id = program.id;
    let data_address = get_program_data_address(&id);
    let mut data =
        bincode::serialize(&UpgradeableLoaderState::ProgramData { slot: 0, upgrade_authority_address: authority })?;
    data.resize(UpgradeableLoaderState::size_of_programdata_metadata(), 0);
    data.extend_from_slice(&program.elf);
    let pointer = bincode::serialize(&UpgradeableLoaderState::Program { programdata_address: data_address })?;

    // The data first: the virtual machine compiles a program when its own account is written.
    for (address, data, executable) in [(data_address, data, false), (id, pointer, true)] {
        let lamports = svm.inner.minimum_balance_for_rent_exemption(data.len());
        let account = Account { lamports, data, owner: LOADER, executable, rent_epoch: 0 };
        svm.set_account(&address, account)
            .map_err(|error| anyhow::anyhow!("the chain refuses program {id}: {error}"))?;
    }
    Ok(())
}
