//! Quotients and remainders of 128 bits, by a call to the function in `wide_div.ll`.

use std::ffi::CStr;

use anyhow::Result;
use bpf_linker::llvm_sys::LLVMOpcode;

use super::{
    builder::Builder,
    ir::{self, Module, Value},
};

/// The function in LLVM's assembly language.
const SOURCE: &str = concat!(include_str!("wide_div.ll"), "\0");
const FUNCTION: &CStr = c"provena.divide128";

/// Room on the stack for quotient and remainder; one serves all divisions of a function.
const ROOM: &CStr = c"provena.divided";
const ROOM_WORDS: u64 = 4;

/// Adds the function to a module that divides 128-bit numbers.
pub(super) fn provide(module: &Module) -> Result<()> {
    let divides = module.defined_functions().into_iter().flat_map(ir::instructions).any(is_wide_division);
    if divides && module.function(FUNCTION).is_none() {
        module.add(CStr::from_bytes_with_nul(SOURCE.as_bytes())?)?;
        module.function(FUNCTION).expect("just added").make_internal();
    }
    Ok(())
}

/// Rewrites a 128-bit unsigned division or remainder; signed ones have become unsigned in an earlier round.
pub(super) fn lower(b: &Builder, module: &Module, instruction: Value) -> bool {
    if !matches!(instruction.opcode(), LLVMOpcode::LLVMUDiv | LLVMOpcode::LLVMURem) || !is_wide_division(instruction) {
        return false;
    }
    // A division that appeared in this round has to wait for the next one's `provide`.
    let Some(function) = module.function(FUNCTION) else { return false };
    let room = room(b, instruction.parent_function());
    b.before(instruction);
    let ((x0, x1), (y0, y1)) = (b.split(instruction.operand(0)), b.split(instruction.operand(1)));
    b.call(function, &[room, x0, x1, y0, y1]);
    let first = if instruction.opcode() == LLVMOpcode::LLVMUDiv { 0 } else { 2 };
    let result = b.join(b.load_word(room, first), b.load_word(room, first + 1));
    instruction.replace_with(result);
    true
}

fn is_wide_division(instruction: Value) -> bool {
    use LLVMOpcode::{LLVMSDiv, LLVMSRem, LLVMUDiv, LLVMURem};
    matches!(instruction.opcode(), LLVMUDiv | LLVMURem | LLVMSDiv | LLVMSRem)
        && instruction.ty().int_width() == Some(128)
}

/// The room of `function`, made at its beginning if it has none yet.
fn room(b: &Builder, function: Value) -> Value {
    let instructions = ir::instructions(function);
    let name = ROOM.to_string_lossy();
    let existing = instructions.iter().find(|i| i.opcode() == LLVMOpcode::LLVMAlloca && i.name() == name);
    existing.copied().unwrap_or_else(|| {
        b.before(instructions[0]);
        b.stack(ROOM_WORDS, ROOM)
    })
}
