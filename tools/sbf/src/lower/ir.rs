//! A small layer over LLVM's C interface: one module, and handles to what is in it.
//!
//! SAFETY, for every `unsafe` block of this folder: a [`Value`], [`Type`] or [`Block`] is only made from a
//! live [`Module`], which outlives it within [`super::lower`]; LLVM is used by one thread; an erased
//! instruction's handle is not used again by the one function that erases it. What else a block relies on
//! stands beside it.

use std::{
    ffi::{CStr, CString, c_char},
    fs,
    path::Path,
    ptr,
};

use anyhow::{Context, Result, bail, ensure};
use bpf_linker::llvm_sys::{
    LLVMLinkage, LLVMOpcode, LLVMTypeKind,
    bit_reader::LLVMParseBitcodeInContext2,
    core::*,
    error::{LLVMDisposeErrorMessage, LLVMGetErrorMessage},
    ir_reader::LLVMParseIRInContext2,
    linker::LLVMLinkModules2,
    prelude::*,
    target_machine::*,
    transforms::pass_builder::*,
};

use super::{FEATURES, diagnostics::Diagnostics};
use crate::arch::Arch;

/// A value: a function, an instruction, an argument or a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Value(pub(super) LLVMValueRef);

/// A type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Type(pub(super) LLVMTypeRef);

/// A program in LLVM's form, together with the machine it is meant for.
pub(super) struct Module {
    pub(super) context: LLVMContextRef,
    module: LLVMModuleRef,
    machine: LLVMTargetMachineRef,
    diagnostics: Box<Diagnostics>,
}

impl Module {
    /// Reads a bitcode file. Everything but the symbols that others look up by name becomes internal.
    pub(super) fn read(path: &Path, arch: Arch) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let diagnostics = Box::<Diagnostics>::default();
        // SAFETY: the buffer borrows `bytes`, which lives until the end of this function, and the module
        // does not refer to it once it is parsed; the diagnostics are boxed, so their address stays.
        unsafe {
            let context = LLVMContextCreate();
            diagnostics.install(context);
            let buffer = memory_buffer(&bytes, c"program");
            let mut module = ptr::null_mut();
            let failed = LLVMParseBitcodeInContext2(context, buffer, &mut module) != 0;
            LLVMDisposeMemoryBuffer(buffer);
            ensure!(!failed, "{} holds no bitcode that LLVM can read", path.display());
            let machine = target_machine(LLVMGetTarget(module), arch)?;
            let module = Self { context, module, machine, diagnostics };
            for function in module.defined_functions() {
                if !crate::linker::EXPORTS.contains(&function.name().as_str()) {
                    function.make_internal();
                }
            }
            Ok(module)
        }
    }

    /// Runs a pipeline, in the syntax of LLVM's `opt -passes=`.
    pub(super) fn run(&self, passes: &str) -> Result<()> {
        let pipeline = CString::new(passes)?;
        // SAFETY: the options are disposed of once, and so is an error's text.
        unsafe {
            let options = LLVMCreatePassBuilderOptions();
            let error = LLVMRunPasses(self.module, pipeline.as_ptr(), self.machine, options);
            LLVMDisposePassBuilderOptions(options);
            if !error.is_null() {
                let message = LLVMGetErrorMessage(error);
                let text = CStr::from_ptr(message).to_string_lossy().into_owned();
                LLVMDisposeErrorMessage(message);
                bail!("LLVM cannot run `{passes}`: {text}");
            }
        }
        self.diagnostics.check()
    }

    /// Adds the functions of a text in LLVM's assembly language, as internal ones.
    pub(super) fn add(&self, text: &CStr) -> Result<()> {
        let mut message: *mut c_char = ptr::null_mut();
        // SAFETY: the buffer borrows a text that ends in NUL, as LLVM's parser demands, and outlives the
        // parsing; linking consumes the added module, so that it is not disposed of here.
        unsafe {
            let buffer = memory_buffer(text.to_bytes(), c"provena");
            let mut added = ptr::null_mut();
            let failed = LLVMParseIRInContext2(self.context, buffer, &mut added, &mut message) != 0;
            LLVMDisposeMemoryBuffer(buffer);
            ensure!(!failed, "LLVM cannot read the lowering's own code: {}", take(message));
            LLVMSetTarget(added, LLVMGetTarget(self.module));
            LLVMSetDataLayout(added, LLVMGetDataLayoutStr(self.module));
            ensure!(LLVMLinkModules2(self.module, added) == 0, "LLVM cannot add the lowering's own code");
        }
        Ok(())
    }

    /// Writes the object file.
    pub(super) fn emit(&self, object: &Path) -> Result<()> {
        let path = CString::new(object.as_os_str().as_encoded_bytes())?;
        let mut message: *mut c_char = ptr::null_mut();
        // SAFETY: the path is a string that ends in NUL and outlives the call.
        let failed = unsafe {
            LLVMTargetMachineEmitToFile(
                self.machine,
                self.module,
                path.as_ptr(),
                LLVMCodeGenFileType::LLVMObjectFile,
                &mut message,
            )
        };
        // SAFETY: a failed call leaves a message that is ours.
        ensure!(failed == 0, "LLVM: {}", unsafe { take(message) });
        self.diagnostics.check()
    }

    /// Writes the module as text, to be read by people.
    pub(super) fn print(&self, path: &Path) -> Result<()> {
        let name = CString::new(path.as_os_str().as_encoded_bytes())?;
        let mut message: *mut c_char = ptr::null_mut();
        // SAFETY: the path is a string that ends in NUL and outlives the call.
        let failed = unsafe { LLVMPrintModuleToFile(self.module, name.as_ptr(), &mut message) };
        // SAFETY: a failed call leaves a message that is ours.
        ensure!(failed == 0, "cannot write {}: {}", path.display(), unsafe { take(message) });
        Ok(())
    }

    /// All functions that have a body.
    pub(super) fn defined_functions(&self) -> Vec<Value> {
        let mut functions = Vec::new();
        // SAFETY: see the head of this file.
        unsafe {
            let mut function = LLVMGetFirstFunction(self.module);
            while !function.is_null() {
                if LLVMIsDeclaration(function) == 0 {
                    functions.push(Value(function));
                }
                function = LLVMGetNextFunction(function);
            }
        }
        functions
    }

    /// The function of this name.
    pub(super) fn function(&self, name: &CStr) -> Option<Value> {
        // SAFETY: see the head of this file.
        let function = unsafe { LLVMGetNamedFunction(self.module, name.as_ptr()) };
        (!function.is_null()).then_some(Value(function))
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        // SAFETY: each is disposed of once, the context last.
        unsafe {
            LLVMDisposeTargetMachine(self.machine);
            LLVMDisposeModule(self.module);
            LLVMContextDispose(self.context);
        }
    }
}

impl Value {
    pub(super) fn name(self) -> String {
        let mut length = 0;
        // SAFETY: LLVM gives a pointer to as many bytes as it says.
        unsafe {
            let name = LLVMGetValueName2(self.0, &mut length);
            String::from_utf8_lossy(std::slice::from_raw_parts(name.cast::<u8>(), length)).into_owned()
        }
    }

    pub(super) fn ty(self) -> Type {
        // SAFETY: see the head of this file.
        Type(unsafe { LLVMTypeOf(self.0) })
    }

    /// An instruction's kind.
    pub(super) fn opcode(self) -> LLVMOpcode {
        // SAFETY: asked of instructions only.
        unsafe { LLVMGetInstructionOpcode(self.0) }
    }

    pub(super) fn operand(self, index: u32) -> Self {
        // SAFETY: asked for operands that the kind of instruction has.
        Self(unsafe { LLVMGetOperand(self.0, index) })
    }

    pub(super) fn set_operand(self, index: u32, value: Self) {
        // SAFETY: the operand exists and has the value's type.
        unsafe { LLVMSetOperand(self.0, index, value.0) }
    }

    pub(super) fn is_constant(self) -> bool {
        // SAFETY: see the head of this file.
        unsafe { LLVMIsConstant(self.0) != 0 }
    }

    /// The function that a call names, if it is one; none for calls through a pointer.
    pub(super) fn callee(self) -> Option<Self> {
        if self.opcode() != LLVMOpcode::LLVMCall {
            return None;
        }
        // SAFETY: `self` is a call.
        let callee = unsafe { LLVMGetCalledValue(self.0) };
        // SAFETY: see the head of this file.
        (!unsafe { LLVMIsAFunction(callee) }.is_null()).then_some(Self(callee))
    }

    /// The function an instruction stands in.
    pub(super) fn parent_function(self) -> Self {
        // SAFETY: asked of instructions in a body only.
        Self(unsafe { LLVMGetBasicBlockParent(LLVMGetInstructionParent(self.0)) })
    }

    pub(super) fn make_internal(self) {
        // SAFETY: asked of functions only.
        unsafe { LLVMSetLinkage(self.0, LLVMLinkage::LLVMInternalLinkage) }
    }

    /// Puts `other` wherever this instruction's result was used, and removes the instruction.
    pub(super) fn replace_with(self, other: Self) {
        // SAFETY: the types agree; no caller uses the erased instruction again.
        unsafe {
            LLVMReplaceAllUsesWith(self.0, other.0);
            LLVMInstructionEraseFromParent(self.0);
        }
    }
}

impl Type {
    /// The width of an integer type in bits; none for every other type.
    pub(super) fn int_width(self) -> Option<u32> {
        // SAFETY: the width is asked of integer types only.
        unsafe {
            matches!(LLVMGetTypeKind(self.0), LLVMTypeKind::LLVMIntegerTypeKind).then(|| LLVMGetIntTypeWidth(self.0))
        }
    }
}

/// All instructions of a function, in order.
pub(super) fn instructions(function: Value) -> Vec<Value> {
    let mut found = Vec::new();
    // SAFETY: see the head of this file.
    unsafe {
        let mut block = LLVMGetFirstBasicBlock(function.0);
        while !block.is_null() {
            let mut instruction = LLVMGetFirstInstruction(block);
            while !instruction.is_null() {
                found.push(Value(instruction));
                instruction = LLVMGetNextInstruction(instruction);
            }
            block = LLVMGetNextBasicBlock(block);
        }
    }
    found
}

/// A machine that runs what `arch` may contain.
///
/// # Safety
/// `triple` is a string that ends in NUL.
unsafe fn target_machine(triple: *const c_char, arch: Arch) -> Result<LLVMTargetMachineRef> {
    let mut target = ptr::null_mut();
    let mut message: *mut c_char = ptr::null_mut();
    let cpu = CString::new(arch.cpu().to_string())?;
    // SAFETY: all strings end in NUL and outlive the calls; a failed call leaves a message that is ours.
    unsafe {
        let failed = LLVMGetTargetFromTriple(triple, &mut target, &mut message) != 0;
        ensure!(!failed, "LLVM does not know the target: {}", take(message));
        let machine = LLVMCreateTargetMachine(
            target,
            triple,
            cpu.as_ptr(),
            FEATURES.as_ptr(),
            LLVMCodeGenOptLevel::LLVMCodeGenLevelAggressive,
            LLVMRelocMode::LLVMRelocStatic,
            LLVMCodeModel::LLVMCodeModelDefault,
        );
        ensure!(!machine.is_null(), "LLVM has no machine for {arch}");
        Ok(machine)
    }
}

/// A buffer that borrows `bytes`.
///
/// # Safety
/// `bytes` outlives the buffer.
unsafe fn memory_buffer(bytes: &[u8], name: &CStr) -> LLVMMemoryBufferRef {
    // SAFETY: pointer and length belong together.
    unsafe { LLVMCreateMemoryBufferWithMemoryRange(bytes.as_ptr().cast(), bytes.len(), name.as_ptr(), 0) }
}

/// Copies a message of LLVM's and gives it back.
///
/// # Safety
/// `message` is null or a message that LLVM left to the caller.
unsafe fn take(message: *mut c_char) -> String {
    if message.is_null() {
        return "no reason given".to_owned();
    }
    // SAFETY: a message ends in NUL and is disposed of once.
    unsafe {
        let text = CStr::from_ptr(message).to_string_lossy().into_owned();
        LLVMDisposeMessage(message);
        text
    }
}
