//! Collects what LLVM complains about. An object with an error in it must never be used.

use std::{
    cell::RefCell,
    ffi::{CStr, c_void},
};

use anyhow::{Result, bail};
use bpf_linker::llvm_sys::{
    LLVMDiagnosticSeverity,
    core::{LLVMContextSetDiagnosticHandler, LLVMDisposeMessage, LLVMGetDiagInfoDescription, LLVMGetDiagInfoSeverity},
    prelude::{LLVMContextRef, LLVMDiagnosticInfoRef},
};
use rustc_demangle::demangle;

/// The functions that the backend calls of its own accord and a program defines (`solana-compiler-builtins`).
/// LLVM 22 calls each use an error all the same; a missing definition fails in the linker instead.
const PROVIDED: [&str; 5] = ["memcpy", "memmove", "memset", "memcmp", "bcmp"];

/// Errors so far.
#[derive(Default)]
pub(super) struct Diagnostics(RefCell<Vec<String>>);

impl Diagnostics {
    /// Has `context` report here. `self` must stay where it is for as long as the context lives.
    pub(super) fn install(&self, context: LLVMContextRef) {
        let handler = std::ptr::from_ref(self).cast_mut().cast::<c_void>();
        // SAFETY: `collect` reads the pointer as what it is, a shared reference to `Self`.
        unsafe { LLVMContextSetDiagnosticHandler(context, Some(collect), handler) }
    }

    /// Fails if there was any error.
    pub(super) fn check(&self) -> Result<()> {
        let mut errors = self.0.borrow().clone();
        errors.dedup();
        if !errors.is_empty() {
            bail!("LLVM's BPF backend refused:\n  {}", errors.join("\n  "));
        }
        Ok(())
    }
}

extern "C" fn collect(info: LLVMDiagnosticInfoRef, handler: *mut c_void) {
    // SAFETY: LLVM passes a live diagnostic, and the pointer given to `install`; the text is ours.
    let (diagnostics, severity, text) = unsafe {
        let message = LLVMGetDiagInfoDescription(info);
        let text = CStr::from_ptr(message).to_string_lossy().into_owned();
        LLVMDisposeMessage(message);
        (&*handler.cast::<Diagnostics>(), LLVMGetDiagInfoSeverity(info), text)
    };
    let is_error = matches!(severity, LLVMDiagnosticSeverity::LLVMDSError);
    let provided = PROVIDED.iter().any(|name| text.contains(&format!("built-in function '{name}'")));
    if is_error && !provided {
        diagnostics.0.borrow_mut().push(readable(text.trim()));
    }
}

/// Replaces mangled names by what the source calls them.
pub(super) fn readable(text: &str) -> String {
    let words: Vec<String> = text
        .split(' ')
        .map(|word| {
            if word.starts_with("_ZN") || word.starts_with("_R") {
                format!("{:#}", demangle(word))
            } else {
                word.to_owned()
            }
        })
        .collect();
    words.join(" ")
}
