//! Divisions that the backend would move.
//!
//! In the kernel's machine a division by zero yields zero, so the backend takes any division for harmless and
//! moves it above the check that its divisor is not zero (out of a loop, or to where two paths meet). The
//! VM stops the program there. A divisor that is one where it would be zero makes the division harmless in
//! truth; where the result is used, the divisor is what it was.

use bpf_linker::llvm_sys::LLVMOpcode;

use super::{
    builder::Builder,
    ir::{self, Module},
};

/// Guards every division whose divisor is not a constant. Nothing may simplify the code afterwards: it would
/// see that the check makes the guard superfluous.
pub(super) fn guard(module: &Module) {
    let b = Builder::new(module);
    for function in module.defined_functions() {
        for division in ir::instructions(function) {
            let divides = matches!(division.opcode(), LLVMOpcode::LLVMUDiv | LLVMOpcode::LLVMURem);
            let divisor = if divides { division.operand(1) } else { continue };
            let Some(width) = divisor.ty().int_width().filter(|_| !divisor.is_constant()) else { continue };
            b.before(division);
            // The highest bit of !d & (d - 1) is set for zero alone.
            let constant = |value| b.constant_of(divisor.ty(), value);
            let less = b.sub(divisor, constant(1));
            let mark = b.and(b.xor(divisor, b.ones(divisor.ty())), less);
            let is_zero = b.lshr(mark, constant(u64::from(width - 1)));
            division.set_operand(1, b.or(divisor, is_zero));
        }
    }
}
