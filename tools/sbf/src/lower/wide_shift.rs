//! Shifts and rotations of 128 bits by an amount that is known at run time only.
//!
//! The backend turns them into a call that it then refuses; constant amounts it can do.

use bpf_linker::llvm_sys::{LLVMIntPredicate::*, LLVMOpcode};

use super::{builder::Builder, ir::Value};

/// Rewrites a variable 128-bit shift or rotation.
pub(super) fn lower(b: &Builder, instruction: Value) -> bool {
    if instruction.ty().int_width() != Some(128) {
        return false;
    }
    match instruction.opcode() {
        kind @ (LLVMOpcode::LLVMShl | LLVMOpcode::LLVMLShr | LLVMOpcode::LLVMAShr) => {
            let amount = instruction.operand(1);
            if amount.is_constant() {
                return false;
            }
            b.before(instruction);
            let result = shift(b, kind, instruction.operand(0), amount);
            instruction.replace_with(result);
            true
        }
        LLVMOpcode::LLVMCall => funnel(b, instruction),
        _ => false,
    }
}

/// A shift by less than 128, from shifts of the halves by less than 64.
fn shift(b: &Builder, kind: LLVMOpcode, value: Value, amount: Value) -> Value {
    let (low, high) = b.split(value);
    let (amount, _) = b.split(amount);
    let far = b.compare(LLVMIntUGT, amount, b.constant(63));
    let near = b.and(amount, b.constant(63));
    // What crosses over moves by 64 - near, in two steps because near may be 0.
    let rest = b.xor(near, b.constant(63));
    if kind == LLVMOpcode::LLVMShl {
        let crossing = b.lshr(b.lshr(low, b.constant(1)), rest);
        let moved = b.shl(low, near);
        let high = b.or(b.shl(high, near), crossing);
        return b.join(b.select(far, b.constant(0), moved), b.select(far, moved, high));
    }
    let crossing = b.shl(b.shl(high, b.constant(1)), rest);
    let low = b.or(b.lshr(low, near), crossing);
    let (moved, fill) = if kind == LLVMOpcode::LLVMAShr {
        (b.ashr(high, near), b.ashr(high, b.constant(63)))
    } else {
        (b.lshr(high, near), b.constant(0))
    };
    b.join(b.select(far, moved, low), b.select(far, fill, moved))
}

/// LLVM's shift of a pair, of which a rotation is the case with equal parts. The shifts that it becomes are
/// rewritten in the next round.
fn funnel(b: &Builder, instruction: Value) -> bool {
    let left = match instruction.callee().map(Value::name).as_deref() {
        Some("llvm.fshl.i128") => true,
        Some("llvm.fshr.i128") => false,
        _ => return false,
    };
    if instruction.operand(2).is_constant() {
        return false;
    }
    b.before(instruction);
    let (high, low) = (instruction.operand(0), instruction.operand(1));
    let amount = b.and(instruction.operand(2), b.wide_constant(127));
    let rest = b.xor(amount, b.wide_constant(127));
    let one = b.wide_constant(1);
    let result = if left {
        b.or(b.shl(high, amount), b.lshr(b.lshr(low, one), rest))
    } else {
        b.or(b.shl(b.shl(high, one), rest), b.lshr(low, amount))
    };
    instruction.replace_with(result);
    true
}
