; 128-bit unsigned division for a machine that divides 64-bit numbers.
;
; %out receives four words: quotient low, quotient high, remainder low, remainder high.
; %n1:%n0 is the dividend, %d1:%d0 the divisor, which is not zero.

declare i64 @llvm.ctlz.i64(i64, i1 immarg)

define void @provena.divide128(ptr noalias %out, i64 %n0, i64 %n1, i64 %d0, i64 %d1) noinline nounwind {
entry:
  %q0.out = getelementptr inbounds i64, ptr %out, i64 0
  %q1.out = getelementptr inbounds i64, ptr %out, i64 1
  %r0.out = getelementptr inbounds i64, ptr %out, i64 2
  %r1.out = getelementptr inbounds i64, ptr %out, i64 3
  %highs = or i64 %n1, %d1
  %small = icmp eq i64 %highs, 0
  br i1 %small, label %both.small, label %not.small

; Both numbers fit 64 bits: the machine's own division.
both.small:
  %small.q = udiv i64 %n0, %d0
  %small.qd = mul i64 %small.q, %d0
  %small.r = sub i64 %n0, %small.qd
  store i64 %small.q, ptr %q0.out
  store i64 0, ptr %q1.out
  store i64 %small.r, ptr %r0.out
  store i64 0, ptr %r1.out
  ret void

not.small:
  %divisor.small = icmp eq i64 %d1, 0
  br i1 %divisor.small, label %long, label %wide

; The divisor fits 64 bits: schoolbook division of four 32-bit digits by two (Knuth's algorithm D). The upper
; word of the dividend is divided by the machine; the rest is smaller than the divisor, so that the lower
; word of the quotient fits 64 bits.
long:
  %q1 = udiv i64 %n1, %d0
  %q1d = mul i64 %q1, %d0
  %u1 = sub i64 %n1, %q1d
  %s = call i64 @llvm.ctlz.i64(i64 %d0, i1 true)
  %s.rest = xor i64 %s, 63
  %v = shl i64 %d0, %s
  %u1.up = shl i64 %u1, %s
  %u0.half = lshr i64 %n0, 1
  %u0.over = lshr i64 %u0.half, %s.rest
  %u.top = or i64 %u1.up, %u0.over
  %u.bottom = shl i64 %n0, %s
  %digit1 = lshr i64 %u.bottom, 32
  %digit0 = and i64 %u.bottom, 4294967295
  %step1 = call i64 @provena.digit(i64 %u.top, i64 %digit1, i64 %v)
  %top.up = shl i64 %u.top, 32
  %top.next = or i64 %top.up, %digit1
  %step1.v = mul i64 %step1, %v
  %u.mid = sub i64 %top.next, %step1.v
  %step0 = call i64 @provena.digit(i64 %u.mid, i64 %digit0, i64 %v)
  %mid.up = shl i64 %u.mid, 32
  %mid.next = or i64 %mid.up, %digit0
  %step0.v = mul i64 %step0, %v
  %rest = sub i64 %mid.next, %step0.v
  %long.r = lshr i64 %rest, %s
  %step1.up = shl i64 %step1, 32
  %q0 = add i64 %step1.up, %step0
  store i64 %q0, ptr %q0.out
  store i64 %q1, ptr %q1.out
  store i64 %long.r, ptr %r0.out
  store i64 0, ptr %r1.out
  ret void

; The divisor needs its upper word: the quotient fits 64 bits. Shift the divisor up to the dividend, then
; subtract and shift back, one bit of the quotient at a time.
wide:
  %n1.zeros = call i64 @llvm.ctlz.i64(i64 %n1, i1 false)
  %d1.zeros = call i64 @llvm.ctlz.i64(i64 %d1, i1 true)
  %smaller = icmp ugt i64 %n1.zeros, %d1.zeros
  br i1 %smaller, label %nothing, label %align

nothing:
  store i64 0, ptr %q0.out
  store i64 0, ptr %q1.out
  store i64 %n0, ptr %r0.out
  store i64 %n1, ptr %r1.out
  ret void

align:
  %shift = sub i64 %d1.zeros, %n1.zeros
  %shift.rest = xor i64 %shift, 63
  %d0.half = lshr i64 %d0, 1
  %d0.over = lshr i64 %d0.half, %shift.rest
  %d1.up = shl i64 %d1, %shift
  %t1.first = or i64 %d1.up, %d0.over
  %t0.first = shl i64 %d0, %shift
  br label %subtract

subtract:
  %left = phi i64 [ %shift, %align ], [ %left.next, %subtract ]
  %q = phi i64 [ 0, %align ], [ %q.next, %subtract ]
  %r0 = phi i64 [ %n0, %align ], [ %r0.next, %subtract ]
  %r1 = phi i64 [ %n1, %align ], [ %r1.next, %subtract ]
  %t0 = phi i64 [ %t0.first, %align ], [ %t0.next, %subtract ]
  %t1 = phi i64 [ %t1.first, %align ], [ %t1.next, %subtract ]
  %low.less = icmp ult i64 %r0, %t0
  %borrow = zext i1 %low.less to i64
  %high.less = icmp ult i64 %r1, %t1
  %high.equal = icmp eq i64 %r1, %t1
  %equal.less = and i1 %high.equal, %low.less
  %less = or i1 %high.less, %equal.less
  %bit = select i1 %less, i64 0, i64 1
  %taken0 = select i1 %less, i64 0, i64 %t0
  %taken1 = select i1 %less, i64 0, i64 %t1
  %borrowed = select i1 %less, i64 0, i64 %borrow
  %r0.next = sub i64 %r0, %taken0
  %r1.part = sub i64 %r1, %taken1
  %r1.next = sub i64 %r1.part, %borrowed
  %q.up = shl i64 %q, 1
  %q.next = or i64 %q.up, %bit
  %t0.half = lshr i64 %t0, 1
  %t1.bit = shl i64 %t1, 63
  %t0.next = or i64 %t0.half, %t1.bit
  %t1.next = lshr i64 %t1, 1
  %left.next = sub i64 %left, 1
  %done = icmp eq i64 %left, 0
  br i1 %done, label %store, label %subtract

store:
  store i64 %q.next, ptr %q0.out
  store i64 0, ptr %q1.out
  store i64 %r0.next, ptr %r0.out
  store i64 %r1.next, ptr %r1.out
  ret void
}

; One 32-bit digit of %u:%next / %v, where %u < %v, %next < 2^32 and the highest bit of %v is set. The guess
; from the upper half of %v is at most two too large.
define internal i64 @provena.digit(i64 %u, i64 %next, i64 %v) alwaysinline nounwind {
entry:
  %v1 = lshr i64 %v, 32
  %v0 = and i64 %v, 4294967295
  %guess = udiv i64 %u, %v1
  %guess.v1 = mul i64 %guess, %v1
  %rest = sub i64 %u, %guess.v1
  br label %check

check:
  %q = phi i64 [ %guess, %entry ], [ %q.less, %again ]
  %r = phi i64 [ %rest, %entry ], [ %r.more, %again ]
  %too.wide = icmp ugt i64 %q, 4294967295
  %q.v0 = mul i64 %q, %v0
  %r.up = shl i64 %r, 32
  %r.next = or i64 %r.up, %next
  %too.large = icmp ugt i64 %q.v0, %r.next
  %wrong = or i1 %too.wide, %too.large
  br i1 %wrong, label %correct, label %done

correct:
  %q.less = sub i64 %q, 1
  %r.more = add i64 %r, %v1
  %over = icmp ugt i64 %r.more, 4294967295
  br i1 %over, label %done, label %again

again:
  br label %check

done:
  %result = phi i64 [ %q, %check ], [ %q.less, %correct ]
  ret i64 %result
}
