//! Signed quotients and remainders, from the unsigned ones and a sign: the VM divides unsigned numbers only.

use bpf_linker::llvm_sys::LLVMOpcode;

use super::{builder::Builder, ir::Value};

/// Rewrites a signed division or remainder of up to 64 bits, or of 128.
pub(super) fn lower(b: &Builder, instruction: Value) -> bool {
    let remainder = match instruction.opcode() {
        LLVMOpcode::LLVMSDiv => false,
        LLVMOpcode::LLVMSRem => true,
        _ => return false,
    };
    let ty = instruction.ty();
    let (x, y) = (instruction.operand(0), instruction.operand(1));
    match ty.int_width() {
        Some(..=64) => {
            b.before(instruction);
            let result = signed(b, b.sext64(x), b.sext64(y), remainder, b.constant(63));
            instruction.replace_with(b.truncate(result, ty));
        }
        Some(128) => {
            b.before(instruction);
            let result = signed(b, x, y, remainder, b.wide_constant(127));
            instruction.replace_with(result);
        }
        _ => return false,
    }
    true
}

/// |x| op |y|, with the sign of the quotient, or for a remainder that of `x`.
fn signed(b: &Builder, x: Value, y: Value, remainder: bool, sign_bit: Value) -> Value {
    let sign = |v| b.ashr(v, sign_bit);
    // -v where the sign is all ones, else v.
    let apply = |v, sign| b.sub(b.xor(v, sign), sign);
    let (x_sign, y_sign) = (sign(x), sign(y));
    let (x, y) = (apply(x, x_sign), apply(y, y_sign));
    if remainder { apply(b.urem(x, y), x_sign) } else { apply(b.udiv(x, y), b.xor(x_sign, y_sign)) }
}
