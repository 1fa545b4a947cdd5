//! Calls with more arguments than the VM has registers for.
//!
//! The backend refuses them, so such functions are inlined into their callers. One that cannot be (it calls
//! itself, or is called through a pointer) fails the build by name.

use std::collections::HashSet;

use anyhow::{Result, ensure};
use bpf_linker::llvm_sys::{LLVMAttributeFunctionIndex, LLVMTypeKind, core::*, prelude::LLVMTypeRef};

use super::{
    diagnostics::readable,
    ir::{self, Module, Value},
};

/// Registers that carry arguments.
const MAX_REGISTERS: u32 = 5;

/// Inlining one function may widen another no more, but chains of wide functions take a round each.
const MAX_ROUNDS: usize = 8;

/// Inlines every function that takes more than [`MAX_REGISTERS`] registers.
///
/// # Errors
/// Names the functions that are left.
pub(super) fn inline_wide_functions(module: &Module) -> Result<()> {
    for _ in 0..MAX_ROUNDS {
        let wide = wide_functions(module);
        if wide.is_empty() {
            return Ok(());
        }
        force_inlining(module, &wide);
        module.run("always-inline,globaldce")?;
    }
    let left: Vec<String> = wide_functions(module).iter().map(|function| readable(&function.name())).collect();
    ensure!(
        left.is_empty(),
        "more than {MAX_REGISTERS} registers of arguments, and not inlinable (recursive, or called through a pointer): {}\n\
         pass a struct by reference instead",
        left.join(", ")
    );
    Ok(())
}

fn wide_functions(module: &Module) -> HashSet<Value> {
    module.defined_functions().into_iter().filter(|function| registers(*function) > MAX_REGISTERS).collect()
}

/// The registers that calling `function` takes.
fn registers(function: Value) -> u32 {
    // SAFETY: `function` is one, so its value type is a function type.
    unsafe {
        let returned = LLVMGetReturnType(LLVMGlobalGetValueType(function.0));
        // A result that needs more than one register is returned through a pointer, which takes one.
        let hidden = u32::from(value_registers(returned) > 1);
        let count = LLVMCountParams(function.0);
        let arguments: u32 = (0..count).map(|i| value_registers(LLVMTypeOf(LLVMGetParam(function.0, i))).max(1)).sum();
        hidden + arguments
    }
}

/// The 64-bit registers that a value of type `ty` takes.
fn value_registers(ty: LLVMTypeRef) -> u32 {
    // SAFETY: each question is asked of the kind of type that has an answer.
    unsafe {
        match LLVMGetTypeKind(ty) {
            LLVMTypeKind::LLVMVoidTypeKind => 0,
            LLVMTypeKind::LLVMIntegerTypeKind => LLVMGetIntTypeWidth(ty).div_ceil(64),
            LLVMTypeKind::LLVMStructTypeKind => {
                (0..LLVMCountStructElementTypes(ty)).map(|i| value_registers(LLVMStructGetTypeAtIndex(ty, i))).sum()
            }
            LLVMTypeKind::LLVMArrayTypeKind => u32::try_from(LLVMGetArrayLength2(ty))
                .unwrap_or(u32::MAX)
                .saturating_mul(value_registers(LLVMGetElementType(ty))),
            _ => 1,
        }
    }
}

/// Overrides what asks for `functions` not to be inlined, on them and on each call: rustc puts it on both.
fn force_inlining(module: &Module, functions: &HashSet<Value>) {
    let [noinline, optnone, alwaysinline] = [c"noinline", c"optnone", c"alwaysinline"].map(|name| {
        // SAFETY: pointer and length belong together.
        unsafe { LLVMGetEnumAttributeKindForName(name.as_ptr(), name.count_bytes()) }
    });
    for caller in module.defined_functions() {
        for call in ir::instructions(caller) {
            if call.callee().is_some_and(|callee| functions.contains(&callee)) {
                // SAFETY: `call` is a call; removing an absent attribute does nothing.
                unsafe { LLVMRemoveCallSiteEnumAttribute(call.0, LLVMAttributeFunctionIndex, noinline) }
            }
        }
    }
    for function in functions {
        // SAFETY: `function` is one; the attribute belongs to the module's context.
        unsafe {
            LLVMRemoveEnumAttributeAtIndex(function.0, LLVMAttributeFunctionIndex, noinline);
            LLVMRemoveEnumAttributeAtIndex(function.0, LLVMAttributeFunctionIndex, optnone);
            let attribute = LLVMCreateEnumAttribute(module.context, alwaysinline, 0);
            LLVMAddAttributeAtIndex(function.0, LLVMAttributeFunctionIndex, attribute);
        }
        function.make_internal();
    }
}
