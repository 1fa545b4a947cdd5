//! Turns linked LLVM bitcode into an object that stock LLVM 22's BPF backend can emit correctly
//! and the Solana VM can run.
//!
//! The stock backend cannot select four kinds of code that ordinary Rust contains, and for one
//! of them it silently returns zero instead of failing:
//!   * atomics and fences          -> plain accesses (the VM has one thread)
//!   * 64x64->128 bit products      -> 32-bit limbs (the libcall returns two registers; BPF has one)
//!   * signed division             -> unsigned division and a sign
//!   * calls with more than 5 args -> inlined into their callers
use bpf_linker::llvm_sys::{
    self, LLVMIntPredicate::*, LLVMLinkage, LLVMOpcode, LLVMTypeKind, bit_reader::*, core::*, prelude::*,
    target_machine::*, transforms::pass_builder::*,
};
use std::{
    ffi::{CStr, CString, c_char, c_void},
    path::Path,
    ptr,
};

const MAX_ARGS: u32 = 5;

pub(crate) const FEATURES: &CStr = c"+allows-misaligned-mem-access";

unsafe fn run(m: LLVMModuleRef, tm: LLVMTargetMachineRef, p: &str) -> anyhow::Result<()> {
    unsafe {
        let o = LLVMCreatePassBuilderOptions();
        let c = CString::new(p)?;
        let e = LLVMRunPasses(m, c.as_ptr(), tm, o);
        LLVMDisposePassBuilderOptions(o);
        if !e.is_null() {
            let s = llvm_sys::error::LLVMGetErrorMessage(e);
            anyhow::bail!("pass {p}: {}", CStr::from_ptr(s).to_string_lossy());
        }
    }
    Ok(())
}

unsafe fn functions(m: LLVMModuleRef) -> Vec<LLVMValueRef> {
    let mut v = vec![];
    unsafe {
        let mut f = LLVMGetFirstFunction(m);
        while !f.is_null() {
            v.push(f);
            f = LLVMGetNextFunction(f);
        }
    }
    v
}

unsafe fn instructions(f: LLVMValueRef) -> Vec<LLVMValueRef> {
    let mut v = vec![];
    unsafe {
        let mut b = LLVMGetFirstBasicBlock(f);
        while !b.is_null() {
            let mut i = LLVMGetFirstInstruction(b);
            while !i.is_null() {
                v.push(i);
                i = LLVMGetNextInstruction(i);
            }
            b = LLVMGetNextBasicBlock(b);
        }
    }
    v
}

unsafe fn name(v: LLVMValueRef) -> String {
    let mut l = 0usize;
    unsafe {
        let p = LLVMGetValueName2(v, &mut l);
        String::from_utf8_lossy(std::slice::from_raw_parts(p as *const u8, l)).into_owned()
    }
}

unsafe fn int_width(t: LLVMTypeRef) -> u32 {
    unsafe { if matches!(LLVMGetTypeKind(t), LLVMTypeKind::LLVMIntegerTypeKind) { LLVMGetIntTypeWidth(t) } else { 0 } }
}

unsafe fn arg_registers(f: LLVMValueRef) -> u32 {
    unsafe { (0..LLVMCountParams(f)).map(|i| int_width(LLVMTypeOf(LLVMGetParam(f, i))).div_ceil(64).max(1)).sum() }
}

/// Builds products wider than 64 bits out of 32-bit limbs.
struct Wide {
    b: LLVMBuilderRef,
    i64t: LLVMTypeRef,
    i128t: LLVMTypeRef,
}

impl Wide {
    unsafe fn c(&self, v: u64) -> LLVMValueRef {
        unsafe { LLVMConstInt(self.i64t, v, 0) }
    }
    unsafe fn mul(&self, a: LLVMValueRef, b: LLVMValueRef) -> LLVMValueRef {
        unsafe { LLVMBuildMul(self.b, a, b, c"".as_ptr()) }
    }
    unsafe fn add(&self, a: LLVMValueRef, b: LLVMValueRef) -> LLVMValueRef {
        unsafe { LLVMBuildAdd(self.b, a, b, c"".as_ptr()) }
    }
    unsafe fn lo32(&self, a: LLVMValueRef) -> LLVMValueRef {
        unsafe { LLVMBuildAnd(self.b, a, self.c(0xffff_ffff), c"".as_ptr()) }
    }
    unsafe fn hi32(&self, a: LLVMValueRef) -> LLVMValueRef {
        unsafe { LLVMBuildLShr(self.b, a, self.c(32), c"".as_ptr()) }
    }
    /// High 64 bits of the unsigned product.
    unsafe fn mulhu(&self, a: LLVMValueRef, b: LLVMValueRef) -> LLVMValueRef {
        unsafe {
            let (a0, a1, b0, b1) = (self.lo32(a), self.hi32(a), self.lo32(b), self.hi32(b));
            let ll = self.mul(a0, b0);
            let t = self.add(self.mul(a1, b0), self.hi32(ll));
            let u = self.add(self.mul(a0, b1), self.lo32(t));
            self.add(self.add(self.mul(a1, b1), self.hi32(t)), self.hi32(u))
        }
    }
    /// High 64 bits of the signed product.
    unsafe fn mulhs(&self, a: LLVMValueRef, b: LLVMValueRef) -> LLVMValueRef {
        unsafe {
            let sa = LLVMBuildAShr(self.b, a, self.c(63), c"".as_ptr());
            let sb = LLVMBuildAShr(self.b, b, self.c(63), c"".as_ptr());
            let x = LLVMBuildAnd(self.b, sa, b, c"".as_ptr());
            let y = LLVMBuildAnd(self.b, sb, a, c"".as_ptr());
            let h = self.mulhu(a, b);
            LLVMBuildSub(self.b, LLVMBuildSub(self.b, h, x, c"".as_ptr()), y, c"".as_ptr())
        }
    }
    /// Signed quotient or remainder from the unsigned one: |a| op |b|, then the sign.
    unsafe fn signed_div_rem(&self, a: LLVMValueRef, b: LLVMValueRef, rem: bool) -> LLVMValueRef {
        unsafe {
            let n = c"".as_ptr();
            let flip = |v, s| LLVMBuildSub(self.b, LLVMBuildXor(self.b, v, s, n), s, n); // -v where s is all ones
            let (sa, sb) = (LLVMBuildAShr(self.b, a, self.c(63), n), LLVMBuildAShr(self.b, b, self.c(63), n));
            let (ua, ub) = (flip(a, sa), flip(b, sb));
            if rem {
                flip(LLVMBuildURem(self.b, ua, ub, n), sa)
            } else {
                flip(LLVMBuildUDiv(self.b, ua, ub, n), LLVMBuildXor(self.b, sa, sb, n))
            }
        }
    }
    unsafe fn split(&self, v: LLVMValueRef) -> (LLVMValueRef, LLVMValueRef) {
        unsafe {
            let lo = LLVMBuildTrunc(self.b, v, self.i64t, c"".as_ptr());
            let sh = LLVMBuildLShr(self.b, v, LLVMConstInt(self.i128t, 64, 0), c"".as_ptr());
            (lo, LLVMBuildTrunc(self.b, sh, self.i64t, c"".as_ptr()))
        }
    }
    unsafe fn join(&self, lo: LLVMValueRef, hi: LLVMValueRef) -> LLVMValueRef {
        unsafe {
            let l = LLVMBuildZExt(self.b, lo, self.i128t, c"".as_ptr());
            let h = LLVMBuildZExt(self.b, hi, self.i128t, c"".as_ptr());
            let h = LLVMBuildShl(self.b, h, LLVMConstInt(self.i128t, 64, 0), c"".as_ptr());
            LLVMBuildOr(self.b, l, h, c"".as_ptr())
        }
    }
}

unsafe fn lower_arithmetic(ctx: LLVMContextRef, m: LLVMModuleRef) -> usize {
    let mut n = 0;
    unsafe {
        let w = Wide {
            b: LLVMCreateBuilderInContext(ctx),
            i64t: LLVMInt64TypeInContext(ctx),
            i128t: LLVMIntTypeInContext(ctx, 128),
        };
        for f in functions(m) {
            for i in instructions(f) {
                let op = LLVMGetInstructionOpcode(i);
                if matches!(op, LLVMOpcode::LLVMMul) && int_width(LLVMTypeOf(i)) == 128 {
                    LLVMPositionBuilderBefore(w.b, i);
                    let (a0, a1) = w.split(LLVMGetOperand(i, 0));
                    let (b0, b1) = w.split(LLVMGetOperand(i, 1));
                    let hi = w.add(w.mulhu(a0, b0), w.add(w.mul(a0, b1), w.mul(a1, b0)));
                    let r = w.join(w.mul(a0, b0), hi);
                    LLVMReplaceAllUsesWith(i, r);
                    LLVMInstructionEraseFromParent(i);
                    n += 1;
                } else if matches!(op, LLVMOpcode::LLVMSDiv | LLVMOpcode::LLVMSRem) && int_width(LLVMTypeOf(i)) <= 64 {
                    LLVMPositionBuilderBefore(w.b, i);
                    let t = LLVMTypeOf(i);
                    let [a, b] = [0, 1].map(|k| LLVMBuildSExt(w.b, LLVMGetOperand(i, k), w.i64t, c"".as_ptr()));
                    let r = w.signed_div_rem(a, b, matches!(op, LLVMOpcode::LLVMSRem));
                    LLVMReplaceAllUsesWith(i, LLVMBuildTruncOrBitCast(w.b, r, t, c"".as_ptr()));
                    LLVMInstructionEraseFromParent(i);
                    n += 1;
                } else if matches!(op, LLVMOpcode::LLVMCall) {
                    let callee = LLVMGetCalledValue(i);
                    if LLVMIsAFunction(callee).is_null() {
                        continue;
                    }
                    let nm = name(callee);
                    let signed = match nm.as_str() {
                        "llvm.umul.with.overflow.i64" => false,
                        "llvm.smul.with.overflow.i64" => true,
                        _ => continue,
                    };
                    LLVMPositionBuilderBefore(w.b, i);
                    let (a, b) = (LLVMGetOperand(i, 0), LLVMGetOperand(i, 1));
                    let lo = w.mul(a, b);
                    let overflow = if signed {
                        let s = LLVMBuildAShr(w.b, lo, w.c(63), c"".as_ptr());
                        LLVMBuildICmp(w.b, LLVMIntNE, w.mulhs(a, b), s, c"".as_ptr())
                    } else {
                        LLVMBuildICmp(w.b, LLVMIntNE, w.mulhu(a, b), w.c(0), c"".as_ptr())
                    };
                    let r = LLVMGetUndef(LLVMTypeOf(i));
                    let r = LLVMBuildInsertValue(w.b, r, lo, 0, c"".as_ptr());
                    let r = LLVMBuildInsertValue(w.b, r, overflow, 1, c"".as_ptr());
                    LLVMReplaceAllUsesWith(i, r);
                    LLVMInstructionEraseFromParent(i);
                    n += 1;
                }
            }
        }
        LLVMDisposeBuilder(w.b);
    }
    n
}

/// Backend errors seen while emitting. Any of them means the object must not be used.
#[derive(Default)]
struct Diagnostics(Vec<String>);

extern "C" fn collect(info: LLVMDiagnosticInfoRef, errors: *mut c_void) {
    unsafe {
        let m = LLVMGetDiagInfoDescription(info);
        let text = CStr::from_ptr(m).to_string_lossy().into_owned();
        LLVMDisposeMessage(m);
        // memcpy and its kin are defined in the module, so a call to them resolves at link time.
        let resolved = ["memcpy", "memmove", "memset", "memcmp", "bcmp"]
            .iter()
            .any(|f| text.contains(&format!("built-in function '{f}'")));
        if matches!(LLVMGetDiagInfoSeverity(info), llvm_sys::LLVMDiagnosticSeverity::LLVMDSError) && !resolved {
            (*(errors as *mut Diagnostics)).0.push(text);
        }
    }
}

pub fn lower(bc: &Path, out: &Path, cpu: &str, features: &str) -> anyhow::Result<()> {
    unsafe {
        let ctx = LLVMContextCreate();
        let mut errors = Diagnostics::default();
        LLVMContextSetDiagnosticHandler(ctx, Some(collect), &mut errors as *mut _ as *mut c_void);
        let mut buf = ptr::null_mut();
        let mut msg: *mut c_char = ptr::null_mut();
        let p = CString::new(bc.to_str().unwrap())?;
        anyhow::ensure!(LLVMCreateMemoryBufferWithContentsOfFile(p.as_ptr(), &mut buf, &mut msg) == 0, "read bc");
        let mut m = ptr::null_mut();
        anyhow::ensure!(LLVMParseBitcodeInContext2(ctx, buf, &mut m) == 0, "parse bc");
        let triple = LLVMGetTarget(m);
        let mut target = ptr::null_mut();
        anyhow::ensure!(LLVMGetTargetFromTriple(triple, &mut target, &mut msg) == 0, "target");
        let (c, fe) = (CString::new(cpu)?, CString::new(features)?);
        let tm = LLVMCreateTargetMachine(
            target,
            triple,
            c.as_ptr(),
            fe.as_ptr(),
            LLVMCodeGenOptLevel::LLVMCodeGenLevelAggressive,
            LLVMRelocMode::LLVMRelocStatic,
            LLVMCodeModel::LLVMCodeModelDefault,
        );
        const KEEP: [&str; 6] = ["entrypoint", "memcpy", "memmove", "memset", "memcmp", "bcmp"];
        for f in functions(m) {
            if LLVMIsDeclaration(f) == 0 && !KEEP.contains(&name(f).as_str()) {
                LLVMSetLinkage(f, LLVMLinkage::LLVMInternalLinkage);
            }
        }
        run(m, tm, "globaldce,function(lower-atomic)")?;
        let [noinline, optnone, always] = [c"noinline", c"optnone", c"alwaysinline"]
            .map(|a| LLVMGetEnumAttributeKindForName(a.as_ptr(), a.count_bytes()));
        for _ in 0..8 {
            let wide: Vec<_> = functions(m)
                .into_iter()
                .filter(|f| LLVMIsDeclaration(*f) == 0 && arg_registers(*f) > MAX_ARGS)
                .collect();
            if wide.is_empty() {
                break;
            }
            for f in functions(m) {
                for i in instructions(f) {
                    // rustc repeats `noinline` on the call itself.
                    if matches!(LLVMGetInstructionOpcode(i), LLVMOpcode::LLVMCall)
                        && wide.contains(&LLVMGetCalledValue(i))
                    {
                        LLVMRemoveCallSiteEnumAttribute(i, llvm_sys::LLVMAttributeFunctionIndex, noinline);
                    }
                }
            }
            for f in wide {
                let idx = llvm_sys::LLVMAttributeFunctionIndex;
                LLVMRemoveEnumAttributeAtIndex(f, idx, noinline);
                LLVMRemoveEnumAttributeAtIndex(f, idx, optnone);
                LLVMAddAttributeAtIndex(f, idx, LLVMCreateEnumAttribute(ctx, always, 0));
                LLVMSetLinkage(f, LLVMLinkage::LLVMInternalLinkage);
            }
            run(m, tm, "always-inline,globaldce")?;
        }
        let left: Vec<_> = functions(m)
            .into_iter()
            .filter(|f| LLVMIsDeclaration(*f) == 0 && arg_registers(*f) > MAX_ARGS)
            .map(|f| name(f))
            .collect();
        anyhow::ensure!(left.is_empty(), "more than {MAX_ARGS} argument registers and not inlinable: {left:?}");
        run(m, tm, "default<O3>")?;
        let n = lower_arithmetic(ctx, m);
        run(m, tm, "function(lower-atomic,instcombine<no-verify-fixpoint>,simplifycfg,early-cse,dce),globaldce")?;
        let again = lower_arithmetic(ctx, m);
        let _ = (n, again);
        let o = CString::new(out.to_str().unwrap())?;
        let ll = CString::new(out.with_extension("ll").to_str().unwrap())?;
        LLVMPrintModuleToFile(m, ll.as_ptr(), &mut msg);
        if LLVMTargetMachineEmitToFile(tm, m, o.as_ptr() as *mut _, LLVMCodeGenFileType::LLVMObjectFile, &mut msg) != 0
        {
            anyhow::bail!("emit: {}", CStr::from_ptr(msg).to_string_lossy());
        }
        errors.0.dedup();
        anyhow::ensure!(errors.0.is_empty(), "the BPF backend refused:\n{}", errors.0.join("\n"));
    }
    Ok(())
}
