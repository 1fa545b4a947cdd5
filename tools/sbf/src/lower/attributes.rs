//! Removes attributes that mean nothing in the VM and that the backend takes amiss.

use bpf_linker::llvm_sys::{LLVMAttributeFunctionIndex, LLVMOpcode, core::*};

use super::ir::{self, Module};

/// Removes, from every function and call:
/// - the processor that rustc wrote down, so that one compilation serves every bytecode version: the machine
///   that emits the object decides;
/// - the mark of a pointer through which a struct is returned, which the backend refuses although to it such
///   a pointer is an argument like any other.
pub(super) fn normalise(module: &Module) {
    // SAFETY: pointer and length belong together.
    let struct_return = unsafe { LLVMGetEnumAttributeKindForName(c"sret".as_ptr(), c"sret".count_bytes()) };
    for function in module.defined_functions() {
        // SAFETY: for all four calls, pointers and lengths belong together, `function` is a function, and
        // removing an attribute that is absent does nothing.
        unsafe {
            for attribute in [c"target-cpu", c"target-features"] {
                let length = u32::try_from(attribute.count_bytes()).expect("an attribute's name is short");
                LLVMRemoveStringAttributeAtIndex(function.0, LLVMAttributeFunctionIndex, attribute.as_ptr(), length);
            }
            // Parameters are counted from 1.
            for parameter in 1..=LLVMCountParams(function.0) {
                LLVMRemoveEnumAttributeAtIndex(function.0, parameter, struct_return);
            }
        }
        for call in ir::instructions(function).into_iter().filter(|i| i.opcode() == LLVMOpcode::LLVMCall) {
            // SAFETY: `call` is a call.
            unsafe {
                for argument in 1..=LLVMGetNumArgOperands(call.0) {
                    LLVMRemoveCallSiteEnumAttribute(call.0, argument, struct_return);
                }
            }
        }
    }
}
