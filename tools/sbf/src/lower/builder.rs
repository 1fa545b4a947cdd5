//! Writes new instructions, in the words of arithmetic.

use bpf_linker::llvm_sys::{LLVMIntPredicate, core::*, prelude::*};

use super::ir::{Module, Type, Value};

const UNNAMED: *const std::ffi::c_char = c"".as_ptr();

/// Inserts instructions before a chosen one.
pub(super) struct Builder {
    builder: LLVMBuilderRef,
    i64: Type,
    i128: Type,
}

/// A binary operation by LLVM's name for it.
macro_rules! binary {
    ($($name:ident $build:ident;)*) => {
        $(pub(super) fn $name(&self, a: Value, b: Value) -> Value {
            // SAFETY: both operands have the same integer type.
            Value(unsafe { $build(self.builder, a.0, b.0, UNNAMED) })
        })*
    };
}

impl Builder {
    pub(super) fn new(module: &Module) -> Self {
        // SAFETY: the context is live; the builder is disposed of when this is dropped.
        unsafe {
            Self {
                builder: LLVMCreateBuilderInContext(module.context),
                i64: Type(LLVMInt64TypeInContext(module.context)),
                i128: Type(LLVMIntTypeInContext(module.context, 128)),
            }
        }
    }

    /// What is built from now on stands before `instruction`.
    pub(super) fn before(&self, instruction: Value) {
        // SAFETY: see the head of `ir`.
        unsafe { LLVMPositionBuilderBefore(self.builder, instruction.0) }
    }

    /// A constant of any integer type.
    pub(super) fn constant_of(&self, ty: Type, value: u64) -> Value {
        // SAFETY: `ty` is an integer type.
        Value(unsafe { LLVMConstInt(ty.0, value, 0) })
    }

    /// The constant whose bits are all set.
    pub(super) fn ones(&self, ty: Type) -> Value {
        // SAFETY: `ty` is an integer type.
        Value(unsafe { LLVMConstAllOnes(ty.0) })
    }

    /// A 64-bit constant.
    pub(super) fn constant(&self, value: u64) -> Value {
        self.constant_of(self.i64, value)
    }

    /// A 128-bit constant.
    pub(super) fn wide_constant(&self, value: u64) -> Value {
        self.constant_of(self.i128, value)
    }

    binary! {
        add LLVMBuildAdd;
        sub LLVMBuildSub;
        mul LLVMBuildMul;
        udiv LLVMBuildUDiv;
        urem LLVMBuildURem;
        and LLVMBuildAnd;
        or LLVMBuildOr;
        xor LLVMBuildXor;
        shl LLVMBuildShl;
        lshr LLVMBuildLShr;
        ashr LLVMBuildAShr;
    }

    /// A comparison; the result has one bit.
    pub(super) fn compare(&self, predicate: LLVMIntPredicate, a: Value, b: Value) -> Value {
        // SAFETY: both operands have the same integer type.
        Value(unsafe { LLVMBuildICmp(self.builder, predicate, a.0, b.0, UNNAMED) })
    }

    /// `condition ? a : b`.
    pub(super) fn select(&self, condition: Value, a: Value, b: Value) -> Value {
        // SAFETY: the condition has one bit, and both choices the same type.
        Value(unsafe { LLVMBuildSelect(self.builder, condition.0, a.0, b.0, UNNAMED) })
    }

    /// The value in 64 bits, filled up with its sign.
    pub(super) fn sext64(&self, value: Value) -> Value {
        // SAFETY: the value is an integer of at most 64 bits.
        Value(unsafe { LLVMBuildSExtOrBitCast(self.builder, value.0, self.i64.0, UNNAMED) })
    }

    /// The low bits of the value, as many as `ty` has.
    pub(super) fn truncate(&self, value: Value, ty: Type) -> Value {
        // SAFETY: the value is an integer of at least the width of `ty`.
        Value(unsafe { LLVMBuildTruncOrBitCast(self.builder, value.0, ty.0, UNNAMED) })
    }

    /// The low and the high half of a 128-bit value.
    pub(super) fn split(&self, value: Value) -> (Value, Value) {
        let high = self.lshr(value, self.wide_constant(64));
        (self.truncate(value, self.i64), self.truncate(high, self.i64))
    }

    /// A 128-bit value from its halves.
    pub(super) fn join(&self, low: Value, high: Value) -> Value {
        // SAFETY: both halves have 64 bits.
        let [low, high] =
            [low, high].map(|half| unsafe { Value(LLVMBuildZExt(self.builder, half.0, self.i128.0, UNNAMED)) });
        self.or(low, self.shl(high, self.wide_constant(64)))
    }

    /// The pair that LLVM's checked operations return.
    pub(super) fn pair(&self, ty: Type, value: Value, flag: Value) -> Value {
        // SAFETY: `ty` is a struct of the value's type and a single bit.
        unsafe {
            let pair = LLVMGetPoison(ty.0);
            let pair = LLVMBuildInsertValue(self.builder, pair, value.0, 0, UNNAMED);
            Value(LLVMBuildInsertValue(self.builder, pair, flag.0, 1, UNNAMED))
        }
    }

    /// Calls `function` for its effect.
    pub(super) fn call(&self, function: Value, arguments: &[Value]) {
        let mut arguments: Vec<LLVMValueRef> = arguments.iter().map(|argument| argument.0).collect();
        let count = u32::try_from(arguments.len()).expect("a call has few arguments");
        // SAFETY: the arguments have the types of the function's parameters, and it returns nothing.
        unsafe {
            let ty = LLVMGlobalGetValueType(function.0);
            LLVMBuildCall2(self.builder, ty, function.0, arguments.as_mut_ptr(), count, UNNAMED);
        }
    }

    /// Room for `words` 64-bit words on the stack.
    pub(super) fn stack(&self, words: u64, name: &std::ffi::CStr) -> Value {
        // SAFETY: see the head of `ir`.
        unsafe {
            let room = LLVMBuildAlloca(self.builder, LLVMArrayType2(self.i64.0, words), name.as_ptr());
            LLVMSetAlignment(room, 8);
            Value(room)
        }
    }

    /// Reads one word of such room.
    pub(super) fn load_word(&self, room: Value, index: u64) -> Value {
        let mut index = [self.constant(index).0];
        // SAFETY: the room has more words than the index.
        unsafe {
            let place = LLVMBuildInBoundsGEP2(self.builder, self.i64.0, room.0, index.as_mut_ptr(), 1, UNNAMED);
            Value(LLVMBuildLoad2(self.builder, self.i64.0, place, UNNAMED))
        }
    }
}

impl Drop for Builder {
    fn drop(&mut self) {
        // SAFETY: disposed of once.
        unsafe { LLVMDisposeBuilder(self.builder) }
    }
}
