#include "textflag.h"

// Four vectors at a time: the divider takes a new one every few cycles, and the loop
// around it must not be what limits it. The comparison with zero is false for -0 and NaN.

// func roots512(dst, values *float64, n int) bool
TEXT ·roots512(SB), NOSPLIT, $0-25
	MOVQ dst+0(FP), DI
	MOVQ values+8(FP), SI
	MOVQ n+16(FP), CX
	VPXORQ Z15, Z15, Z15 // zero
	KXORW K0, K0, K0     // lanes that held a negative value

loop512:
	VMOVUPD 0(SI), Z0
	VMOVUPD 64(SI), Z1
	VMOVUPD 128(SI), Z2
	VMOVUPD 192(SI), Z3
	VCMPPD $1, Z15, Z0, K1 // less than zero
	VCMPPD $1, Z15, Z1, K2 // less than zero
	VCMPPD $1, Z15, Z2, K3 // less than zero
	VCMPPD $1, Z15, Z3, K4 // less than zero
	VSQRTPD Z0, Z0
	VSQRTPD Z1, Z1
	VSQRTPD Z2, Z2
	VSQRTPD Z3, Z3
	KORW K1, K0, K0
	KORW K2, K0, K0
	KORW K3, K0, K0
	KORW K4, K0, K0
	VMOVUPD Z0, 0(DI)
	VMOVUPD Z1, 64(DI)
	VMOVUPD Z2, 128(DI)
	VMOVUPD Z3, 192(DI)
	ADDQ $256, SI
	ADDQ $256, DI
	SUBQ $32, CX
	JNZ loop512
	KMOVW K0, AX
	TESTL AX, AX
	SETNE ret+24(FP)
	VZEROUPPER
	RET

// func roots256(dst, values *float64, n int) bool
TEXT ·roots256(SB), NOSPLIT, $0-25
	MOVQ dst+0(FP), DI
	MOVQ values+8(FP), SI
	MOVQ n+16(FP), CX
	VXORPD Y15, Y15, Y15 // zero
	VXORPD Y14, Y14, Y14 // all ones in the lanes that held a negative value

loop256:
	VMOVUPD 0(SI), Y0
	VMOVUPD 32(SI), Y1
	VMOVUPD 64(SI), Y2
	VMOVUPD 96(SI), Y3
	VCMPPD $1, Y15, Y0, Y4 // less than zero
	VCMPPD $1, Y15, Y1, Y5 // less than zero
	VCMPPD $1, Y15, Y2, Y6 // less than zero
	VCMPPD $1, Y15, Y3, Y7 // less than zero
	VSQRTPD Y0, Y0
	VSQRTPD Y1, Y1
	VSQRTPD Y2, Y2
	VSQRTPD Y3, Y3
	VORPD Y4, Y14, Y14
	VORPD Y5, Y14, Y14
	VORPD Y6, Y14, Y14
	VORPD Y7, Y14, Y14
	VMOVUPD Y0, 0(DI)
	VMOVUPD Y1, 32(DI)
	VMOVUPD Y2, 64(DI)
	VMOVUPD Y3, 96(DI)
	ADDQ $128, SI
	ADDQ $128, DI
	SUBQ $16, CX
	JNZ loop256
	VMOVMSKPD Y14, AX
	TESTL AX, AX
	SETNE ret+24(FP)
	VZEROUPPER
	RET
