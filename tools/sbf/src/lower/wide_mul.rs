//! Products of more than 64 bits, from 32-bit limbs.
//!
//! The backend turns them into a call that returns two registers. The VM's functions return one, so it
//! reports an error and goes on with zero.

use bpf_linker::llvm_sys::{LLVMIntPredicate::*, LLVMOpcode};

use super::{builder::Builder, ir::Value};

/// Rewrites a 128-bit product, or a checked product of 64 or 128 bits.
pub(super) fn lower(b: &Builder, instruction: Value) -> bool {
    if instruction.opcode() == LLVMOpcode::LLVMMul && instruction.ty().int_width() == Some(128) {
        b.before(instruction);
        let product = product(b, instruction.operand(0), instruction.operand(1));
        instruction.replace_with(product);
        return true;
    }
    let Some(callee) = instruction.callee() else { return false };
    let checked = match callee.name().as_str() {
        "llvm.umul.with.overflow.i64" => unsigned_64,
        "llvm.smul.with.overflow.i64" => signed_64,
        "llvm.umul.with.overflow.i128" => unsigned_128,
        "llvm.smul.with.overflow.i128" => signed_128,
        _ => return false,
    };
    b.before(instruction);
    let (value, overflow) = checked(b, instruction.operand(0), instruction.operand(1));
    instruction.replace_with(b.pair(instruction.ty(), value, overflow));
    true
}

/// The low 128 bits of a 128-bit product.
fn product(b: &Builder, x: Value, y: Value) -> Value {
    let ((x0, x1), (y0, y1)) = (b.split(x), b.split(y));
    let cross = b.add(b.mul(x0, y1), b.mul(x1, y0));
    b.join(b.mul(x0, y0), b.add(high(b, x0, y0), cross))
}

/// The high 64 bits of an unsigned 64-bit product.
fn high(b: &Builder, x: Value, y: Value) -> Value {
    let halves = |v| (b.and(v, b.constant(0xffff_ffff)), b.lshr(v, b.constant(32)));
    let ((x0, x1), (y0, y1)) = (halves(x), halves(y));
    // No sum overflows: (2^32 - 1)^2 + 2 * (2^32 - 1) < 2^64.
    let (_, carry) = halves(b.mul(x0, y0));
    let (middle, top) = halves(b.add(b.mul(x1, y0), carry));
    let (_, carry) = halves(b.add(b.mul(x0, y1), middle));
    b.add(b.add(b.mul(x1, y1), top), carry)
}

fn unsigned_64(b: &Builder, x: Value, y: Value) -> (Value, Value) {
    (b.mul(x, y), b.compare(LLVMIntNE, high(b, x, y), b.constant(0)))
}

fn signed_64(b: &Builder, x: Value, y: Value) -> (Value, Value) {
    let sign = |v| b.ashr(v, b.constant(63));
    let low = b.mul(x, y);
    // As unsigned numbers, negative factors are 2^64 too large: what they add to the high half is taken off.
    let excess = b.add(b.and(sign(x), y), b.and(sign(y), x));
    let high = b.sub(high(b, x, y), excess);
    (low, b.compare(LLVMIntNE, high, sign(low)))
}

fn unsigned_128(b: &Builder, x: Value, y: Value) -> (Value, Value) {
    let ((x0, x1), (y0, y1)) = (b.split(x), b.split(y));
    let is_set = |v| b.compare(LLVMIntNE, v, b.constant(0));
    // Unless both high halves are set, one of the cross products is zero, so that their sum does not wrap.
    let cross = b.add(b.mul(x0, y1), b.mul(x1, y0));
    let carry = high(b, x0, y0);
    let top = b.add(carry, cross);
    let overflow = [
        b.and(is_set(x1), is_set(y1)),
        is_set(high(b, x0, y1)),
        is_set(high(b, x1, y0)),
        b.compare(LLVMIntULT, top, carry),
    ];
    let overflow = overflow.into_iter().reduce(|a, c| b.or(a, c)).expect("four conditions");
    (b.join(b.mul(x0, y0), top), overflow)
}

fn signed_128(b: &Builder, x: Value, y: Value) -> (Value, Value) {
    let sign = |v| b.ashr(v, b.wide_constant(127));
    // -v where the sign is all ones, else v.
    let apply = |v, sign| b.sub(b.xor(v, sign), sign);
    let zero = b.wide_constant(0);
    let negative = b.xor(sign(x), sign(y));
    let (magnitude, too_large) = unsigned_128(b, apply(x, sign(x)), apply(y, sign(y)));
    let value = apply(magnitude, negative);
    // A result of the wrong sign has left the range; zero has no sign.
    let flipped = b.compare(LLVMIntSLT, b.xor(value, negative), zero);
    let wrong = b.and(flipped, b.compare(LLVMIntNE, value, zero));
    (value, b.or(too_large, wrong))
}
